import Headroom

/// Writes half-hourly readings: one statement for a chunk.
///
/// Its values are written out, not bound: a statement with thousands of parameters takes the server longer than the
/// thousand rows themselves. Nothing of a file gets into it as text: numbers, dates and times are made from what was parsed,
/// and the batch is a variable of the session.
struct ReadingStore {
    /// How many readings a chunk has added.
    struct Stored: Hashable {
        /// The readings that are new in the database.
        var new = 0
        /// The readings that were there already, or came twice; the last one counts.
        var duplicates = 0
    }

    /// Tells a session for which batch it stores; to be called once for each connection.
    static func begin(batch: String, _ connection: Connection) async throws {
        try await connection.query("SET @headroom_batch = \(batch)")
    }

    /// Stores readings; where one is there already the later one wins, but an estimate never replaces an actual one.
    ///
    /// - Parameters:
    ///   - readings: The readings, in the order in which later ones win.
    ///   - meterIDs: The ids of the readings' meters.
    ///   - repeated: How the table tells the two runs of the repeated hour apart.
    ///   - connection: The connection, after ``begin(batch:_:)``.
    /// - Returns: How many were new, and how many were not.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    static func store(
        _ readings: [Reading],
        meterIDs: [Int],
        repeated: RepeatedTime,
        _ connection: Connection
    ) async throws -> Stored {
        guard !readings.isEmpty else { return Stored() }
        let text = statement(readings, meterIDs: meterIDs, repeated: repeated)
        let result = try await connection.query(SQL(raw: text))
        let new = newRows(affected: result.affectedRows, info: result.info)
        return Stored(new: new, duplicates: readings.count - new)
    }

    /// How many rows of an `INSERT … ON DUPLICATE KEY UPDATE` were new.
    ///
    /// The server counts 1 for a new row, 2 for a changed one and 0 for one that stayed as it was, and says in its summary
    /// how many it changed: the new ones are what is left. A statement with one row has no summary, and needs none.
    static func newRows(affected: Int, info: String?) -> Int {
        guard let info else { return affected == 1 ? 1 : 0 }
        // "Records: 1000  Duplicates: 3  Warnings: 0", translated by lc_messages: the numbers tell.
        let numbers = info.split { !$0.isNumber }.compactMap { Int($0) }
        return affected - 2 * (numbers.count > 1 ? numbers[1] : 0)
    }

    /// The statement that stores readings.
    static func statement(_ readings: [Reading], meterIDs: [Int], repeated: RepeatedTime = .byPeriod) -> String {
        var text = RowText(capacity: head.utf8CodeUnitCount + tail.utf8CodeUnitCount + readings.count * 72)
        text.append(head)
        var isFirst = true
        for reading in readings {
            text.append(isFirst ? "(" : ",(")
            isFirst = false
            text.append(meterIDs[reading.meter])
            text.append(",'")
            text.append(reading.date)
            text.append("','")
            text.append(secondsOfDay: repeated.seconds(of: reading))
            text.append("',")
            text.append(Int(reading.periodNumber))
            text.append(",")
            text.append(thousandths: reading.energy.thousandths)
            switch reading.type {
            case .actual: text.append(",'actual',@headroom_batch)")
            case .estimated: text.append(",'estimated',@headroom_batch)")
            case .manual: text.append(",'manual',@headroom_batch)")
            }
        }
        text.append(tail)
        return text.string
    }

    private static let head: StaticString = """
        INSERT INTO meter_readings (meter_id, reading_date, reading_time, period_number, reading_value, reading_type, \
        import_batch_id) VALUES
        """

    // The type comes last: the others look at the one that was stored before, and the server assigns from left to right.
    private static let tail: StaticString = """
         ON DUPLICATE KEY UPDATE \
        reading_value = IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual', \
        reading_value, VALUES(reading_value)), \
        import_batch_id = IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual', \
        import_batch_id, VALUES(import_batch_id)), \
        reading_type = IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual', \
        reading_type, VALUES(reading_type))
        """
}

/// The text of a statement while it is put together, byte by byte: most of an import's own time goes here.
struct RowText {
    private var bytes: [UInt8] = []

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    /// The text.
    var string: String { String(decoding: bytes, as: UTF8.self) }

    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ number: Int) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        append(digits: number.magnitude)
    }

    /// Appends a date such as `2012-01-31`.
    mutating func append(_ date: CalendarDate) {
        let (year, month, day) = date.components
        two(year / 100)
        two(year % 100)
        bytes.append(UInt8(ascii: "-"))
        two(month)
        bytes.append(UInt8(ascii: "-"))
        two(day)
    }

    /// Appends a time such as `00:30:00`.
    mutating func append(secondsOfDay seconds: Int) {
        two(seconds / 3600)
        bytes.append(UInt8(ascii: ":"))
        two(seconds % 3600 / 60)
        bytes.append(UInt8(ascii: ":"))
        two(seconds % 60)
    }

    /// Appends a number with three decimals, such as `-0.125`.
    mutating func append(thousandths: Int64) {
        if thousandths < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = UInt(thousandths.magnitude)
        append(digits: magnitude / 1000)
        bytes.append(UInt8(ascii: "."))
        let decimals = Int(magnitude % 1000)
        bytes.append(UInt8(ascii: "0") + UInt8(decimals / 100))
        two(decimals % 100)
    }

    private mutating func two(_ number: Int) {
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }

    private mutating func append(digits number: UInt) {
        let begin = bytes.count
        var rest = number
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[begin...].reverse()
    }
}
