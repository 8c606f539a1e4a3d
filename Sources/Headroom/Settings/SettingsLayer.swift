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

    /// Whether its URL wins over the settings beside it, as with Laravel.
    var prefersURL = false

    /// The name under which Laravel has the URL.
    static let frameworkURL = "DB_URL"

    /// Whether it says that the server is reached over TCP, whatever its host's name (`protocol=tcp`).
    var isOverTCP = false

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
        let names = [Setting.ownURL.name, Setting.url.name, Self.frameworkURL]
        guard let name = names.first(where: { entries[$0] != nil }), let entry = entries[name] else { return self }
        let url = try DatabaseURL(entry.value, name: name, origin: entry.origin.description)
        url.warnings.forEach(warn)
        var resolved = self
        // DB_SOCKET or DB_HOST beside a URL replaces the URL's whole place, not a half of it.
        let replacesPlace = !prefersURL && (self[.host] != nil || self[.socket] != nil)
        let place: Set<String> = [Setting.host.name, Setting.socket.name, Setting.port.name]
        for (part, value) in url.values where !value.isEmpty && (prefersURL || resolved.entries[part] == nil) {
            if replacesPlace, place.contains(part) { continue }
            resolved.entries[part] = Entry(value: value, origin: entry.origin.under(name))
        }
        return resolved
    }

    /// The same layer with a socket that stands where a host would, as WordPress and PHP have it, under its own name.
    var resolvingHost: SettingsLayer {
        guard let entry = self[.host] else { return self }
        var resolved = self
        // mysqli's sign for a connection that is kept.
        let host = entry.value.after("p:").map(String.init) ?? entry.value
        let path = host.after("localhost:") ?? host.after(":") ?? host[...]
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

    /// What the layer says in the words of MySQL's tools and of the images of MySQL and MariaDB.
    var aliased: SettingsLayer {
        let aliases: [(Setting, [String])] = [
            (.host, ["MYSQL_HOST", "MARIADB_HOST"]), (.port, ["MYSQL_TCP_PORT", "MYSQL_PORT", "MARIADB_PORT"]),
            (.socket, ["MYSQL_UNIX_PORT"]), (.username, ["MYSQL_USER", "MARIADB_USER"]),
            (.password, ["MYSQL_PASSWORD", "MARIADB_PASSWORD", "MYSQL_PWD"]),
            (.database, ["MYSQL_DATABASE", "MARIADB_DATABASE"]),
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
