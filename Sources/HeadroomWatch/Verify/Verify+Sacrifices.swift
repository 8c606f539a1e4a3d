import Headroom

extension Verify {
    private static let kill = ("kill_idle", "end an idle session of its own with kill-idle")
    private static let spare = ("spare_transaction", "have kill-idle spare a transaction of its own")

    /// Below this limit two sacrifices and the one who ends them leave nothing to others.
    private static let leastLimit = 4

    /// Opens two sessions, one of them in a transaction, and has the other ended.
    func sacrifices(_ facts: VerifyFacts?, _ run: inout VerifyRun) async throws {
        func skip(_ why: String, _ run: inout VerifyRun) {
            run.add(Finding.skipped(why, next: Self.yesHint(why)).step(Self.kill.0, Self.kill.1, .zero))
            run.add(Finding.skipped(why).step(Self.spare.0, Self.spare.1, .zero))
        }
        guard let facts else { return skip("the account could not be looked at", &run) }
        if let limit = facts.report.limit.value, limit < Self.leastLimit {
            let question = "kill-idle's drill uses 3 of the account's \(limit) connections. Go on?"
            let answer = limit < 3 ? DrillRoom.Answer.no : try await mayUseMuch(question)
            guard answer == .yes else {
                return skip("it takes 3 connections, and the account's limit is \(limit)", &run)
            }
        } else if let reason = try await reasonToSkip("kill-idle's drill", needing: 3, facts) {
            return skip(reason, &run)
        }
        let start = ContinuousClock.now
        do {
            let (kill, spare) = try await sacrifice()
            run.add(kill.step(Self.kill.0, Self.kill.1, start.duration(to: .now)))
            run.add(spare.step(Self.spare.0, Self.spare.1, start.duration(to: .now)))
        } catch let error as CancellationError {
            throw error
        } catch let error as DatabaseError where error.isRefusal || error.code == .budgetExhausted {
            try Task.checkCancellation()
            // Others were quicker: no promise is broken.
            skip("there was no place for it: \(error.message)", &run)
        } catch {
            try Task.checkCancellation()
            run.add(Finding(error).step(Self.kill.0, Self.kill.1, start.duration(to: .now)))
            run.skip(Self.spare.0, Self.spare.1, "the drill did not come that far")
        }
    }

    private func sacrifice() async throws -> (Finding, Finding) {
        let database = Database(hasty(.seconds(2)))
        let watch = Database(hasty(.seconds(2)), share: .reserve)
        return try await database.withConnection(label: "verify: idle") { idle in
            try await database.withConnection(label: "verify: in a transaction") { busy in
                try await busy.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
                return try await watch.withConnection(label: "verify: kill-idle") { killer in
                    for connection in [idle, busy, killer] { seen.note(connection) }
                    return try await end(idle, beside: busy, with: killer)
                }
            }
        }
    }

    private func end(
        _ idle: Connection,
        beside busy: Connection,
        with killer: Connection
    ) async throws -> (Finding, Finding) {
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
            let finding = Finding.failed("session \(idle.sessionID) was not chosen in 5 s: \(reason)")
            return (finding, .skipped("nothing was ended"))
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
        let kill = await Self.judge(result, idle)
        guard isKnown else { return (kill, .skipped("\(report.transactions.reason ?? "it is not known")")) }
        try await busy.query("COMMIT")
        return (kill, .passed("session \(busy.sessionID) was spared and could still commit"))
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
            return .passed(
                "session \(idle.sessionID) was ended, its place free after \(result.freeing.microseconds) us"
            )
        }
    }
}
