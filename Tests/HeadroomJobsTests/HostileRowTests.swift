import Glibc
import Headroom
import TestSupport
import Testing

@testable import HeadroomJobs

/// Whoever may write to the queue's tables can neither stop the queue nor fill the memory with a row.
@Suite(.sandbox()) struct HostileRowTests {
    private let folder = TemporaryFolder()

    private func query(_ database: Database, _ statement: SQL) async throws {
        try await database.withConnection { _ = try await $0.query(statement) }
    }

    @Test func `numbers at their extremes and texts of any size do not stop the queue`() async throws {
        try await withQueue("extremes") { queue, database in
            // As a host may have its table.
            try await query(
                database,
                """
                ALTER TABLE import_jobs MODIFY filename LONGTEXT, MODIFY file_path LONGTEXT, MODIFY metadata LONGTEXT,
                  MODIFY batch_id VARCHAR(500), MODIFY error_message LONGTEXT, MODIFY summary LONGTEXT,
                  MODIFY total_rows BIGINT, MODIFY processed_rows BIGINT, MODIFY imported_rows BIGINT,
                  MODIFY failed_rows BIGINT UNSIGNED, MODIFY retry_count BIGINT, MODIFY max_retries BIGINT UNSIGNED
                """
            )
            let id = try await queue.add(job("/a.csv"), batchID: "b")
            for (number, unsigned) in [("9223372036854775807", "18446744073709551615"), ("-9223372036854775808", "0")] {
                try await query(
                    database,
                    """
                    UPDATE import_jobs SET total_rows = \(SQL(raw: number)), processed_rows = \(SQL(raw: number)),
                      imported_rows = \(SQL(raw: number)), failed_rows = \(SQL(raw: unsigned)),
                      retry_count = \(SQL(raw: number)), max_retries = \(SQL(raw: unsigned)), status = 'queued'
                    """
                )
                let found = try #require(try await queue.job(id))
                for count in [found.counts.processed, found.counts.imported, found.counts.failed, found.retries] {
                    #expect((0...Int(UInt32.max)).contains(count))
                }
                #expect(try await queue.claim()?.id == id)
                #expect(try await queue.list().count == 1)
                #expect(try await queue.health().numbers.processing == 1)
                try await queue.handOver(id, process: 1)
                #expect(try await queue.claimed() != nil, "taken over, or failed")
                try await query(database, "DELETE FROM headroom_leases")
            }
            try await query(
                database,
                """
                UPDATE import_jobs SET filename = REPEAT('f', 4000000), file_path = REPEAT('/p', 2000000),
                  metadata = REPEAT('[', 4000000), error_message = REPEAT('e', 4000000), summary = REPEAT('s', 4000000)
                """
            )
            let found = try #require(try await queue.job(id))
            #expect(found.filename.utf8.count == 255 && found.path.utf8.count == 4096)
            #expect(found.metadata?.utf8.count == 65_537 && found.summary?.utf8.count == 65_536)
            #expect(found.errorMessage?.utf8.count == 16_000)
        }
    }

    @Test func `a job that has been tried as often as the column holds is still taken over and tried again`()
        async throws
    {
        try await withQueue("most_tries") { queue, database in
            let id = try await queue.add(job("/a.csv"), batchID: "b")
            try await query(database, "UPDATE import_jobs SET retry_count = 4294967295, max_retries = 4294967295")
            #expect(try await queue.claim()?.id == id)
            try await query(database, "UPDATE headroom_leases SET fruitless = 4294967295")
            try await queue.handOver(id, process: 1)
            #expect(try await queue.claimed() != nil)
            let next = try await queue.add(job("/b.csv"), batchID: "c")
            #expect(try await queue.claim()?.id == next)
        }
    }

    @Test func `pruning deletes files only in the folders, and none that another job names by any path`() async throws {
        try await withQueue("prune_files") { queue, database in
            for name in ["in", "out"] { mkdir("\(folder.path)/\(name)", 0o755) }
            symlink("\(folder.path)/in", "\(folder.path)/alias")
            symlink("\(folder.path)/out", "\(folder.path)/in/way")
            for name in ["in/old.csv", "in/shared.csv", "in/twice.csv", "out/secret.csv"] {
                folder.write("x", to: name)
            }
            let old = [
                "in/old.csv", "in/shared.csv", "in/twice.csv", "alias/twice.csv", "out/secret.csv", "in/way/secret.csv",
                "in/../out/secret.csv", "in/gone.csv",
            ]
            for (index, name) in old.enumerated() {
                _ = try await queue.add(job("\(folder.path)/\(name)"), batchID: "b\(index)")
            }
            try await query(
                database,
                "UPDATE import_jobs SET status = 'completed', completed_at = NOW() - INTERVAL 2 DAY"
            )
            _ = try await queue.add(job("\(folder.path)/alias/shared.csv"), batchID: "open")
            let pruned = try await queue.prune(
                olderThan: .seconds(86_400),
                filesIn: ImportFolders(["\(folder.path)/in"])
            )
            #expect(pruned.jobs == 8 && pruned.files == 2 && pruned.refusedCount == 3)
            func isThere(_ name: String) -> Bool { access("\(folder.path)/\(name)", F_OK) == 0 }
            #expect(!isThere("in/old.csv") && !isThere("in/twice.csv"))
            #expect(isThere("in/shared.csv") && isThere("out/secret.csv"))
            // Without folders nothing is.
            try await query(database, "UPDATE import_jobs SET status = 'failed', completed_at = NOW() - INTERVAL 2 DAY")
            #expect(try await queue.prune(olderThan: .seconds(86_400)).jobs == 1)
            #expect(isThere("in/shared.csv"))
        }
    }

    /// Runs statements in a transaction, and commits them once somebody waits for it.
    private func commitOnceWaitedFor(_ database: Database, _ statement: SQL, _ other: () async throws -> Void)
        async throws
    {
        let (isReady, ready) = AsyncStream.makeStream(of: Void.self)
        async let committed: Void = database.withConnection { connection in
            try await connection.withTransaction {
                try await connection.query(statement)
                let name = try await connection.query("SELECT DATABASE()").first(String.self) ?? ""
                ready.finish()
                let waits = try await eventually {
                    // The server makes the list anew only when nobody has read it for a tenth of a second.
                    try await Task.sleep(for: .milliseconds(150))
                    return try await SuiteServer.administrator()
                        .withConnection { connection in
                            try await connection.number(
                                """
                                SELECT COUNT(*) FROM information_schema.innodb_trx
                                JOIN information_schema.processlist ON id = trx_mysql_thread_id
                                WHERE trx_state = 'LOCK WAIT' AND db = \(name)
                                """
                            )
                        } == 1
                }
                #expect(waits)
            }
        }
        for await _ in isReady {}
        try await other()
        try await committed
    }

    @Test func `a job that is retried while old ones are pruned keeps all that is known of it`() async throws {
        try await withQueue("prune_retried") { queue, database in
            let id = try await queue.add(job("/a.csv"), batchID: "b")
            _ = try await queue.add(job("/b.csv"), batchID: "c")
            try await query(database, "UPDATE import_jobs SET status = 'failed', completed_at = NOW() - INTERVAL 2 DAY")
            try await query(database, "INSERT INTO headroom_rejected_headers (job_id, header) VALUES (\(id), 'h')")
            try await commitOnceWaitedFor(
                database,
                "UPDATE import_jobs SET status = 'queued', completed_at = NULL WHERE id = \(id)"
            ) {
                let pruned = try await queue.prune(olderThan: .seconds(86_400))
                #expect(pruned.jobs == 1)
            }
            #expect(try await queue.rejectedHeader(of: id) == "h")
        }
    }

    @Test func `a file that a new job names while old ones are pruned stays`() async throws {
        try await withQueue("prune_named") { queue, database in
            let path = folder.write("x", to: "a.csv")
            _ = try await queue.add(job(path), batchID: "b")
            try await query(database, "UPDATE import_jobs SET status = 'failed', completed_at = NOW() - INTERVAL 2 DAY")
            try await query(database, "CREATE TABLE more LIKE import_jobs")
            try await query(database, "INSERT INTO more SELECT * FROM import_jobs")
            try await query(database, "UPDATE more SET id = id + 1000, status = 'queued', batch_id = 'c'")
            try await commitOnceWaitedFor(database, "INSERT INTO import_jobs SELECT * FROM more") {
                let pruned = try await queue.prune(olderThan: .seconds(86_400), filesIn: ImportFolders([folder.path]))
                #expect(pruned.jobs == 1 && pruned.files == 0)
            }
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test(arguments: ["A.csv", "á.csv", "a.csv "])
    func `a name that the server takes for another's hides no job that needs the file`(alike: String) async throws {
        try await withQueue("alike_\(alike.utf8.first ?? 0)_\(alike.utf8.count)") { queue, database in
            folder.write("x", to: "a.csv")
            // The server, asked for different names, gives the first of these alone.
            for (index, name) in [alike, "a.csv", "a.csv"].enumerated() {
                _ = try await queue.add(job("\(folder.path)/\(name)"), batchID: "b\(index)")
            }
            try await query(database, "UPDATE import_jobs SET status = 'completed' WHERE batch_id = 'b0'")
            #expect(try await queue.usage(ofFilesNamed: ["a.csv"])["a.csv"] == .needed)
            try await query(
                database,
                "UPDATE import_jobs SET status = 'failed', completed_at = NOW() - INTERVAL 2 DAY WHERE batch_id = 'b2'"
            )
            let pruned = try await queue.prune(olderThan: .seconds(86_400), filesIn: ImportFolders([folder.path]))
            #expect(pruned.jobs == 1 && pruned.files == 0)
            #expect(access("\(folder.path)/a.csv", F_OK) == 0)
        }
    }
}
