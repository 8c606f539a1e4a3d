import Headroom

extension JobQueue {
    /// Calls a job off; a worker that has it stops with the chunk in hand, which is not stored.
    ///
    /// - Parameter id: The job's id.
    /// - Returns: Whether it was waiting or being worked on.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func cancel(_ id: Int) async throws -> Bool {
        try await database.withBriefConnection { connection in
            try await RetryPolicy.run {
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
        try await database.withBriefConnection { connection in
            try await RetryPolicy.run {
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
        try await database.withBriefConnection { connection in
            try await RetryPolicy.run {
                try await connection.withTransaction {
                    let deleted = try await connection.query("DELETE FROM import_jobs WHERE id = \(id)").affectedRows
                    try await connection.forgetJobs([id])
                    return deleted == 1
                }
            }
        }
    }

    /// What was deleted with jobs that ended long ago.
    public struct Pruned: Sendable {
        /// How many jobs.
        public var jobs = 0
        /// How many files.
        public var files = 0
        /// Files that were not deleted, each with why; the first 20 of them.
        package var refused: [RefusedFile] = []
        /// How many files were not deleted.
        public var refusedCount = 0

        fileprivate mutating func note(_ file: RefusedFile) {
            refusedCount += 1
            if refused.count < 20 { refused.append(file) }
        }
    }

    /// Deletes jobs that ended long ago, a hundred at a time, so that nobody waits for it.
    ///
    /// - Parameters:
    ///   - age: How long ago; 30 days by default.
    ///   - folders: Where their files are deleted too, but for those that another job names; `nil`, the default, for nowhere.
    /// - Returns: What was deleted.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func prune(olderThan age: Duration = .seconds(30 * 86_400), filesIn folders: ImportFolders? = nil)
        async throws -> Pruned
    {
        try await database.withConnection { connection in
            var pruned = Pruned()
            var isMore = true
            while isMore {
                isMore = try await connection.within(connection.answerTimeout) {
                    let old =
                        try await connection.query(
                            """
                            SELECT id, LEFT(file_path, 4096) FROM import_jobs
                            WHERE status IN ('completed', 'failed', 'cancelled')
                              AND completed_at < NOW() - INTERVAL \(Int(age.components.seconds)) SECOND
                            ORDER BY id LIMIT 100
                            """
                        )
                        .decode(Int.self, String.self)
                    guard !old.isEmpty else { return false }
                    let ids = old.map(\.0)
                    var files: [String: FileNumber] = [:]
                    for path in folders == nil ? [] : Set(old.map(\.1)) {
                        do throws(RefusedFile) {
                            files[path] = try folders?.identity(of: path)
                        } catch {
                            pruned.note(error)
                        }
                    }
                    pruned.jobs += try await RetryPolicy.run {
                        try await connection.withTransaction {
                            // Somebody may have retried one of them since.
                            let ended =
                                try await connection.query(
                                    """
                                    SELECT id FROM import_jobs
                                    WHERE id IN (\(list: ids)) AND status IN ('completed', 'failed', 'cancelled') FOR UPDATE
                                    """
                                )
                                .decode(Int.self)
                            guard !ended.isEmpty else { return 0 }
                            try await connection.query("DELETE FROM import_jobs WHERE id IN (\(list: ended))")
                            try await connection.forgetJobs(ended)
                            return ended.count
                        }
                    }
                    if let folders { try await connection.delete(files, in: folders, &pruned) }
                    return true
                }
            }
            // What the host's pages have deleted by themselves.
            try await connection.within(connection.answerTimeout) {
                for table in jobTables {
                    try await connection.query(
                        """
                        DELETE t FROM \(raw: table) AS t LEFT JOIN import_jobs AS j ON j.id = t.job_id WHERE j.id IS NULL
                        """
                    )
                }
            }
            return pruned
        }
    }

    /// Deletes a file that a job named, when no other job names it; the job's row is gone by then.
    ///
    /// - Parameters:
    ///   - path: The path in the job's row.
    ///   - folders: Where files may be deleted.
    /// - Returns: Whether it was deleted.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func deleteFile(_ path: String, in folders: ImportFolders) async throws -> Bool {
        guard let number = try? folders.identity(of: path) else { return false }
        return try await database.withBriefConnection { connection in
            var pruned = Pruned()
            try await connection.delete([path: number], in: folders, &pruned)
            return pruned.files == 1
        }
    }

    /// Whether jobs need a file.
    package enum FileUse: Sendable {
        /// A job that is not completed names it.
        case needed
        /// Only completed jobs name it.
        case done
    }

    /// Returns which of some files jobs name, by the last name of their paths.
    ///
    /// - Parameter names: The files' names.
    /// - Returns: How those are used that any job names.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    package func usage(ofFilesNamed names: [String]) async throws -> [String: FileUse] {
        try await database.withBriefConnection { connection in
            var usage: [String: FileUse] = [:]
            for start in stride(from: 0, to: names.count, by: 200) {
                let some = Array(names[start..<min(start + 200, names.count)])
                // By bytes: the column takes A for a, and would give one of the two for both.
                let found = try await connection.query(
                    """
                    SELECT MIN(LEFT(SUBSTRING_INDEX(file_path, '/', -1), 300)), MAX(status <> 'completed')
                    FROM import_jobs WHERE SUBSTRING_INDEX(file_path, '/', -1) IN (\(list: some))
                    GROUP BY CAST(LEFT(SUBSTRING_INDEX(file_path, '/', -1), 300) AS BINARY)
                    """
                )
                for (name, isNeeded) in try found.decode(String.self, Bool.self) {
                    usage[name] = isNeeded ? .needed : .done
                }
            }
            return usage
        }
    }

    /// Notes that somebody was told of a job's failure.
    ///
    /// - Parameter id: The job's id.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func noteAlerted(_ id: Int) async throws {
        try await database.withBriefConnection { connection in
            _ = try await connection.query(
                "UPDATE import_jobs SET alert_sent = 1, alert_sent_at = NOW() WHERE id = \(id)"
            )
        }
    }

