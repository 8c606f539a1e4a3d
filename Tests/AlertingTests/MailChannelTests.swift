import Testing

@testable import Alerting

@Suite struct MailChannelTests {
    @Test func `a subject in other letters is told in those of a header`() {
        let alert = Alert(title: "Zählerstände", message: "", advice: "", facts: [])
        #expect(MailChannel.mail(alert, to: "ops@example.org").utf8.allSatisfy { $0 < 0x7F })
    }

    @Test(arguments: ["\n", "\r", "\r\n", "\u{0B}", "\u{2028}", "\u{85}", "\n\n"])
    func `no text of an alert begins a line of its own, in the head or in the body`(end: String) {
        let text = "one\(end)Bcc: two@example.org"
        let alert = Alert(title: text, message: text, advice: text, facts: [(name: "FILE", value: text)])
        #expect(!alert.message.unicodeScalars.contains { end.unicodeScalars.contains($0) }, "\(alert.message)")
        let mail = MailChannel.mail(alert, to: "ops@example.org")
        let lines = mail.unicodeScalars.split(omittingEmptySubsequences: false) {
            $0.properties.isWhitespace && $0 != " "
        }
        #expect(lines.count == 10, "\(mail)")
        #expect(!lines.contains { $0.starts(with: "Bcc".unicodeScalars) }, "\(mail)")
    }
}
