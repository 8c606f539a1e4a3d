import Headroom
import TestSupport
import Testing

@testable import HeadroomJobs

/// The queue on the host application's table.
@Suite(.sandbox()) struct QueueTests {
    /// A database of its own for one test, with the tables in it.
    private func withQueue(
        _ name: String,
        _ body: (JobQueue, Database) async throws -> Void
    ) async throws {
        try await SuiteServer.administrator()
            .withConnection { connection in
                try await connection.query("CREATE DATABASE \(raw: name)")
                try await connection.query("GRANT ALL PRIVILEGES ON \(raw: name).* TO app@'%'")
            }
        var settings = try SuiteServer.settings()
        settings.database = name
        let database = Database(settings)
        _ = try await Migration(JobsSchema.tables).run(on: database)
        try await body(JobQueue(database), database)
    }

    /// A job; the space in its metadata is MySQL's, which writes JSON its own way.
    private func job(_ path: String, _ priority: ImportJob.Priority = .normal, type: String = "hh") -> NewJob {
        NewJob(filename: path, path: path, type: type, priority: priority, metadata: #"{"mpan": "1"}"#)
    }

    @Test func `a queued job comes back as it was put in`() async throws {
        try await withQueue("roundtrip") { queue, _ in
            let id = try await queue.add(job("/a.csv", .high), batchID: "batch-1")
            let found = try #require(try await queue.job(id))
            #expect(found.path == "/a.csv")
            #expect(found.status == .queued)
            #expect(found.priority == .high)
            #expect(found.batchID == "batch-1")
            #expect(found.metadata == #"{"mpan": "1"}"#)
            #expect(try await queue.job(id + 1) == nil)
        }
    }

    @Test func `the most urgent job comes first, of those the oldest, and each only once`() async throws {
        try await withQueue("ordering") { queue, _ in
            for (index, priority) in [ImportJob.Priority.low, .normal, .high, .normal].enumerated() {
                _ = try await queue.add(job("/\(index)", priority), batchID: "b\(index)")
            }
            var claimed: [String] = []
            while let job = try await queue.claimNext(types: ["hh"]) {
                #expect(job.status == .processing)
                #expect(job.startedAt != nil)
                claimed.append(job.path)
            }
            #expect(claimed == ["/2", "/1", "/3", "/0"])
        }
    }

    @Test func `a job of another kind, or one that must wait, is left alone`() async throws {
        try await withQueue("others") { queue, database in
            _ = try await queue.add(job("/daily", type: "daily"), batchID: "b1")
            let later = try await queue.add(job("/later"), batchID: "b2")
            try await database.withConnection {
                try await $0.query("UPDATE import_jobs SET retry_at = NOW() + INTERVAL 1 HOUR WHERE id = \(later)")
            }
            #expect(try await queue.claimNext(types: ["hh"]) == nil)
        }
    }

    @Test func `while one claim's transaction is open another worker gets the next job, and pages go on`() async throws
    {
        try await withQueue("unlocked") { queue, database in
            let first = try await queue.add(job("/1"), batchID: "b1")
            let second = try await queue.add(job("/2"), batchID: "b2")
            try await database.withConnection { holder in
                try await holder.query("START TRANSACTION")
                try await holder.query("UPDATE import_jobs SET status = 'processing' WHERE id = \(first)")
                // A page cancels the other job and queues a third, at once.
                try await database.withConnection {
                    try await $0.query("SET SESSION innodb_lock_wait_timeout = 1")
                    try await $0.query("UPDATE import_jobs SET notes = 'seen' WHERE id = \(second)")
                }
                _ = try await queue.add(job("/3"), batchID: "b3")
                try await holder.query("ROLLBACK")
            }
            #expect(try await queue.claimNext(types: ["hh"])?.path == "/1")
        }
    }

    @Test func `many workers at once claim each job exactly once`() async throws {
        try await withQueue("race") { queue, _ in
            for index in 0..<30 { _ = try await queue.add(job("/\(index)"), batchID: "b\(index)") }
            let claimed = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        var mine: [Int] = []
                        while let job = try await queue.claimNext(types: ["hh"]) { mine.append(job.id) }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 30)
            #expect(Set(claimed).count == 30)
        }
    }

    @Test func `a job that was cancelled meanwhile stays cancelled`() async throws {
        try await withQueue("cancelled") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b1")
            let claimed = try #require(try await queue.claimNext(types: ["hh"]))
            try await database.withConnection {
                try await $0.query("UPDATE import_jobs SET status = 'cancelled' WHERE id = \(id)")
            }
            try await queue.end(claimed, .completed(summary: "{}"))
            #expect(try await queue.job(id)?.status == .cancelled)
        }
    }

    private struct TestHandler: JobHandler {
        struct Broken: Error {}

        let types: Set<String> = ["hh"]

        func run(_ job: ImportJob, progress: (JobProgress) -> Void) async throws -> JobOutcome {
            switch job.path {
            case "/broken": throw Broken()
            case "/endless":
                try await Task.sleep(for: .seconds(60))
                return .completed(summary: "{}")
            default: return .completed(summary: #"{"ok":1}"#)
            }
        }
    }

    @Test func `a job that fails keeps its reason and does not stop the others`() async throws {
        try await withQueue("failing") { queue, _ in
            let broken = try await queue.add(job("/broken"), batchID: "b1")
            let fine = try await queue.add(job("/fine"), batchID: "b2")
            let worked = try await Worker(queue: queue, handler: TestHandler()).runOnce { _ in }
            #expect(worked == 2)
            let failed = try #require(try await queue.job(broken))
            #expect(failed.status == .failed)
            #expect(failed.errorMessage == "Broken()")
            #expect(try await queue.job(fine)?.status == .completed)
        }
    }

    @Test func `a worker that is stopped gives its job back`() async throws {
        try await withQueue("stopped") { queue, _ in
            let id = try await queue.add(job("/endless"), batchID: "b1")
            let worker = Worker(queue: queue, handler: TestHandler())
            let task = Task { try await worker.runOnce { _ in } }
            #expect(try await eventually { try await queue.job(id)?.status == .processing })
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await queue.job(id)?.status == .queued)
        }
    }

    @Test func `the limit of jobs is kept`() async throws {
        try await withQueue("limited") { queue, _ in
            for index in 0..<3 { _ = try await queue.add(job("/\(index)"), batchID: "b\(index)") }
            #expect(try await Worker(queue: queue, handler: TestHandler()).runOnce(limit: 2) { _ in } == 2)
            #expect(try await queue.list(status: .queued).count == 1)
        }
    }
}
