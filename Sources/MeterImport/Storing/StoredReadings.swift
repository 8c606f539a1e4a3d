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
            var (count, attempts) = (0, 0)
            while true {
                do {
                    let deleted =
                        try await connection.query(
                            "DELETE FROM meter_readings WHERE import_batch_id = \(batch) ORDER BY id LIMIT 5000"
                        )
                        .affectedRows
                    if deleted == 0 { return count }
                    (count, attempts) = (count + deleted, 0)
                } catch let error as DatabaseError where error.isRetryableTransaction && attempts < 10 {
                    // An import was at the same rows.
                    attempts += 1
                    try await Task.sleep(for: .milliseconds(10 * attempts) * Double.random(in: 0.5...1.5))
                }
            }
        }
    }
}
