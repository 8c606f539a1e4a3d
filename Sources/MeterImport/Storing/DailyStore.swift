import Headroom

/// Writes daily readings, which the table's unique key does not keep apart.
enum DailyStore {
    /// Stores a chunk's daily readings, in the transaction with its checkpoint.
    ///
    /// - Parameters:
    ///   - readings: The readings, in the order in which later ones win.
    ///   - meterIDs: The ids of the readings' meters.
    ///   - connection: The connection, after ``ReadingStore/begin(batch:_:)``.
    /// - Returns: How many were new, and how many were not.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    static func store(
        _ readings: [Reading],
        meterIDs: [Int],
        _ connection: Connection
    ) async throws -> ReadingStore.Stored {
        let meters = Set(readings.map { meterIDs[$0.meter] }).sorted()
        guard !meters.isEmpty, let first = readings.map(\.date).min(), let last = readings.map(\.date).max() else {
            return ReadingStore.Stored()
        }
        // One import at a time has a meter's days: what is read below stays true to the commit.
        try await connection.query("SELECT id FROM meters WHERE id IN (\(list: meters)) ORDER BY id FOR UPDATE")
        let rows = try await connection.query(
            """
            SELECT id, meter_id, DATEDIFF(reading_date, '1970-01-01'), reading_type FROM meter_readings
            WHERE meter_id IN (\(list: meters)) AND reading_date BETWEEN \(first.text) AND \(last.text)
              AND reading_time IS NULL AND period_number IS NULL
            """
        )
        var stored: [DailyMerge.Day: DailyMerge.Stored] = [:]
        for (id, meter, days, type) in try rows.decode(Int.self, Int.self, Int.self, String.self) {
            stored[DailyMerge.Day(meterID: meter, date: CalendarDate(days: days))] =
                DailyMerge.Stored(id: id, type: ReadingType(rawValue: type) ?? .actual)
        }
        let merge = DailyMerge(readings, meterIDs: meterIDs, stored: stored)
        if !merge.inserts.isEmpty {
            try await connection.query(SQL(raw: ReadingSQL.dailyInsertion(merge.inserts, meterIDs: meterIDs)))
        }
        for (id, reading) in merge.updates {
            try await connection.query(
                """
                UPDATE meter_readings
                SET reading_value = \(reading.energy.text), reading_type = \(reading.type.rawValue),
                    import_batch_id = @headroom_batch
                WHERE id = \(id)
                """
            )
        }
        return ReadingStore.Stored(new: merge.inserts.count, duplicates: merge.duplicates)
    }
}
