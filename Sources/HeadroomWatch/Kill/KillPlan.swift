/// What is to become of an account's sessions.
public struct KillPlan: Sendable, Hashable {
    /// The sessions that may be ended, in this order: the longest idle first.
    public var victims: [Session] = []

    /// How many of them are to be ended; `nil` for all.
    ///
    /// The others take the places of those that woke up.
    public var goal: Int?

    /// The sessions that are left alone.
    public var spared: [Spared] = []

    /// Creates a plan to do nothing.
    public init() {}

    /// How many sessions the plan ends when none of them wakes up.
    public var expected: Int { min(victims.count, goal ?? .max) }

    /// A session that is left alone.
    public struct Spared: Sendable, Hashable {
        /// The session.
        public var session: Session
        /// Why it is left alone.
        public var reason: Reason
    }

    /// Why a session is left alone; the raw values are what `--json` and the log print.
    public enum Reason: String, Sendable, Hashable {
        /// It is the session that looks.
        case own
        /// It is the server's own, or a replica's.
        case system
        /// It has been ended already.
        case dying
        /// It is at work.
        case atWork = "at_work"
        /// It has not slept for long enough.
        case notIdleEnough = "not_idle_enough"
        /// It is inside a transaction.
        case inTransaction = "in_transaction"
        /// It is not known whether it is inside a transaction.
        case transactionUnknown = "transaction_unknown"
        /// It holds a lock: of a name (GET_LOCK), a table or the whole server.
        case holdsLock = "holds_lock"
        /// It is not known whether it holds a lock.
        case lockUnknown = "lock_unknown"
        /// So many were to be kept.
        case kept
        /// Enough places are free without it.
        case enough

        /// The reason in words.
        public var words: String {
            switch self {
            case .own: "this tool's own session"
            case .system: "the server's own, or a replica's"
            case .dying: "has been ended already"
            case .atWork: "at work"
            case .notIdleEnough: "not idle for long enough"
            case .inTransaction: "in a transaction"
            case .transactionUnknown: "may be in a transaction, which is not known"
            case .holdsLock: "holds a lock (GET_LOCK, LOCK TABLES or a table in use)"
            case .lockUnknown: "may hold a lock, which is not known"
            case .kept: "kept, as asked for"
            case .enough: "enough places are free"
            }
        }
    }
}
