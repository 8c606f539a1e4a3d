import Headroom

/// A session of the account, as the server's process list shows it.
public struct Session: Sendable, Hashable {
    /// The session's id, as KILL takes it.
    public var id: UInt64

    /// The user name.
    public var user: String

    /// The client's host, with its port when it came over TCP.
    public var host: String

    /// The session's database, when it has selected one.
    public var database: String?

    /// What the session is doing, in the server's words, such as `Sleep` or `Query`.
    public var command: String

    /// How long it has been doing that.
    public var duration: Duration

    /// Whether it is inside a transaction; `nil` when the account may not know.
    public var inTransaction: Bool?

    /// Whether it holds a lock beyond its last statement, of a name (GET_LOCK), a table or the whole server: it is at work then,
    /// though it sleeps; `nil` when the account may not know.
    public var holdsLock: Bool?

    /// The program's name, when the client gave one and the server keeps it (performance schema).
    public var program: String?

    /// The client's process id on its own host, when the client gave one and the server keeps it.
    public var processID: Int?

    /// Whether it is the session that made this list.
    public var isOwn: Bool

    /// Whose it is.
    public var owner: Owner

    /// Whose a session is, for the account that looks; the raw values are what `--json` prints.
    public enum Owner: String, Sendable, Hashable {
        /// The account's for sure: it counts against it.
        case account
        /// Another account's.
        case another
        /// The same user's, and it cannot be told whether the same account's.
        case unclear
    }

    /// Whether it counts against the account that looks for sure.
    public var isOfAccount: Bool { owner == .account }

    /// The number of its last statement over the whole server (MariaDB only): the same one later means that it has done
    /// nothing in between.
    public var queryID: UInt64?

    /// Creates a session.
    public init(
        id: UInt64,
        user: String,
        host: String,
        database: String?,
        command: String,
        duration: Duration,
        inTransaction: Bool? = nil,
        program: String? = nil,
        processID: Int? = nil,
        isOwn: Bool = false,
        owner: Owner = .account,
        queryID: UInt64? = nil
    ) {
        self.id = id
        self.user = user
        self.host = host
        self.database = database
        self.command = command
        self.duration = duration
        self.inTransaction = inTransaction
        self.program = program
        self.processID = processID
        self.isOwn = isOwn
        self.owner = owner
        self.queryID = queryID
    }

    /// Whether the session waits for its client.
    public var isSleeping: Bool { command == "Sleep" }

    /// Whether the session has ended and only rolls back: the account's place is free already (measured).
    public var isDying: Bool { command == "Killed" }

    /// Whether it is the server's own, or a replica's: the event scheduler, a replication thread, a log that is sent.
    public var isSystem: Bool {
        // The servers' own threads have these users; a replica that reads the log here has a user of its own, and shows
        // by what it does.
        ["system user", "event_scheduler", "unauthenticated user"].contains(user) || user.isEmpty
            || ["Binlog Dump", "Slave_", "Replica", "Daemon", "Connect"].contains { command.begins(with: $0) }
    }

    /// The client's host without its port.
    public var hostName: String { Self.hostName(host) }

    static func hostName(_ host: String) -> String {
        guard let colon = host.unicodeScalars.lastIndex(of: ":"),
            host[colon...].unicodeScalars.dropFirst().allSatisfy(\.isDigit)
        else { return host }
        return String(host[..<colon])
    }
}
