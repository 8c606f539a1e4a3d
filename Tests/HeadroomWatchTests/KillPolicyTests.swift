import Headroom
import Testing

@testable import HeadroomWatch

/// Which sessions a policy ends: decided from a report, with no server.
@Suite struct KillPolicyTests {
    /// A session, asleep for ten minutes unless said.
    private func session(
        _ id: UInt64,
        idle seconds: Double = 600,
        command: String = "Sleep",
        transaction: Bool? = false,
        user: String = "app",
        host: String = "localhost",
        database: String? = "shop",
        program: String? = nil,
        own: Bool = false
    ) -> Session {
        Session(
            id: id,
            user: user,
            host: host,
            database: database,
            command: command,
            duration: .seconds(seconds),
            inTransaction: transaction,
            program: program,
            isOwn: own,
            owner: user == "app" ? .account : .another,
            queryID: id * 10
        )
    }

    private func report(
        _ sessions: [Session],
        limit: Int? = 10,
        transactions: TransactionKnowledge = .known
    ) -> AccountReport {
        AccountReport(
            account: "app@%",
            serverVersion: "10.11",
            limit: AccountLimit(value: limit, source: .account),
            sessions: sessions,
            maxIdle: .seconds(300),
            transactions: transactions
        )
    }

    private func reasons(_ plan: KillPlan) -> [UInt64: KillPlan.Reason] {
        Dictionary(plan.spared.map { ($0.session.id, $0.reason) }) { first, _ in first }
    }

    @Test func `only sessions that have slept for longer than asked are ended, the longest idle first`() {
        let plan = KillPolicy()
            .plan(
                report([
                    session(1, idle: 300), session(2, idle: 300.001), session(3, idle: 900),
                    session(4, idle: 900, command: "Query"), session(5, idle: 0, own: true),
                ])
            )
        #expect(plan.victims.map(\.id) == [3, 2])
        #expect(reasons(plan) == [1: .notIdleEnough, 4: .atWork, 5: .own])
    }

    @Test func `a session in a transaction is spared unless told`() {
        let account = report([session(1, transaction: true), session(2)])
        #expect(KillPolicy().plan(account).victims.map(\.id) == [2])
        var policy = KillPolicy()
        policy.includesTransactions = true
        #expect(Set(policy.plan(account).victims.map(\.id)) == [1, 2])
    }

    @Test func `where transactions cannot be known idle time decides, and known-only spares`() {
        let account = report([session(1, transaction: nil)], transactions: .noPrivilege)
        #expect(KillPolicy().plan(account).victims.map(\.id) == [1])
        var policy = KillPolicy()
        policy.knownOnly = true
        #expect(reasons(policy.plan(account)) == [1: .transactionUnknown])
    }

    @Test(arguments: [TransactionKnowledge.known, .stale])
    func `where transactions can be known, a session that is not known is spared`(_ knowledge: TransactionKnowledge) {
        let plan = KillPolicy().plan(report([session(1, transaction: nil)], transactions: knowledge))
        #expect(reasons(plan) == [1: .transactionUnknown])
    }

    @Test(arguments: [
        ("system user", "Slave_IO"), ("system user", "Slave_SQL"), ("system user", "Slave_worker"),
        ("event_scheduler", "Daemon"), ("repl", "Binlog Dump"), ("repl", "Binlog Dump GTID"),
        ("unauthenticated user", "Connect"), ("system user", "Sleep"), ("event_scheduler", "Sleep"),
    ])
    func `the server's own sessions and replicas are never ended`(user: String, command: String) {
        var policy = KillPolicy()
        policy.maxIdle = .zero
        policy.user = user
        policy.includesTransactions = true
        let plan = policy.plan(report([session(1, command: command, user: user)]))
        #expect(plan.victims.isEmpty)
        #expect(reasons(plan) == [1: .system])
    }

    @Test func `filters mean exactly what they name, and other accounts only when asked for`() {
        let sessions = [
            session(1, host: "10.0.0.7:4711", program: "php-fpm"), session(2, database: "blog"),
            session(3, user: "other"), session(4, host: "localhost"),
        ]
        func ids(_ change: (inout KillPolicy) -> Void) -> Set<UInt64> {
            var policy = KillPolicy()
            change(&policy)
            let plan = policy.plan(report(sessions))
            return Set(plan.victims.map(\.id) + plan.spared.map(\.session.id))
        }
        #expect(ids { _ in } == [1, 2, 4])
        #expect(ids { $0.user = "other" } == [3])
        #expect(ids { $0.host = "10.0.0.7" } == [1])
        #expect(ids { $0.host = "10.0.0" } == [])
        #expect(ids { $0.database = "blog" } == [2])
        #expect(ids { $0.program = "php-fpm" } == [1])
    }

