/// The settings as they were found: every source with its values, the loudest first.
package struct FoundSettings: Sendable {
    var layers: [SettingsLayer] = []

    /// Sentences for standard error, such as that others may read the file with the password.
    package var warnings: [String] = []

    /// What cannot be used: a file, an unknown name, a contradiction.
    package var problems: [DatabaseError] = []

    /// The value of a setting in the loudest source that has one, unchecked, with where it stands.
    package func entry(_ setting: Setting) -> (value: String, origin: SettingOrigin)? {
        for layer in layers { if let entry = layer[setting] { return (entry.value, entry.origin) } }
        return nil
    }

    /// The value of a setting, checked and as its kind has it; `nil` when nothing is set.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    package func value(_ setting: Setting) throws -> String? {
        guard let (value, origin) = entry(setting) else { return nil }
        return try setting.checked(value, origin)
    }

    func number(_ setting: Setting) throws -> Int? { try value(setting).flatMap { Int($0) } }

    func duration(_ setting: Setting) throws -> Duration? { try value(setting).flatMap { Duration(text: $0) } }
}

extension Setting {
    /// The value as its kind has it.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    func checked(_ value: String, _ origin: SettingOrigin) throws -> String {
        if let value = normalized(value) { return value }
        throw DatabaseError(
            .settingsInvalid,
            message: "\(name) in \(origin) is '\(isSecret ? "..." : value)'.",
            advice: "It must be \(bounds)."
        )
    }
}

extension FoundSettings {
    /// The settings of the database.
    ///
    /// - Throws: ``DatabaseError`` with `settingsMissing` or `settingsInvalid`.
    func loaded(programName: String) throws -> LoadedSettings {
        guard layers.contains(where: \.saysAnything) else {
            throw DatabaseError(
                .settingsMissing,
                message: "No setting says which database to use.",
                advice: "Set DB_HOST or DB_SOCKET, DB_USERNAME, DB_PASSWORD and DB_DATABASE (or DATABASE_URL) in the "
                    + "environment or in a .env file here, or name a file with --env-file or --defaults-file."
                    + hint(.host, .socket, .username)
            )
        }
        guard let username = try value(.username) else {
            throw DatabaseError(
                .settingsMissing,
                message: "No setting says who logs in to the database.",
                advice: "Set DB_USERNAME and DB_PASSWORD." + hint(.username)
            )
        }
        let places = try places()
        let endpoint = places[0]
        var settings = DatabaseSettings(
            endpoint: endpoint,
            username: username,
            password: try value(.password) ?? "",
            database: try value(.database),
            programName: programName
        )
        settings.otherEndpoints = Array(places.dropFirst())
        settings.connectTimeout = try duration(.connectTimeout) ?? settings.connectTimeout
        settings.closeTimeout = try duration(.closeTimeout) ?? settings.closeTimeout
        settings.waitTimeout = try duration(.waitTimeout) ?? settings.waitTimeout
        settings.sessionIdleTimeout = try duration(.idleTimeout) ?? settings.sessionIdleTimeout
        settings.holdWarning = try duration(.holdWarning)
        settings.budget = try number(.budget)
        settings.reserve = try number(.reserve) ?? settings.reserve
        settings.hosts = try number(.hosts)
        settings.fixedShare = try number(.share)
        if settings.hosts != nil, settings.database == nil {
            throw DatabaseError(
                .settingsMissing,
                message: "HEADROOM_HOSTS is set, and no setting says in which database the hosts meet.",
                advice: "Set DB_DATABASE, the same on every host."
            )
        }
        settings.frontDoor = try number(.frontDoor) ?? settings.frontDoor
        settings.frontDoorStatistics = try value(.frontDoorStatistics)
        settings.stateFolder = try value(.stateFolder)
        settings.tls = try tls(for: endpoint)
        return LoadedSettings(
            database: settings,
            warnings: warnings,
            endpoints: endpoints(inUse: endpoint),
            administrator: try administrator(beside: settings),
            found: self
        )
    }

    /// Encryption; an authority that is named is asked, as by MySQL's own tools.
    func tls(for endpoint: Endpoint) throws -> TLS {
        let authorities = try value(.tlsAuthorities)
        let pins = try value(.tlsPin).map { $0.split(separator: ";").map(String.init) } ?? []
        let usual: TLS.Mode =
            endpoint.isSocket ? .disabled : authorities != nil ? .verifyCA : pins.isEmpty ? .preferred : .required
        let mode = try value(.tlsMode).flatMap(TLS.Mode.init(rawValue:))
        if mode == .disabled, !pins.isEmpty, !endpoint.isSocket {
            throw DatabaseError(
                .settingsInvalid,
                message:
                    "HEADROOM_TLS_PIN names the server's key, and HEADROOM_TLS_MODE is disabled: no key is shown then.",
                advice: "Leave out one of the two."
            )
        }
        var tls = TLS(mode: mode ?? usual, authorities: authorities)
        tls.pins = pins
        tls.serverPublicKey = try value(.serverPublicKey)
        return tls
    }

    /// The layer that says where the server is: the first with a socket or a host.
    var place: SettingsLayer? { layers.first { $0[.socket] != nil || $0[.host] != nil } }

    /// The places from the first source that names one; a port may come from an earlier or a later source.
    ///
    /// - Returns: At least one, in the order in which they are tried; several where the host is a list.
    func places() throws -> [Endpoint] {
        let place = place
        if let socket = place?[.socket] { return [.socket(path: socket.value)] }
        let host = try place?[.host].map { try Setting.host.checked($0.value, $0.origin) } ?? Setting.host.example
        if host == "localhost" { return [.socket(path: Self.usualSocket)] }
        let port = try number(.port) ?? 3306
        return Endpoint.list(host, port: port) ?? [.tcp(host: host, port: port)]
    }

    /// Where the distributions put the server's socket: the first that is there, or Debian's.
    private static var usualSocket: String {
        let paths = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"]
        return paths.first(where: SettingsFile.exists) ?? paths[0]
    }

    /// A word on names that other programs use for what is missing here.
    private func hint(_ settings: Setting...) -> String {
        let names = settings.map(\.name)
        for layer in layers {
            for entry in layer.entries.sorted(by: { $0.key < $1.key }) where entry.key.hasPrefix("DB_") {
                guard !Setting.names.contains(entry.key), let near = NearestName.to(entry.key, in: names) else {
                    continue
                }
                return " (\(entry.key) in \(entry.value.origin) is not read: the name is \(near).)"
            }
        }
        return ""
    }
}

extension FoundSettings {
    /// Every secret that some source holds, also one that another outdoes, with the passwords within URLs.
    package var secrets: [String] {
        layers.flatMap { layer in
            Setting.all.filter(\.isSecret).compactMap { layer[$0]?.value }
        }
    }
}
