/// Reads `.env` files as the tools do that they are written for.
///
/// The tools contradict each other: of `abc#def` one takes `abc`, another all of it. So beside Laravel's `artisan` a file is
/// read as phpdotenv and Laravel's `env()` do, beside Symfony's `bin/console` as symfony/dotenv does, and beside Bedrock's
/// `config/application.php` (WordPress) as that does, with its names. Elsewhere a value counts
/// on which both agree, or that only one of them reads; where they differ, the value is marked, and whoever uses it is told.
/// Names that begin with `HEADROOM_` are no other tool's: their values stand as they are, but for quotes and comments. What is
/// wrong in a line of somebody else's stops nothing. No command in `$(...)` is ever run. A later line wins.
struct EnvFile {
    /// Whose reading holds.
    enum Dialect: Sendable, CaseIterable { case common, laravel, symfony, bedrock }

    /// What was found, by name.
    private(set) var entries: [String: SettingsLayer.Entry] = [:]

    /// What its user should know.
    ///
    /// No piece of a line is in it, but for the name of a setting.
    private(set) var warnings: [String] = []

    /// What cannot be used.
    private(set) var problems: [DatabaseError] = []

    private let dialect: Dialect
    private let environment: [String: String]
    private var phpdotenv: [String: [UInt8]] = [:]
    private var symfony: [String: [UInt8]] = [:]

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - dialect: Whose reading holds.
    ///   - environment: What `${NAME}` may mean beside the names of the files themselves.
    init(_ dialect: Dialect = .common, environment: [String: String] = [:]) {
        self.dialect = dialect
        self.environment = environment
    }

