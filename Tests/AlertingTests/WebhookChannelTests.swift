import Foundation
import Testing

@testable import Alerting

/// What is posted is what the receiver understands, as its address says.
@Suite struct WebhookChannelTests {
    @Test(arguments: [
        ("https://hooks.slack.com/services/T/B/x", "slack"), ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://discordapp.com:443/api/webhooks/1/x", "discord"), ("https://acme.webhook.office.com/x", "teams"),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/x", "teams"), ("https://ntfy.sh/topic", "ntfy"),
        ("https://example.org/hooks.slack.com", "json"), ("https://nothooks.slack.com.example.org/", "json"),
        ("https://notdiscord.com/", "json"), ("https://hooks.slack.com@example.org/", "json"),
        ("https://a:b@hooks.slack.com/", "slack"), ("https://HOOKS.SLACK.COM/x", "slack"),
        ("slack+https://chat.example.org/hook", "slack"), ("ntfy+http://10.0.0.1/topic", "ntfy"),
    ])
    func `the format is the host's, or the one that is named`(_ address: String, _ format: String) {
        #expect(WebhookChannel.parts(address).0.rawValue == format)
        #expect(WebhookChannel.isUsable(address))
        #expect(WebhookChannel.parts(address).address.hasPrefix("http"))
    }

    @Test(arguments: WebhookChannel.Format.allCases)
    func `each body says what happened, where and what to do`(_ format: WebhookChannel.Format) throws {
        let long = String(repeating: "\u{1F600}", count: 5_000)
        for message in ["full", "quotes \" and \\ and \u{2028}", long] {
            let alert = Alert(title: "title", message: message, advice: "do", facts: [("LEVEL", "WARNING")])
            let body = try WebhookChannel.body(alert, format)
            if format == .ntfy {
                #expect(body == alert.text)
                continue
            }
            let object = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
            switch format {
            case .slack: #expect(object["text"] as? String == alert.text)
            case .json: #expect(object["text"] as? String == alert.text && object["level"] as? String == "WARNING")
            case .discord:
                #expect((object["content"] as? String).map { (1...2_000).contains($0.utf16.count / 2) } == true)
            case .teams: #expect(object["type"] as? String == "message" && body.contains("AdaptiveCard"))
            case .ntfy: break
            }
        }
        #expect(Alert(title: "t", message: "m", advice: "a", facts: []).text.hasPrefix("t\nm\nnext: a\nhost: "))
    }
}
