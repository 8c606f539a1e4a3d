/// Says which idle sessions may be ended to free places of an account.
public struct KillPolicy: Sendable, Hashable {
    /// For how long a session must have slept, more than that; 300 s by default.
    public var maxIdle: Duration

    /// How many places of the account are to be free in the end; `nil`, the default, ends all that qualify.
    public var untilFree: Int?

    /// How many sleeping sessions of those chosen are left alive in any case, the least idle ones; 0 by default.
    public var keep: Int

    /// Only sessions of this user; `nil`, the default, means those of the account that looks.
    public var user: String?

    /// Only sessions that have selected this database.
    public var database: String?

    /// Only sessions from this host, without a port; `localhost` for the socket.
    public var host: String?

    /// Only sessions of this program, as the client named itself.
    public var program: String?

    /// Only this session; `nil`, the default, means all of them.
    public var session: UInt64?

    /// Whether sessions in a transaction may be ended too; false by default.
    public var includesTransactions: Bool

    /// Whether sessions are spared of which it is not known whether they are in a transaction; false by default.
    public var knownOnly: Bool

    /// Whether sessions are spared too of which it is not known whether they hold a lock; false by default.
    ///
    /// Who is known to hold one is spared in any case, as long as transactions are.
    public var knownLocksOnly = false

    /// Creates a policy with the defaults.
    public init() {
        maxIdle = .seconds(300)
        keep = 0
        includesTransactions = false
        knownOnly = false
    }

    /// Decides about every session of a report; asks nobody and ends nothing.
    ///
    /// - Parameter report: What is known of the account.
    /// - Returns: The sessions to end, in this order, and the others with the reason.
    public func plan(_ report: AccountReport) -> KillPlan {
        var plan = KillPlan()
        var candidates: [Session] = []
        var sleeping = 0
        for session in report.sessions where isChosen(session) {
            if session.isSleeping, !session.isOwn, !session.isSystem { sleeping += 1 }
            if let reason = reason(toSpare: session, report.transactions, knowsLocks: report.knowsLocks) {
                plan.spared.append(KillPlan.Spared(session: session, reason: reason))
            } else {
                candidates.append(session)
            }
        }
        candidates.sort { ($0.duration, $1.id) > ($1.duration, $0.id) }
        // Who is spared for another reason sleeps too, and is alive afterwards.
        let most = max(0, min(candidates.count, sleeping - keep))
        for session in candidates[most...] { plan.spared.append(KillPlan.Spared(session: session, reason: .kept)) }
        plan.victims = Array(candidates[..<most])
        if let untilFree {
            // Without a limit nobody can say what is free: that many are freed, then.
            let free = report.limit.value.flatMap { limit in report.used.map { limit - $0 } } ?? 0
            plan.goal = max(0, untilFree - free)
        }
        return plan
    }

    /// Whether the session is one of those that the filters mean.
    private func isChosen(_ session: Session) -> Bool {
        guard user.map({ $0 == session.user }) ?? (session.isOfAccount || session.isOwn) else { return false }
        if let id = self.session, id != session.id { return false }
        if let database, database != session.database { return false }
        if let host, host != session.hostName { return false }
        if let program, program != session.program { return false }
        return true
    }

    private func reason(toSpare session: Session, _ transactions: TransactionKnowledge, knowsLocks: Bool) -> KillPlan
        .Reason?
    {
        if session.isOwn { return .own }
        if session.isSystem { return .system }
        if session.isDying { return .dying }
        guard session.isSleeping else { return .atWork }
        guard session.duration > maxIdle else { return .notIdleEnough }
        if includesTransactions { return nil }
        if session.inTransaction == true { return .inTransaction }
        if session.holdsLock == true { return .holdsLock }
        switch session.inTransaction {
        case true?, false?:
            break
        case nil:
            // An account that may not know goes by the idle time. One that may know, but was given an old list or looked
            // while the session had just done something, will know in a moment.
            if knownOnly || transactions == .known || transactions == .stale { return .transactionUnknown }
        }
        return session.holdsLock == nil && (knownLocksOnly || knowsLocks) ? .lockUnknown : nil
    }
}
