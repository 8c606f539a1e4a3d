/// One source of settings, by the names that the environment uses.
struct SettingsLayer: Sendable {
    /// One value, with the place where it stands.
    struct Entry: Sendable, Hashable {
        var value: String
        var origin: SettingOrigin
    }

    /// The values by name; an empty value counts as none.
    var entries: [String: Entry]

    /// How far the source is trusted.
    var trust = SettingsTrust.said

    /// Why somebody else than this process's user or root may have written the file; `nil` when nobody else can have.
    var stranger: String?

    /// What becomes of the settings beside a URL.
    enum URLRule {
        /// They win over its parts, and a host or a socket over its whole place.
        case fills
        /// Its parts win, as with Laravel.
        case wins
        /// They count for nothing, as with Symfony and Bedrock.
        case replaces
    }

    /// What becomes of the settings beside a URL.
    var urlRule = URLRule.fills

    /// What a percent sign means in its URL.
    var urlEscapes = DatabaseURL.Escapes.percent

    /// Whether PHP's drivers are given host and port apart: `localhost` is then the socket, also in `localhost:3307`.
    var isOfPHP = false

    /// The name under which Laravel has the URL.
    static let frameworkURL = "DB_URL"

    /// Whether it says that the server is reached over TCP, whatever its host's name (`protocol=tcp`).
    var isOverTCP = false

    /// Whether it has something to which an encrypted connection belongs, also on a socket.
    var asksForTLS = false

    /// What makes sure of the server there and is not looked at by Headroom.
    var unchecked: [(name: String, origin: SettingOrigin)] = []

    /// Whether it is a MySQL option file: where such a one names no host, it means this machine.
    var isOptionFile = false

    init(_ entries: [String: Entry] = [:]) {
        self.entries = entries.filter { !$0.value.value.isEmpty }
    }

    /// A source whose values all stand in one place.
    init(_ values: [String: String], _ place: SettingOrigin.Place) {
        self.init(values.mapValues { Entry(value: $0, origin: SettingOrigin(place: place)) })
    }

    /// The value of a setting, if it has one.
    subscript(setting: Setting) -> Entry? { entries[setting.name] }

    /// Whether the layer says where the database is or who logs in.
    var saysAnything: Bool {
        let settings: [Setting] = [.host, .socket, .server, .username, .url, .ownURL]
        return entries[Self.frameworkURL] != nil
            || settings.contains { self[$0] != nil || mayNameFiles && $0.fileName.flatMap { entries[$0] } != nil }
    }

    /// The files in which secrets stand.
    var pathsOfSecrets: Set<String> {
        Set(Setting.all.filter(\.isSecret).compactMap { self[$0]?.origin.path })
    }

    /// Whether the source may name files for secrets.
    var mayNameFiles: Bool { trust.mayGive(.secretFile, toPasswordFrom: nil) }

