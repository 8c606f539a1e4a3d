import Headroom
import TestSupport
import Testing

@testable import HeadroomJobs

/// The queue on the host application's table.
@Suite(.sandbox()) struct QueueTests {
    @Test func `batch ids are random UUIDs, and no two are the same`() {
        let ids = (0..<1000).map { _ in JobQueue.randomBatchID() }
        #expect(Set(ids).count == 1000)
        #expect(
            ids.allSatisfy {
                $0.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
            }
        )
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
            while let job = try await queue.claim() {
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
            #expect(try await queue.claim() == nil)
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
            #expect(try await queue.claim()?.path == "/1")
        }
    }

    @Test func `many workers at once claim each job exactly once`() async throws {
        try await withQueue("race") { queue, _ in
            for index in 0..<30 { _ = try await queue.add(job("/\(index)"), batchID: "b\(index)") }
            let claimed = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        var mine: [Int] = []
                        while let job = try await queue.claim() { mine.append(job.id) }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 30)
            #expect(Set(claimed).count == 30)
        }
    }
}
