import TestSupport
import Testing

@testable import Headroom

/// A value of every type of column comes back as it went in: at its edges, bound and in bulk, in the text form and the binary one.
@Suite(.sandbox()) struct RoundTripTests {
    @Test(arguments: RoundTrip.all)
    func `a value of every type of column comes back as it went in`(_ trip: RoundTrip) async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                // The servers' zeros are values too; the moments of a TIMESTAMP do not depend on where the test runs.
                try await connection.query("SET sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'")
                try await connection.query(
                    "CREATE TEMPORARY TABLE trip (id INT PRIMARY KEY, a \(raw: trip.definition) NULL)"
                )
                try await trip.run(connection)
            }
    }

    @Test func `FLOAT is exact in the binary form, also of a statement without values`() async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TEMPORARY TABLE floats (a FLOAT)")
                try await connection.query("INSERT INTO floats VALUES (\(Float(16_777_216)))")
                var prepared: SQL = "SELECT a FROM floats"
                prepared.isPrepared = true
                #expect(try await connection.query(prepared).first(Int.self) == 16_777_216)
                #expect(
                    try await connection.query("SELECT a FROM floats WHERE 1 = \(1)").first(Double.self) == 16_777_216
                )
                #expect(try await connection.query(prepared).first(String.self) == "16777216")
                // A bound Float finds the column's own value.
                try await connection.query("UPDATE floats SET a = \(Float(0.1))")
                #expect(try await connection.number("SELECT COUNT(*) FROM floats WHERE a = \(Float(0.1))") == 1)
            }
    }
}

/// The values of one type of column, with what they are in Swift.
struct RoundTrip: Sendable, CustomTestStringConvertible {
    /// The column's definition.
    let definition: String
    let type: ColumnType
    let server: Server
    let run: @Sendable (Connection) async throws -> Void

    var testDescription: String { definition }

    enum Server {
        case any
        case mariaDB
        case mySQL
    }

    init<Value: SQLEncodable & SQLDecodable & Equatable & Sendable>(
        _ definition: String,
        _ type: ColumnType,
        _ values: [Value],
        on server: Server = .any,
        isExactAsText: Bool = true
    ) {
        self.definition = definition
        self.type = type
        self.server = server
        run = { connection in
            let expected: [Value?] = values + [nil]
            for (id, value) in expected.enumerated() {
                try await connection.query("INSERT INTO trip VALUES (\(id), \(value))")
            }
            try await Self.check(connection, type, expected, isExactAsText)
            guard connection.takesBulk else { return }
            try await connection.query("DELETE FROM trip")
            try await connection.bulk(
                "INSERT INTO trip VALUES (?, ?)",
                [BulkColumn(Array(expected.indices)), BulkColumn(expected)]
            )
            try await Self.check(connection, type, expected, isExactAsText)
        }
    }

