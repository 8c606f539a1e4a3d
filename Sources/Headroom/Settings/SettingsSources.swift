/// Says where settings are looked for; the first source that has a value wins.
///
/// The order: what the caller gives (a command's flags), the environment, the files that are named explicitly, and a
/// `.env` in the working directory. So an application's own `.env` is found without a word, and anything said louder wins.
public struct SettingsSources: Sendable {
    /// Values that win over all others, by the environment's names; a command's flags.
    public var overrides: [String: String]

    /// The environment.
    public var environment: [String: String]

    /// A `.env` file that must exist; `nil` takes `.env` in the working directory if there is one.
    public var envFile: String?

    /// A MySQL option file that must exist; `nil` takes none.
    public var defaultsFile: String?

    /// Creates sources.
    public init(
        overrides: [String: String] = [:],
        environment: [String: String],
        envFile: String? = nil,
        defaultsFile: String? = nil
    ) {
        self.overrides = overrides
        self.environment = environment
        self.envFile = envFile
        self.defaultsFile = defaultsFile
    }
}

/// Settings as they were found, with what their user should know.
public struct LoadedSettings: Sendable {
    /// The settings.
    public var database: DatabaseSettings

    /// Sentences for standard error, such as that others may read the file with the password.
    public var warnings: [String]

    /// Every way to the server that some source names, also those that are not taken: a socket beside a host, for instance.
    public var endpoints: [Endpoint]

    /// A second account for when the first one is full, from the settings `HEADROOM_ADMIN_...`; `nil` without them.
    public var administrator: DatabaseSettings?
}

extension SettingsSources {
    /// Finds the settings.
    ///
    /// Names: `DB_HOST`, `DB_PORT`, `DB_SOCKET`, `DB_DATABASE`, `DB_USERNAME`, `DB_PASSWORD`, or `DATABASE_URL`
    /// (`DB_HOST` may list the nodes of a cluster, `a,b:3307,c`; `mysql://` or `mariadb://`; beside it, in the same source, a `DB_` name wins). A socket wins over a host;
    /// `localhost` means the server's usual socket, as for MySQL's own tools. `HEADROOM_CONNECT_TIMEOUT`,
    /// `HEADROOM_CLOSE_TIMEOUT`, `HEADROOM_WAIT_TIMEOUT`, `HEADROOM_IDLE_TIMEOUT` and `HEADROOM_HOLD_WARNING` take seconds
    /// (`30`, `0.5`) or `500ms`, `2m`; `HEADROOM_BUDGET` (from 1) and `HEADROOM_RESERVE` (from 0) are numbers of connections;
    /// `HEADROOM_HOSTS` (from 2) says how many hosts share the account, `HEADROOM_SHARE` (from 1) how many connections are
    /// always this host's; `HEADROOM_STATE_DIR` is an absolute path; `HEADROOM_TLS_MODE` is one of disabled, preferred, required, verify_ca and
    /// verify_identity; `HEADROOM_TLS_CA` names a file or folder. `HEADROOM_ADMIN_USERNAME`, `_PASSWORD`, `_HOST`, `_PORT`
    /// and `_SOCKET` make the ``LoadedSettings/administrator``; those not set are taken from their `DB_` names.
    ///
    /// - Parameter programName: The name under which the server shows the connections.
    /// - Returns: The settings, with warnings for their user.
    /// - Throws: ``DatabaseError`` with `settingsMissing` or `settingsInvalid`.
    public func load(programName: String = "headroom") throws -> LoadedSettings {
        var warnings: [String] = []
        let layers = try self.layers(warnings: &warnings).map { try $0.resolvingURL() }
        func first(_ name: String) -> (value: String, origin: String)? {
            for layer in layers { if let value = layer[name] { return (value, layer.origin) } }
            return nil
        }
        guard layers.contains(where: \.saysAnything) else {
            throw DatabaseError(
                .settingsMissing,
                message: "No setting says which database to use.",
                advice: "Set DB_HOST or DB_SOCKET, DB_USERNAME, DB_PASSWORD and DB_DATABASE (or DATABASE_URL) in the "
                    + "environment or in a .env file here, or name a file with --env-file or --defaults-file."
            )
        }
        guard let username = first("DB_USERNAME")?.value else {
            throw DatabaseError(
                .settingsMissing,
                message: "No setting says who logs in to the database.",
                advice: "Set DB_USERNAME and DB_PASSWORD."
            )
        }
        let places = try places(layers)
        let endpoint = places[0]
        var settings = DatabaseSettings(
            endpoint: endpoint,
            username: username,
            password: first("DB_PASSWORD")?.value ?? "",
            database: first("DB_DATABASE")?.value,
            programName: programName
        )
        settings.otherEndpoints = Array(places.dropFirst())
        func duration(_ name: String) throws -> Duration? {
            try first(name).map { try self.duration($0.value, name, $0.origin) }
        }
        func number(_ name: String, from least: Int) throws -> Int? {
            guard let (text, origin) = first(name) else { return nil }
            guard let number = Int(text), number >= least, number < 1_000_000 else {
                throw invalid(name, text, origin, "a number from \(least)")
            }
            return number
        }
        settings.connectTimeout = try duration("HEADROOM_CONNECT_TIMEOUT") ?? settings.connectTimeout
        settings.closeTimeout = try duration("HEADROOM_CLOSE_TIMEOUT") ?? settings.closeTimeout
        settings.waitTimeout = try duration("HEADROOM_WAIT_TIMEOUT") ?? settings.waitTimeout
        settings.sessionIdleTimeout = try duration("HEADROOM_IDLE_TIMEOUT") ?? settings.sessionIdleTimeout
        settings.holdWarning = try duration("HEADROOM_HOLD_WARNING")
        settings.budget = try number("HEADROOM_BUDGET", from: 1)
        settings.reserve = try number("HEADROOM_RESERVE", from: 0) ?? settings.reserve
        settings.hosts = try number("HEADROOM_HOSTS", from: 2)
        settings.fixedShare = try number("HEADROOM_SHARE", from: 1)
        if settings.hosts != nil, settings.database == nil {
            throw DatabaseError(
                .settingsMissing,
                message: "HEADROOM_HOSTS is set, and no setting says in which database the hosts meet.",
                advice: "Set DB_DATABASE, the same on every host."
            )
        }
        if let (path, origin) = first("HEADROOM_STATE_DIR") {
            guard path.hasPrefix("/") else {
                throw invalid("HEADROOM_STATE_DIR", path, origin, "an absolute path")
            }
            settings.stateFolder = path
        }
        if let (text, origin) = first("HEADROOM_TLS_MODE") {
            let word = text.lowercased().replacing("-", with: "_")
            guard let mode = TLS.Mode(rawValue: word) else {
                throw invalid(
                    "HEADROOM_TLS_MODE",
                    text,
                    origin,
                    TLS.Mode.allCases.map(\.rawValue).joined(separator: ", ")
                )
            }
            settings.tls.mode = mode
        }
        settings.tls.authorities = first("HEADROOM_TLS_CA")?.value
        return LoadedSettings(
            database: settings,
            warnings: warnings,
            endpoints: named(layers, endpoint),
            administrator: try administrator(layers, beside: settings)
        )
    }