    /// Reads a file; what an earlier one says is replaced.
    mutating func read(_ bytes: [UInt8], path: String) {
        let lines = Array(SettingsLines(bytes))
        var index = 0
        while index < lines.count {
            let number = index + 1
            let line = lines[index].trimmed
            index += 1
            if line.isEmpty || line.begins(with: "#") { continue }
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
                noteMissingSign(line, number, path)
                continue
            }
            guard let name = Self.name(line[..<equals].trimmed) else { continue }
            var raw = lines[index - 1][(equals + 1)...]
            if let (whole, count) = Self.quotedOverLines(raw, lines[index...]) {
                raw = whole
                index += count
            }
            take(name, raw, isSpaced: line[equals - 1].isSpace, SettingOrigin(place: .file(line: number), path: path))
        }
    }

    private mutating func take(_ name: String, _ raw: ArraySlice<UInt8>, isSpaced: Bool, _ origin: SettingOrigin) {
        func lookUp(_ values: [String: [UInt8]]) -> (String) -> [UInt8]? {
            { [environment] in environment[$0].map { Array($0.utf8) } ?? values[$0] }
        }
        let php = Dotenv.phpdotenv(raw, lookUp(phpdotenv))
        let sym = isSpaced ? nil : Dotenv.symfony(raw, lookUp(symfony))
        phpdotenv[name] = php
        symfony[name] = sym
        let isOurs =
            Setting.names.contains(name) || name == SettingsLayer.frameworkURL
            || dialect == .bedrock && Self.bedrock.contains { $0.0 == name }
        var origin = origin
        var value: [UInt8]?
        switch dialect {
        case _ where name.hasPrefix("HEADROOM_"): value = Dotenv.plain(raw, lookUp(phpdotenv))
        case .laravel: value = php.map { Dotenv.converted($0, isLaravel: true) }
        case .bedrock: value = php.map { Dotenv.converted($0, isLaravel: false) }
        case .symfony: value = sym
        case .common:
            value = php ?? sym
            if let php, let sym, php != sym {
                origin.isAmbiguous = true
            } else if isOurs, php == nil || sym == nil {
                noteOneReading(
                    name,
                    origin,
                    php == nil
                        ? sym == nil ? "neither phpdotenv nor symfony/dotenv reads" : "phpdotenv does not read"
                        : "symfony/dotenv does not read"
                )
            }
        }
        if value == nil {
            value = Dotenv.plain(raw, lookUp(phpdotenv))
            guard isOurs else { return }
            if value == nil {
                problems.append(
                    DatabaseError(
                        .settingsInvalid,
                        message: "\(name) in \(origin) has a quote that is not closed.",
                        advice: "Close it, or write \\\" for a quote inside double quotes."
                    )
                )
            } else if dialect != .common {
                noteOneReading(name, origin, "\(dialect == .symfony ? "symfony/dotenv" : "phpdotenv") does not read")
            }
        }
        guard let value else { return }
        // What Laravel's own config/database.php reads.
        if dialect == .laravel, name == "MYSQL_ATTR_SSL_CA", entries[Setting.tlsAuthorities.name] == nil {
            entries[Setting.tlsAuthorities.name] = SettingsLayer.Entry(
                value: value[...].text,
                origin: origin.under(name)
            )
        }
        entries[name] = SettingsLayer.Entry(value: value[...].text, origin: origin)
    }

    /// Bedrock's names of settings, and ours.
    private static let bedrock: [(String, Setting)] = [("DB_NAME", .database), ("DB_USER", .username)]

    /// The settings under our names.
    ///
    /// - Parameter path: The path of the file.
    /// - Returns: The settings.
    func settings(path: String) -> [String: SettingsLayer.Entry] {
        guard dialect == .bedrock else { return entries }
        var settings = entries
        // Names that its configuration does not read.
        for setting: Setting in [.port, .socket, .database, .username] { settings[setting.name] = nil }
        for (name, setting) in Self.bedrock {
            guard let entry = entries[name], !entry.value.isEmpty else { continue }
            settings[setting.name] = SettingsLayer.Entry(value: entry.value, origin: entry.origin.under(name))
        }
        if entries[Setting.host.name]?.value.isEmpty ?? true, settings[Setting.username.name] != nil {
            let origin = SettingOrigin(place: .file(line: nil), path: path)
            settings[Setting.host.name] = SettingsLayer.Entry(value: "localhost", origin: origin)
        }
        return settings
    }

    private mutating func noteOneReading(_ name: String, _ origin: SettingOrigin, _ who: String) {
        warnings.append("\(name) in \(origin) is written in a way that \(who): write \(name)='...', in single quotes")
    }

    /// A line without a sign of equality may be meant for us; what stands in it may be a password.
    private mutating func noteMissingSign(_ line: ArraySlice<UInt8>, _ number: Int, _ path: String) {
        let word = (Self.withoutExport(line) ?? line).prefix { Self.isOfName($0) }.text
        guard ["DB_", "DATABASE_", "HEADROOM_", "MYSQL_", "MARIADB_"].contains(where: { word.hasPrefix($0) }),
            warnings.count < 20
        else { return }
        warnings.append("Line \(number) of \(path) has no = and is passed over: a line is written NAME=value")
    }

    /// A value in quotes that goes over several lines, up to its closing quote, with the number of further lines.
    private static func quotedOverLines(
        _ first: ArraySlice<UInt8>,
        _ rest: ArraySlice<ArraySlice<UInt8>>
    ) -> (ArraySlice<UInt8>, Int)? {
        guard let quote = first.first(where: { !$0.isSpace }), "'\"`".utf8.contains(quote) else { return nil }
        let start = first.drop(while: \.isSpace).dropFirst()
        if closing(quote, in: start) != nil { return nil }
        var whole = Array(first)
        for (count, line) in rest.enumerated() {
            whole.append(UInt8(ascii: "\n"))
            whole += line
            guard let end = closing(quote, in: line) else { continue }
            // What follows must be nothing: else it is the first line that is broken, and the others are lines of their own.
            let left = line[(end + 1)...].trimmed
            return left.isEmpty || left.begins(with: "#") ? (whole[...], count + 1) : nil
        }
        return nil
    }

    private static func closing(_ quote: UInt8, in text: ArraySlice<UInt8>) -> Int? {
        var isEscaped = false
        for (index, byte) in zip(text.indices, text) {
            if byte == quote, !isEscaped { return index }
            isEscaped = quote != UInt8(ascii: "'") && byte == UInt8(ascii: "\\") && !isEscaped
        }
        return nil
    }

    /// The name before the sign of equality; `nil` when it is none.
    private static func name(_ text: ArraySlice<UInt8>) -> String? {
        let name = withoutExport(text) ?? text
        return !name.isEmpty && name.allSatisfy(isOfName) ? name.text : nil
    }

    private static func withoutExport(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard text.begins(with: "export"), let next = text.dropFirst(6).first, next.isSpace else { return nil }
        return text.dropFirst(6).trimmed
    }

    /// Whether a name may hold the byte.
    static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
