import TestSupport
import Testing

@testable import Headroom

/// What a statement's reply says beside its rows.
@Suite(.sandbox()) struct ResultTests {
    @Test func `columns say their type, sign, length and decimals, in both forms`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query(
                    "CREATE TEMPORARY TABLE described (a INT UNSIGNED NOT NULL, b DECIMAL(9,2), c DATETIME(3), d DOUBLE, e VARBINARY(7))"
                )
                for sql in ["SELECT * FROM described", "SELECT * FROM described WHERE a > \(0)"] as [SQL] {
                    let columns = try await connection.query(sql).columns
                    #expect(columns.names == ["a", "b", "c", "d", "e"])
                    #expect(columns.map(\.type) == [.int, .decimal, .dateTime, .double, .varBinary])
                    #expect(columns.map(\.isUnsigned) == [true, false, false, false, false])
                    #expect(columns.map(\.isNeverNull) == [true, false, false, false, false])
                    #expect(columns.map(\.decimals) == [0, 2, 3, nil, 0])
                    #expect(columns[4].length == 7)
                }
            }
    }

    @Test(arguments: [false, true])
    func `a CALL gives all of its results, bound or not`(isBound: Bool) async throws {
        let name = isBound ? "three_bound" : "three"
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query(
                    """
                    CREATE PROCEDURE \(raw: name)(n INT) BEGIN
                    SELECT n AS first; SELECT 'x' AS second, CAST(0.1 AS FLOAT) AS f UNION ALL SELECT 'y', NULL; SELECT 1 FROM DUAL WHERE 1 = 0;
                    END
                    """
                )
                for _ in 0..<3 {
                    let call: SQL = isBound ? "CALL \(raw: name)(\(7))" : "CALL \(raw: name)(7)"
                    let result = try await connection.query(call)
                    #expect(try result.decode(Int.self) == [7])
                    #expect(result.columns.names == ["first"])
                    #expect(result.further.map(\.columns.names) == [["second", "f"], ["1"]])
                    let second = try result.further[0].decode(String.self, Float?.self)
                    #expect(second.map(\.0) == ["x", "y"] && second.map(\.1) == [0.1, nil])
                    #expect(result.further[1].rows.isEmpty)
                    // A stream gives the first, and reads past the others.
                    var streamed = 0
                    for try await row in try await connection.stream(call) {
                        streamed += try row.decode(Int.self, at: 0)
                    }
                    #expect(streamed == 7)
                    #expect(try await connection.number("SELECT 3") == 3)
                }
            }
    }

    @Test func `warnings are counted, with rows and without, in both forms`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("SET sql_mode = ''")
                #expect(try await connection.query("SELECT CAST('1x' AS SIGNED)").warnings == 1)
                #expect(try await connection.query("SELECT CAST(\("1x") AS SIGNED)").warnings == 1)
                #expect(try await connection.query("SELECT 1").warnings == 0)
                try await connection.query("CREATE TEMPORARY TABLE tight (a TINYINT)")
                #expect(try await connection.query("INSERT INTO tight VALUES (300), (400)").warnings == 2)
                #expect(try await connection.query("INSERT INTO tight VALUES (\(300))").warnings == 1)
            }
    }

    @Test func `an error of the server has its SQLSTATE, in both forms`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                for sql in ["SELECT * FROM nowhere", "SELECT * FROM nowhere WHERE a = \(1)"] as [SQL] {
                    let error = await #expect(throws: DatabaseError.self) { try await connection.query(sql) }
                    #expect(error?.serverCode == 1146)
                    #expect(error?.sqlState == "42S02")
                }
            }
    }
}
