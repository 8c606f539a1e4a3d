package import ArgumentParser
import Glibc
package import Headroom

/// The flags that say which database to use; every command that connects has them.
package struct ConnectionOptions: ParsableArguments {
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

    @Flag(help: "Ask for the password at the terminal.")
    package var askPass = false

    package init() {}

    /// Those of a command that was read without the parser, which would have given the others their defaults.
    package init(envFile: String?) {
        self.envFile = envFile
        OwnCommand.note([("--env-file", envFile)])
        app = nil
        (defaultsFile, defaultsExtraFile, host, port, socket, user, database) = (nil, nil, nil, nil, nil, nil, nil)
        askPass = false
    }

    package func validate() throws {
        try SettingsSources.check(defaultsFile: defaultsFile, defaultsExtraFile: defaultsExtraFile)
        OwnCommand.note([
            ("--env-file", envFile), ("--app", app), ("--defaults-file", defaultsFile),
            ("--defaults-extra-file", defaultsExtraFile),
        ])
        if askPass { try TypedPassword.ask() }
    }

    /// The same flags, for another run of this program; but for `--ask-pass`, which asks one person once.
    package var arguments: [String] {
        let flags: [(String, String?)] = [
            ("--env-file", envFile), ("--app", app), ("--defaults-file", defaultsFile),
            ("--defaults-extra-file", defaultsExtraFile), ("--host", host), ("--port", port.map(String.init)),
            ("--socket", socket), ("--user", user), ("--database", database),
        ]
        return flags.flatMap { name, value in value.map { [name, $0] } ?? [] }
    }

    /// The files that settings are read from.
    package var settingsFiles: [String] {
        let named = [envFile, defaultsFile, defaultsExtraFile].compactMap(\.self)
        return envFile == nil && app == nil && access(".env", F_OK) == 0 ? named + [".env"] : named
    }

    /// Where the settings are looked for.
    package var sources: SettingsSources {
        var sources = SettingsSources(
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
    /// Throws when both flags for an option file are there.
    fileprivate static func check(defaultsFile: String?, defaultsExtraFile: String?) throws {
        guard defaultsFile == nil || defaultsExtraFile == nil else {
            throw ValidationError(
                "--defaults-file and --defaults-extra-file are two ways to name one file: choose one."
            )
        }
    }

    /// This program's environment, and the files.
    package init(envFile: String?, defaultsFile: String?, defaultsExtraFile: String?) {
        self.init(
            environment: ProcessEnvironment.variables,
            envFile: envFile,
            defaultsFile: defaultsFile,
            defaultsExtraFile: defaultsExtraFile
        )
    }

    /// Finds the settings, and prints what their user should know of them.
    package func loadTelling(program: String) throws -> LoadedSettings {
        try load(programName: program) { warning in Console.error("headroom: warning: \(warning)") }
    }
}

/// The same for a command whose `--user`, `--host` and `--database` say which sessions it means.
package struct LoginOptions: ParsableArguments {
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

    @Flag(help: "Ask for the password at the terminal.")
    package var askPass = false

    package init() {}

    package func validate() throws {
        try SettingsSources.check(defaultsFile: defaultsFile, defaultsExtraFile: defaultsExtraFile)
        OwnCommand.note([
            ("--env-file", envFile), ("--app", app), ("--defaults-file", defaultsFile),
            ("--defaults-extra-file", defaultsExtraFile),
        ])
        if askPass { try TypedPassword.ask() }
    }

    /// Finds the settings, and prints what their user should know of them.
    package func settings(program: String) throws -> DatabaseSettings {
        var sources = SettingsSources(
            envFile: envFile,
            defaultsFile: defaultsFile,
            defaultsExtraFile: defaultsExtraFile
        )
        sources.application = app
        sources.overrides["DB_HOST"] = dbHost
        sources.overrides["DB_PORT"] = dbPort.map(String.init)
        sources.overrides["DB_SOCKET"] = dbSocket
        sources.overrides["DB_USERNAME"] = dbUsername
        sources.overrides["DB_PASSWORD"] = TypedPassword.value
        return try sources.loadTelling(program: program).database
    }
}
