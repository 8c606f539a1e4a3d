import TestSupport
import Testing

@testable import Headroom

/// What is no value of the type that is asked for is an error that says where, and what stands there without showing it.
@Suite(.sandbox()) struct DecodingTests {
    /// Reads the value of an expression in the text form and in the binary one.
    private func rows(_ expression: String) async throws -> [Row] {
        try await SuiteServer.database()
            .withConnection { connection in
                var rows: [Row] = []
                for isPrepared in [false, true] {
                    var sql = SQL(raw: "SELECT \(expression) AS a")
                    sql.isPrepared = isPrepared
                    rows += try await connection.query(sql).rows
                }
                return rows
            }
    }

    private func expectMisfit<Value: SQLDecodable>(_ row: Row, _ type: Value.Type) {
        let error = #expect(throws: DatabaseError.self) { try row.decode(type, at: 0) }
        #expect(error?.code == .decodingFailed)
        #expect(
            error?.message.contains("Row 1, column 'a' (\(row.columns[0].type))") == true,
            "\(error?.message ?? "")"
        )
        #expect(error?.message.hasSuffix("where \(type) was asked for.") == true)
    }

    @Test(arguments: [
        "'0x10'", "'nan'", "'inf'", "'-infinity'", "''", "' 1'", "'1 '", "'1e'", "'e5'", "'.'", "'--1'", "'1e999'",
        "'1_0'",
        "CURDATE()", "CAST('01:00:00' AS TIME)", "x'FF'", "'\u{661}'",
    ])
    func `text that is no number is none of any number's type`(_ expression: String) async throws {
        for row in try await rows(expression) {
            expectMisfit(row, Double.self)
            expectMisfit(row, Float.self)
            expectMisfit(row, Int.self)
            expectMisfit(row, UInt8.self)
            expectMisfit(row, Bool.self)
        }
    }

    @Test(arguments: ["1.5", "'1.0'", "'+1'", "9223372036854775808", "-9223372036854775809", "1.5e0", "1e19"])
    func `a number with a fraction, or one that does not fit, is no Int`(_ expression: String) async throws {
        for row in try await rows(expression) { expectMisfit(row, Int.self) }
    }

    @Test(arguments: ["b'110001'", "POINT(1, 2)", "x'C328'"])
    func `bits, geometries and bytes that are not UTF-8 are no text`(_ expression: String) async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                let type = expression.hasPrefix("b") ? "BIT(8)" : expression.hasPrefix("P") ? "POINT" : "BLOB"
                try await connection.query("CREATE TEMPORARY TABLE no_text AS SELECT 1 AS id")
                try await connection.query("ALTER TABLE no_text ADD a \(raw: type)")
                try await connection.query("UPDATE no_text SET a = \(raw: expression)")
                for sql in ["SELECT a FROM no_text", "SELECT a FROM no_text WHERE id = \(1)"] as [SQL] {
                    let row = try #require(try await connection.query(sql).rows.first)
                    expectMisfit(row, String.self)
                }
            }
    }

    @Test func `numbers fit the types that hold them, and no smaller ones`() async throws {
        for row in try await rows("300") {
            #expect(try row.decode(Int16.self, at: 0) == 300)
            #expect(try row.decode(UInt128.self, at: 0) == 300)
            #expect(try row.decode(Float.self, at: 0) == 300)
            #expect(try row.decode(String.self, at: 0) == "300")
            #expect(try row.decode(Bool.self, at: 0))
            expectMisfit(row, UInt8.self)
            expectMisfit(row, Int8.self)
            expectMisfit(row, Duration.self)
            expectMisfit(row, SQLDate.self)
        }
        for row in try await rows("-1") { expectMisfit(row, UInt.self) }
        for row in try await rows("1e300") { expectMisfit(row, Float.self) }
        for row in try await rows("18446744073709551615") { #expect(try row.decode(Bool.self, at: 0)) }
        for row in try await rows("CAST('2024-02-29 01:00:00' AS DATETIME)") { expectMisfit(row, SQLDate.self) }
    }

    @Test func `NULL is nothing but nil`() async throws {
        for row in try await rows("NULL") {
            expectMisfit(row, Int.self)
            expectMisfit(row, String.self)
            #expect(try row.decode(Int?.self, at: 0) == nil)
        }
    }

    @Test func `an error shows where the value stands and how long it is, never the value or a name that steers`()
        async throws
    {
        try await SuiteServer.database()
            .withConnection { connection in
                let result = try await connection.query("SELECT 1 AS a UNION ALL SELECT 'secret7'")
                let error = #expect(throws: DatabaseError.self) { try result.decode(Int.self) }
                #expect(error?.message.contains("Row 2, column 'a' (VARCHAR) holds a value of 7 bytes") == true)
                #expect(error?.description.contains("secret7") == false)
                let odd = try await connection.query(
                    "SELECT 'x' AS `a\u{1B}[2J\(raw: String(repeating: "n", count: 59))`"
                )
                let steering = #expect(throws: DatabaseError.self) { try odd.decode(Int.self) }
                #expect(steering?.message.unicodeScalars.allSatisfy { $0.value >= 0x20 } == true)
            }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `NaN and the infinities are refused before anything is sent`(_ number: Double) async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TEMPORARY TABLE finite (a DECIMAL(10,2), b FLOAT)")
                let statements: [SQL] = [
                    "INSERT INTO finite (a) VALUES (\(number))", "INSERT INTO finite (b) VALUES (\(Float(number)))",
                    "SELECT \(number)", "SELECT \(list: [1, number])",
                ]
                for sql in statements {
                    let error = await #expect(throws: DatabaseError.self) { try await connection.query(sql) }
                    #expect(error?.code == .encodingFailed)
                }
                let error = await #expect(throws: DatabaseError.self) {
                    try await connection.bulk("INSERT INTO finite (a) VALUES (?)", [BulkColumn([1, number])])
                }
                #expect(error?.code == .encodingFailed)
                #expect(try await connection.number("SELECT COUNT(*) FROM finite") == 0)
            }
    }

    @Test func `what no column of its type can hold is refused`() async throws {
        let day = SQLDate(year: 10_000, month: 1, day: 1)
        try await SuiteServer.database()
            .withConnection { connection in
                let statements: [SQL] = [
                    "SELECT \(SQLValue.decimal("1e5"))", "SELECT \(SQLValue.decimal("1' OR '1"))",
                    "SELECT \(SQLValue.decimal(""))",
                    "SELECT \(Duration.seconds(3_020_400))",
                    "SELECT \(Duration.seconds(3_020_399) + .nanoseconds(999_999_900))", "SELECT \(day)",
                    "SELECT \(SQLDateTime(day))",
                    "SELECT \(SQLDateTime(SQLDate(year: 1, month: 1, day: 1), hour: 24))",
                    "SELECT \(["a,b"] as Set<String>)",
                ]
                for sql in statements {
                    let error = await #expect(throws: DatabaseError.self, "\(sql.values)") {
                        try await connection.query(sql)
                    }
                    #expect(error?.code == .encodingFailed)
                }
                let one = try await connection.number("SELECT 1")
                #expect(one == 1)
            }
    }

    @Test func `a column of a bulk statement has values of one kind, and whole numbers of both signs are one`()
        async throws
    {
        let columns = [
            BulkColumn([UInt64.max]), BulkColumn([-1, 1]), .values([.integer(-1), .unsigned(.max)]), .values([.null]),
        ]
        let forms = try columns.map { try $0.form }
        #expect(forms == [.unsigned, .signed, .decimal, .text])
        let mixed = #expect(throws: DatabaseError.self) { _ = try BulkColumn.values([.integer(1), .text("1")]).form }
        #expect(mixed?.code == .encodingFailed)
        try await SuiteServer.database()
            .withConnection { connection in
                guard connection.takesBulk else { return }
                try await connection.query("CREATE TEMPORARY TABLE signs (a DECIMAL(20))")
                let numbers = BulkColumn.values([.integer(-1), .unsigned(.max), .null])
                try await connection.bulk("INSERT INTO signs VALUES (?)", [numbers])
                let read = try await connection.query("SELECT a FROM signs ORDER BY a").decode(String?.self)
                #expect(read == [nil, "-1", "18446744073709551615"])
            }
    }
}
