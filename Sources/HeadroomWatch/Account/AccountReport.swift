public import Headroom

/// What is known of an account at one moment.
public struct AccountReport: Sendable {
    /// The account as the server knows it, such as `app@%`; `nil` when no connection was to be had.
    public var account: String?

    /// The server's version; `nil` when no connection was to be had.
    public var serverVersion: String?

    /// The node that was looked at, where the settings name several; `nil` where they name one.
    public var node: Endpoint?

    /// The limit in force.
    public var limit: AccountLimit

    /// The account's sessions, the longest idle first, our own included and marked.
    public var sessions: [Session]

    /// From when on a sleeping session counts as idle.
    public var maxIdle: Duration

    /// Whether the sessions' transactions are known.
    public var transactions: TransactionKnowledge

    /// Whether it is known which sessions hold locks.
    public var knowsLocks = false

    /// The whole server's connections; `nil` when no connection was to be had.
    public var server: ServerUse?

    /// Whether MySQL's performance schema lists no sessions, so that the older list must be used.
    var avoidsPerformanceSchema = false

    /// Why no connection was to be had; `nil` when one was.
    public var refusal: DatabaseError?

    /// Who of this host waits for a place; `nil` when nobody does, or it is not known.
    public var waiting: WaitingLine?

    /// Creates a report.
    public init(
        account: String?,
        serverVersion: String?,
        limit: AccountLimit,
        sessions: [Session],
        maxIdle: Duration,
        transactions: TransactionKnowledge = .noPrivilege,
        server: ServerUse? = nil,
        refusal: DatabaseError? = nil
    ) {
        self.account = account
        self.serverVersion = serverVersion
        self.limit = limit
        self.sessions = sessions
        self.maxIdle = maxIdle
        self.transactions = transactions
        self.server = server
        self.refusal = refusal
    }

    /// How many of the sessions that count against the account and are not our own are like that.
    private func count(_ isLike: (Session) -> Bool = { _ in true }) -> Int {
        sessions.count { $0.isOfAccount && !$0.isOwn && !$0.isDying && isLike($0) }
    }

    /// The number of connections in use of the limit, without our own; all of them when the account is full; `nil` when not
    /// known.
    ///
    /// Where the limit is the server's, for all accounts together, these are the connections of all accounts.
    public var used: Int? {
        if let refusal { return refusal.isConnectionLimit ? limit.value : nil }
        guard limit.source == .server, let connected = server?.connected else { return count() }
        return max(count(), connected - 1)
    }

    /// Whether more connections are in use than the limit allows.
    ///
    /// The look was let in, so the count cannot be right: of sessions that are ending, or opened before the limit was lowered.
    public var isOverCounted: Bool {
        guard let used, let value = limit.value, value > 0 else { return false }
        return used > value
    }

    /// How many sessions of the same user may be the account's, which cannot be told.
    public var unclear: Int { sessions.count { $0.owner == .unclear && !$0.isDying } }

    /// The share of the limit in use, in percent; `nil` when either is not known, or the count cannot be right.
    public var percent: Double? {
        guard let used, let value = limit.value, value > 0, used <= value else { return nil }
        return Double(used) * 100 / Double(value)
    }

    /// The number of sessions at work.
    public var active: Int { count { !$0.isSleeping } }

    /// The number of sessions that wait for their client.
    public var sleeping: Int { count(\.isSleeping) }

    /// The number of sessions that have waited for their client for longer than ``maxIdle``.
    public var idle: Int { count { $0.isSleeping && $0.duration > maxIdle } }

    /// How near the account is to its limit.
    public var level: Level {
        if let refusal { return refusal.isRefusal ? .exhausted : .unknown }
        return Level(used: used ?? 0, limit: limit.value).raised(by: waiting)
    }
}

/// Those of this host who wait for a place of the account: programs, and the clients of its doors.
public struct WaitingLine: Sendable, Hashable {
    /// How many.
    public var count: Int

    /// For how long the first of them has waited.
    public var longest: Duration

    /// Creates a line.
    public init(count: Int, longest: Duration) {
        (self.count, self.longest) = (count, longest)
    }

    /// The line of an account's slots; `nil` when nobody waits.
    public init?(_ slots: SlotReport?) {
        guard let slots, !slots.waiting.isEmpty else { return nil }
        count = slots.waiting.reduce(0) { $0 + $1.tasks }
        longest = slots.waiting.map(\.longest).max() ?? .zero
        if count == 0 { return nil }
    }

    /// The line in words, such as `12 wait for a place, the first for 3 s`.
    public var words: String {
        "\(count) \(count == 1 ? "waits" : "wait") for a place"
            + (longest < .seconds(1) ? "" : ", the first for \(longest.components.seconds) s")
    }
}

/// Whether it is known which sessions are inside a transaction; the raw values are what `--json` prints.
public enum TransactionKnowledge: String, Sendable, Hashable {
    /// It is known.
    case known
    /// The account may not know: it lacks the PROCESS privilege.
    case noPrivilege = "no_process_privilege"
    /// The server gave an old list: it makes a new one only when nobody has read the last for 0.1 s, and somebody does.
    case stale
    /// The server has no such list.
    case unavailable

    /// Why it is not known, in words; `nil` when it is.
    public var reason: String? {
        switch self {
        case .known: nil
        case .noPrivilege: "this account lacks the PROCESS privilege"
        case .stale: "another program reads INNODB_TRX so often that the server never renews it"
        case .unavailable: "the server has no list of transactions"
        }
    }
}

/// How many connections the whole server has, of all accounts.
public struct ServerUse: Sendable, Hashable {
    /// The most that it lets in (`max_connections`).
    public var limit: Int?

    /// The number that it has, ours included (`Threads_connected`).
    public var connected: Int?

    /// The most that it has had at a time since it was started (`Max_used_connections`).
    public var peak: Int?

    /// For how long it has been up.
    public var uptime: Duration?

    /// How many connections it has refused as it was full, since it was started.
    public var refused: Int?

    /// Creates a use of which nothing is known.
    public init() {}

    /// Creates a use.
    ///
    /// - Parameters:
    ///   - limit: The most that the server lets in.
    ///   - status: The server's status variables, by their names.
    init(limit: Int?, status: [String: Int]) {
        let status = status.mapValues(\.asCount)
        self.limit = limit?.asCount
        connected = status["Threads_connected"]
        peak = status["Max_used_connections"]
        uptime = status["Uptime"].map { .seconds($0) }
        refused = status["Connection_errors_max_connections"]
    }
}
