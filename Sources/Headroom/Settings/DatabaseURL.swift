/// The parts of a `mysql://user:password@host:port/database?option=value` URL, under the names of the settings.
///
/// Also `mariadb://`. Parts may be percent-encoded. Options: `socket` (or `unix_socket`), `ssl-mode`, `ssl-ca`,
/// `connect-timeout`; others are refused, so that a misspelt one does not go unnoticed.
struct DatabaseURL {
    var values: [String: String] = [:]

    init(_ text: String, name: String = "DATABASE_URL", origin: String) throws {
        func invalid(_ why: String) -> DatabaseError {
            // Never the URL itself: it carries the password.
            DatabaseError(
                .settingsInvalid,
                message: "\(name) in \(origin) cannot be used: \(why).",
                advice: "It is written mysql://USER:PASSWORD@HOST:PORT/DATABASE, special characters as %XX."
            )
        }
        func decode(_ part: some StringProtocol) throws -> String {
            guard let decoded = Self.percentDecoded(part) else { throw invalid("a %XX in it is not valid") }
            return decoded
        }

        guard let colon = text.firstRange(of: "://") else { throw invalid("it has no mysql:// in front") }
        let scheme = text[..<colon.lowerBound]
        guard scheme == "mysql" || scheme == "mariadb" else { throw invalid("it begins with \(scheme)://") }
        var rest = text[colon.upperBound...]
        if let question = rest.lastIndex(of: "?") {
            try readOptions(rest[rest.index(after: question)...], decode: decode, invalid: invalid)
            rest = rest[..<question]
        }
        if let slash = rest.lastIndex(of: "/") {
            values["DB_DATABASE"] = try decode(rest[rest.index(after: slash)...])
            rest = rest[..<slash]
        }
        // The last '@': an unencoded one in the password is forgiven.
        if let at = rest.lastIndex(of: "@") {
            let login = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            values["DB_USERNAME"] = try decode(login[0])
            if login.count > 1 { values["DB_PASSWORD"] = try decode(login[1]) }
            rest = rest[rest.index(after: at)...]
        }
        if rest.hasPrefix("["), let close = rest.firstIndex(of: "]") {
            values["DB_HOST"] = String(rest[rest.index(after: rest.startIndex)..<close])
            rest = rest[rest.index(after: close)...]
        } else {
            let host = rest.prefix { $0 != ":" }
            values["DB_HOST"] = try decode(host)
            rest = rest[host.endIndex...]
        }
        if rest.hasPrefix(":") { values["DB_PORT"] = String(rest.dropFirst()) }
    }

    private mutating func readOptions(
        _ query: Substring,
        decode: (Substring) throws -> String,
        invalid: (String) -> DatabaseError
    ) throws {
        let names = [
            "socket": "DB_SOCKET", "unix_socket": "DB_SOCKET", "ssl-mode": "HEADROOM_TLS_MODE",
            "ssl-ca": "HEADROOM_TLS_CA", "connect-timeout": "HEADROOM_CONNECT_TIMEOUT",
        ]
        for option in query.split(separator: "&") {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = names[String(parts[0])], parts.count == 2 else {
                throw invalid("it has the unknown option '\(parts[0])'")
            }
            values[name] = try decode(parts[1])
        }
    }

    private static func percentDecoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.count == 2, let decoded = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
