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
        let path = (getenv("PATH").map { String(cString: $0) } ?? "").pieces(separator: ":").map { "\($0)/sendmail" }
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
        address.holds("@") && !address.begins(with: "-")
            && address.unicodeScalars.allSatisfy { (0x21..<0x7F).contains($0.value) }
    }

    func send(_ alert: Alert) async throws {
        // -i: a line with a single dot does not end the mail.
        try await Helper.run(sendmail, ["-t", "-i"], input: Self.mail(alert, to: address))
    }

    /// The mail as sendmail takes it.
    static func mail(_ alert: Alert, to address: String) -> String {
        // A file may be named in other letters, which a header holds only in code; the body has them too.
        let lines =
            [
                "To: \(address)",
                "Subject: \(Escaping.header(alert.title))",
                "Content-Type: text/plain; charset=utf-8",
                "Auto-Submitted: auto-generated",
                "",
                Escaping.line(alert.message),
            ] + (alert.advice.isEmpty ? [] : ["next: \(Escaping.line(alert.advice))"])
            + [""]
            + alert.facts.filter { !$0.value.isEmpty }.map { "\($0.name.lowercased()): \(Escaping.line($0.value))" }
        return lines.joined(separator: "\n") + "\n"
    }
}
