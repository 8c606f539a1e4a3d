public import Headroom

/// Ends an account's idle sessions over a connection that is open already.
///
/// It looks, decides by its ``KillPolicy``, ends one session after another, each with a last look by the server itself, and
/// then makes sure that their places are free.
public struct IdleKill: Sendable {
    /// Which sessions may be ended.
    public var policy: KillPolicy

    /// How long to wait until those that were ended have left the server; 2 s by default.
    public var patience: Duration

    /// Creates one.
    public init(_ policy: KillPolicy, patience: Duration = .seconds(2)) {
        self.policy = policy
        self.patience = patience
    }

    /// Ends the idle sessions.
    ///
    /// - Parameters:
    ///   - connection: The connection to do it with; its own session is never ended.
    ///   - isDryRun: Whether to end nothing, and only say what would be.
    ///   - note: Is given what became of each session, as soon as that is known.
    /// - Returns: What it came to.
    /// - Throws: ``DatabaseError``, `CancellationError`, or what `note` throws, after which nothing more is ended.
    public func run(
        on connection: Connection,
        isDryRun: Bool = false,
        note: (KillReport.Outcome) throws -> Void = { _ in }
    ) async throws -> KillReport {
        let account = try await connection.accountReport(
            maxIdle: policy.maxIdle,
            isOfAllAccounts: policy.user != nil,
            patience: 5
        )
        return try await run(policy.plan(account), of: account, on: connection, isDryRun: isDryRun, note: note)
    }

    /// Carries a plan out.
    package func run(
        _ plan: KillPlan,
        of account: AccountReport,
        on connection: Connection,
        isDryRun: Bool,
        note: (KillReport.Outcome) throws -> Void
    ) async throws -> KillReport {
        var report = KillReport(account: account, isDryRun: isDryRun)
        func add(_ session: Session, _ result: KillReport.Result, _ reason: KillPlan.Reason? = nil) throws {
            let outcome = KillReport.Outcome(session: session, result: result, reason: reason)
            report.outcomes.append(outcome)
            try note(outcome)
        }
        var guarded = GuardedKill(isMariaDB: connection.isMariaDB)
        guarded.avoidsPerformanceSchema = account.avoidsPerformanceSchema
        let start = ContinuousClock.now
        var left = plan.goal ?? .max
        for session in plan.victims {
            guard left > 0 else {
                try add(session, .skipped, .enough)
                continue
            }
            var result =
                isDryRun
                ? .wouldKill
                : try guarded.result(await connection.queryTogether(guarded.statements(for: session)))
            if result == .notPermitted, let ended = try await connection.killAsManaged(session, guarded) {
                result = ended
            }
            if result == .killed || result == .gone || result == .wouldKill { left -= 1 }
            try add(session, result)
        }
        let killed = report.outcomes.lazy.filter { $0.result == .killed }.map(\.session.id)
        if !killed.isEmpty {
            report.ending = try await connection.waitUntilGone(Array(killed), patience, guarded)
            report.freed = killed.count - report.ending.count
            report.freeing = start.duration(to: .now)
        }
        for spared in plan.spared { try add(spared.session, .skipped, spared.reason) }
        return report
    }
}

extension Connection {
    /// Ends another account's session where a managed server has a procedure for that: Amazon's `rds_kill`, Azure's `az_kill`.
    ///
    /// - Returns: What became of it; `nil` where there is none that this account may use.
    fileprivate func killAsManaged(_ session: Session, _ guarded: GuardedKill) async throws -> KillReport.Result? {
        let name = try await query(
            """
            SELECT LOWER(ROUTINE_NAME) FROM information_schema.ROUTINES
            WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_NAME IN ('rds_kill', 'az_kill') LIMIT 1
            """
        )
        .first(String.self)
        guard let name else { return nil }
        let table = guarded.avoidsPerformanceSchema || isMariaDB ? "information_schema" : "performance_schema"
        let isAsleep =
            try await query(
                """
                SELECT 1 FROM \(raw: table).PROCESSLIST
                WHERE ID = \(session.id) AND COMMAND = 'Sleep' AND TIME >= \(Int(session.duration.components.seconds))
                """
            )
            .first(Int.self) != nil
        guard isAsleep else { return .wokeUp }
        do {
            try await query(SQL(raw: "CALL mysql.\(name == "rds_kill" ? "rds_kill" : "az_kill")(\(session.id))"))
            return .killed
        } catch let error as DatabaseError where error.code == .statementFailed {
            return error.serverCode == 1094 ? .gone : nil
        }
    }

    /// Waits until sessions have left the server; returns those that have not.
    fileprivate func waitUntilGone(
        _ sessions: [UInt64],
        _ patience: Duration,
        _ guarded: GuardedKill
    ) async throws -> [UInt64] {
        let deadline = ContinuousClock.now + patience
        var backoff = Backoff(first: .microseconds(400), most: .milliseconds(50))
        let table =
            isMariaDB || guarded.avoidsPerformanceSchema
            ? "information_schema.PROCESSLIST" : "performance_schema.processlist"
        let list = sessions.map(String.init).joined(separator: ", ")
        while true {
            let left = try await query(SQL(raw: "SELECT ID FROM \(table) WHERE ID IN (\(list))")).decode(UInt64.self)
            if left.isEmpty || deadline < .now { return left }
            try await Task.sleep(for: backoff.next())
        }
    }
}
