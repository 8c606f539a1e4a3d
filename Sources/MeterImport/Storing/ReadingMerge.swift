/// Decides what becomes of a chunk's readings beside those that are stored: the last one wins, but an estimate never
/// replaces an actual reading.
struct ReadingMerge {
    /// A half-hour of a meter, as the table's unique key tells them apart, or a whole day of it.
    struct Key: Hashable {
        var meterID: Int
        var day: Int
        /// What the clock shows, in seconds; 0 for a whole day.
        var seconds: Int32 = 0
        /// 0 for a whole day.
        var period: Int16 = 0
    }

    /// A reading in the database.
    struct Stored {
        /// The id of its row.
        var id: Int
        /// Thousandths of a kWh; `nil` when the row holds more decimals than that.
        var thousandths: Int64?
        var type: ReadingType
    }

    /// The readings to insert.
    private(set) var inserts: [Reading] = []

    /// The rows that hold the same already, and get only their new batch.
    private(set) var same: [Int] = []

    /// The readings to store in rows that are there.
    private(set) var updates: [(id: Int, reading: Reading)] = []

    /// The readings that were there already, or came twice.
    private(set) var duplicates = 0

    /// Decides on a chunk's readings.
    ///
    /// - Parameters:
    ///   - readings: The readings, in the order of the file.
    ///   - meterIDs: The ids of the chunk's meters in the database.
    ///   - repeated: How the table tells the two runs of the repeated hour apart.
    ///   - stored: What the database has of these half-hours or days.
    init(_ readings: [Reading], meterIDs: [Int], repeated: RepeatedTime, stored: [Key: Stored]) {
        var places: [Key: Int] = [:]
        places.reserveCapacity(readings.count)
        var winners: [(key: Key, reading: Reading)] = []
        winners.reserveCapacity(readings.count)
        for reading in readings {
            let key = Key(
                meterID: meterIDs[reading.meter],
                day: reading.date.days,
                seconds: Int32(repeated.seconds(of: reading)),
                period: reading.periodNumber
            )
            if let place = places[key] {
                duplicates += 1
                if reading.type.replaces(winners[place].reading.type) { winners[place].reading = reading }
            } else {
                places[key] = winners.count
                winners.append((key, reading))
            }
        }
        for (key, reading) in winners {
            guard let row = stored[key] else {
                inserts.append(reading)
                continue
            }
            duplicates += 1
            guard reading.type.replaces(row.type) else { continue }
            if row.thousandths == reading.energy.thousandths, row.type == reading.type {
                same.append(row.id)
            } else {
                updates.append((row.id, reading))
            }
        }
    }
}

extension ReadingType {
    /// Whether a later reading of this type replaces an earlier one: an estimate never replaces an actual reading.
    func replaces(_ earlier: ReadingType) -> Bool { !(self == .estimated && earlier == .actual) }
}
