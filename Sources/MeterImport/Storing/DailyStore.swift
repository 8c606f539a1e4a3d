import Headroom

/// Writes daily readings, which the table's unique key does not keep apart.
///
/// They have neither time nor period, and a unique key takes any number of rows with a `NULL`. So the meters are locked, what
/// is there is read, and rows are changed by their ids. Half-hours are neither changed nor added to.
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
            SELECT id, meter_id, DATEDIFF(reading_date, '1970-01-01'), reading_value, reading_type FROM meter_readings
            WHERE meter_id IN (\(list: meters)) AND reading_date BETWEEN \(first.text) AND \(last.text)
              AND reading_time IS NULL AND period_number IS NULL
            """
        )
        var stored: [ReadingMerge.Key: ReadingMerge.Stored] = [:]
        for row in rows.rows {
            let key = ReadingMerge.Key(meterID: StoredRows.number(row[1]), day: StoredRows.number(row[2]))
            stored[key] = ReadingMerge.Stored(
                id: StoredRows.number(row[0]),
                thousandths: StoredRows.thousandths(row[3]),
                type: StoredRows.type(row[4])
            )
        }
        let merge = ReadingMerge(readings, meterIDs: meterIDs, repeated: .byPeriod, stored: stored)
        for statement in ReadingSQL.changes(merge, meterIDs: meterIDs) {
            try await connection.query(SQL(raw: statement))
        }
        if !merge.inserts.isEmpty {
            let statement = ReadingSQL.insertion(merge.inserts, meterIDs: meterIDs, repeated: .byPeriod)
            try await connection.query(SQL(raw: statement))
        }
        return ReadingStore.Stored(new: merge.inserts.count, duplicates: merge.duplicates)
    }
}
