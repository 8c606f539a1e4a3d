public import Headroom

/// The queue of import jobs in the database, on the host application's own table.
///
/// Each call opens a connection of its own and closes it again.
public struct JobQueue: Sendable {
    /// The database with the queue.
    public let database: Database

    /// Creates a queue.
    public init(_ database: Database) {
        self.database = database
    }

    /// A random UUID (RFC 9562, version 4).
    ///
    /// Not Foundation's: where there is no /dev/urandom, as in many a jail, that is all zeros, without a word.
    ///
    /// - Returns: The UUID, in lower case.
    public static func randomBatchID() -> String {
        var random = SystemRandomNumberGenerator()
        let (high, low) = (random.next() & ~0xF000 | 0x4000, random.next() & ~(3 << 62) | 1 << 63)
        let digits = [high, low]
            .map { word in
                let text = String(word, radix: 16)
                return String(repeating: "0", count: 16 - text.utf8.count) + text
            }
            .joined()
        let ends = [8, 12, 16, 20, 32]
        return zip([0] + ends, ends)
            .map { String(digits.dropFirst($0).prefix($1 - $0)) }
            .joined(separator: "-")
    }

    /// Queues a job.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - batchID: A UUID that no other job has; a random one by default.
    /// - Returns: The job's id.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func add(_ job: NewJob, batchID: String = JobQueue.randomBatchID()) async throws -> Int {
        try await database.withBriefConnection { connection in
            try await RetryPolicy.run {
                let result = try await connection.query(
                    """
                    INSERT INTO import_jobs (batch_id, filename, file_path, import_type, dry_run, priority, metadata)
                    VALUES (\(batchID), \(job.filename), \(job.path), \(job.type), \(job.isDryRun),
                            \(job.priority.rawValue), \(job.metadata))
                    """
                )
                return Int(clamping: result.lastInsertID)
            }
        }
    }

    /// Returns a job.
    ///
    /// - Parameter id: The job's id.
    /// - Returns: The job, or `nil` when there is none with the id.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func job(_ id: Int) async throws -> ImportJob? {
        try await database.withBriefConnection { try await $0.job(id) }
    }

    /// Returns the newest jobs.
    ///
    /// - Parameters:
    ///   - limit: The most jobs to return; 10,000 at most.
    ///   - status: Only those that are this far; `nil` for all.
    /// - Returns: The jobs, the newest first.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func list(limit: Int = 20, status: ImportJob.Status? = nil) async throws -> [ImportJob] {
        try await database.withBriefConnection { connection in
            let filter: SQL = status.map { "WHERE status = \($0.rawValue)" } ?? ""
            return try await connection.jobs("\(filter) ORDER BY id DESC LIMIT \(min(max(limit, 0), 10_000))")
        }
    }
}

extension Connection {
    /// Returns a job, or `nil` when there is none with the id.
    func job(_ id: Int) async throws -> ImportJob? {
        try await jobs("WHERE id = \(id)").first
    }

    /// Returns the jobs that the clause selects.
    ///
    /// Others write these rows, and a host's own table may have wider columns: texts are cut off by the server and numbers
    /// brought within bounds there, so that one row can neither fill the memory nor overflow what is reckoned with it.
    func jobs(_ clause: SQL) async throws -> [ImportJob] {
        try await query(
            """
            SELECT id, LEFT(batch_id, 64) AS batch_id, LEFT(filename, 255) AS filename, LEFT(file_path, 4096) AS file_path,
                   LEFT(import_type, 20) AS import_type, LEFT(status, 20) AS status, COALESCE(dry_run <> 0, 0) AS dry_run,
                   LEFT(priority, 20) AS priority, LEAST(GREATEST(total_rows, 0), 4294967295) DIV 1 AS total_rows,
                   LEAST(GREATEST(COALESCE(processed_rows, 0), 0), 4294967295) DIV 1 AS processed_rows,
                   LEAST(GREATEST(COALESCE(imported_rows, 0), 0), 4294967295) DIV 1 AS imported_rows,
                   LEAST(GREATEST(COALESCE(failed_rows, 0), 0), 4294967295) DIV 1 AS failed_rows,
                   queued_at, started_at, completed_at, LEFT(error_message, 16000) AS error_message,
                   LEAST(GREATEST(COALESCE(retry_count, 0), 0), 1000000) DIV 1 AS retry_count,
                   LEAST(GREATEST(COALESCE(max_retries, 0), 0), 1000000) DIV 1 AS max_retries,
                   retry_at, LEFT(summary, 65536) AS summary, LEFT(metadata, 65537) AS metadata,
                   TIMESTAMPDIFF(SECOND, started_at, COALESCE(completed_at, NOW())) AS elapsed
            FROM import_jobs \(clause)
            """
        )
        .rows.map(ImportJob.init)
    }
}

extension ImportJob {
    fileprivate init(_ row: Row) throws {
        try self.init(
            id: row.decode(column: "id"),
            batchID: row.decode(column: "batch_id"),
            filename: row.decode(column: "filename"),
            path: row.decode(column: "file_path"),
            type: row.decode(column: "import_type"),
            status: Status(rawValue: row.decode(column: "status")) ?? .failed,
            isDryRun: row.decode(column: "dry_run"),
            priority: Priority(rawValue: row.decode(column: "priority")) ?? .normal,
            counts: Counts(
                processed: row.decode(Int.self, column: "processed_rows").asCount,
                imported: row.decode(Int.self, column: "imported_rows").asCount,
                failed: row.decode(Int.self, column: "failed_rows").asCount
            ),
            totalRows: row.decode(Int?.self, column: "total_rows")?.asCount,
            queuedAt: row.decode(column: "queued_at"),
            startedAt: row.decode(column: "started_at"),
            completedAt: row.decode(column: "completed_at"),
            errorMessage: row.decode(column: "error_message"),
            retries: row.decode(Int.self, column: "retry_count").asCount,
            maxRetries: row.decode(Int.self, column: "max_retries").asCount,
            retryAt: row.decode(column: "retry_at"),
            summary: row.decode(column: "summary"),
            metadata: row.decode(column: "metadata"),
            elapsed: row.decode(Int?.self, column: "elapsed").map { .seconds($0.asCount) }
        )
    }
}
