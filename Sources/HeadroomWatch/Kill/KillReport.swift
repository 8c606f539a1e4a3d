import Headroom

/// What ending idle sessions came to.
public struct KillReport: Sendable {
    /// What became of one session.
    public enum Result: String, Sendable, Hashable {
        /// It was ended.
        case killed
        /// It would have been ended, were it not a dry run.
        case wouldKill = "would_kill"
        /// It had ended by itself.
        case gone
        /// It had done something in the meantime, so it was left alone.
        case wokeUp = "woke_up"
        /// This account may not end it.
        case notPermitted = "not_permitted"
        /// It was left alone, for the reason beside it.
        case skipped

        /// The result in words.
        public var words: String {
            switch self {
            case .killed: "killed"
            case .wouldKill: "would be killed"
            case .gone: "gone by itself"
            case .wokeUp: "woke up, left alone"
            case .notPermitted: "not permitted"
            case .skipped: "skipped"
            }
        }
    }

    /// A session and what became of it.
    public struct Outcome: Sendable {
        /// The session, as it was when the account was looked at.
        public var session: Session
        /// What became of it.
        public var result: Result
        /// Why it was skipped; `nil` when it was not.
        public var reason: KillPlan.Reason?
    }

    /// What was known of the account before.
    public var account: AccountReport

    /// Whether nothing was to be ended.
    public var isDryRun: Bool

    /// What became of each session that the filters mean.
    public var outcomes: [Outcome] = []

    /// How many of the sessions that were ended are gone from the server, so that their places are free.
    public var freed = 0

    /// The sessions that were ended and had not left the server when the wait for them was over.
    public var ending: [UInt64] = []

    /// How long it took from the first KILL until the last session had left the server.
    public var freeing = Duration.zero

    /// Creates a report in which nothing has been done yet.
    public init(account: AccountReport, isDryRun: Bool) {
        self.account = account
        self.isDryRun = isDryRun
    }

    /// How many sessions had this result.
    public func count(_ result: Result) -> Int { outcomes.count { $0.result == result } }

    /// What an account that may not know of transactions or locks should be told; `nil` when they are known.
    ///
    /// It names what would change it.
    public var caveat: String? {
        let caveats = [transactionCaveat, account.knowsLocks ? nil : lockCaveat].compactMap(\.self)
        return caveats.isEmpty ? nil : caveats.joined(separator: " ")
    }

    private var lockCaveat: String {
        let cure =
            account.serverVersion?.holds("MariaDB") == true
            ? "INSTALL SONAME 'metadata_lock_info'"
            : "GRANT SELECT ON performance_schema.* TO \(Self.quoted(account.account ?? ""))"
        return
            "Which sessions hold a lock (GET_LOCK, LOCK TABLES) is not known; an administrator changes that with: \(cure); "
            + "--known-only spares what cannot be judged."
    }

    private var transactionCaveat: String? {
        guard let reason = account.transactions.reason else { return nil }
        guard account.transactions == .noPrivilege else {
            let what = account.transactions == .stale ? "They are left alone." : "Idle time alone decides."
            return "Which sessions are in a transaction is not known: \(reason). \(what)"
        }
        return "Which sessions are in a transaction is not known: \(reason). Idle time alone decides. "
            + "An administrator changes that with: GRANT PROCESS ON *.* TO \(Self.quoted(account.account ?? "")); "
            + "--known-only spares what cannot be judged."
    }

    /// The account's name as a statement takes it.
    private static func quoted(_ account: String) -> String {
        guard let at = account.unicodeScalars.lastIndex(of: "@") else { return account }
        let parts = [account[..<at], account[account.index(after: at)...]]
        return parts.map { Escaping.sql(String($0)) }.joined(separator: "@")
    }
}
