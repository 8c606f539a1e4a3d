/// Reads what stands in a PHP file of settings as plain literals: strings, numbers and arrays of them.
///
/// No PHP is run. It finds `define('NAME', ...)`, `$name[...]... = ...`, properties of a class, and what the file returns. A value that is
/// worked out, such as by `getenv`, is known to be there and no more.
struct PHPFile {
    /// A value.
    indirect enum Value: Hashable {
        case text(String)
        case array([String: Place])
        /// Something that only PHP can tell.
        case unknown
    }

    /// A value with the line where it stands.
    struct Place: Hashable {
        var value: Value
        var line: Int
        /// Where the literal stands in the file's bytes, with its quotes; known of the value of a `define`.
        var bytes: Range<Int>?
    }

    /// What was found, by its place: `["DB_NAME"]`, `["databases", "default", "default"]`, `["return"]`; in order.
    private(set) var found: [(path: [String], place: Place)] = []

    /// Whether the file reads others whose settings are not seen here.
    private(set) var readsOthers = false

    private var tokens: [(token: Token, line: Int, bytes: Range<Int>)] = []
    private var next = 0

    /// The deepest array within an array.
    private static let deepest = 20

    /// Whether the bytes are a PHP file.
    static func isOne(_ bytes: [UInt8]) -> Bool {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        return start.drop(while: \.isSpace).begins(with: "<?php")
    }

    init(_ bytes: [UInt8]) {
        var lexer = Lexer(bytes)
        while let token = lexer.next() { tokens.append((token, lexer.line, lexer.start..<lexer.end)) }
        while next < tokens.count { statement() }
    }

    /// The value at a path, below whatever part of it was assigned; `nil` when there is none.
    ///
    /// - Parameter path: The path.
    /// - Returns: The value; `unknown` where two different ones are assigned, as in the branches of a condition.
    func value(_ path: String...) -> Place? {
        var places: [Place] = []
        for (start, place) in found where path.starts(with: start) {
            var place: Place? = place
            for key in path.dropFirst(start.count) {
                if case .array(let values)? = place?.value {
                    place = values[key]
                } else if place?.value != .unknown {
                    place = nil
                }
            }
            if let place { places.append(place) }
        }
        guard var last = places.last else { return nil }
        if places.contains(where: { $0.value != last.value }) { last.value = .unknown }
        return last
    }

    // MARK: Parsing

    private enum Token: Hashable {
        case variable(String)
        case word(String)
        case text(String)
        case unknown
        case sign(UInt8)
    }

    private var token: Token? { next < tokens.count ? tokens[next].token : nil }

    private mutating func take(_ sign: StaticString) -> Bool {
        guard token == .sign(sign.utf8Start.pointee) else { return false }
        next += 1
        return true
    }

    private mutating func statement() {
        let line = tokens[next].line
        guard let token else { return }
        next += 1
        switch token {
        case .word("define"):
            guard take("("), case .text(let name)? = self.token else { return }
            next += 1
            if take(",") {
                let bytes = next < tokens.count ? tokens[next].bytes : nil
                found.append(([name], Place(value: value(0), line: line, bytes: bytes)))
            }
        case .word("return"):
            if self.token != .sign(UInt8(ascii: ";")) { found.append((["return"], Place(value: value(0), line: line))) }
        case .word("include"), .word("include_once"), .word("require"), .word("require_once"):
            var names: [String] = []
            while let token = self.token, token != .sign(UInt8(ascii: ";")) {
                if case .text(let text) = token { names.append(text) }
                next += 1
            }
            // What WordPress itself reads in the end.
            if !(names.last?.ends(with: "wp-settings.php") ?? false) { readsOthers = true }
        case .variable(let name):
            var path = [name]
            while take("[") {
                guard case .text(let key)? = self.token else { return }
                next += 1
                guard take("]") else { return }
                path.append(key)
            }
            guard take("="), self.token != .sign(UInt8(ascii: "=")), self.token != .sign(UInt8(ascii: ">")) else {
                return
            }
            found.append((path, Place(value: value(0), line: line)))
        default:
            break
        }
    }

    /// The value that begins here; what is no literal is passed over up to the end of the expression.
    private mutating func value(_ depth: Int) -> Value {
        let start = next
        if let value = literal(depth), let token, ",;)]".utf8.contains(where: { token == .sign($0) }) { return value }
        next = start
        var open = 0
        while let token {
            if case .sign(let sign) = token {
                if "([{".utf8.contains(sign) { open += 1 }
                if ")]}".utf8.contains(sign) {
                    if open == 0 { break }
                    open -= 1
                }
                if open == 0, sign == UInt8(ascii: ",") || sign == UInt8(ascii: ";") { break }
            }
            next += 1
        }
        return .unknown
    }

    private mutating func literal(_ depth: Int) -> Value? {
        guard let token, depth < Self.deepest else { return nil }
        switch token {
        case .text(let text):
            next += 1
            return .text(text)
        case .word(let word):
            next += 1
            switch word.lowercased() {
            case "null", "false": return .text("")
            case "true": return .text("1")
            case "array": return take("(") ? array(until: ")", depth) : nil
            default: return word.utf8.allSatisfy { ($0 &- 0x30) < 10 } ? .text(word) : nil
            }
        case .sign(UInt8(ascii: "[")):
            next += 1
            return array(until: "]", depth)
        default:
            return nil
        }
    }

