import HeadroomSandbox
import TestSupport
import Testing

@testable import Headroom

/// Transactions within transactions, of several tasks, and those that end otherwise than they were meant to.
@Suite(.sandbox(tcp: true)) struct TransactionTests {
    private struct Stop: Error {}

    private let lost = DatabaseError(.transactionLost, message: "")
    private let notBegun = DatabaseError(.transactionOpen, message: "")
    private let busy = DatabaseError(.connectionBusy, message: "")

    /// Runs the body with a connection and the name of a new table of one column, `a`.
    private func with(
        _ table: String,
        _ body: (Connection, SQL) async throws -> Void
    ) async throws -> [Int] {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TABLE \(raw: table) (a INT PRIMARY KEY)")
                try await body(connection, "INSERT INTO \(raw: table) VALUES ")
            }
        return try await SuiteServer.database()
            .withConnection { try await $0.query("SELECT a FROM \(raw: table) ORDER BY a").decode(Int.self) }
    }

    @Test func `one within another is undone alone, and kept no further than the outer one`() async throws {
        let rows = try await with("nested") { connection, insert in
            try await connection.withTransaction {
                try await connection.query("\(insert) (1)")
                await #expect(throws: Stop.self) {
                    try await connection.withTransaction {
                        try await connection.query("\(insert) (2)")
                        try await connection.withTransaction { try await connection.query("\(insert) (3)") }
                        throw Stop()
                    }
                }
                try await connection.withTransaction { try await connection.query("\(insert) (4)") }
            }
            await #expect(throws: Stop.self) {
                try await connection.withTransaction {
                    try await connection.withTransaction { try await connection.query("\(insert) (5)") }
                    throw Stop()
                }
            }
        }
        #expect(rows == [1, 4])
    }

    @Test func `none begins where one that was begun by hand is open, or autocommit is off`() async throws {
        let rows = try await with("by_hand") { connection, insert in
            try await connection.query("START TRANSACTION")
            try await connection.query("\(insert) (1)")
            await #expect(throws: notBegun) {
                try await connection.withTransaction { try await connection.query("\(insert) (2)") }
            }
            try await connection.query("ROLLBACK")
            try await connection.query("SET autocommit = 0")
            await #expect(throws: notBegun) { try await connection.withTransaction {} }
            try await connection.query("SET autocommit = 1")
            try await connection.withTransaction {
                await #expect(throws: notBegun) { try await connection.withTransaction(readOnly: true) {} }
                try await connection.query("\(insert) (3)")
            }
        }
        #expect(rows == [3])
    }

    @Test func `the isolation level and read-only hold for one transaction`() async throws {
        let rows = try await with("isolated") { connection, insert in
            let other = try SuiteServer.database()
            try await connection.withTransaction(isolation: .readUncommitted, readOnly: true) {
                try await other.withConnection { other in
                    try await other.withTransaction {
                        try await other.query("\(insert) (1)")
                        #expect(try await connection.number("SELECT COUNT(*) FROM isolated") == 1)
                    }
                }
                await #expect(throws: DatabaseError(.statementFailed, message: "", serverCode: 1792)) {
                    try await connection.query("\(insert) (2)")
                }
            }
            try await connection.withTransaction {
                _ = try await connection.number("SELECT COUNT(*) FROM isolated")
                try await other.withConnection { _ = try await $0.query("\(insert) (3)") }
                #expect(try await connection.number("SELECT COUNT(*) FROM isolated") == 1)
            }
        }
        #expect(rows == [1, 3])
    }

    @Test(arguments: [false, true])
    func `one whose last statement is an unread stream is judged by how that ended`(prepared: Bool) async throws {
        let table = prepared ? "unread_bound" : "unread_text"
        let rows = try await with(table) { connection, insert in
            var analyze: SQL = "ANALYZE TABLE \(raw: table)"
            analyze.isPrepared = prepared
            await #expect(throws: lost) {
                try await connection.withTransaction {
                    try await connection.query("\(insert) (1)")
                    for try await _ in try await connection.stream(analyze) { break }
                }
            }
            // One that ends nothing is in no way of the COMMIT.
            try await connection.withTransaction {
                try await connection.query("\(insert) (2)")
                for try await _ in try await connection.stream("SELECT n FROM \(numbers(digits: 3))") { break }
            }
        }
        // What commits by itself keeps what came before.
        #expect(rows == [1, 2])
    }

    @Test func `nothing more is sent of one that a statement within a savepoint has committed`() async throws {
        let rows = try await with("committed") { connection, insert in
            await #expect(throws: lost) {
                try await connection.withTransaction {
                    try await connection.query("\(insert) (1)")
                    _ = try? await connection.withTransaction {
                        try await connection.query("CREATE TABLE ends_it (a INT)")
                        try await connection.query("\(insert) (2)")
                    }
                    _ = try? await connection.query("\(insert) (3)")
                }
            }
            // Whose savepoint only is gone, too.
            await #expect(throws: lost) {
                try await connection.withTransaction {
                    try await connection.withTransaction { try await connection.query("RELEASE SAVEPOINT headroom_1") }
                    try await connection.query("\(insert) (4)")
                }
            }
        }
        #expect(rows == [1])
    }

    @Test func `after a deadlock within a savepoint nothing more is sent of the whole, which is run again`()
        async throws
    {
        let database = try SuiteServer.database()
        try await database.withConnection { connection in
            try await connection.query("CREATE TABLE raced (id INT PRIMARY KEY, a INT)")
            try await connection.query("INSERT INTO raced VALUES (1, 0), (2, 0)")
        }
        let (first, second, hasRaced) = (EventFlag(), EventFlag(), EventFlag())
        @Sendable func add(_ own: EventFlag, _ other: EventFlag, _ ids: [Int]) async throws {
            try await database.withTransaction(retrying: 5, timeout: .seconds(60)) { connection in
                try await connection.query("UPDATE raced SET a = a + 1 WHERE id = \(ids[0])")
                own.raise()
                await other.wait()
                var deadlock: (any Error)?
                do {
                    try await connection.withTransaction {
                        try await connection.query("UPDATE raced SET a = a + 1 WHERE id = \(ids[1])")
                    }
                } catch {
                    deadlock = error
                    hasRaced.raise()
                    // A body that does not care: it must not take effect alone.
                    _ = try? await connection.query("UPDATE raced SET a = a + 100")
                }
                if let deadlock { throw deadlock }
            }
        }
        try await withThrowingTaskGroup { group in
            group.addTask { try await add(first, second, [1, 2]) }
            group.addTask { try await add(second, first, [2, 1]) }
            try await group.waitForAll()
        }
        let sums = try await database.withConnection { try await $0.query("SELECT a FROM raced").decode(Int.self) }
        #expect(sums == [2, 2])
        #expect(hasRaced.isRaised)
    }

    @Test func `whether a COMMIT took effect is not known when the connection is lost at it, and it is not run again`()
        async throws
    {
        let relay = try Relay(to: try #require(SuiteServer.sandbox.port)) { bytes in
            // "Server shutdown in progress", in place of the COMMIT.
            let refusal: [UInt8] = [UInt8(3 + 6 + 4), 0, 0, 1, 0xFF, UInt8(1053 & 0xFF), UInt8(1053 >> 8)]
            return String(decoding: bytes, as: UTF8.self).contains("COMMIT") ? refusal + Array("#08S01gone".utf8) : nil
        }
        var settings = try SuiteServer.settings("ten2", overTCP: true)
        settings.endpoint = .tcp(host: "127.0.0.1", port: relay.port)
        settings.tls = TLS(mode: .disabled)
        var runs = 0
        await #expect(throws: DatabaseError(.commitUnknown, message: "", serverCode: 1053)) {
            try await Database(settings, share: .reserve)
                .withTransaction(retrying: 5) { connection in
                    runs += 1
                    try await connection.query("SELECT 1")
                }
        }
        #expect(runs == 1)
    }

    @Test func `another task's statement is no part of one, and a child task's is`() async throws {
        let rows = try await with("of_tasks") { connection, insert in
            try await connection.withTransaction {
                await #expect(throws: busy) {
                    try await Task.detached { _ = try await connection.query("\(insert) (1)") }.value
                }
                async let child: Void = { _ = try await connection.query("\(insert) (2)") }()
                try await child
            }
            // A task that was begun in one and outlives it.
            let ended = EventFlag()
            let leaked = try await connection.withTransaction {
                Task {
                    await ended.wait()
                    try await connection.query("\(insert) (3)")
                }
            }
            ended.raise()
            await #expect(throws: DatabaseError(.connectionSpent, message: "")) { try await leaked.value }
        }
        #expect(rows == [2])
    }
}
