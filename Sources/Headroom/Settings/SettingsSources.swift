/// Says where settings are looked for; the first source that has a value wins.
///
/// The order: what the caller gives (a command's flags), the environment, systemd's credentials, the files that are named
/// explicitly, and a `.env` in the working directory. So an application's own `.env` is found without a word, and anything
/// said louder wins. Only where none of them says where the database is or who logs in, the names of MySQL's and MariaDB's
/// images count (`MYSQL_USER` and so on), then `~/.my.cnf`: one file's password never goes to another file's server unasked.
///
/// A `.env` that was found, and not named, is not trusted with everything: it starts no program and opens no file, and where
/// another user may have written it, it does not say where a password of a better source goes. What of it is passed over is
/// among the warnings.
public struct SettingsSources: Sendable {
    /// Values that win over all others, by the environment's names; a command's flags.
    public var overrides: [String: String]

    /// The environment.
    public var environment: [String: String]

    /// A `.env` file that must exist; `nil` takes `.env` in the working directory if there is one.
    public var envFile: String?

    /// The folder of an application whose own settings are read in the place of `.env`; `nil` takes none.
    ///
    /// Laravel's, Symfony's, WordPress', Drupal's, Joomla's or Magento's, as far as plain values stand there.
    public var application: String?

    /// A MySQL option file that must exist; `nil` takes none.
    public var defaultsFile: String?

    /// A MySQL option file that must exist and is read beside `~/.my.cnf`, which wins as with MySQL's own tools; `nil` takes
    /// none.
    public var defaultsExtraFile: String?

    /// Whether a name that is unknown, or a contradiction, is a warning instead of an error; for tools that have to work in
    /// an outage.
    package var isForgiving = false

    /// Creates sources.
    public init(
        overrides: [String: String] = [:],
        environment: [String: String],
        envFile: String? = nil,
        defaultsFile: String? = nil,
        defaultsExtraFile: String? = nil
    ) {
        self.overrides = overrides
        self.environment = environment
        self.envFile = envFile
        self.defaultsFile = defaultsFile
        self.defaultsExtraFile = defaultsExtraFile
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

    /// All that was found, for settings that are not the database's.
    package var found: FoundSettings
}

extension SettingsSources {
    /// Finds the settings; `docs/settings.md` lists them all.
    ///
    /// - Parameter programName: The name under which the server shows the connections.
    /// - Returns: The settings, with warnings for their user.
    /// - Throws: ``DatabaseError`` with `settingsMissing` or `settingsInvalid`; also for a name that begins with `HEADROOM_`
    ///   and is no setting.
    public func load(programName: String = "headroom") throws -> LoadedSettings {
        try load(programName: programName) { _ in }
    }

    /// The same, telling the warnings also where the settings cannot be used: they may say why.
    package func load(programName: String, tell: (String) -> Void) throws -> LoadedSettings {
        var found = find()
        let problem = isForgiving ? found.wrongServer : found.problems.first
        if problem == nil {
            found.warnings += found.problems.map { $0.advice.isEmpty ? $0.message : "\($0.message) \($0.advice)" }
        }
        for warning in found.warnings { tell(warning) }
        if let problem { throw problem }
        return try found.loaded(programName: programName)
    }

    /// Looks into every source; what cannot be used is among the problems.
    package func find() -> FoundSettings {
        var search = SettingsSearch(environment: environment)
        search.add(SettingsLayer(overrides, .flag))
        search.add(SettingsLayer(environment, .environment))
        search.addCredentials(environment["CREDENTIALS_DIRECTORY"])
        if let envFile { search.addEnvFile(envFile) }
        if let application { search.addApplication(application) }
        if let defaultsFile { search.addOptionFile(defaultsFile) }
        if let defaultsExtraFile {
            if let usual = usualOptionFile { search.addOptionFile(usual, isNamed: false) }
            search.addOptionFile(defaultsExtraFile)
        }
        if envFile == nil, application == nil, let found = SettingsSearch.envFile(of: ".", environment) {
            search.addEnvFile(String(found.after("./") ?? found[...]), isNamed: false)
        }
        // Not the flags: whoever only names another user still means the tools' usual file.
        if !search.found.layers.dropFirst().contains(where: \.saysAnything) {
            for layer in search.found.layers { search.add(layer.aliased) }
            // A file's server does not get another file's password.
            let isAnswered = search.found.layers.contains { $0.trust != .said && $0.saysAnything }
            if !isAnswered, let usual = usualOptionFile { search.addOptionFile(usual, isNamed: false) }
        }
        search.lookForContradictions()
        search.tellWhatIsPassedOver()
        return search.found
    }

    /// The user's own option file, if there is one.
    private var usualOptionFile: String? {
        environment["HOME"].map { "\($0)/.my.cnf" }.flatMap { SettingsFile.isFile($0) ? $0 : nil }
    }
}
