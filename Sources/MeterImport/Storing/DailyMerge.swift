/// Decides what becomes of a chunk's daily readings beside those that are stored, so that each day is stored once.
///
/// The table's unique key does not do it: a daily reading has neither time nor period, and a unique key takes any number of
/// rows with a `NULL`. A writer locks the chunk's meters (`SELECT id FROM meters WHERE id IN (…) ORDER BY id FOR UPDATE`),
/// reads which of the days are stored (`… WHERE reading_time IS NULL AND period_number IS NULL`), inserts and updates by
/// id what this says, and commits. Half-hours are not looked at, neither changed nor added to.
struct DailyMerge {
    /// A meter's day.
    struct Day: Hashable {
        /// The meter's id in the database.
        var meterID: Int
        var date: CalendarDate
    }

    /// A daily reading in the database.
    struct Stored {
        /// The id of its row.
        var id: Int
        var type: ReadingType
    }

    /// The readings to insert.
    private(set) var inserts: [Reading] = []

    /// The readings to store in rows that are there.
    private(set) var updates: [(id: Int, reading: Reading)] = []

    /// The readings that were there already, or came twice.
    private(set) var duplicates = 0

    /// Decides on a chunk's readings: the last one wins, but an estimate never replaces an actual reading.
    ///
    /// - Parameters:
    ///   - readings: The readings, in the order of the file.
    ///   - meterIDs: The ids of the chunk's meters in the database.
    ///   - stored: The daily readings that the database has of these meters and days.
    init(_ readings: [Reading], meterIDs: [Int], stored: [Day: Stored]) {
        var places: [Day: Int] = [:]
        var winners: [(day: Day, reading: Reading)] = []
        for reading in readings {
            let day = Day(meterID: meterIDs[reading.meter], date: reading.date)
            if let place = places[day] {
                duplicates += 1
                if reading.type.replaces(winners[place].reading.type) { winners[place].reading = reading }
            } else {
                places[day] = winners.count
                winners.append((day, reading))
            }
        }
        for (day, reading) in winners {
            guard let row = stored[day] else {
                inserts.append(reading)
                continue
            }
            duplicates += 1
            if reading.type.replaces(row.type) { updates.append((row.id, reading)) }
        }
    }
}

extension ReadingType {
    /// Whether a later reading of this type replaces an earlier one: an estimate never replaces an actual reading.
    func replaces(_ earlier: ReadingType) -> Bool { !(self == .estimated && earlier == .actual) }
}
