import Headroom

/// The statements that store readings.
///
/// Values in them are written out, not bound: thousands of parameters take the server longer than the rows themselves.
/// Nothing of a file gets into them as text: numbers, dates and times are made from what was parsed, and the batch is a
/// variable of the session.
enum ReadingSQL {
    private static let table: StaticString = """
        INSERT INTO meter_readings (meter_id, reading_date, reading_time, period_number, reading_value, reading_type, \
        import_batch_id) VALUES
        """

    // The type comes last: the others look at the one that was stored before, and the server assigns from left to right.
    //
    // A row that is met may be another's: `TakenID` says how. That is an error, as neither may be lost. What overflows looks
    // at a column, or the server would work it out beforehand; the first value is assigned first.
    private static let orUpdate: StaticString = """
         ON DUPLICATE KEY UPDATE \
        reading_value = IF(meter_id = VALUES(meter_id) AND reading_date = VALUES(reading_date) \
        AND (reading_time <=> VALUES(reading_time) OR period_number <=> VALUES(period_number)), \
        IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual', reading_value, VALUES(reading_value)), \
        EXP(1000 + meter_id)), \
        import_batch_id = IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual', \
        import_batch_id, VALUES(import_batch_id)), \
        reading_type = IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual', \
        reading_type, VALUES(reading_type))
        """

    /// Stores readings that are bound, many at once; with the columns of ``columns(_:meterIDs:repeated:)``.
    static let bulkInsertion = "\(table) (?, ?, ?, ?, ?, ?, @headroom_batch)\(orUpdate)"

    /// The values of readings, a column for each parameter.
    static func columns(_ readings: [Reading], meterIDs: [Int], repeated: RepeatedTime) -> [BulkColumn] {
        var (meters, dates, times, periods) = ([Int64](), [Int64](), [Int64](), [Int64]())
        var (values, types) = (BulkTexts(capacity: readings.count), BulkTexts(capacity: readings.count))
        meters.reserveCapacity(readings.count)
        dates.reserveCapacity(readings.count)
        times.reserveCapacity(readings.count)
        periods.reserveCapacity(readings.count)
        for reading in readings {
            meters.append(Int64(meterIDs[reading.meter]))
            // Dates and times as numbers, such as 20120131 and 13000: shorter, and sooner understood.
            let (year, month, day) = reading.date.components
            dates.append(Int64(year * 10_000 + month * 100 + day))
            let seconds = repeated.seconds(of: reading)
            times.append(Int64(seconds / 3600 * 10_000 + seconds % 3600 / 60 * 100 + seconds % 60))
            periods.append(Int64(reading.periodNumber))
            values.append { $0.append(thousandths: reading.energy.thousandths) }
            types.append { $0.append(contentsOf: reading.type.rawValue.utf8) }
        }
        return [
            .integers(meters), .integers(dates), .integers(times), .integers(periods), .texts(values), .texts(types),
        ]
    }

    /// Stores readings, as one text; those of whole days without time and period.
    static func insertion(_ readings: [Reading], meterIDs: [Int], repeated: RepeatedTime) -> String {
        var text = RowText(
            capacity: table.utf8CodeUnitCount + orUpdate.utf8CodeUnitCount + readings.count * 72
        )
        text.append(table)
        text.append(" ")
        text.append(list: readings) { text, reading in
            text.append("(")
            text.append(meterIDs[reading.meter])
            text.append(",'")
            text.append(reading.date)
            if reading.period == nil {
                text.append("',NULL,NULL,")
            } else {
                text.append("','")
                text.append(secondsOfDay: repeated.seconds(of: reading))
                text.append("',")
                text.append(Int(reading.periodNumber))
                text.append(",")
            }
            text.append(thousandths: reading.energy.thousandths)
            text.append(type: reading.type)
            text.append(",@headroom_batch)")
        }
        text.append(orUpdate)
        return text.string
    }

    /// Changes rows that are there and locked: the batch of those that hold the same, and all of the others.
    static func changes(_ merge: ReadingMerge, meterIDs: [Int]) -> [String] {
        var statements: [String] = []
        if !merge.same.isEmpty { statements.append(batchUpdate(merge.same)) }
        if !merge.updates.isEmpty { statements.append(update(merge.updates, meterIDs: meterIDs)) }
        return statements
    }

    private static func update(_ updates: [(id: Int, reading: Reading)], meterIDs: [Int]) -> String {
        var text = RowText(capacity: 300 + updates.count * 72)
        text.append(
            "INSERT INTO meter_readings (id, meter_id, reading_date, reading_value, reading_type, import_batch_id) VALUES "
        )
        text.append(list: updates) { text, update in
            text.append("(")
            text.append(update.id)
            text.append(",")
            text.append(meterIDs[update.reading.meter])
            text.append(",'")
            text.append(update.reading.date)
            text.append("',")
            text.append(thousandths: update.reading.energy.thousandths)
            text.append(type: update.reading.type)
            text.append(",@headroom_batch)")
        }
        text.append(
            """
             ON DUPLICATE KEY UPDATE reading_value = VALUES(reading_value), reading_type = VALUES(reading_type), \
            import_batch_id = VALUES(import_batch_id)
            """
        )
        return text.string
    }

    /// Rows that were stored together have ids one after the other: as ranges they cost half of what the ids cost one by one.
    private static func batchUpdate(_ ids: [Int]) -> String {
        let ranges = IDRanges(ids)
        var text = RowText(capacity: 100 + ids.count * 12)
        text.append("UPDATE meter_readings SET import_batch_id = @headroom_batch WHERE ")
        var separator: StaticString = ""
        for range in ranges.long {
            text.append(separator)
            text.append("id BETWEEN ")
            text.append(range.lowerBound)
            text.append(" AND ")
            text.append(range.upperBound)
            separator = " OR "
        }
        if !ranges.single.isEmpty {
            text.append(separator)
            text.append("id IN (")
            text.append(list: ranges.single) { text, id in text.append(id) }
            text.append(")")
        }
        return text.string
    }
}

/// Ids, those that follow each other put together.
struct IDRanges: Hashable {
    /// Two or more ids that follow each other.
    private(set) var long: [ClosedRange<Int>] = []

    /// The ids without a neighbour.
    private(set) var single: [Int] = []

    init(_ ids: [Int]) {
        var range: ClosedRange<Int>?
        for id in ids.sorted() {
            if let begun = range, id == begun.upperBound + 1 {
                range = begun.lowerBound...id
            } else {
                add(range)
                range = id...id
            }
        }
        add(range)
    }

    private mutating func add(_ range: ClosedRange<Int>?) {
        guard let range else { return }
        if range.count == 1 { single.append(range.lowerBound) } else { long.append(range) }
    }
}
