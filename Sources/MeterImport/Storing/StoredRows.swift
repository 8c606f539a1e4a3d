import Headroom

/// Finds the rows that the database has of a chunk's half-hours, and locks them.
struct StoredRows {
    private var days: [Int: Set<Int>] = [:]

    /// How many rows may be read for each reading that is looked for.
    private static let mostForEach = 6

    /// Plans the search; `nil` when it would have to read far more rows than there are readings.
    init?(_ readings: [Reading], meterIDs: [Int]) {
        for reading in readings {
            days[meterIDs[reading.meter], default: []].insert(reading.date.days)
        }
        let rows = days.values.reduce(0) { $0 + $1.count } * 48
        guard rows <= readings.count * Self.mostForEach, days.count <= 500 else { return nil }
    }

    /// Reads the rows; they stay as they are until the transaction ends.
    func find(_ connection: Connection) async throws -> [ReadingMerge.Key: ReadingMerge.Stored] {
        var text = RowText(capacity: 300 + days.count * 80)
        text.append(
            """
            SELECT id, meter_id, TO_DAYS(reading_date) - 719528, TIME_TO_SEC(reading_time), period_number, reading_value, \
            reading_type FROM meter_readings WHERE (
            """
        )
        var isFirst = true
        for (meter, days) in days.sorted(by: { $0.key < $1.key }) {
            text.append(isFirst ? "meter_id = " : " OR meter_id = ")
            isFirst = false
            text.append(meter)
            // Each day by itself: another session may be at the days between.
            var separator: StaticString = " AND reading_date IN ('"
            for day in days.sorted() {
                text.append(separator)
                text.append(CalendarDate(days: day))
                separator = "','"
            }
            text.append("')")
        }
        text.append(") AND period_number IS NOT NULL AND reading_time IS NOT NULL FOR UPDATE")
        let result = try await connection.query(SQL(raw: text.string))
        var stored: [ReadingMerge.Key: ReadingMerge.Stored] = [:]
        stored.reserveCapacity(result.rows.count)
        for row in result.rows {
            let key = ReadingMerge.Key(
                meterID: Self.number(row[1]),
                day: Self.number(row[2]),
                seconds: Int32(truncatingIfNeeded: Self.number(row[3])),
                period: Int16(truncatingIfNeeded: Self.number(row[4]))
            )
            stored[key] = ReadingMerge.Stored(
                id: Self.number(row[0]),
                thousandths: Self.thousandths(row[5]),
                type: Self.type(row[6])
            )
        }
        return stored
    }

    /// The whole number in a cell.
    static func number(_ cell: Cell) -> Int {
        guard let bytes = cell.bytes else { return 0 }
        var number = 0
        for byte in bytes where byte != UInt8(ascii: "-") { number = number &* 10 &+ Int(byte &- 48) }
        return bytes.first == UInt8(ascii: "-") ? -number : number
    }

    /// The value of a decimal such as `-0.125` in thousandths; `nil` when it has more decimals that are not 0.
    static func thousandths(_ cell: Cell) -> Int64? {
        guard let bytes = cell.bytes else { return nil }
        var (number, decimals): (Int64, Int?) = (0, nil)
        for byte in bytes where byte != UInt8(ascii: "-") {
            if byte == UInt8(ascii: ".") {
                decimals = 0
                continue
            }
            if let count = decimals {
                if count == 3 {
                    if byte != UInt8(ascii: "0") { return nil }
                    continue
                }
                decimals = count + 1
            }
            number = number &* 10 &+ Int64(byte &- 48)
        }
        for _ in (decimals ?? 0)..<3 { number *= 10 }
        return bytes.first == UInt8(ascii: "-") ? -number : number
    }

    /// The reading type in a cell.
    static func type(_ cell: Cell) -> ReadingType {
        switch cell.bytes?.first {
        case UInt8(ascii: "e"): .estimated
        case UInt8(ascii: "m"): .manual
        default: .actual
        }
    }
}
