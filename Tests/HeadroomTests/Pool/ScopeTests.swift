import DefaultPackage
import MainActorPackage
import Swift5Package
import TestSupport
import Testing

@testable import Headroom

/// A connection is of use within its scope, to one statement at a time; whatever else a program does with it is an error.
@Suite(.sandbox(tcp: true)) struct ScopeTests {
    private let spent = DatabaseError(.connectionSpent, message: "")
    private let busy = DatabaseError(.connectionBusy, message: "")

    private func database(_ account: String, kept: Bool = false) throws -> Database {
        Database(try SuiteServer.settings(account), reuse: kept ? .keep(idle: .seconds(60)) : .never)
    }

    @Test
    func
        `a program passes a connection on as it likes, in Swift 5 and 6 and on the main actor, with no further setting`()
        async throws
    {
        #expect(try await DefaultPackage.passOn(SuiteServer.database()) == [1, 2, 3, 4, 5, 6])
        #expect(try await Swift5Package.passOn(SuiteServer.database()) == [1, 2, 3, 4, 5, 6])
        #expect(try await MainActorPackage.passOn(SuiteServer.database()) == [1, 2, 3, 4, 5, 6])
        let model = await DefaultPackage.Model()
        try await model.load(SuiteServer.database())
        #expect(await model.numbers == [1, 2, 3, 4])
    }

    @Test func `of two statements at once one is done and the other is refused`() async throws {
        for codes in try await [
            DefaultPackage.twoAtOnce(SuiteServer.database()), Swift5Package.twoAtOnce(SuiteServer.database()),
        ] {
            #expect(codes == [nil, .connectionBusy] || codes == [.connectionBusy, nil])
        }
    }

    @Test(arguments: [false, true])
    func `every use after the scope is an error, and reaches no other scope`(kept: Bool) async throws {
        let database = try database("ten1", kept: kept)
        let all: SQL = "SELECT n FROM \(numbers(digits: 4))"
        let (leaked, unread, text, bound) = try await database.withConnection { connection in
            let whole = try await connection.stream("SELECT 1")
            for try await _ in whole {}
            var sql = all
            sql.isPrepared = true
            let bound = try await connection.stream(sql)
            return (connection, whole, try await connection.stream(all), bound)
        }
        func tryAll() async {
            for stream in [unread, text, bound] {
                await #expect(throws: spent) { for try await _ in stream { Issue.record("A row after the scope.") } }
            }
            await #expect(throws: spent) { try await leaked.query("SELECT 1") }
            await #expect(throws: spent) { try await leaked.query("SELECT \(1)") }
            await #expect(throws: spent) { try await leaked.stream("SELECT 1") }
            await #expect(throws: spent) { try await leaked.queryTogether(["SELECT 1"]) }
            await #expect(throws: spent) { try await leaked.bulk("DO ?", [.integers([1])]) }
            await #expect(throws: spent) { try await leaked.withTransaction { Issue.record("The body ran.") } }
            #expect(!leaked.isUsable)
            #expect(leaked.sessionID > 0 && !leaked.serverVersion.isEmpty)
        }
        await tryAll()
        try await database.withConnection { connection in
            await tryAll()
            let five = try await connection.number("SELECT 5")
            #expect(five == 5)
        }
    }

    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
    func `a statement that outlives its scope is ended with it`(kept: Bool, bound: Bool) async throws {
        let database = try database("two\(kept ? 1 : 2)", kept: kept)
        for statement in bound ? ["SELECT SLEEP(\(20))", "DO SLEEP(\(20))"] as [SQL] : ["SELECT SLEEP(20)"] {
            let leaked = try await database.withConnection { connection in
                let leaked = Task { _ = try await connection.query(statement) }
                try #require(try await eventually { !connection.isUsable })
                return leaked
            }
            await #expect(throws: spent) { try await leaked.value }
            #expect(try await database.withConnection { try await $0.number("SELECT 1") } == 1)
        }
        #expect(database.drainingSessions == 0)
    }

    @Test(arguments: [false, true])
    func `a stream, a transaction and a statement that run into the end of their scope end in an error`(
        kept: Bool
    ) async throws {
        let database = try database("ten\(kept ? 3 : 4)", kept: kept)
        let table = SQL(raw: "leaked_\(kept)")
        try await database.withConnection { _ = try await $0.query("CREATE TABLE \(table) (a INT)") }
        for round in 0..<(isFullRun ? 2_000 : 90) {
            let leaked = try await database.withConnection { connection in
                let leaked = Task {
                    switch round % 3 {
                    case 0:
                        while true { _ = try await connection.query("SELECT \(round)") }
                    case 1:
                        var rows = 0
                        for try await _ in try await connection.stream("SELECT n FROM \(numbers(digits: 6))") {
                            rows += 1
                        }
                        #expect(rows == 1_000_000)
                        throw spent
                    default:
                        try await connection.withTransaction {
                            while true { _ = try await connection.query("INSERT INTO \(table) VALUES (1)") }
                        }
                    }
                }
                try await Task.sleep(for: .microseconds(Int.random(in: 0...5_000)))
                return leaked
            }
            await #expect(throws: spent) { try await leaked.value }
        }
        let rows = try await database.withConnection { try await $0.number("SELECT COUNT(*) FROM \(table)") }
        #expect(rows == 0)
    }

    @Test(arguments: [Duration.seconds(-1), .zero, .seconds(Int64.min / 2)])
    func `a timeout that is over is an error`(_ timeout: Duration) async throws {
        let database = try SuiteServer.database()
        await #expect(throws: DatabaseError.self) {
            try await database.withConnection(timeout: timeout) { _ in Issue.record("The body ran.") }
        }
        try await database.withConnection { connection in
            await #expect(throws: DatabaseError(.deadlineExceeded, message: "")) {
                try await connection.query("SELECT SLEEP(30)", timeout: timeout)
            }
        }
    }

    @Test func `a timeout of any length is one that does not come`() async throws {
        try await SuiteServer.database()
            .withConnection(timeout: .seconds(Int64.max)) { connection in
                #expect(try await connection.number("SELECT 1") == 1)
                _ = try await connection.query("SELECT \(1)", timeout: .seconds(Int64.max))
                for try await _ in try await connection.stream("SELECT 1", timeout: .seconds(Int64.max)) {}
            }
    }
}

