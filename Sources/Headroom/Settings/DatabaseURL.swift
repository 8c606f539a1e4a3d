/// The parts of a `mysql://user:password@host:port/database?option=value` URL, under the names of the settings.
///
/// Also `mariadb://`. Parts may be percent-encoded. Options: `socket` (or `unix_socket`), `ssl-mode`, `ssl-ca`,
/// `connect-timeout`; others are refused, so that a misspelt one does not go unnoticed. No error repeats a piece of it: where
/// something is wrong, any piece may be one of the password.
struct DatabaseURL {
    var values: [String: String] = [:]

    private static let options = [
        "socket": "DB_SOCKET", "unix_socket": "DB_SOCKET", "ssl-mode": "HEADROOM_TLS_MODE",
        "ssl-ca": "HEADROOM_TLS_CA", "connect-timeout": "HEADROOM_CONNECT_TIMEOUT",
    ]

    init(_ text: String, name: String = "DATABASE_URL", origin: String) throws {
        func invalid(_ why: String) -> DatabaseError {
            DatabaseError(
                .settingsInvalid,
                message: "\(name) in \(origin) cannot be used: \(why).",
                advice: "It is written mysql://USER:PASSWORD@HOST:PORT/DATABASE, special characters as %XX."
            )
        }
        func decode(_ part: ArraySlice<UInt8>) throws -> String {
            guard let decoded = PercentEncoding.decoded(part) else { throw invalid("a %XX in it is not valid") }
            return decoded
        }

        let bytes = Array(text.utf8)[...]
        guard let scheme = ["mysql://", "mariadb://"].first(where: { bytes.starts(with: $0.utf8) }) else {
            throw invalid("it does not begin with mysql:// or mariadb://")
        }
        var rest = bytes.dropFirst(scheme.utf8.count)
        let slashOrMark = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let tail = rest[slashOrMark...]
        guard !tail.contains(UInt8(ascii: "@")) else {
            throw invalid("an @ stands behind a / or a ?: in a password write / as %2F, ? as %3F and @ as %40")
        }
        rest = rest[..<slashOrMark]
        // The last '@': an unencoded one in the password is forgiven.
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            let login = rest[..<at].split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            values["DB_USERNAME"] = try decode(login[0])
            if login.count > 1 { values["DB_PASSWORD"] = try decode(login[1]) }
            rest = rest[(at + 1)...]
        }
        if rest.first == UInt8(ascii: "["), let close = rest.firstIndex(of: UInt8(ascii: "]")) {
            values["DB_HOST"] = rest[..<close].dropFirst().text
            rest = rest[(close + 1)...]
        } else {
            let host = rest.prefix { $0 != UInt8(ascii: ":") }
            values["DB_HOST"] = try decode(host)
            rest = rest[host.endIndex...]
        }
        if rest.first == UInt8(ascii: ":") {
            values["DB_PORT"] = rest.dropFirst().text
        } else if !rest.isEmpty {
            throw invalid("something stands behind the ] of the host")
        }
        let path = tail.prefix { $0 != UInt8(ascii: "?") }
        if !path.isEmpty { values["DB_DATABASE"] = try decode(path.dropFirst()) }
        for option in tail[path.endIndex...].dropFirst().split(separator: UInt8(ascii: "&")) {
            let parts = option.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = Self.options[parts[0].text] else {
                throw invalid(
                    "it has an unknown option behind the ? (known: \(Self.options.keys.sorted().joined(separator: ", ")))"
                )
            }
            values[name] = try decode(parts[1])
        }
    }
}
