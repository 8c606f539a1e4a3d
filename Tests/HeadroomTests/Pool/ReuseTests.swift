import TestSupport
import Testing

@testable import Headroom

/// Connections that are kept between scopes: as good as new, inside the budget, and given up when anybody waits.
@Suite(.sandbox()) struct ReuseTests {
    private func database(
        _ account: String,
        reserve: Int = 0,
        idle: Duration = .seconds(30),
        lifetime: Duration = .seconds(300)
    ) throws -> Database {
        var settings = try SuiteServer.settings(account)
        settings.reserve = reserve
        return Database(settings, reuse: .keep(idle: idle, lifetime: lifetime))
    }

    @Test func `a kept connection is used again, the last one first`() async throws {
        let database = try database("ten1")
        let first = try await database.withConnection { $0.sessionID }
        #expect(try await database.withConnection { $0.sessionID } == first)
        let second = try await database.withConnection { outer in
            try await database.withConnection { inner in
                #expect(outer.sessionID == first)
                return inner.sessionID
            }
        }
        // The outer one came back last.
        #expect(try await database.withConnection { $0.sessionID } == first)
        #expect(second != first)
        let statistics = database.statistics
        #expect(statistics.opened == 2)
        #expect(statistics.reused == 3)
        #expect(statistics.idle == 2)
        #expect(statistics.inUse == 0)
    }

    @Test func `what a scope leaves behind is gone for the next`() async throws {
        let database = try database("ten2")
        try await SuiteServer.administrator()
            .withConnection { try await $0.query("CREATE TABLE app.left_behind (a INT)") }
        let first = try await database.withConnection { connection in
            try await connection.query("SET @mine = 7")
            try await connection.query("CREATE TEMPORARY TABLE mine (a INT)")
            try await connection.query("SELECT GET_LOCK('mine', 0)")
            try await connection.query("SET SESSION sql_mode = ''")
            try await connection.query("START TRANSACTION")
            try await connection.query("INSERT INTO left_behind VALUES (1)")
            return connection.sessionID
        }
        try await database.withConnection { connection in
            #expect(connection.sessionID == first)
            let mine = try await connection.query("SELECT @mine").first(Int?.self)
            #expect(mine == .some(nil))
            await #expect(throws: DatabaseError.self) { try await connection.query("SELECT * FROM mine") }
            let lock = try await connection.query("SELECT IS_USED_LOCK('mine')").first(Int?.self)
            #expect(lock == .some(nil))
            let mode = try await connection.query("SELECT @@sql_mode").first(String.self)
            #expect(mode != "")
            let rows = try await connection.number("SELECT COUNT(*) FROM left_behind")
            #expect(rows == 0)
            // The session's limits are set again.
            let idle = try await connection.number("SELECT @@session.wait_timeout")
            #expect(idle == 300)
        }
    }

    @Test func `a server's count stays right however often connections are kept`() async throws {
        let database = try database("two1")
        let other = try SuiteServer.database("two1", share: .reserve)
        try await database.withConnection { _ in
            for _ in 0..<10 { try await database.withConnection { try await $0.query("SELECT 1") } }
            // Two sessions are open, of two allowed: cleaning must not have taken any off the count.
            let error = await #expect(throws: DatabaseError.self) { try await other.withConnection { _ in } }
            #expect(error?.code == .accountLimitReached)
        }
        #expect(database.statistics.opened == 2)
    }

    @Test func `an idle connection is given up at once when anybody waits`() async throws {
        let keeper = try database("one1")
        try await keeper.withConnection { _ in }
        #expect(keeper.statistics.idle == 1)
        var settings = try SuiteServer.settings("one1")
        settings.reserve = 0
        // Another member, as another process would be.
        settings.budget = 1
        try await Database(settings).withConnection { try await $0.query("SELECT 1") }
        #expect(keeper.statistics.idle == 0)
        #expect(keeper.statistics.closed[.wanted] == 1)
        #expect(keeper.statistics.refused.isEmpty)
    }

    @Test func `more tasks than places share the connections that are open`() async throws {
        let database = try database("two3")
        let began = ContinuousClock.now
        try await withThrowingTaskGroup { group in
            for _ in 0..<12 {
                group.addTask {
                    for _ in 0..<20 { try await database.withConnection { try await $0.query("SELECT 1") } }
                }
            }
            try await group.waitForAll()
        }
        let statistics = database.statistics
        // A connection may be given up in a moment when its place seems wanted; but most are handed on. On a busy machine one may
        // do for all.
        #expect((1...20).contains(statistics.opened))
        #expect(statistics.opened + statistics.reused == 240)
        // Each waits for a twentieth of the whole, about; who came last and went first would have others wait for nearly all.
        #expect(statistics.longestWait < began.duration(to: .now) / 2)
    }

    @Test func `nothing is kept while anybody waits`() async throws {
        let keeper = try database("one2")
        try await keeper.withConnection { _ in }
        var settings = try SuiteServer.settings("one2")
        settings.reserve = 0
        settings.budget = 1
        let other = Database(settings)
        for _ in 0..<20 {
            let task = Task { try await other.withConnection { try await $0.query("SELECT 1") } }
            try await keeper.withConnection { try await $0.query("SELECT 1") }
            _ = try await task.value
        }
        #expect(keeper.statistics.refused.isEmpty)
        #expect(other.statistics.refused.isEmpty)
    }

    @Test func `a connection that was ended while it was kept is not used`() async throws {
        let database = try database("ten3")
        let first = try await database.withConnection { $0.sessionID }
        try await SuiteServer.endSessions(of: "ten3")
        try await database.withConnection { connection in
            #expect(connection.sessionID != first)
            try await connection.query("SELECT 1")
        }
        #expect(database.statistics.closed[.lost] == 1)
    }

    @Test func `a kept connection ends after its idle time, and after its lifetime`() async throws {
        let idle = try database("ten4", idle: .milliseconds(50))
        try await idle.withConnection { _ in }
        #expect(try await eventually { idle.statistics.closed[.idle] == 1 })
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten4") == 0 })
        let old = try database("ten5", lifetime: .milliseconds(50))
        try await old.withConnection { _ in }
        #expect(try await eventually { old.statistics.closed[.lifetime] == 1 })
    }

    @Test func `a connection whose scope failed is not kept`() async throws {
        struct Stop: Error {}
        let database = try database("ten6")
        await #expect(throws: Stop.self) { try await database.withConnection { _ in throw Stop() } }
        #expect(database.statistics.idle == 0)
        #expect(database.statistics.closed == [.scope: 1])
    }

    @Test func `a kept connection cannot be used by the scope that has ended`() async throws {
        let database = try database("two2")
        var kept: Connection?
        try await database.withConnection { kept = $0 }
        let error = await #expect(throws: DatabaseError.self) { try await kept?.query("SELECT 1") }
        #expect(error?.code == .connectionSpent)
    }
}

/// The order in which kept connections are used, and their ends, without any connection.
@Suite struct IdleStackTests {
    private let now = ContinuousClock.now

    @Test func `the last one put back is the first one taken`() {
        var stack = IdleStack<Int>()
        for item in 1...3 { stack.put(item, idleUntil: now + .seconds(1), livesUntil: now + .seconds(9)) }
        #expect(stack.take(at: now) == 3)
        #expect(stack.take(at: now) == 2)
        let count = stack.count
        #expect(count == 1)
    }

    @Test func `one whose time is over is not taken, but collected with its reason`() {
        var stack = IdleStack<Int>()
        stack.put(1, idleUntil: now + .seconds(1), livesUntil: now + .seconds(9))
        stack.put(2, idleUntil: now + .seconds(5), livesUntil: now + .seconds(2))
        #expect(stack.take(at: now + .seconds(2)) == nil)
        let over = stack.collect(at: now + .seconds(2))
        #expect(over.map(\.item) == [1, 2])
        #expect(over.map(\.reason) == [.idle, .lifetime])
        let next = stack.nextEnd
        #expect(next == nil)
    }
}
