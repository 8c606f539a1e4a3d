public import Headroom

/// How many connections an account may hold, and where the number comes from.
public struct AccountLimit: Sendable, Hashable {
    /// The number of connections; `nil` when it is not known.
    public var value: Int?

    /// Where the number comes from.
    public var source: Source

    /// Creates a limit.
    public init(value: Int?, source: Source) {
        // A server's own are 32 bits wide; what is more, in a file or a refusal, is as good as no limit.
        self.value = value.map { min(max(0, $0), Int(UInt32.max)) }
        self.source = source
    }

    /// Where a limit comes from; the raw values are what `--json` prints.
    public enum Source: String, Sendable, Hashable {
        /// The account's own option (`MAX_USER_CONNECTIONS`); refusals are error 1226.
        case account
        /// The server's variable for any one user (`max_user_connections`); refusals are error 1203.
        case global
        /// The server's limit for all users together (`max_connections`); refusals are error 1040.
        case server
        /// A refusal named it, as nothing else can be read while the account is full.
        case refusal
        /// It is not known.
        case unknown

        /// The source in words.
        public var words: String {
            switch self {
            case .account: "the account's own option"
            case .global: "the server's max_user_connections"
            case .server: "the server's max_connections, shared by all accounts"
            case .refusal: "named by the refusal"
            case .unknown: "not known"
            }
        }
    }

    /// Works out the limit in force from the server's variables and the account's option.
    ///
    /// The account's option wins over the global variable, and 0 means that there is none (server manual, "Setting Account
    /// Resource Limits"). The session's variable shows the one in force, but not which of the two it is.
    ///
    /// - Parameters:
    ///   - inForce: `@@session.max_user_connections` on a session that was never reset.
    ///   - option: The account's `MAX_USER_CONNECTIONS`, when its grants could be read.
    ///   - global: `@@global.max_user_connections`.
    ///   - server: `@@global.max_connections`.
    /// - Returns: The limit and its source.
    public static func inForce(_ inForce: Int, option: Int?, global: Int, server: Int) -> AccountLimit {
        guard inForce > 0 else { return AccountLimit(value: server, source: .server) }
        let own = option.map { $0 == inForce } ?? (inForce != global)
        return AccountLimit(value: inForce, source: own ? .account : .global)
    }
}

/// The resource options of an account, as its grants print them.
public struct AccountOptions: Sendable, Hashable {
    /// The most connections at a time (`MAX_USER_CONNECTIONS`); `nil` when the account has no such option.
    public var connections: Int?

    /// The most logins in an hour (`MAX_CONNECTIONS_PER_HOUR`); `nil` when the account has no such option.
    public var connectionsPerHour: Int?

    /// The most statements in an hour (`MAX_QUERIES_PER_HOUR`); `nil` when the account has no such option.
    public var queriesPerHour: Int?

    /// Reads the options from a line of `SHOW GRANTS` (MariaDB) or `SHOW CREATE USER` (MySQL).
    ///
    /// The same line holds the password's hash: only these numbers are taken from it.
    public init(grants: String) {
        let words = grants.pieces(where: \.isBlank)
        func number(after option: Substring) -> Int? {
            // The last one: a password hash or a comment may come before, never after.
            guard let index = words.lastIndex(of: option), index + 1 < words.count else { return nil }
            return Int(words[index + 1]).flatMap { $0 > 0 ? $0.asCount : nil }
        }
        connections = number(after: "MAX_USER_CONNECTIONS")
        connectionsPerHour = number(after: "MAX_CONNECTIONS_PER_HOUR")
        queriesPerHour = number(after: "MAX_QUERIES_PER_HOUR")
    }

    /// Creates options that set no limit.
    public init() {}
}

/// How much of an account is in use, for those who leave it to others when it is much.
public enum AccountUse {
    /// Looks through an open connection whether more than a share of the limit is in use by others.
    ///
    /// - Parameters:
    ///   - percent: The share, from 1 to 100.
    ///   - connection: The connection.
    /// - Returns: Why to leave the account to others; `nil` when there is no reason, or no limit.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public static func reasonToYield(above percent: Int, _ connection: Connection) async throws -> String? {
        let report = try await connection.accountReport(maxIdle: .seconds(300), patience: 0)
        guard let limit = report.limit.value, limit > 0, let used = report.used, used * 100 > limit * percent else {
            return nil
        }
        let whose = report.limit.source == .server ? "server" : "account"
        return "others use \(used) of the \(whose)'s \(limit) connections, more than \(percent) %."
    }
}
