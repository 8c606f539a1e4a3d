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
        return settings.contains { self[$0] != nil || mayNameFiles && $0.fileName.flatMap { entries[$0] } != nil }
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
                throw DatabaseError(
                    .settingsInvalid,
                    message: "\(name) in \(file.origin): \(error.message)",
                    advice: error.advice
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
    func resolvingURL() throws -> SettingsLayer {
        guard let entry = self[.ownURL] ?? self[.url] else { return self }
        let name = self[.ownURL] != nil ? Setting.ownURL.name : Setting.url.name
        let url = try DatabaseURL(entry.value, name: name, origin: entry.origin.description)
        var resolved = self
        // DB_SOCKET or DB_HOST beside a URL replaces the URL's whole place, not a half of it.
        let replacesPlace = self[.host] != nil || self[.socket] != nil
        let place: Set<String> = [Setting.host.name, Setting.socket.name, Setting.port.name]
        for (part, value) in url.values where resolved.entries[part] == nil && !value.isEmpty {
            if replacesPlace, place.contains(part) { continue }
            resolved.entries[part] = Entry(value: value, origin: entry.origin.under(name))
        }
        return resolved
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

extension String {
    /// A secret as files hold it: without a byte order mark and the end of its line.
    var secretLine: String {
        var bytes = Array(utf8)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes.text
    }
}
