import Testing

@testable import Headroom

/// Rows are read by their columns' names into types that are Decodable.
@Suite struct RowDecoderTests {
    private enum Status: String, Decodable {
        case open
        case shut
    }

    private enum Level: Int, SQLDecodable, SQLEncodable {
        case low = 1
        case high
    }

    private struct Site: Decodable, Equatable {
        var id: Int
        var meterID: UInt64
        var isActive: Bool
        var status: Status
        var level: Level?
        var note: String?
        var area: Double

        enum CodingKeys: String, CodingKey {
            case id, meterID
            case isActive = "active"
            case status, note, area
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decode(Int.self, forKey: .id)
            meterID = try container.decode(UInt64.self, forKey: .meterID)
            isActive = try container.decode(Bool.self, forKey: .isActive)
            status = try container.decode(Status.self, forKey: .status)
            note = try container.decodeIfPresent(String.self, forKey: .note)
            area = try container.decode(Double.self, forKey: .area)
        }
    }

    private struct Short: Decodable, Equatable {
        var id: Int
        var note: String?
    }

    /// A row of texts, `nil` for NULL.
    private func row(_ cells: [(name: String, type: ColumnType, text: String?)]) -> Row {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>?] = []
        for cell in cells {
            let begin = bytes.count
            bytes += Array((cell.text ?? "").utf8)
            ranges.append(cell.text.map { _ in begin..<bytes.count })
        }
        return Row(columns: Columns(cells.map { Column($0.name, $0.type) }), ordinal: 3, bytes: bytes, cells: ranges)
    }

    private func site(status: String = "open", id: String = "7") -> Row {
        row([
            ("extra", .int, "1"), ("id", .int, id), ("meter_id", .bigInt, "18446744073709551615"),
            ("active", .bit, "\u{1}"),
            ("status", .enumeration, status), ("note", .varChar, nil), ("area", .decimal, "1.50"),
        ])
    }

    @Test func `each property has the column of its name, in the names of Swift or of SQL`() throws {
        let site = try site().decode(Site.self)
        #expect((site.id, site.meterID, site.isActive, site.status) == (7, .max, true, .open))
        #expect((site.note, site.area) == (nil, 1.5))
        #expect("siteID".inSnakeCase == "site_id")
        #expect("createdAt2Now".inSnakeCase == "created_at2_now")
        #expect("URLPath".inSnakeCase == "url_path")
    }

    @Test func `a column that is missing or holds something else is an error that names it`() {
        let unknown = #expect(throws: DatabaseError.self) { try site(status: "ajar").decode(Site.self) }
        #expect(
            unknown?.message == "Row 3, column 'status' (ENUM) holds a value of 4 bytes where Status was asked for."
        )
        let text = #expect(throws: DatabaseError.self) { try site(id: "x").decode(Site.self) }
        #expect(text?.message == "Row 3, column 'id' (INT) holds a value of 1 bytes where Int was asked for.")
        let missing = #expect(throws: DatabaseError.self) { try row([("note", .text, "a")]).decode(Short.self) }
        #expect(missing?.message == "The result has no column 'id'; it has note.")
        let null = #expect(throws: DatabaseError.self) { try row([("id", .int, nil)]).decode(Short.self) }
        #expect(null?.message == "Row 3, column 'id' (INT) holds NULL where Int was asked for.")
    }

    @Test func `an optional property without a column is nil, and a type that is one value takes the only column`()
        throws
    {
        #expect(try row([("id", .int, "5")]).decode(Short.self) == Short(id: 5, note: nil))
        #expect(try row([("status", .varChar, "shut")]).decode(Status.self) == .shut)
        let list = #expect(throws: DatabaseError.self) {
            try row([("a", .int, "1"), ("b", .int, "2")]).decode([Int].self)
        }
        #expect(list?.code == .decodingFailed)
    }

    @Test func `an enumeration with raw values is a value of a statement`() throws {
        #expect(try row([("level", .int, "2")]).decode(Level.self) == .high)
        #expect(throws: DatabaseError(.decodingFailed, message: "")) {
            try row([("level", .int, "3")]).decode(Level.self)
        }
        let (low, none): (Level, Level?) = (.low, nil)
        let sql: SQL = "\(low), \(none)"
        #expect(sql.values == [.integer(1), .null])
    }
}
