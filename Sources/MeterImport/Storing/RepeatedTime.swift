import Headroom

/// How a readings table tells the two runs of the repeated hour apart, on the day when the clocks are put back.
enum RepeatedTime: Equatable {
    /// By the period's number, as in the host's table.
    case byPeriod
    /// By the time alone: the table has a unique key of meter, day and time, to which both runs are one.
    ///
    /// The second run is then stored one second later, at 01:00:01 and 01:30:01, so that neither is lost; the period's
    /// number says what it is. An import that does so says so in its summary.
    case byTime

    /// Finds out from the columns of the table's unique keys.
    init(uniqueKeys: [[String]]) {
        let collides = uniqueKeys.contains { key in
            key.contains("reading_time") && !key.contains("period_number")
                && key.allSatisfy { ["meter_id", "reading_date", "reading_time"].contains($0) }
        }
        self = collides ? .byTime : .byPeriod
    }

    /// The time under which a half-hour is stored, in seconds since midnight.
    func seconds(of reading: Reading) -> Int {
        Int(reading.seconds) + (self == .byTime && reading.isSecondRun ? 1 : 0)
    }

    /// What the file's owner should know when readings of a second run are stored so.
    static let warning =
        "The table of readings has a unique key without the period: the second 01:00 and 01:30 of the day when the clocks "
        + "go back are stored at 01:00:01 and 01:30:01."
}

extension RepeatedTime {
    /// Finds out from the table itself.
    init(_ connection: Connection) async throws {
        let rows = try await connection.query(
            """
            SELECT INDEX_NAME, LOWER(COLUMN_NAME) FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'meter_readings' AND NON_UNIQUE = 0
            ORDER BY INDEX_NAME, SEQ_IN_INDEX
            """
        )
        var keys: [String: [String]] = [:]
        for (name, column) in try rows.decode(String.self, String.self) { keys[name, default: []].append(column) }
        self.init(uniqueKeys: Array(keys.values))
    }
}