    /// The same layer with the values that files hold under their own names.
    ///
    /// - Parameter noteFile: Is told of each file that holds a secret.
    /// - Returns: The layer.
    /// - Throws: ``DatabaseError`` when a file cannot be read, or a setting is given in both ways.
    func resolvingFiles(noteFile: (String) -> Void) throws -> SettingsLayer {
        guard mayNameFiles else { return self }
        var resolved = self
        for setting in Setting.all {
            guard let name = setting.fileName, let file = entries[name] else { continue }
            if let value = self[setting] {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "\(setting.name) in \(value.origin) and \(name) in \(file.origin) contradict each other.",
                    advice: "Keep one of the two."
                )
            }
            let text: String
            do {
                text = try SettingsFile.read(file.value)
            } catch let error as DatabaseError {
                // Who has put the password itself there is shown none of it.
                let isPath = ["/", "./", "../", "~"].contains { file.value.begins(with: $0) }
                throw DatabaseError(
                    .settingsInvalid,
                    message:
                        "\(name) in \(file.origin)\(isPath ? ": \(error.message)" : " names no file that can be read.")",
                    advice: isPath ? error.advice : "Name a file by its whole path, with the secret in it."
                )
            }
            noteFile(file.value)
            resolved.entries[name] = nil
            let value = text.secretLine
            guard !value.isEmpty else { continue }
            resolved.entries[setting.name] = Entry(value: value, origin: file.origin.under("\(name) (\(file.value))"))
        }
        return resolved
    }

    /// The same layer with a URL's parts filled in under their own names, where those are not set.
    ///
    /// - Parameter warn: Is given what its user should know.
    /// - Returns: The layer.
    /// - Throws: ``DatabaseURL/Unusable``.
    func resolvingURL(warn: (String) -> Void) throws -> SettingsLayer {
        guard let name = urlName, let entry = entries[name] else { return self }
        let isOwn = name == Setting.ownURL.name
        let url = try DatabaseURL(
            entry.value,
            name: name,
            origin: entry.origin.description,
            escapes: isOwn ? .percent : urlEscapes
        )
        url.warnings.forEach(warn)
        // Who has set one for Headroom alone has set it over all others.
        let rule = isOwn ? .wins : urlRule
        var resolved = rule == .replaces ? withoutLogin : self
        if isOwn { for setting: Setting in [.host, .port, .socket] { resolved.entries[setting.name] = nil } }
        // DB_SOCKET or DB_HOST beside a URL replaces the URL's whole place, not a half of it.
        let replacesPlace = rule == .fills && (self[.host] != nil || self[.socket] != nil)
        let place: Set<String> = [Setting.host.name, Setting.socket.name, Setting.port.name]
        for (part, value) in url.values where !value.isEmpty && (rule != .fills || resolved.entries[part] == nil) {
            if replacesPlace, place.contains(part) { continue }
            resolved.entries[part] = Entry(value: value, origin: entry.origin.under(name))
        }
        return resolved
    }

    /// The name of the URL that counts.
    var urlName: String? {
        let others = urlRule == .wins ? [Self.frameworkURL, Setting.url.name] : [Setting.url.name, Self.frameworkURL]
        return ([Setting.ownURL.name] + others).first { entries[$0] != nil }
    }

    /// The same layer without what says where the database is and who logs in.
    var withoutLogin: SettingsLayer {
        var layer = self
        for setting: Setting in [.host, .port, .socket, .database, .username, .password] {
            layer.entries[setting.name] = nil
        }
        return layer
    }

    /// The same layer with a socket that stands where a host would, as WordPress and PHP have it, under its own name.
    var resolvingHost: SettingsLayer {
        guard let entry = self[.host] else { return self }
        var resolved = self
        // mysqli's sign for a connection that is kept.
        var host = entry.value.after("p:").map(String.init) ?? entry.value
        if isOfPHP, let port = host.after("localhost:").map({ $0.leading(\.isDigit) }), !port.isEmpty {
            host = "localhost" + (host.after("localhost:\(port)") ?? "")
            if self[.port] == nil {
                let value = Entry(value: String(port), origin: entry.origin.under("DB_HOST"))
                resolved.entries[Setting.port.name] = value
            }
        }
        let path = host.after("localhost:") ?? host.after(":") ?? host.after("unix:") ?? host[...]
        if path.begins(with: "/") {
            resolved.entries[Setting.host.name] = nil
            if self[.socket] == nil {
                resolved.entries[Setting.socket.name] = Entry(
                    value: String(path),
                    origin: entry.origin.under("DB_HOST")
                )
            }
        } else {
            resolved.entries[Setting.host.name]?.value = host
        }
        return resolved
    }

    /// Under which names frameworks say what kind of database the settings beside are for.
    static let engineNames = [
        "DB_CONNECTION", "DB_DRIVER", "DB_TYPE", "DB_ENGINE", "DB_DIALECT", "DB_CLIENT", "DB_ADAPTER",
        "DATABASE_DRIVER",
    ]

    /// The kind of database that a framework's word for a driver means; `nil` where it may be MySQL or MariaDB.
    static func otherEngine(_ word: String) -> String? {
        let word = word.lowercased()
        if word.holds("mysql") || word.holds("mariadb") { return nil }
        let engines = [
            ("pgsql", "PostgreSQL"), ("postg", "PostgreSQL"), ("sqlite", "SQLite"), ("sqlsrv", "SQL Server"),
            ("mssql", "SQL Server"), ("oracle", "Oracle"), ("oci8", "Oracle"), ("mongo", "MongoDB"),
            ("cockroach", "CockroachDB"),
        ]
        return word == "pg" ? "PostgreSQL" : engines.first { word.holds($0.0) }?.1
    }

    /// Other programs' names, and what Headroom calls it.
    private static let otherNames: [(Setting, [String])] = [
        (.username, ["USER", "LOGIN", "USER_NAME"]), (.password, ["PASS", "PASSWD", "PWD", "PW"]),
        (.database, ["NAME", "DBNAME", "SCHEMA", "DB"]), (.host, ["HOSTNAME", "SERVER"]),
        (.socket, ["UNIX_SOCKET", "SOCK"]),
    ]

    /// Names that are near one of the database's and are not read, with the setting that was most likely meant.
    var nearMisses: [(name: String, setting: Setting, origin: SettingOrigin)] {
        entries.sorted { $0.key < $1.key }
            .compactMap { name, entry in
                guard let own = name.after("DB_") ?? name.after("DATABASE_"), !Setting.names.contains(name),
                    name != Self.frameworkURL
                else { return nil }
                let settings: [Setting] = [.host, .port, .socket, .database, .username, .password]
                // As where reading and writing have hosts of their own; whatever else is in such a name may be a secret that ran into it.
                let start = name.dropLast(own.utf8.count)
                if own.begins(with: "HOST_") { return ("\(start)HOST_...", .host, entry.origin) }
                if own.hasSuffix("_HOST") { return ("\(start)..._HOST", .host, entry.origin) }
                let setting =
                    Self.otherNames.first { $0.1.contains(String(own)) }?.0
                    ?? settings.first { "DATABASE_\($0.name.dropFirst(3))" == name }
                    ?? settings.first {
                        name.hasPrefix("DB_") && name.utf8.count <= 30
                            && NearestName.distance(name, $0.name) <= ($0.name.utf8.count > 8 ? 2 : 1)
                    }
                return setting.map { (name, $0, entry.origin) }
            }
    }

    /// What the layer says in the words of MySQL's tools and of the images of MySQL, MariaDB and WordPress.
    var aliased: SettingsLayer {
        let aliases: [(Setting, [String])] = [
            (.host, ["MYSQL_HOST", "MARIADB_HOST", "WORDPRESS_DB_HOST"]),
            (.port, ["MYSQL_TCP_PORT", "MYSQL_PORT", "MARIADB_PORT"]),
            (.socket, ["MYSQL_UNIX_PORT"]), (.username, ["MYSQL_USER", "MARIADB_USER", "WORDPRESS_DB_USER"]),
            (.password, ["MYSQL_PASSWORD", "MARIADB_PASSWORD", "MYSQL_PWD", "WORDPRESS_DB_PASSWORD"]),
            (.database, ["MYSQL_DATABASE", "MARIADB_DATABASE", "WORDPRESS_DB_NAME"]),
        ]
        var layer = self
        layer.entries = [:]
        for (setting, names) in aliases {
            for (name, target) in names.flatMap({ [($0, setting.name), ("\($0)_FILE", setting.fileName)] }) {
                guard let target, let entry = entries[name], layer.entries[target] == nil else { continue }
                layer.entries[target] = Entry(value: entry.value, origin: entry.origin.under(name))
            }
        }
        return layer
    }
}

extension SettingsLayer.Entry: CustomStringConvertible, CustomReflectable {
    /// Where it stands: the value may be a secret, and whoever prints settings does not mean to show it.
    var description: String { origin.description }

    /// The same for `dump` and debuggers.
    var customMirror: Mirror { Mirror(self, children: ["origin": origin]) }
}

extension SettingsLayer: CustomStringConvertible, CustomReflectable {
    /// The settings that it has, by their own names: another name may have a part of a value in it.
    var description: String {
        Setting.all.compactMap { setting in self[setting].map { "\(setting.name) in \($0)" } }.joined(separator: ", ")
    }

    /// The same for `dump` and debuggers.
    var customMirror: Mirror { Mirror(self, children: ["settings": description]) }
}

extension String {
    /// A secret as files hold it: without a byte order mark and the end of its line.
    var secretLine: String {
        var bytes = Array(utf8)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes.text
    }
}
