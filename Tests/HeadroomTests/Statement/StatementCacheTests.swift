import TestSupport
import Testing

@testable import Headroom

/// Statements stay prepared within a scope from the second use on, and no longer.
@Suite struct StatementCacheTests {
    @Test func `the second use of a text is worth keeping, a text of data never is`() {
        var cache = StatementCache<Int>()
        let long = String(repeating: "x", count: 5000)
        let verdicts = ["a", "a", long, long, "a"].map { cache.isWorthKeeping($0) }
        #expect(verdicts == [false, true, false, false, true])
    }

    @Test func `16 are kept, the one unused for longest goes first`() {
        var cache = StatementCache<Int>()
        let early = (0..<16).flatMap { cache.put("\($0)", $0) }
        #expect(early.isEmpty)
        // Used again, 0 becomes the newest.
        let taken = [cache.take("0"), cache.take("0")]
        #expect(taken == [0, nil])
        let dropped = [cache.put("0", 0), cache.put("16", 16), cache.put("16", 17)]
        #expect(dropped == [[], [1], [16]])
        #expect(cache.count == 16)
        let all = cache.removeAll()
        #expect(all.count == 16)
        #expect(cache.count == 0)
    }

    @Test func `where the server has no room, nothing is kept until the scope ends`() {
        var cache = StatementCache<Int>()
        _ = cache.isWorthKeeping("a")
        _ = cache.put("a", 1)
        let dropped = cache.turnOff()
        #expect(dropped == [1])
        let verdicts = ["a", "a"].map { cache.isWorthKeeping($0) }
        #expect(verdicts == [false, false])
        let refused = cache.put("a", 2)
        #expect(refused == [2])
        _ = cache.removeAll()
        let again = ["a", "a"].map { cache.isWorthKeeping($0) }
        #expect(again == [false, true])
    }
}

/// The same on a server; one test at a time, as the server counts the statements of all sessions.
@Suite(.sandbox(), .serialized) struct KeptStatementTests {
    /// The statements that the session has prepared.
    private func prepared(_ connection: Connection) async throws -> Int {
        try await status("SESSION STATUS LIKE 'Com_stmt_prepare'", connection)
    }

    private func status(_ what: String, _ connection: Connection) async throws -> Int {
        let row = try await connection.query("SHOW \(raw: what)").first(String.self, String.self)
        return row.flatMap { Int($0.1) } ?? -1
    }

    /// The statements that the server holds, once it has come to the ones to drop, which have no reply.
    private func held(_ expected: Int) async throws -> Bool {
        try await eventually {
            try await SuiteServer.administrator()
                .withConnection { try await status("GLOBAL STATUS LIKE 'Prepared_stmt_count'", $0) == expected }
        }
    }

    @Test func `a text is prepared twice however often it runs, and the scope's end drops what was kept`() async throws
    {
        for reuse in [Reuse.never, .keep()] {
            let database = Database(try SuiteServer.settings(), reuse: reuse)
            try await database.withConnection { connection in
                let before = try await prepared(connection)
                for number in 0..<20 {
                    let read = try await connection.query("SELECT \(number), \("n\(number)")")
                        .first(Int.self, String.self)
                    #expect(read?.0 == number && read?.1 == "n\(number)")
                }
                let after = try await prepared(connection)
                // MySQL prepares each of them once more when it sees the values' types.
                #expect(after - before <= (SuiteServer.isMariaDB ? 2 : 4))
                // More texts than are kept.
                for round in 0..<3 {
                    for number in 0..<20 {
                        #expect(try await connection.number("SELECT \(raw: "\(number)") + \(round)") == number + round)
                    }
                }
                let held = try await held(16)
                #expect(held)
            }
            let dropped = try await held(0)
            #expect(dropped)
            // Another scope, on the same session where it was kept, with a text that was kept in the first.
            let again = try await database.withConnection { connection in
                [
                    try await connection.number("SELECT \(raw: "19") + \(1)"),
                    try await connection.number("SELECT \(raw: "19") + \(2)"),
                    try await connection.number("SELECT \(raw: "19") + \(3)"),
                ]
            }
            #expect(again == [20, 21, 22])
        }
    }

    @Test func `values of other types, NULL and long ones go through a kept statement`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                let long = String(repeating: "\u{20AC}", count: 50_000)
                let values: [SQLValue] = [
                    .text("a"), .text(long), .null, .integer(-1), .unsigned(.max), .double(0.5), .decimal("1.25"),
                    .text(""),
                ]
                let texts: [String?] = ["a", long, nil, "-1", "18446744073709551615", "0.5", "1.25", ""]
                for (value, text) in zip(values, texts) {
                    let read = try await connection.query("SELECT CONCAT(\(value))").decode(String?.self)
                    #expect(read == [text])
                }
            }
    }

    @Test func `an error, a stream left in the middle and one inside another leave kept statements usable`()
        async throws
    {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TEMPORARY TABLE once (id INT PRIMARY KEY)")
                for round in 0..<4 {
                    let insert: SQL = "INSERT INTO once VALUES (\(1))"
                    if round == 0 {
                        try await connection.query(insert)
                    } else {
                        let error = await #expect(throws: DatabaseError.self) { try await connection.query(insert) }
                        #expect(error?.serverCode == 1062)
                        #expect(error?.sqlState == "23000")
                    }
                    for try await row in try await connection.stream(
                        "SELECT n FROM \(numbers(digits: 3)) WHERE n > \(0)"
                    ) {
                        _ = try row.decode(Int.self)
                        break
                    }
                    #expect(try await connection.number("SELECT COUNT(*) FROM once WHERE id = \(1)") == 1)
                }
            }
    }

    @Test func `a table that is altered between two uses gives the rows that it has now`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TEMPORARY TABLE altered (a INT)")
                try await connection.query("INSERT INTO altered VALUES (1)")
                func columns() async throws -> [String] {
                    let result = try await connection.query("SELECT * FROM altered WHERE 1 = \(1)")
                    #expect(result.rows.count == 1)
                    return result.columns.map { "\($0.name) \($0.type)" }
                }
                for _ in 0..<3 { #expect(try await columns() == ["a INT"]) }
                try await connection.query("ALTER TABLE altered CHANGE a b VARCHAR(20)")
                for _ in 0..<3 { #expect(try await columns() == ["b VARCHAR"]) }
                try await connection.query("ALTER TABLE altered ADD c FLOAT")
                for _ in 0..<3 { #expect(try await columns() == ["b VARCHAR", "c FLOAT"]) }
                try await connection.query("ALTER TABLE altered DROP b")
                for _ in 0..<3 { #expect(try await columns() == ["c FLOAT"]) }
            }
    }

    @Test func `where the server has no room for more, kept statements make it`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                for number in 0..<3 { #expect(try await connection.number("SELECT 1 + \(number)") == 1 + number) }
                for number in 0..<3 { #expect(try await connection.number("SELECT 2 + \(number)") == 2 + number) }
                try await SuiteServer.administrator()
                    .withConnection { try await $0.query("SET GLOBAL max_prepared_stmt_count = 2") }
                for number in 0..<3 { #expect(try await connection.number("SELECT 3 + \(number)") == 3 + number) }
                try await SuiteServer.administrator()
                    .withConnection { try await $0.query("SET GLOBAL max_prepared_stmt_count = 16382") }
            }
    }
}
