import HeadroomSandbox
import TestSupport
import Testing

@testable import Headroom

/// Statements against a real server: what goes in comes out.
@Suite(.sandbox(tcp: true)) struct ConnectionTests {
    @Test func `values of every kind come back as they went in`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query(
                    """
                    CREATE TEMPORARY TABLE kinds
                    (a BIGINT, b BIGINT UNSIGNED, c DOUBLE, d DECIMAL(15,3), e LONGTEXT, f LONGBLOB, g DATETIME(6), h TINYINT)
                    """
                )
                let long = String(repeating: "ü€'\\", count: 30_000)
                let bytes = (0...255).map { UInt8($0) } + [UInt8](repeating: 0, count: 1000)
                try await connection.query(
                    """
                    INSERT INTO kinds VALUES
                    (\(Int64.min), \(UInt64.max), \(0.1), \("12.345"), \(long), \(bytes), \("2024-02-29 01:02:03.456"), \(true))
                    """
                )
                // Once in the binary form, which values bring, and once in the text form.
                for sql in ["SELECT * FROM kinds WHERE h = \(1)", "SELECT * FROM kinds"] as [SQL] {
                    let row = try #require(try await connection.query(sql).rows.first)
                    #expect(try row.decode(Int64.self, column: "a") == .min)
                    #expect(try row.decode(UInt64.self, column: "b") == .max)
                    #expect(try row.decode(Double.self, column: "c") == 0.1)
                    #expect(try row.decode(String.self, column: "d") == "12.345")
                    #expect(try row.decode(String.self, column: "e") == long)
                    #expect(try row.decode([UInt8].self, column: "f") == bytes)
                    #expect(try row.decode(String.self, column: "g") == "2024-02-29 01:02:03.456000")
                    #expect(try row.decode(Bool.self, column: "h"))
                }
            }
    }

    @Test func `NULL goes in and comes out`() async throws {
        let missing: String? = nil
        let value = try await SuiteServer.database()
            .withConnection {
                try await $0.query("SELECT \(missing), NULL").decode(String?.self, Int?.self)
            }
        #expect(value.count == 1)
        #expect(value[0].0 == nil)
        #expect(value[0].1 == nil)
    }

    @Test func `what looks like SQL stays a value`() async throws {
        let text = "x' OR '1'='1"
        let count = try await SuiteServer.database()
            .withConnection {
                try await $0.number("SELECT COUNT(*) FROM (SELECT 'x' AS a) t WHERE a = \(text)")
            }
        #expect(count == 0)
    }

    @Test func `a statement that the server refuses leaves the connection usable`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                for sql in ["SELEC 1", "SELECT \(1) FROM nowhere"] as [SQL] {
                    await #expect(throws: DatabaseError.self) { try await connection.query(sql) }
                    let seven = try await connection.number("SELECT \(7)")
                    #expect(seven == 7)
                }
            }
    }

    @Test func `the results of a procedure do not disturb what follows`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2; END")
                #expect(try await connection.number("CALL two()") == 1)
                #expect(try await connection.number("SELECT 3") == 3)
            }
    }

    @Test(arguments: [false, true])
    func `a large result streams, whole or in part`(prepared: Bool) async throws {
        let all: SQL = "SELECT n FROM \(numbers(digits: 5))"
        let sql: SQL = prepared ? "\(all) WHERE n > \(0) ORDER BY n" : "\(all) ORDER BY n"
        try await SuiteServer.database()
            .withConnection { connection in
                var sum = 0
                for try await row in try await connection.stream(sql) { sum += try row.decode(Int.self) }
                #expect(sum == 100_000 * 100_001 / 2)
                // A stream that nobody reads to its end is read past by the next statement.
                for try await row in try await connection.stream(sql) {
                    #expect(try row.decode(Int.self) == 1)
                    break
                }
                #expect(try await connection.number("SELECT 5") == 5)
            }
    }

    @Test func `a stream that another statement cuts short does not look complete`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                var seen = 0
                await #expect(throws: DatabaseError(.streamInterrupted, message: "")) {
                    for try await _ in try await connection.stream("SELECT n FROM \(numbers(digits: 3))") {
                        seen += 1
                        if seen == 10 { try await connection.query("SELECT 1") }
                    }
                }
                #expect(seen == 10)
                // One that was read to its end stays at its end, whatever comes after.
                let stream = try await connection.stream("SELECT n FROM \(numbers(digits: 1))")
                for try await _ in stream {}
                try await connection.query("SELECT 1")
                for try await _ in stream { Issue.record("A row after the last.") }
            }
    }

    @Test func `a transaction is kept when its body returns and undone when it throws`() async throws {
        struct Stop: Error {}
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TABLE kept (a INT)")
                try await connection.withTransaction { try await connection.query("INSERT INTO kept VALUES (1)") }
                await #expect(throws: Stop.self) {
                    try await connection.withTransaction {
                        try await connection.query("INSERT INTO kept VALUES (2)")
                        throw Stop()
                    }
                }
                #expect(try await connection.query("SELECT a FROM kept").decode(Int.self) == [1])
            }
    }

    @Test func `a transaction that has ended before its COMMIT is not said to be kept, and nothing more of it is sent`()
        async throws
    {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TABLE begun (a INT)")
                await #expect(throws: DatabaseError(.transactionLost, message: "")) {
                    try await connection.withTransaction {
                        try await connection.query("INSERT INTO begun VALUES (1)", timeout: .seconds(20))
                        // Ends it, as a cluster may for another node's sake.
                        try await connection.query("ROLLBACK")
                        try await connection.query("INSERT INTO begun VALUES (2)", timeout: .seconds(90))
                    }
                }
                // Nor when the body takes no notice.
                await #expect(throws: DatabaseError(.transactionLost, message: "")) {
                    try await connection.withTransaction {
                        try await connection.query("INSERT INTO begun VALUES (3)")
                        _ = try? await connection.query("ROLLBACK")
                        _ = try? await connection.query("INSERT INTO begun VALUES (4)")
                    }
                }
                #expect(try await connection.query("SELECT a FROM begun").decode(Int.self).isEmpty)
                // The connection is as good as before.
                try await connection.withTransaction { try await connection.query("INSERT INTO begun VALUES (5)") }
                #expect(try await connection.query("SELECT a FROM begun").decode(Int.self) == [5])
            }
    }

    @Test func `nothing follows a transaction that has ended with rows that were read one by one`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TABLE streamed (a INT)")
                await #expect(throws: DatabaseError(.transactionLost, message: "")) {
                    try await connection.withTransaction {
                        try await connection.query("INSERT INTO streamed VALUES (1)")
                        // Answers with rows, and commits by itself.
                        for try await _ in try await connection.stream("ANALYZE TABLE streamed") {}
                        try await connection.query("INSERT INTO streamed VALUES (2)")
                    }
                }
                #expect(try await connection.query("SELECT a FROM streamed").decode(Int.self) == [1])
            }
    }

    @Test(.enabled(if: SuiteServer.isMariaDB))
    func `rows that a cluster acknowledges although it has ended their transaction are not said to be kept`()
        async throws
    {
        // "OK, 2 rows", and the status in it: autocommit, in no transaction. So a Galera node replies to COM_STMT_BULK_EXECUTE
        // (0xFA) when another node's commit has come first.
        let reply: [UInt8] = [7, 0, 0, 1, 0, 2, 0, 0x02, 0, 0, 0]
        let relay = try Relay(to: try #require(SuiteServer.sandbox.port)) { bytes in
            bytes.count > 4 && bytes[4] == 0xFA ? reply : nil
        }
        var settings = try SuiteServer.settings("ten1", overTCP: true)
        settings.endpoint = .tcp(host: "127.0.0.1", port: relay.port)
        settings.tls = TLS(mode: .disabled)
        let insert: SQL = "INSERT INTO acknowledged VALUES (?)"
        try await Database(settings, share: .reserve)
            .withConnection { connection in
                try await connection.query("CREATE TABLE acknowledged (a INT)")
                let rows = [BulkColumn.integers([1, 2])]
                let lost = DatabaseError(.transactionLost, message: "")
                await #expect(throws: lost) {
                    try await connection.withTransaction {
                        try await connection.bulk(insert, rows)
                        try await connection.query("INSERT INTO acknowledged VALUES (3)")
                    }
                }
                // By itself, and in a transaction that was begun by hand.
                await #expect(throws: lost) { try await connection.bulk(insert, rows) }
                try await connection.query("START TRANSACTION")
                await #expect(throws: lost) { try await connection.bulk(insert, rows) }
                try await connection.query("ROLLBACK")
                #expect(try await connection.query("SELECT a FROM acknowledged").decode(Int.self).isEmpty)
            }
        #expect(!String(decoding: relay.sent, as: UTF8.self).contains("VALUES (3)"))
    }

    @Test func `nothing follows in a transaction whose end comes as the reply to what limits the next statement`()
        async throws
    {
        // "Deadlock found", as a node of a cluster says it whose transaction another node's commit has ended.
        let text = Array("#40001Deadlock found".utf8)
        let refusal = [UInt8(text.count + 3), 0, 0, 1, 0xFF, UInt8(1213 & 0xFF), UInt8(1213 >> 8)] + text
        let relay = try Relay(to: try #require(SuiteServer.sandbox.port)) { bytes in
            String(decoding: bytes, as: UTF8.self).contains("SET SESSION max_") ? refusal : nil
        }
        var settings = try SuiteServer.settings("ten1", overTCP: true)
        settings.endpoint = .tcp(host: "127.0.0.1", port: relay.port)
        settings.tls = TLS(mode: .disabled)
        let error = await #expect(throws: DatabaseError.self) {
            try await Database(settings, share: .reserve)
                .withConnection { connection in
                    try await connection.withTransaction {
                        try await connection.query("SELECT 'first'")
                        try await connection.query("SELECT 'second'", timeout: .seconds(90))
                    }
                }
        }
        #expect(error?.isRetryableTransaction == true)
        let sent = String(decoding: relay.sent, as: UTF8.self)
        #expect(sent.contains("'first'") && !sent.contains("'second'"))
    }

    @Test func `a transaction that is cancelled before its end is undone`() async throws {
        let database = try SuiteServer.database()
        try await database.withConnection { try await $0.query("CREATE TABLE undone (a INT)") }
        let task = Task {
            try await database.withConnection { connection in
                try await connection.withTransaction {
                    try await connection.query("INSERT INTO undone VALUES (1)")
                    try await connection.query("SELECT SLEEP(30)")
                }
            }
        }
        try await Task.sleep(for: .milliseconds(200))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let count = try await database.withConnection { try await $0.number("SELECT COUNT(*) FROM undone") }
        #expect(count == 0)
    }

    @Test func `the server's words for an insert come through`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query(
                    "CREATE TEMPORARY TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, a INT UNIQUE)"
                )
                let result = try await connection.query("INSERT INTO counted (a) VALUES (\(1)), (\(2)), (\(3))")
                #expect(result.affectedRows == 3)
                #expect(result.lastInsertID == 1)
                #expect(result.info == "Records: 3  Duplicates: 0  Warnings: 0")
            }
    }

    @Test func `a question mark inside a literal is noticed`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                await #expect(throws: DatabaseError(.statementFailed, message: "")) {
                    try await connection.query("SELECT ? + \(1)")
                }
                let row = try await connection.query("SELECT '?', \(1)").first(String.self, Int.self)
                #expect(row?.0 == "?")
            }
    }

    @Test func `twenty sleeping statements on two cores take as long as one`() async throws {
        let database = try SuiteServer.database()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 {
                group.addTask { try await database.withConnection { try await $0.query("SELECT SLEEP(2)") } }
            }
            try await group.waitForAll()
        }
        // One after another they would take 40 s, two at a time 20 s: a thread that blocked would show.
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test func `a server without encryption is refused when it is required`() async throws {
        var settings = try SuiteServer.settings("one1", overTCP: true)
        settings.tls = TLS(mode: .required)
        let database = Database(settings)
        let error = await #expect(throws: DatabaseError.self) { try await database.withConnection { _ in } }
        #expect(error?.code == .tlsFailed)
    }

    @Test func `the session is named to the server, over the socket and over TCP`() async throws {
        for overTCP in [false, true] {
            let (id, seen) = try await SuiteServer.database(overTCP: overTCP)
                .withConnection { connection in
                    (connection.sessionID, try await connection.query("SELECT CONNECTION_ID()").first(UInt64.self))
                }
            #expect(id == seen)
        }
    }
}
