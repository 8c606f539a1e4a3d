/// The settings as they were found: every source with its values, the loudest first.
package struct FoundSettings: Sendable {
    var layers: [SettingsLayer] = []

    /// Sentences for standard error, such as that others may read the file with the password.
    package var warnings: [String] = []

    /// What cannot be used: a file, an unknown name, a contradiction.
    package var problems: [DatabaseError] = []

    /// Why the server that would be asked is not the one that is meant; `nil` where nothing says so.
    ///
    /// It is among the problems, and no tool for an outage goes on in spite of it: the password would go there.
    package var wrongServer: DatabaseError? {
        didSet { if let wrongServer, !problems.contains(wrongServer) { problems.append(wrongServer) } }
    }

    /// Whether values count whatever their source: to see what would hold then.
    var trustsAll = false

    /// The value of a setting in the loudest source that has one and is trusted with it, unchecked, with where it stands.
    package func entry(_ setting: Setting) -> (value: String, origin: SettingOrigin)? {
        entry(setting, for: passwordTrust(setting.group))
    }

    /// The same, for a password of a source that is trusted so far.
    func entry(_ setting: Setting, for password: SettingsTrust?) -> (value: String, origin: SettingOrigin)? {
        for layer in layers where trustsAll || layer.trust.mayGive(setting.trust, toPasswordFrom: password) {
            if let entry = layer[setting] { return (entry.value, entry.origin) }
        }
        return nil
    }

    /// How far the source is trusted of the password that an account logs in with; `nil` without a password.
    ///
    /// - Parameter group: The settings of which account: the second one's, or any other for the first.
    /// - Returns: The trust.
    func passwordTrust(_ group: Setting.Group) -> SettingsTrust? {
        let passwords: [Setting] = group == .secondAccount ? [.adminPassword, .password] : [.password]
        return passwords.lazy.compactMap { password in layers.first { $0[password] != nil } }.first?.trust
    }

    /// The value of a setting, checked and as its kind has it; `nil` when nothing is set.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    package func value(_ setting: Setting) throws -> String? {
        try value(setting, for: passwordTrust(setting.group))
    }

    func value(_ setting: Setting, for password: SettingsTrust?) throws -> String? {
        guard let (value, origin) = entry(setting, for: password) else { return nil }
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
        if origin.isAmbiguous {
            throw DatabaseError(
                .settingsInvalid,
                message: "\(name) in \(origin) means one thing to phpdotenv and another to symfony/dotenv.",
                advice: "Write its value in single quotes, which all tools read alike: NAME='value'."
            )
        }
        if let value = normalized(value) { return value }
        throw DatabaseError(
            .settingsInvalid,
            message: "\(name) in \(origin) is '\(shown(value, origin) ?? "...")'.",
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
            )
        }
        guard let username = try value(.username) else {
            throw DatabaseError(
                .settingsMissing,
                message: "No setting says who logs in to the database.",
                advice: "Set DB_USERNAME and DB_PASSWORD."
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
        settings.tls = try tls(for: endpoint, password: passwordTrust(.database))
        return LoadedSettings(
            database: settings,
            warnings: warnings,
            endpoints: endpoints(inUse: endpoint),
            administrator: try administrator(beside: settings),
            found: self
        )
    }

    /// Encryption; an authority that is named is asked, as by MySQL's own tools.
    ///
    /// - Parameters:
    ///   - endpoint: Where the server is.
    ///   - password: How far the source of the password is trusted that is sent there.
    /// - Returns: The mode, the authorities and the keys.
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    func tls(for endpoint: Endpoint, password: SettingsTrust?) throws -> TLS {
        let authorities = try value(.tlsAuthorities, for: password)
        if let authorities, SettingsFile.isSpecial(authorities) {
            throw DatabaseError(
                .settingsInvalid,
                message: "HEADROOM_TLS_CA names \(authorities), which is neither a file nor a folder.",
                advice: "Name a file with certificates, or a folder of hashed ones."
            )
        }
        let pins = try value(.tlsPin, for: password)?.pieces(separator: ";").map(String.init) ?? []
        let certificate = try value(.tlsCertificate, for: password)
        // To a certificate of the client's an encrypted connection belongs, on a socket too where the server has it.
        let isAskedFor = certificate != nil || layers.contains(where: \.asksForTLS)
        let usual: TLS.Mode =
            endpoint.isSocket
            ? isAskedFor ? .preferred : .disabled
            : authorities != nil ? .verifyCA : isAskedFor || !pins.isEmpty ? .required : .preferred
        func mode(_ entry: (value: String, origin: SettingOrigin)?) throws -> TLS.Mode? {
            try entry.flatMap { TLS.Mode(rawValue: try Setting.tlsMode.checked($0.value, $0.origin)) }
        }
        // A source that is trusted less may ask for more than usual, never for less.
        let asked = try mode(entry(.tlsMode, for: nil)) ?? usual
        let mode = try mode(entry(.tlsMode, for: password)) ?? (asked.strength > usual.strength ? asked : usual)
        if mode == .disabled, !pins.isEmpty, !endpoint.isSocket {
            throw DatabaseError(
                .settingsInvalid,
                message:
                    "HEADROOM_TLS_PIN names the server's key, and HEADROOM_TLS_MODE is disabled: no key is shown then.",
                advice: "Leave out one of the two."
            )
        }
        guard pins.isEmpty || endpoint.isSocket || CertificateCheck.isPossible else {
            throw DatabaseError(
                .settingsInvalid,
                message:
                    "HEADROOM_TLS_PIN is set, and this program's client library shows no keys: it is not built on OpenSSL.",
                advice: "Use HEADROOM_TLS_MODE=verify_identity, or a libmariadb that is built on OpenSSL."
            )
        }
        var tls = TLS(mode: mode, authorities: authorities)
        tls.pins = pins
        tls.certificate = certificate
        tls.key = try value(.tlsKey, for: password)
        tls.serverPublicKey = try value(.serverPublicKey, for: password)
        return tls
    }

    /// The layer that says where the server is: the first with a socket or a host that is trusted with it.
    var place: SettingsLayer? { place(for: passwordTrust(.database)) }

    private func place(for password: SettingsTrust?) -> SettingsLayer? {
        layers.first { layer in
            (layer[.socket] != nil || layer[.host] != nil)
                && (trustsAll || layer.trust.mayGive(Setting.host.trust, toPasswordFrom: password))
        }
    }

    /// The places from the first source that names one; a port may come from an earlier or a later source.
    ///
    /// - Returns: At least one, in the order in which they are tried; several where the host is a list.
    func places() throws -> [Endpoint] { try places(for: passwordTrust(.database)) }

    /// The same, for a password of a source that is trusted so far.
    func places(for password: SettingsTrust?) throws -> [Endpoint] {
        if let past = try placesPastDoor(for: password) { return past }
        let place = place(for: password)
        if let socket = place?[.socket] {
            return [.socket(path: try Setting.socket.checked(socket.value, socket.origin))]
        }
        let host = try place?[.host].map { try Setting.host.checked($0.value, $0.origin) } ?? Setting.host.example
        if host == "localhost", !isLocalhostTCP(place, for: password) {
            return [.socket(path: Self.usualSocket(of: Self.usualSockets))]
        }
        let port = try value(.port, for: password).flatMap { Int($0) } ?? 3306
        return Endpoint.list(host, port: port) ?? [.tcp(host: host, port: port)]
    }

    /// Whether `localhost` means TCP: a port was named beside it by a flag or in a URL, or an option file says so.
    ///
    /// In an application's settings it means the socket whatever the port, as to PHP; to `mariadb -h localhost -P` it means TCP.
    func isLocalhostTCP(_ place: SettingsLayer?, for password: SettingsTrust?) -> Bool {
        if place?.isOverTCP == true { return true }
        guard let port = entry(.port, for: password)?.origin else { return false }
        return port.place == .flag || port.isOfURL && place?[.host]?.origin == port
    }

    /// The places that HEADROOM_SERVER names; `nil` where it names none, or a flag says where the server is.
    private func placesPastDoor(for password: SettingsTrust?) throws -> [Endpoint]? {
        let byFlag = layers.contains { ($0[.socket] ?? $0[.host])?.origin.place == .flag }
        guard !byFlag, let (text, origin) = entry(.server, for: password) else { return nil }
        if text.utf8.first == UInt8(ascii: "/") { return [.socket(path: text)] }
        guard let places = Endpoint.list(text, port: 3306) else {
            throw DatabaseError(
                .settingsInvalid,
                message: "HEADROOM_SERVER in \(origin) is neither the path of a socket nor HOST:PORT.",
                advice: "Name the server as Headroom is to reach it, past the door."
            )
        }
        return places
    }

    /// Where the distributions put the server's socket, Debian first.
    private static let usualSockets = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"]

    /// The first that is there and that nobody else can have put there, or the first of all.
    static func usualSocket(of paths: [String]) -> String {
        paths.first { SettingsFile.exists($0) && SocketTrust($0).stranger == nil } ?? paths[0]
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
