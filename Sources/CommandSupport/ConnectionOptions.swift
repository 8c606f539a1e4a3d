package import ArgumentParser
import Glibc
package import Headroom

/// The flags that say where settings are read from.
package struct SettingsFileOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Read settings from this file instead of .env.", valueName: "file"))
    package var envFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Read the settings of the application in this folder.", valueName: "folder")
    )
    package var app: String?

    @Option(name: .long, help: ArgumentHelp("Read settings from this MySQL option file.", valueName: "file"))
    package var defaultsFile: String?

    @Option(name: .long, help: ArgumentHelp("The same, beside ~/.my.cnf, which wins over it.", valueName: "file"))
    package var defaultsExtraFile: String?

    @Flag(help: "Ask for the password at the terminal.")
    package var askPass = false

    package init() {}

    init(envFile: String?) {
        self.envFile = envFile
        (app, defaultsFile, defaultsExtraFile, askPass) = (nil, nil, nil, false)
        OwnCommand.note([("--env-file", envFile)])
    }

    package func validate() throws {
        guard defaultsFile == nil || defaultsExtraFile == nil else {
            throw ValidationError(
                "--defaults-file and --defaults-extra-file are two ways to name one file: choose one."
            )
        }
        OwnCommand.note([
            ("--env-file", envFile), ("--app", app), ("--defaults-file", defaultsFile),
            ("--defaults-extra-file", defaultsExtraFile),
        ])
        if askPass { try TypedPassword.ask() }
    }

    /// Where the settings are looked for: flags of a command win over this program's environment and the files.
    func sources(host: String?, port: Int?, socket: String?, user: String?, database: String?) -> SettingsSources {
        var sources = SettingsSources(
            environment: ProcessEnvironment.variables,
            envFile: envFile,
            defaultsFile: defaultsFile,
            defaultsExtraFile: defaultsExtraFile
        )
        sources.application = app
        sources.overrides["DB_HOST"] = host
        sources.overrides["DB_PORT"] = port.map(String.init)
        sources.overrides["DB_SOCKET"] = socket
        sources.overrides["DB_USERNAME"] = user
        sources.overrides["DB_DATABASE"] = database
        sources.overrides["DB_PASSWORD"] = TypedPassword.value
        return sources
    }
}

/// The flags that say which database to use; every command that connects has them.
package struct ConnectionOptions: ParsableArguments {
    @OptionGroup package var files: SettingsFileOptions

    @Option(name: .long, help: "The server's host (DB_HOST).")
    package var host: String?

    @Option(name: .long, help: "The server's TCP port (DB_PORT).")
    package var port: Int?

    @Option(name: .long, help: ArgumentHelp("The server's unix socket (DB_SOCKET).", valueName: "path"))
    package var socket: String?

    @Option(name: .long, help: "The account's user name (DB_USERNAME).")
    package var user: String?

    @Option(name: .long, help: "The database (DB_DATABASE).")
    package var database: String?

    package init() {}

    /// Those of a command that was read without the parser, which would have given the others their defaults.
    package init(envFile: String?) {
        files = SettingsFileOptions(envFile: envFile)
        (host, port, socket, user, database) = (nil, nil, nil, nil, nil)
    }

    /// The same flags, for another run of this program; but for `--ask-pass`, which asks one person once.
    package var arguments: [String] {
        let flags: [(String, String?)] = [
            ("--env-file", files.envFile), ("--app", files.app), ("--defaults-file", files.defaultsFile),
            ("--defaults-extra-file", files.defaultsExtraFile), ("--host", host), ("--port", port.map(String.init)),
            ("--socket", socket), ("--user", user), ("--database", database),
        ]
        return flags.flatMap { name, value in value.map { [name, $0] } ?? [] }
    }

    /// The files that settings are read from.
    package var settingsFiles: [String] {
        let named = [files.envFile, files.defaultsFile, files.defaultsExtraFile].compactMap(\.self)
        return files.envFile == nil && files.app == nil && access(".env", F_OK) == 0 ? named + [".env"] : named
    }

    /// Where the settings are looked for.
    package var sources: SettingsSources {
        files.sources(host: host, port: port, socket: socket, user: user, database: database)
    }

    /// Finds the settings, prints what their user should know of them, and returns the database.
    package func open(program: String) throws -> Database {
        Database(try settings(program: program))
    }

    /// Finds the settings, and prints what their user should know of them.
    package func settings(program: String) throws -> DatabaseSettings { try loaded(program: program).database }

    /// The same, with the other ways to the server, the second account, and what else was found.
    ///
    /// - Parameters:
    ///   - program: The name under which the server shows the connections.
    ///   - isForgiving: Whether unknown names are warnings: for what has to work in an outage.
    /// - Returns: What was found.
    /// - Throws: ``DatabaseError`` with `settingsMissing` or `settingsInvalid`.
    package func loaded(program: String, isForgiving: Bool = false) throws -> LoadedSettings {
        var sources = sources
        sources.isForgiving = isForgiving
        return try sources.loadTelling(program: program)
    }
}

extension SettingsSources {
    /// Finds the settings, and prints what their user should know of them.
    package func loadTelling(program: String) throws -> LoadedSettings {
        var loaded = try load(programName: program) { warning in Console.error("headroom: warning: \(warning)") }
        if let doubt = DatabaseSettings.stateFolderDoubt(loaded.database.stateFolder) {
            loaded.warnings.append(doubt)
            Console.error("headroom: warning: \(doubt)")
        }
        let (first, sources) = (loaded.database, self)
        loaded.database.passwordSource = PasswordSource {
            guard let now = try? sources.load(programName: program).database, now.username == first.username,
                now.endpoint == first.endpoint
            else { return nil }
            return now.password
        }
        // Set by `headroom run`, and inherited by what outlives it: the slots themselves tell.
        if Variables.value("HEADROOM_SLOTS") != nil { loaded.database.givenSlots = loaded.database.slotsGiven() }
        return loaded
    }
}

/// The same for a command whose `--user`, `--host` and `--database` say which sessions it means.
package struct LoginOptions: ParsableArguments {
    @OptionGroup package var files: SettingsFileOptions

    @Option(name: .long, help: "The server's host to log in to (DB_HOST).")
    package var dbHost: String?

    @Option(name: [.customLong("db-port"), .customLong("port")], help: "The server's TCP port (DB_PORT).")
    package var dbPort: Int?

    @Option(
        name: [.customLong("db-socket"), .customLong("socket")],
        help: ArgumentHelp("The server's unix socket (DB_SOCKET).", valueName: "path")
    )
    package var dbSocket: String?

    @Option(name: .long, help: "The account to log in with (DB_USERNAME).")
    package var dbUsername: String?

    package init() {}

    /// Finds the settings, and prints what their user should know of them.
    package func settings(program: String) throws -> DatabaseSettings {
        try files.sources(host: dbHost, port: dbPort, socket: dbSocket, user: dbUsername, database: nil)
            .loadTelling(program: program).database
    }
}
