import Headroom
import HeadroomWatch

extension SelfTest {
    /// Opens two sessions, one of them in a transaction, and has kill-idle end the other.
    ///
    /// - Returns: Whether the idle one was ended, and whether the one in a transaction was spared.
    func killIdle() async throws -> (killed: Finding, spared: Finding?) {
        let database = Database(hasty(.seconds(2)))
        let watch = Database(hasty(.seconds(2)), share: .reserve)
        do {
            return try await database.withConnection(label: "verify: idle") { idle in
                try await database.withConnection(label: "verify: in a transaction") { busy in
                    try await busy.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
                    return try await watch.withConnection(label: "verify: kill-idle") { killer in
                        for connection in [idle, busy, killer] { opens(connection) }
                        return try await end(idle, beside: busy, with: killer)
                    }
                }
            }
        } catch let error as DatabaseError where error.isRefusal || error.code == .budgetExhausted {
            try Task.checkCancellation()
            // Others were quicker: no promise is broken.
            return (.skipped("there was no place for it: \(error.message)"), nil)
        }
    }

    private func end(
        _ idle: Connection,
        beside busy: Connection,
        with killer: Connection
    ) async throws -> (Finding, Finding?) {
        var policy = KillPolicy()
        // MySQL's clock for this counts whole seconds.
        policy.maxIdle = killer.isMariaDB ? .milliseconds(20) : .zero
        let deadline = ContinuousClock.now + .seconds(5)
        var report: AccountReport
        var plan: KillPlan
        repeat {
            try await Task.sleep(for: .milliseconds(killer.isMariaDB ? 50 : 250))
            report = try await killer.accountReport(maxIdle: policy.maxIdle, patience: 5)
            // By their ids: nothing else of the account can ever be meant.
            report.sessions.removeAll { $0.id != idle.sessionID && $0.id != busy.sessionID }
            plan = policy.plan(report)
        } while !plan.victims.contains { $0.id == idle.sessionID } && .now < deadline
        guard plan.victims.contains(where: { $0.id == idle.sessionID }) else {
            let reason = plan.spared.first { $0.session.id == idle.sessionID }?.reason.words ?? "not listed"
            return (.failed("session \(idle.sessionID) was not chosen in 5 s: \(reason)"), nil)
        }
        let isKnown = report.transactions == .known
        let spared = plan.spared.first { $0.session.id == busy.sessionID }
        if isKnown, spared?.reason != .inTransaction {
            let why = "the one in a transaction would \(spared == nil ? "be ended" : "be taken for another")"
            return (.skipped("nothing was ended, as the transaction was not spared"), .failed(why))
        }
        if !isKnown {
            // The drill does not end a transaction to show that idle time alone decides then.
            report.sessions.removeAll { $0.id == busy.sessionID }
            plan = policy.plan(report)
        }
        let result = try await IdleKill(policy).run(plan, of: report, on: killer, isDryRun: false) { _ in }
        let killed = await Self.judge(result, idle)
        guard isKnown else { return (killed, .skipped(report.transactions.reason ?? "it is not known")) }
        try await busy.query("COMMIT")
        return (killed, .passed("session \(busy.sessionID) was spared and could still commit"))
    }

    private static func judge(_ result: KillReport, _ idle: Connection) async -> Finding {
        guard result.count(.killed) == 1, result.freed == 1 else {
            let words = result.outcomes.first { $0.session.id == idle.sessionID }?.result.words ?? "nothing"
            return .failed("session \(idle.sessionID): \(words), \(result.freed) places freed")
        }
        do {
            try await idle.query("SELECT 1")
            return .failed("session \(idle.sessionID) still answers")
        } catch {
            let time = result.freeing.microseconds
            return .passed("session \(idle.sessionID) was ended, its place free after \(time) us")
        }
    }
}