    private func layers(warnings: inout [String]) throws -> [SettingsLayer] {
        var layers = [
            SettingsLayer(origin: "the flags", values: overrides),
            SettingsLayer(origin: "the environment", values: environment),
        ]
        func add(_ path: String, _ values: [String: String]) {
            layers.append(SettingsLayer(origin: path, values: values))
            if SettingsFile.isWorldReadable(path), values["DB_PASSWORD"] ?? values["DATABASE_URL"] != nil {
                warnings.append(
                    "\(path) holds a password and every user of this machine may read it: chmod 640 \(path)"
                )
            }
        }
        if let envFile { add(envFile, try EnvFile.parse(SettingsFile.read(envFile), path: envFile)) }
        if let defaultsFile { add(defaultsFile, try OptionFile(path: defaultsFile).values) }
        if envFile == nil, SettingsFile.exists(".env") {
            add(".env", try EnvFile.parse(SettingsFile.read(".env"), path: ".env"))
        }
        return layers
    }

    /// The place from the first source that names one; a port may come from an earlier or a later source.
    ///
    /// - Returns: The places in the order in which they are tried, at least one; several where `DB_HOST` is a list.
    private func places(_ layers: [SettingsLayer]) throws -> [Endpoint] {
        let place = layers.first { $0["DB_SOCKET"] != nil || $0["DB_HOST"] != nil }
        if let socket = place?["DB_SOCKET"] { return [.socket(path: socket)] }
        let host = place?["DB_HOST"] ?? "127.0.0.1"
        if host == "localhost" { return [.socket(path: Self.usualSocket)] }
        var port = 3306
        if let layer = layers.first(where: { $0["DB_PORT"] != nil }), let text = layer["DB_PORT"] {
            guard let number = Int(text), (1...65_535).contains(number) else {
                throw invalid("DB_PORT", text, layer.origin, "a number from 1 to 65535")
            }
            port = number
        }
        return try Endpoint.list(host, port: port) {
            throw invalid(
                "DB_HOST",
                host,
                place?.origin ?? "",
                "a host, or hosts with commas between, such as a,b:3307"
            )
        }
    }

    /// Where the distributions put the server's socket: the first that is there, or Debian's.
    private static var usualSocket: String {
        let paths = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"]
        return paths.first(where: SettingsFile.exists) ?? paths[0]
    }

    private func duration(_ text: String, _ name: String, _ origin: String) throws -> Duration {
        guard let duration = Duration(text: text), duration > .zero else {
            throw invalid(name, text, origin, "a number of seconds above 0, or one with ms, s, m or h")
        }
        return duration
    }

    private func invalid(_ name: String, _ value: String, _ origin: String, _ wanted: String) -> DatabaseError {
        DatabaseError(
            .settingsInvalid,
            message: "\(name) in \(origin) is '\(value)'.",
            advice: "It must be \(wanted)."
        )
    }
}
