import FoundationEssentials
import Glibc
import Headroom

/// Tells by posting JSON, through curl: it knows proxies, certificates and retries, and costs nothing while nothing is said.
struct WebhookChannel: AlertChannel {
    let name = "webhook"
    private let address: String
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
        self.address = address
        self.curl = curl
    }

    /// Whether an address is one.
    static func isUsable(_ address: String) -> Bool {
        (address.begins(with: "http://") || address.begins(with: "https://"))
            && address.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "\"" && $0 != "\\" }
    }

    func send(_ alert: Alert) async throws {
        let pairs = alert.facts.map { ($0.name.lowercased(), $0.value) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = String(decoding: try encoder.encode(Dictionary(uniqueKeysWithValues: pairs)), as: UTF8.self)
        // Through its input: an address may hold a secret, and arguments are for all users of the machine to read.
        let orders = """
            url = "\(Escaping.curl(address))"
            header = "Content-Type: application/json"
            data-raw = "\(Escaping.curl(body))"
            """
        try await Helper.run(
            curl,
            [
                // --globoff: brackets and braces in the address would be many addresses.
                "--disable", "--globoff", "--silent", "--fail", "--output", "/dev/null", "--connect-timeout", "10",
                "--max-time", "15", "--retry", "2", "--retry-delay", "3",
                // A redirection would take the alert to another host, or lose it without a word: it is a failure.
                "--location", "--max-redirs", "0", "--proto", "=http,https",
                "--config", "-",
            ],
            // Not HTTP_PROXY: a web server sets that one from a header of whoever asks.
            keeping: ["http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"],
            input: orders + "\n"
        )
    }
}
