import InMemoryLogging
import Logging
import TestSupport
import Testing

@testable import Headroom

/// The budget on a real server: never one connection too many, whatever the limit and whoever else uses the account.
@Suite(.sandbox(tcp: true)) struct BudgetTests {
    private func settings(_ account: String, reserve: Int = 1, overTCP: Bool = false) throws -> DatabaseSettings {
        var settings = try SuiteServer.settings(account, overTCP: overTCP)
        settings.reserve = reserve
        return settings
    }

    @Test func `many tasks on an account with a limit are never refused`() async throws {
        let database = Database(try settings("ten1", reserve: 0))
        try await withThrowingTaskGroup { group in
            for _ in 0..<40 {
                group.addTask {
                    for _ in 0..<25 {
                        try await database.withConnection { connection in
                            try await connection.query("SELECT 1")
                            // So that all forty are there at the same time.
                            try await Task.sleep(for: .milliseconds(2))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let statistics = database.statistics
        #expect(statistics.refused.isEmpty)
        #expect(statistics.opened == 1_000)
        #expect(statistics.closed == [.scope: 1_000])
        #expect(statistics.waitCount > 0)
        #expect(statistics.open == 0)
    }

    @Test func `on the one thread that tasks share, whoever gets a slot runs before whoever gave it back`() async throws
    {
        let database = Database(try settings("one4", reserve: 0))
        // So that the account is known.
        try await database.withConnection { _ in }
        let first = Task(executorPreference: Database.executor) {
            try await database.withConnection(label: "first") { _ in
                while database.admission?.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
            }
            return database.admission?.file.holder(of: 0).label
        }
        try #require(try await eventually { database.statistics.open == 1 })
        let second = Task(executorPreference: Database.executor) {
            try await database.withConnection(label: "second") { _ in }
        }
        #expect(try await first.value == "second")
        try await second.value
    }

    @Test func `the places of a front door are neither in the budget nor in the reserve`() async throws {
        var settings = try settings("ten8", reserve: 1)
        settings.frontDoor = 4
        let database = Database(settings)
        try await database.withConnection { _ in }
        #expect(database.budget == 5)
        #expect(database.admission?.hasReserve == true)
        settings = try self.settings("ten9", reserve: 0)
        settings.frontDoor = 4
        let full = Database(settings)
        try await full.withConnection { _ in }
        #expect(full.budget == 6)
        #expect(full.admission?.hasReserve == false)
        #expect(try SlotReport(settings).budget == 6)
    }

    @Test func `a socket and a TCP setting that lead to one account share its budget`() async throws {
        let overSocket = Database(try settings("two1"))
        var settings = try settings("two1", overTCP: true)
        settings.waitTimeout = .milliseconds(500)
        // So that the way is known.
        try await Database(self.settings("two1", overTCP: true)).withConnection { _ in }
        let overTCP = Database(settings)
        try await overSocket.withConnection { _ in
            let error = await #expect(throws: DatabaseError.self) { try await overTCP.withConnection { _ in } }
            #expect(error?.code == .budgetExhausted)
            #expect(error?.limit == 1)
            #expect(error?.message.contains("headroom (process ") == true)
        }
        try await overTCP.withConnection { _ in }
    }

    @Test func `sessions that have no slot are noticed when the limit is read`() async throws {
        let settings = try settings("ten7")
        let database = Database(settings)
        try await database.withConnection { _ in }
        #expect(try SlotReport(settings).foreignSessions == 0)
        try await Database(settings, share: .reserve)
            .withConnection { _ in
                database.forgetLimit()
                try await database.withConnection { _ in }
                #expect(try SlotReport(settings).foreignSessions == 1)
            }
    }

    @Test func `accounts of one server have a budget each`() async throws {
        try await Database(settings("one1"))
            .withConnection { _ in
                try await Database(settings("one2")).withConnection { _ in }
            }
    }

    @Test func `the reserve is left free for a person`() async throws {
        let settings = try settings("two2")
        try await Database(settings)
            .withConnection { _ in
                // Not in the budget, and not refused.
                try await Database(settings, share: .reserve).withConnection { _ in }
            }
    }

    @Test func `a smaller limit that a refusal names, and a larger one that is read, take effect without a restart`()
        async throws
    {
        let database = Database(try settings("ten2", reserve: 0))
        try await database.withConnection { _ in }
        #expect(database.budget == 10)
        try await setLimit(of: "ten2", to: 2)
        // Two have places; the third is refused, learns the limit, and waits like the others from then on.
        try await withThrowingTaskGroup { group in
            for _ in 0..<6 {
                group.addTask {
                    try await database.withConnection { _ in try await Task.sleep(for: .milliseconds(50)) }
                }
            }
            try await group.waitForAll()
        }
        #expect(database.budget == 2)
        try await setLimit(of: "ten2", to: 4)
        // As if the minute for which the limit is believed were over.
        database.forgetLimit()
        try await database.withConnection { _ in }
        #expect(database.budget == 4)
    }

    @Test func `a full account is tried again until somebody lets go`() async throws {
        let settings = try settings("two3", reserve: 0)
        let database = Database(settings)
        try await database.withConnection { _ in }
        let foreign = Database(settings, share: .reserve)
        let isFull = AsyncStream.makeStream(of: Void.self)
        let others = Task {
            try await foreign.withConnection { _ in
                try await foreign.withConnection { _ in
                    isFull.continuation.finish()
                    _ = try await eventually { !database.statistics.refused.isEmpty }
                }
            }
        }
        for await _ in isFull.stream {}
        try await database.withConnection { try await $0.query("SELECT 1") }
        try await others.value
        #expect((database.statistics.refused[1226] ?? 0) > 0)
    }

    @Test func `a full account is tried by one task at a time`() async throws {
        var settings = try settings("ten3", reserve: 0)
        try await Database(settings).withConnection { _ in }
        settings.waitTimeout = .seconds(1)
        let database = Database(settings)
        let foreign = Database(settings, share: .reserve)
        func hold(_ count: Int, _ body: () async throws -> Void) async throws {
            guard count > 0 else { return try await body() }
            try await foreign.withConnection { _ in try await hold(count - 1, body) }
        }
        try await hold(10) {
            await withTaskGroup { group in
                for _ in 0..<10 {
                    group.addTask { _ = try? await database.withConnection { _ in } }
                }
            }
        }
        // Ten that tried for a second each, on their own, would be refused some sixty times.
        let refused = database.statistics.refused[1226] ?? 0
        #expect((1...30).contains(refused), "\(refused) times refused")
    }

    @Test func `a refusal to the end says which limit it was, its number, and who holds what`() async throws {
        var settings = try settings("one3", reserve: 0)
        try await Database(settings).withConnection { _ in }
        settings.waitTimeout = .milliseconds(300)
        try await Database(settings, share: .reserve)
            .withConnection { _ in
                let error = await #expect(throws: DatabaseError.self) {
                    try await Database(settings).withConnection(label: "nightly import") { _ in }
                }
                #expect(error?.code == .accountLimitReached)
                #expect(error?.limit == 1)
                #expect(error?.message.contains("nightly import") == true)
                #expect(error?.advice.contains("headroom status") == true)
            }
    }

    @Test func `an hourly limit is not tried again`() async throws {
        let database = Database(try settings("hourly"))
        var last: DatabaseError?
        for _ in 0..<30 where last == nil {
            do {
                try await database.withConnection { _ in }
            } catch let error as DatabaseError {
                last = error
            }
        }
        #expect(last?.code == .hourlyLimitReached)
        #expect(database.statistics.refused.isEmpty)
    }

    @Test func `a dead process's running query is ended by whoever takes its slot`() async throws {
        let settings = try settings("two4")
        let database = Database(settings)
        try await database.withConnection { _ in }
        // A session that goes on after its client has died, in the slot of a process that is no more.
        let orphan = Task {
            try? await Database(settings, share: .reserve)
                .withConnection { connection in
                    try await SuiteServer.mark(slot: 0, of: database, as: connection.sessionID)
                    try await connection.query("SELECT BENCHMARK(20000000000, 1 + 1)")
                }
        }
        #expect(try await eventually { try await SuiteServer.isWorking("two4") })
        try await database.withConnection { connection in
            try await connection.query("SELECT 1")
            #expect(try await eventually { try await SuiteServer.sessions(of: "two4") == 1 })
        }
        await orphan.value
    }

    @Test func `a session is told how long it may do nothing, and its label`() async throws {
        var settings = try settings("ten4")
        settings.sessionIdleTimeout = .seconds(2)
        let database = Database(settings)
        try await database.withConnection(label: "leak") { connection in
            let idle = try await connection.number("SELECT @@session.wait_timeout")
            #expect(idle == 2)
            if connection.isMariaDB {
                let inTransaction = try await connection.number("SELECT @@session.idle_transaction_timeout")
                #expect(inTransaction == 2)
            }
            // Leaked: nobody closes it, and it ends all the same.
            let isGone = try await eventually { try await SuiteServer.sessions(of: "ten4") == 0 }
            #expect(isGone)
            let error = await #expect(throws: DatabaseError.self) { try await connection.query("SELECT 1") }
            #expect(error?.code == .connectionLost)
        }
    }

    @Test func `the deadlines of statements reach the session, once for like ones`() async throws {
        try await Database(settings("ten5"))
            .withConnection { connection in
                func limit() async throws -> Double {
                    let name: SQL = connection.isMariaDB ? "@@max_statement_time" : "@@max_execution_time / 1000"
                    return try await connection.query("SELECT \(name)", timeout: .seconds(3)).first(Double.self) ?? -1
                }
                let first = try await limit()
                #expect((3...7).contains(first))
                #expect(try await limit() == first)
                let name: SQL = connection.isMariaDB ? "@@max_statement_time" : "@@max_execution_time"
                let none = try await connection.query("SELECT \(name)").first(Double.self)
                #expect(none == 0)
            }
    }

    @Test func `a scope that is held too long is logged once with its place, and once more when it ends`() async throws
    {
        var settings = try settings("ten6")
        settings.holdWarning = .milliseconds(300)
        let log = InMemoryLogHandler()
        let database = Database(settings, logger: Logger(label: "test") { _ in log })
        try await database.withConnection(label: "slow") { _ in
            #expect(try await eventually { !log.entries.isEmpty })
            let held = try SlotReport(settings).held.first { $0.holder.label == "slow" }
            #expect(held?.holder.isHeldTooLong == true)
            #expect(held?.holder.site.hasPrefix("HeadroomTests/BudgetTests.swift:") == true)
        }
        #expect(log.entries.count == 2)
        #expect(log.entries.allSatisfy { $0.level == .warning })
        #expect("\(log.entries[0].metadata)".contains("HeadroomTests/BudgetTests.swift:"))
        #expect(database.statistics.heldTooLong == 1)
    }

    private func setLimit(of account: String, to limit: Int) async throws {
        try await SuiteServer.administrator()
            .withConnection { connection in
                try await connection.query(SQL(raw: "ALTER USER '\(account)'@'%' WITH MAX_USER_CONNECTIONS \(limit)"))
            }
    }
}

extension SuiteServer {
    /// Leaves a slot as a process would that died with a session open.
    fileprivate static func mark(slot: Int, of database: Database, as sessionID: UInt64) async throws {
        let admission = try #require(database.admission)
        var dead = Holder.thisProcess(program: "dead", label: "", site: "")
        dead.sessionID = sessionID
        dead.serverStartedAt = admission.serverStartedAt
        admission.file.writeHolder(slot, dead)
        admission.file.writeMark(slot, held: true)
    }

    /// Whether a session of the account is at work.
    fileprivate static func isWorking(_ account: String) async throws -> Bool {
        try await administrator()
            .withConnection {
                try await $0.number(
                    """
                    SELECT COUNT(*) FROM information_schema.PROCESSLIST
                    WHERE USER = \(account) AND COMMAND IN ('Query', 'Execute')
                    """
                ) == 1
            }
    }
}
