import Glibc
public import Headroom
public import HeadroomSandbox
public import Testing

/// Gives a suite a private server of its own, started before its first test and removed after its last.
public struct SandboxTrait: SuiteTrait, TestScoping {
    let options: SandboxOptions

    /// One server for the whole suite, not one for each test.
    public var isRecursive: Bool { false }

    /// Runs the suite's tests with the server.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        if getenv("HEADROOM_TEST_QUICK") != nil { try Test.cancel("It needs a server, which --quick leaves out.") }
        try await Sandbox.with(options) { sandbox in
            try await SuiteServer.$current.withValue(sandbox) { try await function() }
        }
    }
}

extension Trait where Self == SandboxTrait {
    /// A private server for the suite, with the accounts of ``SuiteServer/Account``; reach it through ``SuiteServer``.
    ///
    /// - Parameters:
    ///   - tcp: Whether it listens on TCP too.
    ///   - tls: Whether it offers TLS.
    ///   - performanceSchema: Whether the performance schema is on.
    ///   - arguments: What the server is started with besides.
    /// - Returns: The trait.
    public static func sandbox(
        tcp: Bool = false,
        tls: Bool = false,
        performanceSchema: Bool = false,
        arguments: [String] = []
    ) -> SandboxTrait {
        var options = SandboxOptions()
        options.server = SuiteServer.server
        options.tcp = tcp
        options.tls = tls
        options.performanceSchema = performanceSchema
        options.serverArguments = arguments
        options.statements = SuiteServer.accounts.flatMap { account in
            [
                "CREATE USER IF NOT EXISTS '\(account.name)'@'%' IDENTIFIED BY 'sandbox' WITH \(account.options)",
                "GRANT ALL PRIVILEGES ON app.* TO '\(account.name)'@'%'",
            ]
        }
        return SandboxTrait(options: options)
    }
}

/// The server of the suite that is running.
public enum SuiteServer {
    @TaskLocal static var current: Sandbox?

    /// The server that every suite has: this machine's MariaDB, or what `scripts/test --server NAME` names.
    public static let server: SandboxServer =
        getenv("HEADROOM_TEST_MYSQL").map { .mySQL(root: String(cString: $0)) }
        ?? getenv("HEADROOM_TEST_MARIADB").map { .mariaDBIn(root: String(cString: $0)) } ?? .mariaDB

    /// Whether the suites' server is a MariaDB, for a rule that holds there only.
    public static let isMariaDB = getenv("HEADROOM_TEST_MYSQL") == nil

    /// Whether it is the oldest MariaDB that is tested.
    public static let isOldestMariaDB =
        getenv("HEADROOM_TEST_MARIADB").map { String(cString: $0).hasSuffix("mariadb-10.5") } ?? false

    /// The accounts beside `app`, which has no limit.
    ///
    /// Several are alike, so that tests that run side by side do not take each other's places.
    static let accounts: [(name: String, options: String)] =
        (1...14).map { ("one\($0)", "MAX_USER_CONNECTIONS 1") }
        + (1...12).map { ("two\($0)", "MAX_USER_CONNECTIONS 2") }
        + (1...12).map { ("ten\($0)", "MAX_USER_CONNECTIONS 10") }
        + [("hourly", "MAX_CONNECTIONS_PER_HOUR 20")]

    /// The server; the suite must have the `.sandbox` trait.
    public static var sandbox: Sandbox {
        get throws { try #require(current, "The suite has no .sandbox trait.") }
    }

    /// The settings of an account, over the socket or over TCP.
    public static func settings(_ account: String = "app", overTCP: Bool = false) throws -> DatabaseSettings {
        let sandbox = try sandbox
        let endpoint =
            overTCP
            ? Endpoint.tcp(host: "127.0.0.1", port: try #require(sandbox.port)) : .socket(path: sandbox.socket)
        var settings = DatabaseSettings(
            endpoint: endpoint,
            username: account,
            password: "sandbox",
            database: sandbox.options.database
        )
        settings.stateFolder = sandbox.environment["HEADROOM_STATE_DIR"]
        return settings
    }

    /// The database, seen by an account.
    public static func database(
        _ account: String = "app",
        overTCP: Bool = false,
        share: Database.Share = .budget
    ) throws -> Database {
        Database(try settings(account, overTCP: overTCP), share: share)
    }

    /// The database, seen by the administrator, whom no limit binds and who sees all sessions.
    public static func administrator() throws -> Database {
        var settings = try settings()
        settings.username = "root"
        settings.password = ""
        return Database(settings, share: .reserve)
    }

    /// A database that no other test uses, empty, seen by the account `app`.
    public static func newDatabase(_ name: String) async throws -> Database {
        try await administrator()
            .withConnection { connection in
                try await connection.query("CREATE DATABASE \(raw: name)")
                try await connection.query("GRANT ALL PRIVILEGES ON \(raw: name).* TO app@'%'")
            }
        var settings = try settings()
        settings.database = name
        return Database(settings)
    }

    /// The number of sessions of an account on the server.
    public static func sessions(of account: String) async throws -> Int {
        try await administrator()
            .withConnection { connection in
                try await connection
                    .query(
                        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = \(account)"
                    )
                    .first(Int.self) ?? -1
            }
    }

    /// Ends all sessions of an account, as an administrator does, and waits until they are gone.
    public static func endSessions(of account: String, database: String? = nil) async throws {
        try await administrator()
            .withConnection { connection in
                let sessions =
                    try await connection
                    .query(
                        """
                        SELECT ID FROM information_schema.PROCESSLIST
                        WHERE USER = \(account) AND (\(database) IS NULL OR DB = \(database))
                        """
                    )
                    .decode(Int.self)
                for session in sessions {
                    // It may have ended by itself meanwhile.
                    _ = try? await connection.query(SQL(raw: "KILL \(session)"))
                }
            }
        guard database == nil else { return }
        try #require(try await eventually { try await Self.sessions(of: account) == 0 })
    }
}
