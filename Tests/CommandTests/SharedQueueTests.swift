import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The queue is not the worker's alone: the host's pages, workers of other hosts and people at the command line use it too.
@Suite(.sandbox()) struct SharedQueueTests {
    private let folder = TemporaryFolder()

    private func queue(_ name: String) async throws -> DrillQueue {
        try await DrillQueue(name, in: SuiteServer.sandbox)
    }

    private func file(_ rows: Int) -> String {
        folder.write(DrillFiles.interval(rows: rows), to: "i\(rows).csv")
    }

    private func begun(_ job: Int, _ queue: DrillQueue) async throws {
        try #require(try await eventually { try await queue.rows(job) >= 2000 })
    }

    @Test func `of a job that has failed for good everybody is told, and that is noted`() async throws {
        let queue = try await queue("alerts")
        let told = "\(folder.path)/told"
        folder.write("#!/bin/sh\ncat > \(folder.path)/mail\n", to: "sendmail", mode: 0o755)
        let server = try OneRequestServer()
        let job = try await queue.insert("\(folder.path)/none.csv", batch: "lost")
        let run = try await HeadroomProgram.run(
            [
                "work", "--once", "--mail-to", "ops@example.org", "--alert-command",
                "echo \"$HEADROOM_ALERT $HEADROOM_JOB_ID $HEADROOM_MESSAGE\" > \(told)",
            ],
            environment: queue.environment
                .merging(
                    [
                        "HEADROOM_WEBHOOK": "http://127.0.0.1:\(server.port)/hook",
                        "PATH": "\(folder.path):/usr/bin:/bin",
                    ]
                ) { $1 }
        )
        #expect(run.status == 1, "\(run.errors)")
        #expect(GuardTests.text(told).hasPrefix("job_failed \(job) Job \(job) (lost.csv) failed for good: "))
        let mail = GuardTests.text("\(folder.path)/mail")
        #expect(mail.hasPrefix("To: ops@example.org\nSubject: [headroom] job \(job) failed: lost.csv\n"), "\(mail)")
        #expect(mail.contains("next: ") && mail.contains("job_file: lost.csv\n"))
        #expect(server.request().contains("\"job_id\":\"\(job)\""))
        #expect(try await queue.number("SELECT alert_sent FROM import_jobs WHERE id = \(job)") == 1)
    }

    @Test func `a job of which nobody could be told is not noted as told, and that is said`() async throws {
        let queue = try await queue("untold")
        let job = try await queue.insert("\(folder.path)/none.csv", batch: "lost")
        let run = try await HeadroomProgram.run(
            ["work", "--once", "--alert-command", "exit 3"],
            environment: queue.environment
        )
        #expect(run.errors.contains("nobody was told by command of a job that failed"), "\(run.errors)")
        #expect(try await queue.number("SELECT alert_sent FROM import_jobs WHERE id = \(job)") == 0)
    }

    @Test func `what the host's pages do to a job takes effect within a chunk`() async throws {
        let queue = try await queue("pages")
        let path = file(60_000)
        // Only the columns without a default, and what its file is.
        let job = Int(
            try await queue.query(
                """
                INSERT INTO import_jobs (batch_id, filename, file_path, import_type, metadata)
                VALUES ('b1', 'f.csv', \(path), 'hh', \(DrillFiles.options))
                """
            )
            .lastInsertID
        )
        let worker = try queue.start(["--poll", "1"])
        try await begun(job, queue)
        var polls = Set<Int>()
        // Until the counts have been seen to move.
        for _ in 0..<1_000 where polls.count < 3 {
            let start = ContinuousClock.now
            let row =
                try await queue.query(
                    "SELECT processed_rows, imported_rows, failed_rows, total_rows FROM import_jobs WHERE id = \(job)"
                )
                .first(Int.self, Int.self, Int.self, Int.self)
            #expect(ContinuousClock.now - start < .seconds(5))
            let (processed, imported, failed, total) = try #require(row)
            #expect(processed == imported + failed)
            #expect(total > 50_000 && total < 70_000)
            polls.insert(processed)
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(polls.count > 1)
        try await queue.query("UPDATE import_jobs SET status = 'cancelled', completed_at = NOW() WHERE id = \(job)")
        let atOnce = try await contents(queue)
        #expect(try await eventually { try await queue.number("SELECT COUNT(*) FROM headroom_leases") == 0 })
        #expect(try await queue.status(job) == "cancelled")
        #expect(try await contents(queue) == atOnce)

        // Queued again by a page, it carries on; deleted by one, it is gone with what was kept beside it.
        try await queue.query("UPDATE import_jobs SET status = 'queued', completed_at = NULL WHERE id = \(job)")
        let rows = try await queue.rows(job)
        #expect(try await eventually { try await queue.rows(job) >= rows + 1000 })
        try await queue.query("DELETE FROM import_jobs WHERE id = \(job)")
        let left = try await contents(queue)
        for table in ["headroom_leases", "headroom_checkpoints", "headroom_rejected_rows"] {
            #expect(
                try await eventually { try await queue.number("SELECT COUNT(*) FROM \(raw: table)") == 0 },
                "\(table)"
            )
        }
        #expect(try await contents(queue) == left)

        // A job that failed is put back by an update, and its file is there by now.
        let second = try await queue.insert("\(folder.path)/late.csv", type: "daily", batch: "b2")
        #expect(try await eventually { try await queue.status(second) == "failed" })
        folder.write(DrillFiles.daily(rows: 40), to: "late.csv")
        try await queue.query(
            "UPDATE import_jobs SET status = 'queued', error_message = NULL, retry_count = 0 WHERE id = \(second)"
        )
        #expect(try await eventually { try await queue.status(second) == "completed" })
        worker.signal(SIGTERM)
        #expect(try await worker.ended() == 0)
    }

    private func contents(_ queue: DrillQueue) async throws -> Int {
        try await queue.number("SELECT COUNT(*) FROM meter_readings")
    }

    @Test func `two hosts work on one queue, and each job is done once`() async throws {
        let queue = try await queue("two_hosts")
        let plain = try await self.queue("two_hosts_plain")
        for index in 0..<12 {
            let text = DrillFiles.daily(rows: 60).split(separator: "\n")
                .map { $0.hasPrefix("DY") ? "H\(index)\($0)" : String($0) }.joined(separator: "\n")
            let path = folder.write(text, to: "d\(index).csv")
            for queue in [queue, plain] { try await queue.insert(path, type: "daily", batch: "b\(index)") }
        }
        #expect(try await plain.work("--limit", "100").status == 0)
        // Each with a state folder of its own, and so with a lock of its own.
        let folders = ["\(folder.path)-one", "\(folder.path)-two"]
        let logs = folders.map { "\($0).log" }
        let workers = try (0..<2)
            .map {
                try queue.start(["--once", "--limit", "100"], output: logs[$0], ["HEADROOM_STATE_DIR": folders[$0]])
            }
        for worker in workers { #expect(try await worker.ended() == 0) }
        let found = try await queue.contents()
        let expected = try await plain.contents()
        #expect(found == expected)
        var done = 0
        for log in logs {
            let text = try await HeadroomProgram.run("/bin/cat", [log]).output
            done += text.split(separator: "\n").count { $0.contains(": completed in") }
        }
        #expect(done == 12)
        _ = try await HeadroomProgram.run("/bin/rm", ["-rf"] + folders + logs)
    }

    @Test func `a worker that was stopped beyond its lease can commit nothing`() async throws {
        let queue = try await queue("stopped_host")
        let plain = try await self.queue("stopped_plain")
        let path = file(40_000)
        let job = try await queue.insert(path, batch: "b")
        try await plain.insert(path, batch: "b")
        #expect(try await plain.work().status == 0)
        let states = ["\(folder.path)-a", "\(folder.path)-b"]
        let logs = states.map { "\($0).log" }
        let stopped = try queue.start(output: logs[0], ["HEADROOM_STATE_DIR": states[0]])
        try await begun(job, queue)
        // As another host sees it, half a minute later. It is stopped where it does not hold the job's row, which nobody
        // could take then; its session stays, and so it finds out by its next commit alone.
        let isStopped = try await eventually {
            stopped.signal(SIGSTOP)
            do {
                try await queue.query(
                    """
                    UPDATE headroom_leases SET host = 'elsewhere', expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND
                    WHERE job_id = (SELECT id FROM import_jobs FOR UPDATE NOWAIT)
                    """
                )
                return true
            } catch let error as DatabaseError where error.isRetryableTransaction {
                stopped.signal(SIGCONT)
                return false
            }
        }
        #expect(isStopped)
        let other = try queue.start(output: logs[1], ["HEADROOM_STATE_DIR": states[1]])
        #expect(try await eventually { try await queue.number("SELECT retry_count FROM import_jobs") == 1 })
        stopped.signal(SIGCONT)
        #expect(try await stopped.ended() == 0)
        #expect(try await other.ended() == 0)
        let told = try await HeadroomProgram.run("/bin/cat", [logs[0]]).output
        #expect(told.contains("taken over by another worker"), "\(told)")
        let (found, expected) = (try await queue.contents(), try await plain.contents())
        #expect(found.count == expected.count)
        let firstDifference = zip(found, expected).first { $0 != $1 }
        #expect(firstDifference == nil)
        _ = try await HeadroomProgram.run("/bin/rm", ["-rf"] + states + logs)
    }

    @Test func `two imports that meet the same unknown meters make them once`() async throws {
        for round in 0..<(isFullRun ? 20 : 3) {
            let queue = try await queue("race_meters\(round)")
            for file in 0..<2 {
                let text = "mpan,date,value\n" + (0..<300).map { "R\($0),2024-01-0\(file + 1),1\n" }.joined()
                try await queue.insert(folder.write(text, to: "r\(file).csv"), type: "daily", batch: "b\(file)")
            }
            let workers = try (0..<2)
                .map { try queue.start(["--once", "--limit", "1", "--queue", "race\(round)-\($0)"]) }
            for worker in workers { #expect(try await worker.ended() == 0) }
            for (table, count) in [("meters", 300), ("sites", 1), ("companies", 1), ("meter_readings", 600)] {
                let found = try await queue.number("SELECT COUNT(*) FROM \(raw: table)")
                #expect(found == count, "\(table)")
            }
            let summaries = try await queue.texts("SELECT JSON_EXTRACT(summary, '$.meters_created') FROM import_jobs")
            #expect(summaries.compactMap { Int($0) }.reduce(0, +) == 300)
        }
    }

    @Test func `a job deleted with its readings while a worker is at it leaves none`() async throws {
        let queue = try await queue("race_delete")
        let path = file(60_000)
        for round in 0..<(isFullRun ? 40 : 5) {
            let job = try await queue.insert(path, batch: "b\(round)")
            let worker = try queue.start(["--once", "--queue", "delete"])
            #expect(try await eventually { try await queue.rows(job) > 0 })
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...150)))
            let run = try await HeadroomProgram.run(
                ["jobs", "delete", "\(job)", "--with-readings"],
                environment: queue.environment
            )
            #expect(run.status == 0, "\(run.errors)")
            #expect(try await worker.ended() == 0)
            for table in [
                "meter_readings", "headroom_rejected_rows", "headroom_checkpoints", "headroom_leases", "import_jobs",
            ] {
                let left = try await queue.number("SELECT COUNT(*) FROM \(raw: table)")
                #expect(left == 0, "\(table), round \(round): \(run.output)")
            }
        }
    }
}
