public import Headroom

/// The readings that imports have stored.
public enum StoredReadings {
    /// Deletes the readings of a batch, some thousand at a time, so that nobody waits for it.
    ///
    /// - Parameters:
    ///   - batch: The batch of the job that stored them.
    ///   - database: The database.
    /// - Returns: How many there were.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public static func delete(batch: String, _ database: Database) async throws -> Int {
        try await database.withConnection { connection in
            var count = 0
            while true {
                // An import may be at the same rows.
                let deleted = try await RetryPolicy.run {
                    try await connection.query(
                        "DELETE FROM meter_readings WHERE import_batch_id = \(batch) ORDER BY id LIMIT 5000"
                    )
                    .affectedRows
                }
                if deleted == 0 { return count }
                count += deleted
            }
        }
    }
}
