import Foundation
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
        #expect(!lines.contains { $0.starts(with: "Bcc".unicodeScalars) }, "\(mail)")
    }

    @Test func `a mail is well formed, and its body and subject are what was told`() throws {
        let title = String(repeating: "Zähler \u{1F600} ", count: 20)
        let alert = Alert(title: title, message: "Grün", advice: "", facts: [])
        let mail = MailChannel.mail(alert, to: "ops@example.org", at: 0)
        #expect(mail.contains("\nDate: Thu, 1 Jan 1970 00:00:00 +0000\nMIME-Version: 1.0\n"))
        let lines = mail.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.utf8.count <= 90 && $0.utf8.allSatisfy { $0 < 0x7F } })
        let words = mail.matches(of: /=\?utf-8\?B\?([A-Za-z0-9+\/=]+)\?=/)
        #expect(words.count > 5)
        let bytes = try words.flatMap { Array(try #require(Data(base64Encoded: String($0.output.1)))) }
        #expect(String(decoding: bytes, as: UTF8.self) == title)
        let body = try #require(mail.split(separator: "\n\n", maxSplits: 1).last)
        let text = try #require(Data(base64Encoded: String(body), options: .ignoreUnknownCharacters))
        #expect(String(decoding: text, as: UTF8.self).hasPrefix("Grün\n"))
    }
}