/// Sessions are alike on a server whose defaults are others.
@Suite(
    .sandbox(arguments: [
        "--autocommit=0", "--init-connect=SET autocommit=0, NAMES latin1",
        "--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES"
            + (SuiteServer.isMariaDB ? ",EMPTY_STRING_IS_NULL" : ""),
    ])
) struct SessionStateTests {
    @Test(arguments: [false, true])
    func `what statements rely on is as they expect`(kept: Bool) async throws {
        let database = Database(try SuiteServer.settings("ten5"), reuse: kept ? .keep(idle: .seconds(60)) : .never)
        let table = SQL(raw: kept ? "fitting_kept" : "fitting")
        for round in 1...3 {
            try await database.withConnection { connection in
                #expect(try await connection.number("SELECT @@autocommit") == 1)
                let texts =
                    try await connection.query(#"SELECT "a\"b", 'é' || 1, '' IS NULL, CHAR_LENGTH('é'), @@sql_mode"#)
                    .first(String.self, Int.self, Bool.self, Int.self, String.self)
                #expect(texts?.0 == #"a"b"#)
                #expect(texts?.1 == 1)
                #expect(texts?.2 == false)
                #expect(texts?.3 == 1)
                #expect(texts?.4.contains("STRICT_TRANS_TABLES") == true)
                try await connection.query("CREATE TABLE IF NOT EXISTS \(table) (a TINYINT)")
                try await connection.query("INSERT INTO \(table) VALUES (1)")
                await #expect(throws: DatabaseError.self) {
                    try await connection.query("INSERT INTO \(table) VALUES (1000)")
                }
                // An application's own scope may have it otherwise, and no other scope then has.
                try await connection.query("SET autocommit = 0, sql_mode = 'ANSI_QUOTES'")
            }
            let rows = try await database.withConnection { try await $0.number("SELECT COUNT(*) FROM \(table)") }
            #expect(rows == round)
        }
    }

    @Test func `the first statement of a scope may begin a transaction`() async throws {
        let database = try SuiteServer.database()
        try await database.withTransaction { _ = try await $0.query("SELECT 1") }
    }
}
