import Glibc
import Headroom

/// Tells by mail, through the host's own `sendmail`.
struct MailChannel: AlertChannel {
    let name = "mail"
    private let address: String
    private let sendmail: String

    /// Creates one.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when the address cannot be used or there is no sendmail.
    init(to address: String) throws {
        let places = ["/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/sendmail"]
        let path = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").map { "\($0)/sendmail" }
        guard Self.isUsable(address), let sendmail = (path + places).first(where: { access($0, X_OK) == 0 }) else {
            throw DatabaseError(
                .settingsInvalid,
                message: "Mail is sent by the host's sendmail, and there is none, or the address cannot be used.",
                advice: "Install a mail program such as msmtp-mta, or use --alert-command."
            )
        }
        self.address = address
        self.sendmail = sendmail
    }

    /// Whether an address is one; it must not look like a flag, or go on to another header.
    static func isUsable(_ address: String) -> Bool {
        address.contains("@") && address.first != "-"
            && address.unicodeScalars.allSatisfy { (0x21..<0x7F).contains($0.value) }
    }

    /// A header's text: a file may be named in other letters, which a header holds only in code, and the body has them too.
    private static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { (0x20..<0x7F).contains($0.value) ? $0 : "?" }))
    }

    func send(_ alert: Alert) async throws {
        let lines =
            [
                "To: \(address)",
                "Subject: \(Self.plain(alert.title))",
                "Content-Type: text/plain; charset=utf-8",
                "Auto-Submitted: auto-generated",
                "",
                alert.message,
            ] + (alert.advice.isEmpty ? [] : ["next: \(alert.advice)"])
            + [""] + alert.facts.filter { !$0.value.isEmpty }.map { "\($0.name.lowercased()): \($0.value)" }
        // -i: a line with a single dot does not end the mail.
        try await Helper.run(sendmail, ["-t", "-i"], input: lines.joined(separator: "\n") + "\n")
    }
}
