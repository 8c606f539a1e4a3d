public import Headroom
public import HeadroomJobs

/// The readings that imports have stored.
public enum StoredReadings {
    /// How many readings carry a job's batch.
    public struct Count: Sendable, Hashable {
        /// Those that it brought: they go with the job.
        public var own = 0
        /// Those that were there before it, and have its values now: they stay, as they are an earlier job's.
        public var earlier = 0
    }

    /// Counts the readings of a job.
    ///
    /// - Parameters:
    ///   - job: The job that stored them.
    ///   - database: The database.
    /// - Returns: How many deletion would take, and how many it would leave.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public static func count(of job: ImportJob, _ database: Database) async throws -> Count {
        try await database.withConnection { connection in
            let first = try await firstReading(of: job, connection)
            let rows = try await connection.query(
                "SELECT id >= \(first), COUNT(*) FROM meter_readings WHERE import_batch_id = \(job.batchID) GROUP BY 1"
            )
            var count = Count()
            for (isOwn, number) in try rows.decode(Int.self, Int.self) {
                if isOwn == 1 { count.own = number } else { count.earlier = number }
            }
            return count
        }
    }

    /// Deletes the readings that a job brought, some thousand at a time, so that nobody waits for it.
    ///
    /// - Parameters:
    ///   - job: The job that stored them; it must have been cancelled.
    ///   - database: The database.
    /// - Returns: How many there were.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public static func delete(of job: ImportJob, _ database: Database) async throws -> Int {
        try await database.withConnection { connection in
            let first = try await firstReading(of: job, connection)
            var count = 0
            while true {
                // An import may be at the same rows.
                let deleted = try await RetryPolicy.run {
                    try await connection.query(
                        """
                        DELETE FROM meter_readings WHERE import_batch_id = \(job.batchID) AND id >= \(first)
                        ORDER BY id LIMIT 5000
                        """
                    )
                    .affectedRows
                }
                if deleted == 0 { return count }
                count += deleted
            }
        }
    }

    /// The least id that a reading of the job can have which it brought; 0 where that is not known.
    private static func firstReading(of job: ImportJob, _ connection: Connection) async throws -> Int {
        if let summary = job.summary.flatMap(ImportSummary.init(json:)), summary.firstReading > 0 {
            return summary.firstReading
        }
        let checkpoint =
            try await connection.query(
                "SELECT checkpoint FROM headroom_checkpoints WHERE job_id = \(job.id) AND lane = 0"
            )
            .first(String.self)
        guard let read = checkpoint.flatMap(ImportCheckpoint.init(json:)), read.batch == job.batchID else { return 0 }
        return read.summary.firstReading
    }
}
