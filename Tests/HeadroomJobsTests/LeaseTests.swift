import Glibc
import Headroom
import TestSupport
import Testing

@testable import HeadroomJobs

/// A job has one worker at a time, and a dead one's job goes on.
@Suite(.sandbox()) struct LeaseTests {
    private let stop = WorkerStop()

    private func claim(_ queue: JobQueue) async throws -> (ImportJob, Lease)? {
        if case .job(let job, let lease) = try await queue.claimed() { (job, lease) } else { nil }
    }

    private func advance(_ lease: Lease, _ checkpoint: String, rows: Int, on database: Database) async throws {
        try await database.withConnection { connection in
            try await connection.withTransaction {
                try await lease.advance(checkpoint, counts: .init(processed: rows, imported: rows), connection)
            }
        }
    }

    @Test func `a commit writes the counts and where to carry on, and renews the lease`() async throws {
        try await withQueue("advance") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            let (_, lease) = try #require(try await claim(queue))
            try await database.withConnection {
                _ = try await $0.query("UPDATE headroom_leases SET expires_at = UTC_TIMESTAMP(6), fruitless = 2")
            }
            try await advance(lease, "there", rows: 7, on: database)
            #expect(try await queue.job(id)?.counts == ImportJob.Counts(processed: 7, imported: 7))
            let (checkpoint, left) = try await database.withConnection { connection in
                (
                    try await lease.checkpoint(connection),
                    try await connection.number(
                        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at) FROM headroom_leases WHERE fruitless = 0"
                    )
                )
            }
            #expect(checkpoint == "there")
            #expect((25...30).contains(left ?? 0))
        }
    }

    @Test func `a worker that has lost its lease can commit nothing`() async throws {
        try await withQueue("fenced") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            let (_, stale) = try #require(try await claim(queue))
            try await advance(stale, "first", rows: 1, on: database)
            try await queue.handOver(id, process: 1, start: 1)
            let (_, lease) = try #require(try await claim(queue))
            await #expect(throws: LeaseEnded.lost) { try await advance(stale, "stale", rows: 99, on: database) }
            await #expect(throws: LeaseEnded.lost) {
                try await database.withConnection { connection in
                    try await connection.withTransaction {
                        try await stale.advance(lane: 1, "stale", rows: 0, connection)
                    }
                }
            }
            await #expect(throws: LeaseEnded.lost) {
                _ = try await database.withConnection {
                    try await stale.end(.completed(summary: "{}"), until: stop, $0)
                }
            }
            let found = try #require(try await queue.job(id))
            #expect(found.status == .processing)
            #expect(found.counts.processed == 1)
            let checkpoint = try await database.withConnection { try await lease.checkpoint($0) }
            #expect(checkpoint == "first")
        }
    }

    @Test func `a job whose worker has died on this host is taken over at once, which counts as a try`() async throws {
        try await withQueue("died") { queue, _ in
            let id = try await queue.add(job("/1"), batchID: "b")
            _ = try #require(try await claim(queue))
            #expect(try await claim(queue) == nil)
            try await queue.handOver(id, process: Int(getpid()), start: 1)
            let (taken, _) = try #require(try await claim(queue))
            #expect(taken.id == id)
            #expect(taken.retries == 1)
        }
    }

    @Test func `a job of another host is left alone until its lease is over`() async throws {
        try await withQueue("elsewhere") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            _ = try #require(try await claim(queue))
            try await queue.handOver(id, host: "elsewhere", process: 1)
            #expect(try await claim(queue) == nil)
            try await database.withConnection {
                _ = try await $0.query("UPDATE headroom_leases SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
            }
            #expect(try await claim(queue)?.0.id == id)
        }
    }

    @Test func `a job whose worker still runs here is not taken from it, however slow it is`() async throws {
        try await withQueue("slow") { queue, database in
            _ = try await queue.add(job("/1"), batchID: "b")
            _ = try #require(try await claim(queue))
            try await database.withConnection {
                _ = try await $0.query("UPDATE headroom_leases SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 HOUR")
            }
            #expect(try await claim(queue) == nil)
        }
    }

    @Test func `a lease that this very process could not give back is taken back at once, and nobody has died`()
        async throws
    {
        try await withQueue("left_over") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            let (_, lease) = try #require(try await claim(queue))
            #expect(try await claim(queue) == nil)
            LiveLeases.remove(lease.token)
            #expect(try await claim(queue) != nil)
            #expect(try await queue.job(id)?.retries == 0)
            await #expect(throws: LeaseEnded.lost) { try await advance(lease, "x", rows: 1, on: database) }
        }
    }

    @Test func `a job that kills its workers fails with its reason, one that gets on does not`() async throws {
        try await withQueue("poison") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            _ = try #require(try await claim(queue))
            for _ in 0..<3 {
                try await queue.handOver(id, process: 1)
                let (_, lease) = try #require(try await claim(queue))
                try await advance(lease, "on", rows: 1, on: database)
            }
            // It has got on each time; from here on it does not.
            for _ in 0..<3 {
                try await queue.handOver(id, process: 1)
                _ = try #require(try await claim(queue))
            }
            try await queue.handOver(id, process: 1)
            guard case .poisoned(let failed, let reason) = try await queue.claimed() else {
                Issue.record("The job was claimed once more.")
                return
            }
            #expect(failed.status == .failed)
            #expect(failed.errorMessage == reason)
            #expect(reason.contains("4 times"))
            #expect(try await claim(queue) == nil)
        }
    }

    @Test func `a job that was cancelled meanwhile stays cancelled, and its worker hears of it`() async throws {
        try await withQueue("cancelled") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            let (_, lease) = try #require(try await claim(queue))
            #expect(try await queue.cancel(id))
            await #expect(throws: LeaseEnded.calledOff) { try await advance(lease, "x", rows: 1, on: database) }
            _ = try await database.withConnection {
                try await lease.end(.completed(summary: "{}"), until: stop, $0)
            }
            #expect(try await queue.job(id)?.status == .cancelled)
        }
    }

    @Test func `a job that was deleted meanwhile is called off`() async throws {
        try await withQueue("deleted") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            let (_, lease) = try #require(try await claim(queue))
            try await database.withConnection { _ = try await $0.query("DELETE FROM import_jobs WHERE id = \(id)") }
            await #expect(throws: LeaseEnded.calledOff) { try await advance(lease, "x", rows: 1, on: database) }
        }
    }

    /// Has a job be worked on by the host's own worker, which takes no lease.
    private func startElsewhere(_ id: Int, rows: Int, _ database: Database) async throws {
        try await database.withConnection {
            _ = try await $0.query(
                "UPDATE import_jobs SET status = 'processing', started_at = NOW(), processed_rows = \(rows) WHERE id = \(id)"
            )
        }
    }

    private func passTime(minutes: Int, _ database: Database) async throws {
        try await database.withConnection {
            _ = try await $0.query("UPDATE headroom_sightings SET since = since - INTERVAL \(minutes) MINUTE")
        }
    }

    @Test
    func `a job of the host's own worker is adopted when it has not got on for 60 minutes, which counts as a try`()
        async throws
    {
        try await withQueue("stranger") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            try await startElsewhere(id, rows: 10, database)
            #expect(try await claim(queue) == nil)
            try await passTime(minutes: 59, database)
            #expect(try await claim(queue) == nil)
            // It gets on: the hour begins anew.
            try await startElsewhere(id, rows: 11, database)
            try await passTime(minutes: 2, database)
            #expect(try await claim(queue) == nil)
            try await passTime(minutes: 59, database)
            #expect(try await claim(queue) == nil)
            try await passTime(minutes: 2, database)
            let (adopted, lease) = try #require(try await claim(queue))
            #expect(adopted.id == id)
            #expect(adopted.retries == 1)
            try await advance(lease, "on", rows: 1, on: database)
            #expect(try await claim(queue) == nil)
        }
    }

    @Test func `of two workers only one adopts a job`() async throws {
        try await withQueue("strangers") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            try await startElsewhere(id, rows: 1, database)
            #expect(try await claim(queue) == nil)
            try await passTime(minutes: 61, database)
            let claims = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { try await claim(queue) == nil ? 0 : 1 } }
                return try await group.reduce(0, +)
            }
            #expect(claims == 1)
        }
    }

    @Test func `a lease is renewed while something runs that commits nothing`() async throws {
        try await withQueue("renewed") { queue, database in
            _ = try await queue.add(job("/1"), batchID: "b")
            let (_, lease) = try #require(try await claim(queue))
            let isRenewed = try await database.withConnection { connection in
                try await connection.query("UPDATE headroom_leases SET expires_at = UTC_TIMESTAMP(6)")
                return try await lease.whileRenewing(connection, every: .milliseconds(20)) {
                    try await eventually {
                        try await database.withConnection {
                            try await $0.number(
                                "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at) FROM headroom_leases"
                            ) ?? 0 >= 25
                        }
                    }
                }
            }
            #expect(isRenewed)
        }
    }

    @Test func `a worker that has lost its lease meanwhile hears of it, and what it does is cancelled`() async throws {
        try await withQueue("renewed_no_more") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            let (_, lease) = try #require(try await claim(queue))
            try await queue.handOver(id, process: 1)
            _ = try #require(try await claim(queue))
            await #expect(throws: LeaseEnded.lost) {
                try await database.withConnection { connection in
                    try await lease.whileRenewing(connection, every: .milliseconds(20)) {
                        try await Task.sleep(for: .seconds(600))
                    }
                }
            }
        }
    }

    @Test func `times of expiry are the same in every time zone`() async throws {
        try await withQueue("zones") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b")
            try await database.withConnection { connection in
                try await connection.query("SET time_zone = '+11:00'")
                _ = try await connection.claimNext(types: ["hh"], token: Lease.newToken())
            }
            try await queue.handOver(id, host: "elsewhere", process: 1)
            let claim = try await database.withConnection { connection in
                try await connection.query("SET time_zone = '-11:00'")
                return try await connection.claimNext(types: ["hh"], token: Lease.newToken())
            }
            #expect(claim == nil)
        }
    }
}

