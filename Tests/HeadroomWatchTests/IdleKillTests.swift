import Glibc
import Headroom
import TestSupport
import Testing

@testable import HeadroomWatch

/// Ending idle sessions on a real server.
@Suite(.sandbox(performanceSchema: true), .serialized) struct IdleKillTests {
    private var policy: KillPolicy {
        var policy = KillPolicy()
        policy.maxIdle = .milliseconds(SuiteServer.isMariaDB ? 20 : 0)
        return policy
    }

    /// Waits until sessions have slept for long enough; MySQL counts whole seconds.
    private func sleep() async throws {
        try await Task.sleep(for: .milliseconds(SuiteServer.isMariaDB ? 60 : 2_100))
    }

    /// Runs the body beside an idle connection of the account.
    private func withIdle(_ account: String, _ body: (Connection) async throws -> Void) async throws {
        try await SuiteServer.database(account, share: .reserve)
            .withConnection { idle in
                try await idle.query("SELECT 1")
                try await body(idle)
            }
    }

    private func run(_ account: String, _ policy: KillPolicy, isDryRun: Bool = false) async throws -> KillReport {
        try await SuiteServer.database(account, share: .reserve)
            .withConnection { try await IdleKill(policy).run(on: $0, isDryRun: isDryRun) }
    }

    private func grantProcess(_ account: String) async throws {
        try await SuiteServer.administrator()
            .withConnection { try await $0.query("GRANT PROCESS ON *.* TO \(raw: account)@'%'") }
    }

    private func outcome(_ report: KillReport, _ id: UInt64) -> KillReport.Outcome? {
        report.outcomes.first { $0.session.id == id }
    }

    @Test func `an idle session is ended, and its place is free when the call returns`() async throws {
        try await withIdle("two1") { idle in
            try await sleep()
            let report = try await run("two1", policy)
            #expect(outcome(report, idle.sessionID)?.result == .killed)
            #expect(report.freed == 1)
            #expect(report.ending.isEmpty)
            #expect(report.freeing > .zero)
            // Two places, and both can be had.
            try await withIdle("two1") { _ in try await withIdle("two1") { _ in } }
            await #expect(throws: DatabaseError.self) { try await idle.query("SELECT 1") }
        }
    }

    @Test func `with PROCESS a session in a transaction is spared`() async throws {
        try await grantProcess("ten1")
        let database = try await SuiteServer.newDatabase("kill1")
        try await database.withConnection { try await $0.query("CREATE TABLE t (i INT) ENGINE = InnoDB") }
        try await SuiteServer.administrator()
            .withConnection { try await $0.query("GRANT ALL ON kill1.* TO ten1@'%'") }
        try await withIdle("ten1") { idle in
            try await withIdle("ten1") { writer in
                try await writer.query("START TRANSACTION")
                try await writer.query("INSERT INTO kill1.t VALUES (1)")
                try await sleep()
                let report = try await run("ten1", policy)
                #expect(report.account.transactions == .known)
                #expect(report.caveat?.contains("transaction") != true)
                #expect(outcome(report, idle.sessionID)?.result == .killed)
                #expect(outcome(report, writer.sessionID)?.reason == .inTransaction)
                try await writer.query("COMMIT")

                try await writer.query("START TRANSACTION")
                try await writer.query("INSERT INTO kill1.t VALUES (2)")
                try await sleep()
                var all = policy
                all.includesTransactions = true
                let second = try await run("ten1", all)
                #expect(outcome(second, writer.sessionID)?.result == .killed)
            }
        }
    }

    @Test func `without PROCESS it says what it cannot know, and which one grant changes that`() async throws {
        try await withIdle("ten2") { idle in
            try await sleep()
            var known = policy
            known.knownOnly = true
            let spared = try await run("ten2", known)
            #expect(outcome(spared, idle.sessionID)?.reason == .transactionUnknown)
            #expect(spared.caveat?.contains("GRANT PROCESS ON *.* TO 'ten2'@'%'") == true)
            let report = try await run("ten2", policy)
            #expect(report.account.transactions == .noPrivilege)
            #expect(outcome(report, idle.sessionID)?.result == .killed)
        }
    }

    @Test(.enabled(if: SuiteServer.isMariaDB))
    func `a list of transactions that the server has not renewed is not believed`() async throws {
        try await grantProcess("ten3")
        try await withIdle("ten3") { reader in
            _ = try await reader.query("SELECT COUNT(*) FROM information_schema.INNODB_TRX")
            let report = try await SuiteServer.database("ten3", share: .reserve)
                .withConnection { try await $0.accountReport(maxIdle: .zero, patience: 0) }
            #expect(report.transactions == .stale)
            #expect(report.sessions.first { $0.id == reader.sessionID }?.inTransaction == nil)
            let patient = try await SuiteServer.database("ten3", share: .reserve)
                .withConnection { try await $0.accountReport(maxIdle: .zero, patience: 5) }
            #expect(patient.transactions == .known)
        }
        // Not even by the one who read it last, whose own session is in the old list too.
        try await SuiteServer.database("ten3", share: .reserve)
            .withConnection { connection in
                let first = try await connection.accountReport(maxIdle: .zero, patience: 5)
                let second = try await connection.accountReport(maxIdle: .zero, patience: 0)
                #expect(first.transactions == .known)
                #expect(second.transactions == .stale)
            }
    }

    @Test func `a session that has woken up since the look is spared`() async throws {
        try await withIdle("ten4") { idle in
            try await sleep()
            try await SuiteServer.database("ten4", share: .reserve)
                .withConnection { killer in
                    let account = try await killer.accountReport(maxIdle: policy.maxIdle)
                    let plan = policy.plan(account)
                    #expect(plan.victims.map(\.id) == [idle.sessionID])
                    try await idle.query("SELECT 1")
                    let report = try await IdleKill(policy)
                        .run(plan, of: account, on: killer, isDryRun: false) { _ in }
                    #expect(outcome(report, idle.sessionID)?.result == .wokeUp)
                    #expect(report.freed == 0)
                }
            try await idle.query("SELECT 1")
        }
    }

    @Test(.enabled(if: SuiteServer.isMariaDB))
    func `a session that has begun a transaction since the look is spared, however long it has slept again`()
        async throws
    {
        try await withIdle("ten5") { idle in
            try await sleep()
            try await SuiteServer.database("ten5", share: .reserve)
                .withConnection { killer in
                    let account = try await killer.accountReport(maxIdle: policy.maxIdle)
                    let plan = policy.plan(account)
                    try await idle.query("START TRANSACTION")
                    try await Task.sleep(for: .milliseconds(300))
                    let report = try await IdleKill(policy)
                        .run(plan, of: account, on: killer, isDryRun: false) { _ in }
                    #expect(outcome(report, idle.sessionID)?.result == .wokeUp)
                }
            try await idle.query("COMMIT")
        }
    }

    @Test func `a session that has ended since the look is gone, and counts as freed place`() async throws {
        var idle: UInt64 = 0
        try await SuiteServer.database("ten6", share: .reserve)
            .withConnection { killer in
                var found: (account: AccountReport, plan: KillPlan)?
                try await withIdle("ten6") { session in
                    idle = session.sessionID
                    try await sleep()
                    let account = try await killer.accountReport(maxIdle: policy.maxIdle)
                    found = (account, policy.plan(account))
                }
                let (account, plan) = try #require(found)
                let report = try await IdleKill(policy).run(plan, of: account, on: killer, isDryRun: false) { _ in }
                #expect(outcome(report, idle)?.result == .gone)
                #expect(report.freed == 0)
            }
    }

    @Test func `a dry run ends nothing`() async throws {
        try await withIdle("ten7") { idle in
            try await sleep()
            let report = try await run("ten7", policy, isDryRun: true)
            #expect(outcome(report, idle.sessionID)?.result == .wouldKill)
            try await idle.query("SELECT 1")
        }
    }

    @Test func `another account's sessions are left alone where this one may not end them`() async throws {
        try await grantProcess("ten8")
        try await withIdle("two2") { idle in
            try await sleep()
            var others = policy
            others.user = "two2"
            let report = try await run("ten8", others)
            #expect(outcome(report, idle.sessionID)?.result == .notPermitted)
            try await idle.query("SELECT 1")
        }
    }

    @Test func `the server's event scheduler is left alone, even when told to end everything`() async throws {
        try await SuiteServer.administrator().withConnection { try await $0.query("SET GLOBAL event_scheduler = ON") }
        try await sleep()
        let report = try await SuiteServer.administrator()
            .withConnection { connection in
                var policy = KillPolicy()
                policy.maxIdle = .zero
                policy.includesTransactions = true
                policy.user = "event_scheduler"
                return try await IdleKill(policy).run(on: connection)
            }
        #expect(report.outcomes.map(\.reason) == [.system])
        let schedulers = try await SuiteServer.administrator()
            .withConnection {
                try await $0.number(
                    "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'event_scheduler'"
                )
            }
        #expect(schedulers == 1)
    }

    @Test func `every action has its line in the log, and a client's name cannot forge one`() async throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/kills.log"
        var session = Session(
            id: 7,
            user: "app",
            host: "localhost",
            database: nil,
            command: "Sleep",
            duration: .milliseconds(412_345)
        )
        session.program = "x\" action=none\ntime=now"
        let killed = KillReport.Outcome(session: session, result: .killed, reason: nil)
        for _ in 1...2 { try KillLog(path).write(killed, account: "app@%", policy: KillPolicy()) }
        let lines = try #require(read(path)).split(separator: "\n")
        #expect(lines.count == 2)
        for line in lines {
            #expect(line.hasPrefix("time=20"))
            #expect(
                line.contains(
                    "Z action=killed session=7 user=app host=localhost program=\"x\\\" action=none?time=now\""
                )
            )
            #expect(line.contains("for_ms=412345 in_transaction=unknown max_idle_s=300 by=app@% pid="))
        }
        #expect(throws: DatabaseError.self) { try KillLog("\(folder.path)/nowhere/kills.log") }
    }

    @Test(arguments: Planted.allCases)
    func `a log is a regular file of one name, and the error says what else to do`(planted: Planted) throws {
        let folder = TemporaryFolder()
        let other = folder.write("mine", to: "other")
        let path = "\(folder.path)/kills.log"
        guard planted.plant(path, beside: other) else { return #expect(planted == .device) }
        let error = try #require(throws: DatabaseError.self) { _ = try KillLog(path) }
        #expect(error.message.contains(path))
        #expect(error.advice.contains("another file with --log"))
        #expect(throws: DatabaseError.self) {
            link(other, "\(folder.path)/hard.log")
            _ = try KillLog("\(folder.path)/hard.log")
        }
        #expect(try SourceFiles.text(other) == "mine")
        #expect(access("\(other).none", F_OK) != 0)
    }

    private func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }
}
