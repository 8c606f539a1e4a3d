import FoundationEssentials
import Glibc
import Headroom

/// Tells by posting to a chat, a phone or a program of the user's, through curl: it knows proxies, certificates and retries, and costs nothing while nothing is said.
struct WebhookChannel: AlertChannel {
    let name = "webhook"
    /// What the receiver understands.
    enum Format: String, CaseIterable {
        /// The facts by their names, and `text`: for programs, Mattermost and Rocket.Chat.
        case json
        case slack, discord, teams, ntfy

        /// What the service at an address takes, as its host says.
        init(host: String) {
            func isOf(_ domain: String) -> Bool {
                let (host, domain) = (Array(host.utf8), Array(domain.utf8))
                return host == domain || host.suffix(domain.count + 1) == [UInt8(ascii: ".")] + domain
            }
            self =
                isOf("hooks.slack.com")
                ? .slack
                : isOf("discord.com") || isOf("discordapp.com")
                    ? .discord
                    : isOf("office.com") || isOf("logic.azure.com") || isOf("powerplatform.com")
                        ? .teams
                        : isOf("ntfy.sh") ? .ntfy : .json
        }
    }

    private let address: String
    private let format: Format
    private let curl: String

    /// Creates one.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when the address cannot be used or there is no curl.
    init(_ address: String) throws {
        guard Self.isUsable(address) else {
            throw DatabaseError(
                .settingsInvalid,
                message: "The webhook's address cannot be used.",
                advice: "It must begin with http:// or https:// and have no spaces."
            )
        }
        let places = ["/usr/bin/curl", "/usr/local/bin/curl", "/bin/curl"]
        guard let curl = places.first(where: { access($0, X_OK) == 0 }) else {
            throw DatabaseError(
                .settingsInvalid,
                message: "A webhook is called by curl, and there is none in /usr/bin or /usr/local/bin.",
                advice: "Install curl, or use --alert-command."
            )
        }
        (format, self.address) = Self.parts(address)
        self.curl = curl
    }

    /// The format and the address: `slack+https://chat.example.org/…` names what a service at one's own address understands.
    static func parts(_ text: String) -> (Format, address: String) {
        if let plus = text.unicodeScalars.firstIndex(of: "+"),
            let format = Format(rawValue: String(text.unicodeScalars[..<plus]))
        {
            return (format, String(text.unicodeScalars[plus...].dropFirst()))
        }
        let rest = text.place(of: "://").map { String(text[$0.upperBound...]) } ?? ""
        let authority = String(
            String.UnicodeScalarView(rest.unicodeScalars.prefix { !"/?#".unicodeScalars.contains($0) })
        )
        let place = authority.pieces(separator: "@").last.map { String($0) } ?? ""
        return (Format(host: (place.pieces(separator: ":").first.map { String($0) } ?? "").lowercased()), text)
    }

    /// Whether an address is one.
    static func isUsable(_ text: String) -> Bool {
        let address = parts(text).address
        return (address.begins(with: "http://") || address.begins(with: "https://"))
            && address.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "\"" && $0 != "\\" }
    }

    func send(_ alert: Alert) async throws {
        // Through its input: an address may hold a secret, and arguments are for all users of the machine to read.
        var orders = """
            url = "\(Escaping.curl(address))"
            data-raw = "\(Escaping.curl(try Self.body(alert, format)))"
            """
        orders +=
            format == .ntfy
            ? "\nheader = \"Title: \(Escaping.curl(Escaping.header(alert.title)))\""
            : "\nheader = \"Content-Type: application/json\""
        let answer = try await Helper.run(
            curl,
            [
                // --globoff: brackets and braces in the address would be many addresses.
                "--disable", "--globoff", "--silent", "--show-error", "--connect-timeout", "10", "--max-time", "15",
                "--retry", "2", "--retry-delay", "3", "--max-filesize", "60000", "--write-out", "\n%{http_code}",
                // A redirection would take the alert to another host, or lose it without a word: it is a failure.
                "--location", "--max-redirs", "0", "--proto", "=http,https",
                "--config", "-",
            ],
            // Not HTTP_PROXY: a web server sets that one from a header of its client.
            keeping: ["http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"],
            input: orders + "\n"
        )
        // The last of what was tried; its words say what is wrong with the address or the message.
        let lines = answer.pieces(separator: "\n")
        let code = lines.last.flatMap { Int($0) } ?? 0
        guard (200..<300).contains(code) else {
            var words = Helper.words(lines.dropLast().joined(separator: " "))
            // Not where it repeats a part of the address, which may be a secret.
            let path = address.pieces { "/?&=#".unicodeScalars.contains($0) }.dropFirst(2)
            if path.contains(where: { $0.utf8.count >= 4 && words.holds($0) }) { words = "" }
            throw Helper.Failure(description: "the address answered with \(code)\(words.isEmpty ? "" : ": \(words)")")
        }
    }

    /// What is posted.
    static func body(_ alert: Alert, _ format: Format) throws -> String {
        switch format {
        case .json:
            var facts = Dictionary(alert.facts.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
            facts["text"] = alert.text
            return try json(facts)
        case .slack: return try json(["text": alert.text])
        // Discord takes 2,000 letters.
        case .discord:
            return try json(["content": String(String.UnicodeScalarView(alert.text.unicodeScalars.prefix(1900)))])
        case .teams: return try json(TeamsMessage(alert.text))
        case .ntfy: return alert.text
        }
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// A message as Teams' workflows take it: an adaptive card in an attachment.
private struct TeamsMessage: Encodable {
    struct Block: Encodable {
        var type = "TextBlock"
        var wrap = true
        var text: String
    }
    struct Card: Encodable {
        var type = "AdaptiveCard"
        var version = "1.4"
        var body: [Block]
    }
    struct Attachment: Encodable {
        var contentType = "application/vnd.microsoft.card.adaptive"
        var content: Card
    }

    var type = "message"
    var attachments: [Attachment]

    init(_ text: String) {
        // A single end of a line is a blank to Teams.
        let lines = text.pieces(separator: "\n").map { Block(text: String($0)) }
        attachments = [Attachment(content: Card(body: lines))]
    }
}
