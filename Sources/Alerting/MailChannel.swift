import FoundationEssentials
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

    /// The mail as sendmail takes it: lines of ASCII, none too long for a server on its way (RFC 5322, 2045, 2047).
    static func mail(_ alert: Alert, to address: String, at time: time_t = time(nil)) -> String {
        let body =
            [Escaping.line(alert.message)] + (alert.advice.isEmpty ? [] : ["next: \(Escaping.line(alert.advice))"])
            + [""]
            + alert.facts.filter { !$0.value.isEmpty }.map { "\($0.name.lowercased()): \(Escaping.line($0.value))" }
        let text = body.joined(separator: "\n") + "\n"
        // As it stands where every server on the way takes it so.
        let isPlain = text.utf8.allSatisfy { $0 < 0x7F } && body.allSatisfy { $0.utf8.count < 900 }
        let options: Data.Base64EncodingOptions = [.lineLength76Characters, .endLineWithLineFeed]
        let encoded = isPlain ? text : Data(text.utf8).base64EncodedString(options: options) + "\n"
        let head = [
            "To: \(address)",
            "Subject: \(subject(alert.title))",
            "Date: \(date(time))",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: \(isPlain ? "7bit" : "base64")",
            "Auto-Submitted: auto-generated",
            "",
        ]
        return (head + [encoded]).joined(separator: "\n")
    }

    /// A subject in the letters of a header; others in encoded words of 75 letters at most (RFC 2047).
    static func subject(_ title: String) -> String {
        guard !title.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) || title.utf8.count > 900 else { return title }
        var words: [String] = []
        var word: [UInt8] = []
        func end() {
            words.append("=?utf-8?B?\(Data(word).base64EncodedString())?=")
            word = []
        }
        for scalar in Escaping.line(title).unicodeScalars.prefix(200) {
            let bytes = Array(String(scalar).utf8)
            if word.count + bytes.count > 45 { end() }
            word += bytes
        }
        end()
        return words.joined(separator: "\n ")
    }

    /// A time as a mail's head has it, whatever the locale.
    private static func date(_ time: time_t) -> String {
        var (time, parts) = (time, tm())
        gmtime_r(&time, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(days[Int(parts.tm_wday)]), \(parts.tm_mday) \(months[Int(parts.tm_mon)]) \(Int(parts.tm_year) + 1900) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) +0000"
    }
}