/// What a lease says, judged without a database.
@Suite struct LeaseRecordTests {
    private func record(isExpired: Bool) -> LeaseRecord {
        LeaseRecord(token: "t", holder: .current, isExpired: isExpired, fruitless: 0)
    }

    @Test func `the job of a worker without a lease is left alone until an hour has passed without progress`() {
        #expect(StallCheck(isUnchanged: nil, age: .zero).verdict == .remember)
        #expect(StallCheck(isUnchanged: false, age: .seconds(9_999)).verdict == .remember)
        #expect(StallCheck(isUnchanged: true, age: .seconds(3_599)).verdict == .wait)
        #expect(StallCheck(isUnchanged: true, age: .seconds(3_600)).verdict == .adopt)
    }

    @Test func `on this host the process counts, elsewhere the time`() {
        #expect(!record(isExpired: true).isAbandoned(isRunning: true))
        #expect(record(isExpired: true).isAbandoned(isRunning: true, isStopped: true))
        #expect(!record(isExpired: false).isAbandoned(isRunning: true, isStopped: true))
        #expect(record(isExpired: false).isAbandoned(isRunning: false))
        #expect(record(isExpired: true).isAbandoned(isRunning: nil))
        #expect(!record(isExpired: false).isAbandoned(isRunning: nil))
    }

    @Test func `this process runs, and one with its id from before does not`() {
        var process = ProcessIdentity.current
        #expect(process.isRunning == true)
        process.start += 1
        #expect(process.isRunning == false)
        process.host = "elsewhere"
        #expect(process.isRunning == nil)
    }

    @Test func `tokens are 32 digits and never the same`() {
        let tokens = Set((0..<1000).map { _ in Lease.newToken() })
        #expect(tokens.count == 1000)
        #expect(tokens.allSatisfy { $0.utf8.count == 32 })
    }

    @Test func `a job is tried again after 1, 2, 4 minutes and so on, an hour at most`() {
        let minutes = (0..<9).map { RetryRule(retries: $0, maxRetries: 9).delay(jitter: 0) }
        #expect(minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0 * 60) })
        #expect(RetryRule(retries: 0, maxRetries: 3).delay(jitter: 1) == .seconds(72))
        #expect(RetryRule(retries: 3, maxRetries: 3).delay(jitter: 0) == nil)
    }
}