    private mutating func array(until end: StaticString, _ depth: Int) -> Value {
        var values: [String: Place] = [:]
        var count = 0
        while token != nil, !take(end) {
            let line = tokens[next].line
            let start = next
            var key: String?
            if case .text(let text)? = token {
                next += 1
                if take("="), take(">") { key = text } else { next = start }
            }
            values[key ?? "\(count)"] = Place(value: value(depth + 1), line: line)
            if key == nil { count += 1 }
            if !take(","), token != .sign(end.utf8Start.pointee) { return .array(values) }
        }
        return .array(values)
    }

    // MARK: Words

    private struct Lexer {
        private var rest: ArraySlice<UInt8>
        private(set) var line = 1
        /// Where the last token begins and ends.
        private(set) var start = 0
        var end: Int { rest.startIndex }

        init(_ bytes: [UInt8]) {
            rest = bytes[...]
            // What stands before it is a page.
            while !rest.isEmpty, !rest.begins(with: "<?php") { skip(1) }
            skip(min(5, rest.count))
        }

        private mutating func skip(_ count: Int) {
            for byte in rest.prefix(count) where byte == UInt8(ascii: "\n") { line += 1 }
            rest = rest.dropFirst(count)
        }

        private mutating func skipBlank() {
            while let byte = rest.first {
                if byte.isSpace {
                    skip(1)
                } else if rest.begins(with: "//") || byte == UInt8(ascii: "#") && !rest.begins(with: "#[") {
                    skip(rest.prefix { $0 != UInt8(ascii: "\n") }.count)
                } else if rest.begins(with: "/*") {
                    skip(2)
                    while !rest.isEmpty, !rest.begins(with: "*/") { skip(1) }
                    skip(2)
                } else {
                    return
                }
            }
        }

        mutating func next() -> Token? {
            skipBlank()
            start = rest.startIndex
            guard let first = rest.first else { return nil }
            switch first {
            case UInt8(ascii: "'"), UInt8(ascii: "\""): return quoted(first)
            case UInt8(ascii: "<") where rest.begins(with: "<<<"): return heredoc()
            case UInt8(ascii: "$"):
                let name = rest.dropFirst().prefix(while: Self.isOfWord)
                skip(1 + name.count)
                return .variable(name.text)
            case _ where Self.isOfWord(first):
                let word = rest.prefix(while: Self.isOfWord)
                skip(word.count)
                return .word(word.text)
            default:
                skip(1)
                return .sign(first)
            }
        }

        private static func isOfWord(_ byte: UInt8) -> Bool {
            EnvFile.isOfName(byte) && byte != UInt8(ascii: ".") || byte >= 0x80
        }

        private mutating func quoted(_ quote: UInt8) -> Token {
            var text: [UInt8] = []
            var isPlain = true
            let isDouble = quote == UInt8(ascii: "\"")
            skip(1)
            while let byte = rest.first {
                skip(1)
                if byte == quote { return isPlain ? .text(text[...].text) : .unknown }
                guard byte == UInt8(ascii: "\\"), let escaped = rest.first else {
                    if isDouble, byte == UInt8(ascii: "$"), let after = rest.first,
                        after == UInt8(ascii: "{") || Self.isOfWord(after) && !(0x30...0x39).contains(after)
                    {
                        isPlain = false
                    }
                    text.append(byte)
                    continue
                }
                let known: [UInt8: UInt8] =
                    isDouble
                    ? [
                        0x22: 0x22, 0x5C: 0x5C, 0x24: 0x24, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09, 0x76: 0x0B, 0x65: 0x1B,
                        0x66: 0x0C,
                    ] : [0x27: 0x27, 0x5C: 0x5C]
                if let sign = known[escaped] {
                    skip(1)
                    text.append(sign)
                } else {
                    // A number in octal, hexadecimal or Unicode: rare in settings, and not worth a guess.
                    if isDouble,
                        escaped == UInt8(ascii: "x") || escaped == UInt8(ascii: "u") || (0x30...0x37).contains(escaped)
                    {
                        isPlain = false
                    }
                    text.append(byte)
                }
            }
            return .unknown
        }

        private mutating func heredoc() -> Token {
            skip(3)
            while let byte = rest.first, byte == 0x20 || byte == 0x09 || byte == 0x22 || byte == 0x27 { skip(1) }
            let name = rest.prefix(while: Self.isOfWord)
            skip(name.count)
            guard !name.isEmpty else { return .unknown }
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                skip(end - rest.startIndex + 1)
                let indent = rest.prefix { $0 == 0x20 || $0 == 0x09 }.count
                guard rest.dropFirst(indent).starts(with: name) else { continue }
                if let after = rest.dropFirst(indent + name.count).first, Self.isOfWord(after) { continue }
                skip(indent + name.count)
                return .unknown
            }
            skip(rest.count)
            return .unknown
        }
    }
}