    @Test func `no more are ended than it takes until so many places are free`() {
        var policy = KillPolicy()
        policy.untilFree = 8
        // 4 of 10 are used, so 6 are free: two more.
        let plan = policy.plan(report([session(1), session(2), session(3), session(4)]))
        #expect(plan.goal == 2)
        #expect(plan.expected == 2)
        policy.untilFree = 6
        #expect(policy.plan(report([session(1), session(2), session(3), session(4)])).expected == 0)
        // Dying sessions have given their places back.
        policy.untilFree = 10
        #expect(policy.plan(report([session(1), session(2, command: "Killed")])).expected == 1)
    }

    @Test func `so many sleeping sessions stay alive, the least idle`() {
        var policy = KillPolicy()
        policy.keep = 2
        let plan = policy.plan(report([session(1, idle: 900), session(2, idle: 500), session(3, idle: 700)]))
        #expect(plan.victims.map(\.id) == [1])
        #expect(reasons(plan) == [2: .kept, 3: .kept])
        // One that is spared anyway counts as kept.
        let spared = policy.plan(report([session(1), session(2), session(3, idle: 1)]))
        #expect(spared.victims.count == 1)
    }

    @Test func `whatever the sessions, the promises hold`() {
        var random = SystemRandomNumberGenerator()
        let commands = ["Sleep", "Sleep", "Sleep", "Query", "Killed", "Binlog Dump", "Daemon", "Execute", "Slave_SQL"]
        let users = ["app", "app", "app", "other", "system user", "event_scheduler", ""]
        for _ in 0..<20_000 {
            let sessions = (0..<UInt64.random(in: 0...12, using: &random))
                .map { id in
                    session(
                        id,
                        idle: [0, 0.5, 299, 300, 301, 4000].randomElement(using: &random) ?? 0,
                        command: commands.randomElement(using: &random) ?? "",
                        transaction: [true, false, nil].randomElement(using: &random) ?? nil,
                        user: users.randomElement(using: &random) ?? "",
                        program: ["php", nil].randomElement(using: &random) ?? nil,
                        own: Int.random(in: 0..<6, using: &random) == 0
                    )
                }
            let knowledge = [TransactionKnowledge.known, .noPrivilege, .stale, .unavailable]
                .randomElement(using: &random)
            let account = report(
                sessions,
                limit: [nil, 3, 10].randomElement(using: &random) ?? nil,
                transactions: knowledge ?? .known
            )
            var policy = KillPolicy()
            policy.maxIdle = [.zero, .seconds(300)].randomElement(using: &random) ?? .zero
            policy.keep = Int.random(in: 0...4, using: &random)
            policy.untilFree = Bool.random(using: &random) ? Int.random(in: 0...5, using: &random) : nil
            policy.user = [nil, nil, "app", "other", "system user"].randomElement(using: &random) ?? nil
            policy.program = [nil, nil, "php"].randomElement(using: &random) ?? nil
            policy.includesTransactions = Int.random(in: 0..<4, using: &random) == 0
            policy.knownOnly = Bool.random(using: &random)

            let plan = policy.plan(account)
            let victims = Set(plan.victims.map(\.id))
            #expect(victims.count == plan.victims.count)
            #expect(victims.isDisjoint(with: plan.spared.map(\.session.id)))
            for victim in plan.victims {
                #expect(!victim.isOwn && !victim.isSystem && victim.isSleeping && victim.duration > policy.maxIdle)
                #expect(victim.inTransaction != true || policy.includesTransactions)
                #expect(victim.inTransaction != nil || !policy.knownOnly || policy.includesTransactions)
                #expect(policy.user.map { $0 == victim.user } ?? victim.isOfAccount)
                #expect(policy.program == nil || policy.program == victim.program)
            }
            let sleeping = (plan.victims + plan.spared.map(\.session))
                .count {
                    $0.isSleeping && !$0.isOwn && !$0.isSystem
                }
            #expect(victims.isEmpty || sleeping - victims.count >= policy.keep)
            #expect(plan.expected <= plan.victims.count)
            #expect(zip(plan.victims, plan.victims.dropFirst()).allSatisfy { $0.duration >= $1.duration })
        }
    }
}
