import Headroom

extension JobQueue {
    /// Calls a job off; a worker that has it stops with the chunk in hand, which is not stored.
    ///
    /// - Parameter id: The job's id.
    /// - Returns: Whether it was waiting or being worked on.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func cancel(_ id: Int) async throws -> Bool {
        try await database.withConnection { connection in
            try await connection.untilNotLost {
                try await connection
                    .query(
                        """
                        UPDATE import_jobs SET status = 'cancelled', completed_at = NOW(), retry_at = NULL
                        WHERE id = \(id) AND status IN ('queued', 'processing')
                        """
                    )
                    .affectedRows == 1
            }
        }
    }

    /// Puts a job that has failed or was called off back into the queue; it carries on behind its last commit.
    ///
    /// - Parameter id: The job's id.
    /// - Returns: Whether it had ended so, or was waiting for its next try.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func retry(_ id: Int) async throws -> Bool {
        try await database.withConnection { connection in
            try await connection.untilNotLost {
                try await connection
                    .query(
                        """
                        UPDATE import_jobs
                        SET status = 'queued', retry_at = NULL, retry_count = 0, error_message = NULL, completed_at = NULL,
                            alert_sent = 0
                        WHERE id = \(id) AND (status IN ('failed', 'cancelled') OR status = 'queued' AND retry_at IS NOT NULL)
                        """
                    )
                    .affectedRows == 1
            }
        }
    }

    /// Deletes a job with all that Headroom keeps of it; what it has imported stays.
    ///
    /// - Parameter id: The job's id.
    /// - Returns: Whether there was such a job.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func delete(_ id: Int) async throws -> Bool {
        try await database.withConnection { connection in
            try await connection.untilNotLost {
                try await connection.withTransaction {
                    let deleted = try await connection.query("DELETE FROM import_jobs WHERE id = \(id)").affectedRows
                    try await connection.forgetJobs([id])
                    return deleted == 1
                }
            }
        }
    }

    /// Deletes jobs that ended long ago, a hundred at a time, so that nobody waits for it.
    ///
    /// - Parameter age: How long ago; 30 days by default.
    /// - Returns: How many jobs were deleted, and those of their files that no open job needs.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func prune(olderThan age: Duration = .seconds(30 * 86_400)) async throws -> (jobs: Int, files: [String]) {
        try await database.withConnection { connection in
            var (count, files) = (0, Set<String>())
            while true {
                let old =
                    try await connection.query(
                        """
                        SELECT id, file_path FROM import_jobs
                        WHERE status IN ('completed', 'failed', 'cancelled')
                          AND completed_at < NOW() - INTERVAL \(Int(age.components.seconds)) SECOND
                        ORDER BY id LIMIT 100
                        """
                    )
                    .decode(Int.self, String.self)
                guard !old.isEmpty else { break }
                let ids = old.map(\.0)
                try await connection.untilNotLost {
                    try await connection.withTransaction {
                        try await connection.query(
                            """
                            DELETE FROM import_jobs
                            WHERE id IN (\(list: ids)) AND status IN ('completed', 'failed', 'cancelled')
                            """
                        )
                        try await connection.forgetJobs(ids)
                    }
                }
                count += ids.count
                files.formUnion(old.map(\.1))
            }
            // What the host's pages have deleted by themselves.
            for table in jobTables {
                try await connection.query(
                    """
                    DELETE t FROM \(raw: table) AS t LEFT JOIN import_jobs AS j ON j.id = t.job_id WHERE j.id IS NULL
                    """
                )
            }
            let needed = try await connection.query("SELECT DISTINCT file_path FROM import_jobs").decode(String.self)
            return (count, files.subtracting(needed).sorted())
        }
    }

    /// Notes that somebody was told of a job's failure.
    ///
    /// - Parameter id: The job's id.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func noteAlerted(_ id: Int) async throws {
        try await database.withConnection { connection in
            _ = try await connection.query(
                "UPDATE import_jobs SET alert_sent = 1, alert_sent_at = NOW() WHERE id = \(id)"
            )
        }
    }

    /// Returns the rows of a job that were rejected, in the order of the file, as they are read.
    ///
    /// - Parameters:
    ///   - id: The job's id.
    ///   - body: Is given each row: its line, its content and why it was rejected.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func rejectedRows(of id: Int, _ body: (_ line: Int, _ content: String, _ reason: String) throws -> Void)
        async throws
    {
        try await database.withConnection { connection in
            let rows = try await connection.stream(
                "SELECT line, content, reason FROM headroom_rejected_rows WHERE job_id = \(id) ORDER BY line, id"
            )
            for try await row in rows { try body(row.decode(at: 0), row.decode(at: 1), row.decode(at: 2)) }
        }
    }
}

extension JobQueue {
    /// Returns what a job's rejected rows need to be a file again, in the words of the handler that rejected them.
    ///
    /// - Parameter id: The job's id.
    /// - Returns: What was kept; `nil` when no row was rejected.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func rejectedHeader(of id: Int) async throws -> String? {
        try await database.withConnection { connection in
            try await connection.query("SELECT header FROM headroom_rejected_headers WHERE job_id = \(id)")
                .first(String.self)
        }
    }
}

/// What Headroom keeps of jobs beside their own rows.
private let jobTables = [
    "headroom_leases", "headroom_sightings", "headroom_checkpoints", "headroom_rejected_rows",
    "headroom_rejected_headers",
]

extension Connection {
    /// Drops what Headroom keeps of jobs beside their own rows.
    func forgetJobs(_ ids: [Int]) async throws {
        for table in jobTables {
            try await query("DELETE FROM \(raw: table) WHERE job_id IN (\(list: ids))")
        }
    }
}