    private static func check<Value: SQLEncodable & SQLDecodable & Equatable & Sendable>(
        _ connection: Connection,
        _ type: ColumnType,
        _ expected: [Value?],
        _ isExactAsText: Bool
    ) async throws {
        for sql in ["SELECT a FROM trip ORDER BY id", "SELECT a FROM trip WHERE id >= \(0) ORDER BY id"] as [SQL] {
            let result = try await connection.query(sql)
            #expect(result.columns.map(\.type) == [type])
            let read = try result.decode(Value?.self)
            var streamed: [Value?] = []
            for try await row in try await connection.stream(sql) {
                streamed.append(try row.decode(Value?.self, at: 0))
            }
            #expect(streamed == read)
            if isExactAsText || !sql.values.isEmpty { #expect(read == expected) }
            #expect(read.count == expected.count && read.last == .some(nil))
        }
    }

    static var all: [RoundTrip] {
        // MariaDB 10.5 does not have them yet.
        let missing = SuiteServer.isOldestMariaDB ? ["UUID", "INET4"] : []
        return every.filter {
            ($0.server == .any || ($0.server == .mariaDB) == SuiteServer.isMariaDB) && !missing.contains($0.definition)
        }
    }

    private static let days = [SQLDate(year: 1000, month: 1, day: 1), SQLDate(year: 9999, month: 12, day: 31)]

    private static let every: [RoundTrip] = [
        RoundTrip("TINYINT", .tinyInt, [Int8.min, -1, 0, .max]),
        RoundTrip("TINYINT UNSIGNED", .tinyInt, [UInt8.min, .max]),
        RoundTrip("SMALLINT", .smallInt, [Int16.min, .max]),
        RoundTrip("SMALLINT UNSIGNED", .smallInt, [UInt16.min, .max]),
        RoundTrip("MEDIUMINT", .mediumInt, [Int32(-8_388_608), 8_388_607]),
        RoundTrip("MEDIUMINT UNSIGNED", .mediumInt, [UInt32(0), 16_777_215]),
        RoundTrip("INT", .int, [Int32.min, .max]),
        RoundTrip("INT UNSIGNED", .int, [UInt32.min, .max]),
        RoundTrip("INT(8) ZEROFILL", .int, [UInt(0), 7, 4_294_967_295]),
        RoundTrip("BIGINT", .bigInt, [Int64.min, .max]),
        RoundTrip("BIGINT", .bigInt, [Int.min, 0, .max]),
        RoundTrip("BIGINT UNSIGNED", .bigInt, [UInt64.min, .max]),
        RoundTrip("BOOL", .tinyInt, [true, false]),
        RoundTrip("BIT(1)", .bit, [true, false]),
        RoundTrip("BIT(8)", .bit, [UInt8(0), 1, 49, 255]),
        RoundTrip("BIT(12)", .bit, [Int(0), 49, 4095]),
        RoundTrip("BIT(64)", .bit, [UInt64.min, 49, .max]),
        RoundTrip(
            "FLOAT",
            .float,
            [Float(0), -0.1, 16_777_216, 1 / 3, .greatestFiniteMagnitude, -.leastNormalMagnitude],
            isExactAsText: false
        ),
        RoundTrip("FLOAT", .float, [Float(0), -0.5, 123_456, 1e20]),
        RoundTrip("DOUBLE", .double, [0, -0.1, 1 / 3, 1e15, .greatestFiniteMagnitude, -.leastNormalMagnitude]),
        RoundTrip("DOUBLE", .double, [Int.zero, 1 << 53, -(1 << 60)]),
        RoundTrip("DECIMAL(39)", .decimal, [Int128.min, 0, .max]),
        RoundTrip("DECIMAL(39) UNSIGNED", .decimal, [UInt128.min, .max]),
        RoundTrip(
            "DECIMAL(65,30)",
            .decimal,
            [
                "0.000000000000000000000000000000",
                "-\(String(repeating: "9", count: 35)).\(String(repeating: "9", count: 30))",
            ]
        ),
        RoundTrip("DATE", .date, days + [SQLDate(year: 2024, month: 2, day: 29), SQLDate(year: 0, month: 0, day: 0)]),
        RoundTrip(
            "TIME",
            .time,
            [Duration.zero, .seconds(-1), .seconds(25 * 3600 + 1), .seconds(3_020_399), .seconds(-3_020_399)]
        ),
        RoundTrip("TIME(3)", .time, [Duration.zero, .milliseconds(1), .milliseconds(-90_000_001)]),
        RoundTrip("TIME(6)", .time, [Duration.microseconds(-1), .microseconds(86_400_000_001), .seconds(-3_020_399)]),
        RoundTrip("DATETIME", .dateTime, days.map { SQLDateTime($0, hour: 23, minute: 59, second: 59) }),
        RoundTrip(
            "DATETIME(6)",
            .dateTime,
            days.map { SQLDateTime($0, hour: 23, second: 7, microsecond: 1) }
                + [SQLDateTime(SQLDate(year: 0, month: 0, day: 0)), SQLDateTime(days[0], microsecond: 999_999)]
        ),
        RoundTrip(
            "TIMESTAMP(6)",
            .timestamp,
            [
                SQLDateTime(SQLDate(year: 1970, month: 1, day: 1), second: 1),
                SQLDateTime(
                    SQLDate(year: 2038, month: 1, day: 19),
                    hour: 3,
                    minute: 14,
                    second: 7,
                    microsecond: 999_999
                ),
            ]
        ),
        RoundTrip("YEAR", .year, [0, 1901, 2155]),
        RoundTrip("CHAR(4)", .char, ["", "ab", "\u{E4}\u{20AC}\u{1F642}"]),
        RoundTrip("VARCHAR(500)", .varChar, ["", " a\r\nb ", "'\\\"", "e\u{301}\u{1F469}\u{200D}\u{1F467}"]),
        RoundTrip("TEXT", .text, ["", String(repeating: "\u{20AC}", count: 20_000)]),
        RoundTrip("LONGTEXT", .text, ["", String(repeating: "\u{1F642}'", count: 100_000)]),
        RoundTrip("BINARY(4)", .binary, [[UInt8]]([[0, 255, 0, 1], [0, 0, 0, 0]])),
        RoundTrip("VARBINARY(300)", .varBinary, [[UInt8]]([[], [0], Array(0...255)])),
        RoundTrip("BLOB", .blob, [[UInt8]]([[], Array(repeating: 0, count: 65_535)])),
        RoundTrip("LONGBLOB", .blob, [[UInt8]]([[], (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }])),
        RoundTrip("ENUM('new', 'it''s', 'a,b')", .enumeration, ["new", "it's", "a,b"]),
        RoundTrip("SET('a', 'b', 'c d')", .set, [Set<String>(), ["a"], ["a", "b", "c d"]]),
        // MariaDB's JSON is LONGTEXT by another name.
        RoundTrip("JSON", .text, [#"{"a": [1, null, "\u00e4"]}"#, "[]"], on: .mariaDB),
        RoundTrip("JSON", .json, [#"{"a": [1, null, "x"]}"#, "[]", "\"text\""], on: .mySQL),
        RoundTrip("UUID", .uuid, ["123e4567-e89b-12d3-a456-426655440000"], on: .mariaDB),
        RoundTrip("INET6", .inet, ["::", "2001:db8::ff00:42:8329"], on: .mariaDB),
        RoundTrip("INET4", .inet, ["0.0.0.0", "255.255.255.255"], on: .mariaDB),
        // A point at 1, 2: no reference system, lowest byte first, a point, two doubles.
        RoundTrip(
            "POINT",
            .geometry,
            [[UInt8]]([[0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0x40]])
        ),
        // 1, -1
        RoundTrip("VECTOR(2)", .vector, [[UInt8]]([[0, 0, 0x80, 0x3F, 0, 0, 0x80, 0xBF]]), on: .mySQL),
    ]
}
