/// Says what a private server and its account are like.
public struct SandboxOptions: Sendable, Hashable {
    /// The server to run; the installed MariaDB by default.
    public var server = SandboxServer.mariaDB

    /// The most connections that the account may have at a time; 0, the default, sets no limit.
    public var limit = 0

    /// The most logins that the account may have in an hour; 0, the default, sets no limit.
    public var connectionsPerHour = 0

    /// The server's limit for any one user (`max_user_connections`); 0, the default, sets no limit.
    public var userLimit = 0

    /// The server's limit for all connections together (`max_connections`); 151 by default.
    public var serverLimit = 151

    /// Whether the server also listens on a free TCP port of 127.0.0.1; by default it has only its socket.
    public var tcp = false

    /// Whether the server offers TLS, with a certificate made for it; off by default.
    public var tls = false

    /// Whether the performance schema is on; off by default, as it is in MariaDB.
    public var performanceSchema = false

    /// The account's user name.
    public var username = "app"

    /// The account's password.
    public var password = "sandbox"

    /// The account's database, on which it has all rights.
    public var database = "app"

    /// Further arguments for the server.
    public var serverArguments: [String] = []

    /// Further statements to run as the administrator, one each, before the server lets anyone in.
    public var statements: [String] = []

    /// The folder to use and to keep; `nil`, the default, uses a temporary one and removes it.
    public var directory: String?

    /// Creates options with the defaults.
    public init() {}

    /// Creates options with a limit and the other defaults.
    public init(limit: Int) {
        self.limit = limit
    }

    /// The statements that make the account and its database, one a line, as `--init-file` wants them.
    package func initialisation(_ programs: ServerPrograms) -> String {
        let account = "\(quoted(username))@'%'"
        let lines =
            [
                "CREATE DATABASE IF NOT EXISTS \(identifier(database)) CHARACTER SET utf8mb4",
                // One row for every host, so that socket and TCP count together. (With a second row, app@localhost, the
                // two would have a limit each: the server counts by row of user and host pattern.)
                "CREATE USER IF NOT EXISTS \(account)",
                "ALTER USER \(account) IDENTIFIED BY \(quoted(password)) WITH MAX_USER_CONNECTIONS \(limit) "
                    + "MAX_CONNECTIONS_PER_HOUR \(connectionsPerHour)",
                "GRANT ALL PRIVILEGES ON \(identifier(database)).* TO \(account)",
            ] + programs.statements + statements
        return lines.map { $0 + ";\n" }.joined()
    }

    /// The server's arguments, apart from those that say where things are.
    func arguments(port: Int?) -> [String] {
        [
            "--max-connections=\(serverLimit)",
            "--max-user-connections=\(userLimit)",
            "--performance-schema=\(performanceSchema ? "ON" : "OFF")",
            "--innodb-buffer-pool-size=64M",
            // Neither asks the name service about clients nor writes a log for a replica that will never come.
            "--skip-name-resolve",
            "--skip-log-bin",
        ] + (port.map { ["--bind-address=127.0.0.1", "--port=\($0)"] } ?? ["--skip-networking"]) + serverArguments
    }

    private func quoted(_ text: String) -> String {
        "'" + text.unicodeScalars.map { $0 == "'" ? "''" : $0 == "\\" ? "\\\\" : "\($0)" }.joined() + "'"
    }

    private func identifier(_ text: String) -> String {
        "`" + text.unicodeScalars.map { $0 == "`" ? "``" : "\($0)" }.joined() + "`"
    }
}