extension [String: SettingsLayer.Entry] {
    fileprivate mutating func set(_ setting: Setting, _ place: PHPFile.Place?, _ what: String, path: String) -> String?
    {
        guard let place else { return nil }
        guard case .text(let value) = place.value else {
            return
                "\(what) in line \(place.line) of \(path) is no plain value: no PHP is run, so set \(setting.name) beside it"
        }
        let origin = SettingOrigin(place: .file(line: place.line), path: path)
        self[setting.name] = SettingsLayer.Entry(value: value, origin: origin)
        return nil
    }
}

/// The database's settings in the PHP files of applications.
struct PHPSettings {
    private(set) var entries: [String: SettingsLayer.Entry] = [:]
    private(set) var warnings: [String] = []

    /// Where the file says which server it is in a way that is not read: another server must not be taken for it.
    private(set) var unreadablePlace: DatabaseError?

    /// Words by which these files ask for TLS; which of them holds, and with what certificates, is not read.
    private static let asksForTLS = ["MYSQLI_CLIENT_SSL", "MYSQL_ATTR_SSL_", "MYSQL_CLIENT_SSL"]

    /// Reads WordPress' wp-config.php, Drupal's settings.php, Joomla's configuration.php, Magento's env.php, and Symfony's
    /// .env.local.php.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when the file is none of these.
    init(_ bytes: [UInt8], path: String) throws {
        let file = PHPFile(bytes)
        let drupal = { file.value("databases", "default", "default", $0) }
        let magento = { file.value("return", "db", "connection", "default", $0) }
        let kinds: [(setting: Setting, name: String, place: PHPFile.Place?)] = [
            (.database, "DB_NAME", file.value("DB_NAME")), (.username, "DB_USER", file.value("DB_USER")),
            (.password, "DB_PASSWORD", file.value("DB_PASSWORD")), (.host, "DB_HOST", file.value("DB_HOST")),
            (.database, "database", drupal("database")), (.username, "username", drupal("username")),
            (.password, "password", drupal("password")), (.host, "host", drupal("host")),
            (.port, "port", drupal("port")),
            (.socket, "unix_socket", drupal("unix_socket")),
            (.database, "dbname", magento("dbname")), (.username, "username", magento("username")),
            (.password, "password", magento("password")), (.host, "host", magento("host")),
            (.port, "port", magento("port")),
            (.socket, "unix_socket", magento("unix_socket")),
        ]
        let joomla: [(Setting, String, PHPFile.Place?)] =
            file.value("db") == nil
            ? []
            : [(.database, "db"), (.username, "user"), (.password, "password"), (.host, "host")]
                .map { ($0, $1, file.value($1)) }
        for (setting, name, place) in kinds + joomla {
            guard let warning = entries.set(setting, place, name, path: path) else { continue }
            warnings.append(warning)
            if [Setting.host, .port, .socket].contains(where: { $0.name == setting.name }) {
                unreadablePlace = DatabaseError(
                    .settingsInvalid,
                    message: "Which server \(path) means is not known: \(warning).",
                    advice: "Set DB_HOST or DB_SOCKET in the environment, or use --host or --socket."
                )
            }
        }
        if case .text(let encryption)? = file.value("dbencryption")?.value, encryption != "0" { requireTLS(path) }
        let text = String(decoding: bytes, as: UTF8.self)
        if Self.asksForTLS.contains(where: { text.holds($0) }) { requireTLS(path) }
        for setting in Setting.all where entries[setting.name] == nil {
            if let warning = entries.set(setting, file.value("return", setting.name), setting.name, path: path) {
                warnings.append(warning)
            }
        }
        if file.readsOthers {
            warnings.append("\(path) includes other files, which are not read: they may say otherwise")
        }
        for engine in [drupal("driver"), file.value("dbtype")] {
            if case .text(let name)? = engine?.value, ["pgsql", "sqlite", "postgresql", "sqlsrv"].contains(name) {
                warnings.append("\(path) is about another kind of database than MySQL and MariaDB")
            }
        }
        guard entries.isEmpty, warnings.isEmpty || file.readsOthers && warnings.count == 1 else { return }
        throw DatabaseError(
            .settingsInvalid,
            message: "\(path) is PHP, and none of the settings of a database are found in it.",
            advice:
                "Known are wp-config.php, Drupal's settings.php, Joomla's configuration.php and Magento's env.php, with plain "
                + "values: no PHP is run. Else set DB_HOST, DB_USERNAME, DB_PASSWORD and DB_DATABASE."
        )
    }

    /// Has the connection encrypted, as the application's is; the settings of Headroom's own say how it is verified.
    private mutating func requireTLS(_ path: String) {
        guard !entries.isEmpty, entries[Setting.tlsMode.name] == nil else { return }
        let origin = SettingOrigin(place: .file(line: 1), path: path)
        entries[Setting.tlsMode.name] = SettingsLayer.Entry(value: "required", origin: origin)
        warnings.append(
            "\(path) asks for TLS, so it is required; HEADROOM_TLS_MODE and HEADROOM_TLS_CA say how it is verified"
        )
    }
}
