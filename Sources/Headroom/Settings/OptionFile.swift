/// Reads a MySQL option file, such as `~/.my.cnf`.
///
/// Of its groups `[client]`, `[client-mariadb]` and `[headroom]` count, a later line winning. `!include` and `!includedir`
/// are followed. A `#` inside quotes belongs to the value; `-` and `_` in names are the same, as for the server's tools.
struct OptionFile {
    private(set) var values: [String: String] = [:]

    private static let groups: Set<Substring> = ["client", "client-server", "client-mariadb", "headroom"]

    private static let names = [
        "host": "DB_HOST", "port": "DB_PORT", "socket": "DB_SOCKET", "user": "DB_USERNAME", "password": "DB_PASSWORD",
        "database": "DB_DATABASE", "ssl_mode": "HEADROOM_TLS_MODE", "ssl_ca": "HEADROOM_TLS_CA",
        "connect_timeout": "HEADROOM_CONNECT_TIMEOUT",
    ]

    init(path: String, depth: Int = 0) throws {
        let text = try SettingsFile.read(path)
        guard depth < 10 else {
            throw DatabaseError(.settingsInvalid, message: "The option file \(path) includes itself.")
        }
        var isWanted = false
        for line in text.split(separator: "\n") {
            let line = line.trimming { $0.isWhitespace }
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("[") {
                isWanted = Self.groups.contains(line.dropFirst().prefix { $0 != "]" })
            } else if line.hasPrefix("!include") {
                for included in try Self.included(line) {
                    values.merge(try OptionFile(path: included, depth: depth + 1).values) { $1 }
                }
            } else if isWanted {
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let option = parts[0].trimming { $0.isWhitespace }.replacing("-", with: "_")
                guard let name = Self.names[String(option)], parts.count == 2 else { continue }
                values[name] = Self.value(parts[1].trimming { $0.isWhitespace })
            }
        }
    }

    private static func included(_ line: Substring) throws -> [String] {
        let words = line.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return [] }
        let path = String(words[1].trimming { $0.isWhitespace })
        return words[0] == "!includedir" ? try SettingsFile.list(path, ending: ".cnf") : [path]
    }

    private static func value(_ raw: Substring) -> String {
        if let quote = raw.first, quote == "'" || quote == "\"" {
            let inside = raw.dropFirst()
            if let close = inside.lastIndex(of: quote) { return String(inside[..<close]) }
        }
        let end = raw.indices.first { raw[$0] == "#" && $0 > raw.startIndex && raw[raw.index(before: $0)] == " " }
        return String(raw[..<(end ?? raw.endIndex)].trimming { $0.isWhitespace })
    }
}
