import Glibc
import TestSupport
import Testing

@testable import Headroom

/// After a scope returns, on whatever path, nothing of it is left on the server: at a limit of 1 the next one gets in.
@Suite(.sandbox(tcp: true)) struct ClosingTests {
    private struct Stop: Error {}

    /// Proves that the account's only place is free now: not soon, not mostly.
    private func expectFree(_ database: Database) async throws {
        for _ in 0..<20 {
            let one = try await database.withConnection { try await $0.number("SELECT 1") }
            #expect(one == 1)
        }
        #expect(database.drainingSessions == 0)
    }

    /// The account's two places can both be had at once: what the server counts, where its list shows more for a moment.
    private func expectAllFree(_ account: String) async throws {
        let database = try SuiteServer.database(account, share: .reserve)
        try await database.withConnection { _ in try await database.withConnection { _ in } }
    }

    @Test(arguments: [false, true])
    func `at a limit of 1 no cycle of thousands is refused`(overTCP: Bool) async throws {
        let database = try SuiteServer.database(overTCP ? "one13" : "one14", overTCP: overTCP)
        for _ in 0..<(isFullRun ? 100_000 : 3_000) {
            try await database.withConnection { try await $0.query("SELECT 1") }
        }
        // Those that were tried again too.
        #expect(database.statistics.refused.isEmpty)
    }

    @Test func `a scope that returns leaves nothing`() async throws {
        let database = try SuiteServer.database("one3")
        #expect(try await database.withConnection { _ in 5 } == 5)
        try await expectFree(database)
        #expect(try await eventually { try await SuiteServer.sessions(of: "one3") == 0 })
    }

    @Test func `a scope that throws leaves nothing, and its error comes through`() async throws {
        let database = try SuiteServer.database("one4")
        await #expect(throws: Stop.self) {
            try await database.withConnection { connection in
                try await connection.query("SELECT 1")
                throw Stop()
            }
        }
        try await expectFree(database)
    }

    @Test func `a task that is cancelled before it has a connection opens none`() async throws {
        let database = try SuiteServer.database("one5")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await database.withConnection { _ in Issue.record("The body ran.") }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        try await expectFree(database)
    }

    @Test func `a task that is cancelled between two statements runs no further one and leaves nothing`() async throws {
        let database = try SuiteServer.database("one6")
        let task = Task {
            try await database.withConnection { connection in
                try await connection.query("SELECT 1")
                withUnsafeCurrentTask { $0?.cancel() }
                try await connection.query("SELECT 2")
                Issue.record("The second statement ran.")
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        try await expectFree(database)
    }

    @Test func `the deadline of a scope ends an idle session under its body`() async throws {
        let database = try SuiteServer.database("one7")
        await #expect(throws: DatabaseError(.deadlineExceeded, message: "")) {
            try await database.withConnection(timeout: .seconds(1)) { connection in
                try await connection.query("SELECT 1")
                // The body goes on, but the server has let go: another one gets in at the limit of 1.
                #expect(try await eventually(within: .seconds(5)) { try await SuiteServer.sessions(of: "one7") == 0 })
                try await connection.query("SELECT 2")
            }
        }
        try await expectFree(database)
    }

    @Test(arguments: ["SELECT SLEEP(60)", "SELECT BENCHMARK(20000000000, 1 + 1)"])
    func `a statement at work is ended on the server when its task is cancelled`(statement: String) async throws {
        let account = statement.contains("SLEEP") ? "two1" : "two2"
        let database = try SuiteServer.database(account)
        let task = Task { try await database.withConnection { try await $0.query(SQL(raw: statement)) } }
        #expect(try await eventually { try await isWorking(account) })
        let start = ContinuousClock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let taken = ContinuousClock.now - start
        try await expectAllFree(account)
        // Without the KILL the one would end after 5 s, when the server notices, but the other after minutes.
        #expect(taken < .seconds(30))
        #expect(database.drainingSessions == 0)
    }

    @Test func `a session that is slow to notice its KILL is gone when its scope returns`() async throws {
        let database = try SuiteServer.database("two10")
        // The server looks for a KILL between two rounds, and a round takes some 50 ms.
        let statement: SQL = "SELECT BENCHMARK(1000000, COMPRESS(REPEAT('x', 15000000)))"
        for _ in 0..<5 {
            await #expect(throws: DatabaseError(.deadlineExceeded, message: "")) {
                try await database.withConnection { try await $0.query(statement, timeout: .milliseconds(20)) }
            }
            // Both places at once: the killed session's, and that of the connection that killed it.
            let both = try SuiteServer.database("two10", share: .reserve)
            try await both.withConnection { _ in try await both.withConnection { _ in } }
        }
    }

    @Test func `a statement that waits for a row lock is ended too`() async throws {
        let holder = try SuiteServer.database()
        let database = try SuiteServer.database("two3")
        try await holder.withConnection { connection in
            try await connection.query("CREATE TABLE locked (a INT PRIMARY KEY)")
            try await connection.query("INSERT INTO locked VALUES (1)")
            try await connection.query("START TRANSACTION")
            try await connection.query("SELECT * FROM locked FOR UPDATE")
            await #expect(throws: DatabaseError(.deadlineExceeded, message: "")) {
                try await database.withConnection {
                    try await $0.query("UPDATE locked SET a = 2", timeout: .milliseconds(200))
                }
            }
            // Both places, while the lock is still held: the list of sessions shows more for a moment.
            try await expectAllFree("two3")
        }
    }

    @Test func `with no place for a KILL the caller still has its error at once, and the session keeps its slot`()
        async throws
    {
        var settings = try SuiteServer.settings("one8")
        // So that the account is known, and the short wait is for the slot alone.
        try await Database(settings).withConnection { try await $0.query("SELECT 1") }
        settings.waitTimeout = .milliseconds(300)
        let database = Database(settings)
        // Cancelled, not timed out: there is no deadline then that the server knows of.
        let task = Task {
            try await database.withConnection { try await $0.query("SELECT BENCHMARK(20000000000, 1 + 1)") }
        }
        #expect(try await eventually { try await isWorking("one8") })
        let start = ContinuousClock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // The statement would go on for minutes.
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(database.drainingSessions == 1)
        let error = await #expect(throws: DatabaseError.self) { try await database.withConnection { _ in } }
        #expect(error?.code == .budgetExhausted)
        #expect(database.statistics.refused.isEmpty)
        // Once the server lets go, by an administrator's hand here, the place is free and nothing drains.
        try await SuiteServer.endSessions(of: "one8")
        #expect(try await eventually { database.drainingSessions == 0 })
        try await expectFree(database)
    }

    @Test(arguments: ["SELECT BENCHMARK(20000000000, 1 + 1)", "UPDATE held SET a = 2"])
    func `with no place for a KILL the deadline ends the statement on the server`(statement: String) async throws {
        let account = statement.hasPrefix("SELECT") ? "one2" : "one1"
        let database = try SuiteServer.database(account)
        try await SuiteServer.database()
            .withConnection { holder in
                if !statement.hasPrefix("SELECT") {
                    try await holder.query("CREATE TABLE held (a INT PRIMARY KEY)")
                    try await holder.query("INSERT INTO held VALUES (1)")
                    try await holder.query("START TRANSACTION")
                    try await holder.query("SELECT * FROM held FOR UPDATE")
                }
                await #expect(throws: DatabaseError(.deadlineExceeded, message: "")) {
                    try await database.withConnection {
                        try await $0.query(SQL(raw: statement), timeout: .milliseconds(200))
                    }
                }
                #expect(try await eventually { database.drainingSessions == 0 })
                try await expectFree(database)
            }
    }

    @Test func `a connection that was given up says so when it is used again`() async throws {
        try await SuiteServer.database("two4")
            .withConnection { connection in
                await #expect(throws: DatabaseError(.deadlineExceeded, message: "")) {
                    try await connection.query("SELECT SLEEP(30)", timeout: .milliseconds(50))
                }
                await #expect(throws: DatabaseError(.connectionSpent, message: "")) {
                    try await connection.query("SELECT 1")
                }
            }
    }

    @Test(arguments: [false, true], [false, true])
    func `a result left half read does not delay the close`(overTCP: Bool, prepared: Bool) async throws {
        let account = "two\(5 + (overTCP ? 1 : 0) + (prepared ? 2 : 0))"
        let database = try SuiteServer.database(account, overTCP: overTCP)
        let all: SQL = "SELECT n FROM \(numbers(digits: 8))"
        let sql: SQL = prepared ? "\(all) WHERE n > \(0)" : all
        let start = ContinuousClock.now
        try await database.withConnection { connection in
            for try await _ in try await connection.stream(sql) { break }
        }
        // Reading it to its end takes most of a minute.
        #expect(ContinuousClock.now - start < .seconds(15))
        try await expectFree(database)
    }

    @Test func `a result left half read while the server works on the next row does not delay the close`() async throws
    {
        let database = try SuiteServer.database("two9")
        var leftAt = ContinuousClock.now
        try await database.withConnection { connection in
            // A row is larger than the server's buffer, so that the first ones are sent at once.
            let row = "SELECT REPEAT('x', 20000), 0 UNION ALL "
            let sql = SQL(raw: row + row + row + "SELECT 'x', BENCHMARK(20000000000, 1 + 1)")
            for try await _ in try await connection.stream(sql) { break }
            leftAt = .now
        }
        // The next row would take minutes.
        #expect(ContinuousClock.now - leftAt < .seconds(30))
        try await expectAllFree("two9")
        #expect(database.drainingSessions == 0)
    }

    @Test(arguments: [false, true])
    func `a session that the server ended is noticed, and closes cleanly`(overTCP: Bool) async throws {
        let database = try SuiteServer.database(overTCP ? "one9" : "one10", overTCP: overTCP)
        try await database.withConnection { connection in
            let id = connection.sessionID
            try await SuiteServer.administrator().withConnection { try await $0.query(SQL(raw: "KILL \(id)")) }
            let account = overTCP ? "one9" : "one10"
            #expect(try await eventually { try await SuiteServer.sessions(of: account) == 0 })
            await #expect(throws: DatabaseError.self) { try await connection.query("SELECT 1") }
            let error = await #expect(throws: DatabaseError.self) { try await connection.query("SELECT 1") }
            #expect(error?.code == .connectionLost)
        }
        try await expectFree(database)
    }

    @Test func `a cancelled connect leaves nothing`() async throws {
        let database = try SuiteServer.database("one11")
        for round in 0..<200 {
            let task = Task { try await database.withConnection { _ in } }
            // At a different point of the handshake each time.
            for _ in 0..<(round * 5) { await Task.yield() }
            task.cancel()
            _ = try? await task.value
            try await database.withConnection { try await $0.query("SELECT 1") }
        }
    }

    @Test func `a login that is refused leaves nothing for long`() async throws {
        var settings = try SuiteServer.settings("one12")
        settings.database = "nowhere"
        let wrong = Database(settings)
        let error = await #expect(throws: DatabaseError.self) { try await wrong.withConnection { _ in } }
        #expect(error?.code == .databaseDenied)
        #expect(try await eventually { try await SuiteServer.sessions(of: "one12") == 0 })
    }

    @Test func `descriptors do not leak`() async throws {
        let database = try SuiteServer.database("ten1")
        for _ in 0..<100 {
            try await database.withConnection { try await $0.query("SELECT 1") }
            _ = try? await database.withConnection { try await $0.query("SELECT SLEEP(9)", timeout: .milliseconds(1)) }
        }
        // Two for each connection that is open: those of the suite's other tests, at this moment.
        let path = database.settings.endpoint.description
        #expect(try await eventually { (0..<4096).count { Self.leads(Int32($0), to: path) } < 60 })
    }

    /// Whether a descriptor is a socket that was connected to a server's socket.
    private static func leads(_ descriptor: Int32, to path: String) -> Bool {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
        }
        guard result == 0, address.sun_family == sa_family_t(AF_UNIX) else { return false }
        return withUnsafeBytes(of: address.sun_path) { bytes in
            path.contains(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)) && bytes[0] != 0
        }
    }

    private func isWorking(_ account: String) async throws -> Bool {
        try await SuiteServer.administrator()
            .withConnection {
                try await $0
                    .query(
                        """
                        SELECT COUNT(*) FROM information_schema.PROCESSLIST
                        WHERE USER = \(account) AND COMMAND IN ('Query', 'Execute')
                        """
                    )
                    .first(Int.self) == 1
            }
    }
}
