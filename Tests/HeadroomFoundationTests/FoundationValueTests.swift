import FoundationEssentials
import Headroom
import HeadroomFoundation
import TestSupport
import Testing

/// Foundation's types are values of statements.
@Suite(.sandbox()) struct FoundationValueTests {
    private struct Settings: Codable, Equatable, Sendable {
        var name: String
        var sizes: [Int]
        var nested: [String: Bool]
    }

    private struct Site: Decodable {
        var id: UUID
        var builtAt: Date
        var price: Decimal
        var photo: Data?
        var settings: JSONValue<Settings>
    }

    /// Stores values, and reads them in both forms.
    private func roundTrip<Value: SQLEncodable & SQLDecodable & Equatable & Sendable>(
        _ definition: String,
        _ values: [Value]
    ) async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TEMPORARY TABLE trip (id INT PRIMARY KEY, a \(raw: definition))")
                for (id, value) in values.enumerated() {
                    try await connection.query("INSERT INTO trip VALUES (\(id), \(value))")
                }
                for sql in ["SELECT a FROM trip ORDER BY id", "SELECT a FROM trip WHERE id >= \(0) ORDER BY id"]
                    as [SQL]
                {
                    #expect(try await connection.query(sql).decode(Value.self) == values)
                }
            }
    }

    @Test func `moments come back to the microsecond, from the first year to the last`() async throws {
        let texts: [(Double, String)] = [
            (0, "1970-01-01 00:00:00.000000"), (-0.000001, "1969-12-31 23:59:59.999999"),
            (951_782_400, "2000-02-29 00:00:00.000000"),
            (-2_203_891_200, "1900-03-01 00:00:00.000000"), (253_402_300_799, "9999-12-31 23:59:59.000000"),
            (1_709_168_523.456789, "2024-02-29 01:02:03.456789"), (-30_610_224_000, "1000-01-01 00:00:00.000000"),
        ]
        for (seconds, text) in texts { #expect(Date(timeIntervalSince1970: seconds).sqlValue == .text(text)) }
        try await roundTrip("DATETIME(6)", texts.map { Date(timeIntervalSince1970: $0.0.rounded()) })
        // Each day of five centuries, by the calendar's own rule.
        var (year, month, day) = (1600, 1, 1)
        for days in -135_140..<47_482 {
            let text = SQLDate(year: year, month: month, day: day).description
            #expect(Date(timeIntervalSince1970: Double(days) * 86_400).sqlValue == .text("\(text) 00:00:00.000000"))
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] {
                (month, day) = (month + 1, 1)
            }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    @Test func `a moment that no column has is refused, and a zero of the server is no moment`() async throws {
        let moments: [Date] = [
            .distantFuture.addingTimeInterval(1e12), Date(timeIntervalSince1970: .nan),
            .init(timeIntervalSince1970: -1e12),
        ]
        for moment in moments {
            guard case .unstorable = moment.sqlValue else {
                Issue.record("\(moment.sqlValue)")
                continue
            }
        }
        try await SuiteServer.database()
            .withConnection { connection in
                let zero = try await connection.query("SELECT '0000-00-00', '2023-02-29', '2024-02-29'")
                let row = try #require(zero.rows.first)
                #expect(throws: DatabaseError(.decodingFailed, message: "")) { try row.decode(Date.self, at: 0) }
                #expect(throws: DatabaseError(.decodingFailed, message: "")) { try row.decode(Date.self, at: 1) }
                #expect(try row.decode(Date.self, at: 2) == Date(timeIntervalSince1970: 1_709_164_800))
            }
    }

    @Test func `decimals of up to 38 digits are exact, and one of more is an error`() async throws {
        let digits = String(repeating: "9", count: 28)
        try await roundTrip(
            "DECIMAL(65,10)",
            ["0", "-0.01", "\(digits).1234567891", "-\(digits).0000000001"].map { Decimal(string: $0) ?? .nan }
        )
        #expect(Decimal.nan.sqlValue == .unstorable("The number is none (NaN)."))
        try await SuiteServer.database()
            .withConnection { connection in
                let long = try await connection.query(
                    "SELECT \(raw: String(repeating: "9", count: 39)), 0.1e0, '0x1', '1 2', ''"
                )
                let row = try #require(long.rows.first)
                for index in row.columns.indices {
                    #expect(throws: DatabaseError(.decodingFailed, message: "")) {
                        try row.decode(Decimal.self, at: index)
                    }
                }
            }
    }

    @Test func `ids are text, the server's own type or 16 bytes`() async throws {
        let id = UUID()
        try await roundTrip("CHAR(36)", [id])
        if SuiteServer.isMariaDB { try await roundTrip("UUID", [id]) }
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query("CREATE TEMPORARY TABLE ids (a BINARY(16))")
                try await connection.query("INSERT INTO ids VALUES (\(id.sqlBytes))")
                #expect(try await connection.query("SELECT a FROM ids").first(UUID.self) == id)
                let wrong = try await connection.query("SELECT 'no id', 5")
                #expect(throws: DatabaseError(.decodingFailed, message: "")) { try wrong.decode(UUID.self, Int.self) }
            }
    }

    @Test func `data and JSON come back as they went in`() async throws {
        try await roundTrip("LONGBLOB", [Data(), Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0) })])
        let settings = Settings(name: "\u{E4}\"'\\", sizes: [1, -2], nested: ["a": true])
        try await roundTrip("JSON", [JSONValue(settings)])
        try await roundTrip("TEXT", [JSONValue([1.5, nil])])
        try await SuiteServer.database()
            .withConnection { connection in
                let wrong = try await connection.query("SELECT '{\"name\": 1}', '{'")
                let row = try #require(wrong.rows.first)
                #expect(throws: DatabaseError(.decodingFailed, message: "")) {
                    try row.decode(JSONValue<Settings>.self, at: 0)
                }
                #expect(throws: DatabaseError(.decodingFailed, message: "")) {
                    try row.decode(JSONValue<[Int]>.self, at: 1)
                }
            }
    }

    @Test func `rows with Foundation's types are read by their columns' names`() async throws {
        let (id, settings) = (UUID(), Settings(name: "n", sizes: [], nested: [:]))
        let site = try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query(
                    """
                    SELECT \(id) AS id, CAST('2024-02-29 00:00:00' AS DATETIME) AS built_at, CAST(1.50 AS DECIMAL(5,2)) AS price,
                    NULL AS photo, \(JSONValue(settings)) AS settings
                    """
                )
                .first(Site.self)
            }
        #expect(site?.id == id)
        #expect(site?.builtAt == Date(timeIntervalSince1970: 1_709_164_800))
        #expect(site?.price == Decimal(string: "1.5"))
        #expect(site?.photo == nil)
        #expect(site?.settings.value == settings)
    }
}