    /// Returns the rows of a job that were rejected, in the order of the file, as they are read.
    ///
    /// - Parameters:
    ///   - id: The job's id.
    ///   - limit: The most rows; all by default.
    ///   - body: Is given each row: its line, its content and why it was rejected.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func rejectedRows(
        of id: Int,
        limit: Int = .max,
        _ body: (_ line: Int, _ content: String, _ reason: String) throws -> Void
    ) async throws {
        try await database.withConnection { connection in
            // A row of a file is not longer: see the reader's bound.
            let rows = try await connection.stream(
                """
                SELECT LEAST(line, 9223372036854775807) DIV 1, LEFT(content, 65537), LEFT(reason, 500)
                FROM headroom_rejected_rows WHERE job_id = \(id) ORDER BY line, id LIMIT \(limit)
                """,
                timeout: connection.answerTimeout
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
        try await database.withBriefConnection { connection in
            try await connection.query(
                "SELECT LEFT(header, 524288) FROM headroom_rejected_headers WHERE job_id = \(id)"
            )
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
    /// Deletes files in folders that no job names any more.
    ///
    /// Another job may name the same file by another path, so files are compared, not their paths; the last name of both is
    /// the same, as no link is followed there. In a transaction that locks what it reads, so that no job that names one of
    /// them is added before it is gone.
    fileprivate func delete(_ files: [String: FileNumber], in folders: ImportFolders, _ pruned: inout JobQueue.Pruned)
        async throws
    {
        guard !files.isEmpty else { return }
        let before = pruned
        try await RetryPolicy.run {
            pruned = before
            try await withTransaction { try await deleteInTransaction(files, in: folders, &pruned) }
        }
    }

    private func deleteInTransaction(
        _ files: [String: FileNumber],
        in folders: ImportFolders,
        _ pruned: inout JobQueue.Pruned
    ) async throws {
        let names = Set(
            files.keys.map { $0.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } ?? "" }
        )
        var unneeded = files
        // By bytes: the column takes A for a, and would give one of the two for both.
        let others = try await stream(
            """
            SELECT MIN(LEFT(file_path, 4096)) FROM import_jobs
            WHERE SUBSTRING_INDEX(file_path, '/', -1) IN (\(list: names.sorted()))
            GROUP BY CAST(LEFT(file_path, 4096) AS BINARY) LOCK IN SHARE MODE
            """
        )
        for try await other in others where !unneeded.isEmpty {
            let path = try other.decode(String.self)
            let number = (try? folders.identity(of: path)) ?? nil
            unneeded = unneeded.filter { $0.key != path && $0.value != number }
        }
        for (path, number) in unneeded.sorted(by: { $0.key < $1.key }) {
            do throws(RefusedFile) {
                if try folders.delete(path, number) { pruned.files += 1 }
            } catch {
                pruned.note(error)
            }
        }
    }

    /// Drops what Headroom keeps of jobs beside their own rows.
    func forgetJobs(_ ids: [Int]) async throws {
        for table in jobTables {
            try await query("DELETE FROM \(raw: table) WHERE job_id IN (\(list: ids))")
        }
    }
}
