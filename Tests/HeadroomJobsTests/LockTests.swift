import Headroom
import Synchronization
import TestSupport
import Testing

@testable import HeadroomJobs

/// Whatever another session has locked, the queue's statements end in time, say so and hold nothing; and a worker outlasts it.
///
/// One after the other, as a lock of the whole server is everybody's.
@Suite(.serialized, .sandbox()) struct LockTests {
    /// What another session has locked.
    enum Lock: String, CaseIterable {
        case row, table, server, alter

        var statements: [String] {
            switch self {
            case .row: ["BEGIN", "SELECT * FROM import_jobs WHERE id = 1 FOR UPDATE"]
            case .table: ["LOCK TABLES import_jobs WRITE"]
            case .server: ["FLUSH TABLES WITH READ LOCK"]
            case .alter: ["BEGIN", "SELECT COUNT(*) FROM import_jobs"]
            }
        }
    }

    /// Commits ten steps, the first of them when nothing is locked yet.
    private struct Steps: JobHandler {
        let types: Set<String> = ["hh"]
        let hasBegun = EventFlag()
        let mayGoOn = EventFlag()

        func run(_ run: JobRun, _ connection: Connection) async throws -> JobOutcome {
            var rows = Int(try await run.lease.checkpoint(connection) ?? "0") ?? 0
            while rows < 10 {
                rows += 1
                try await run.transaction(connection) {
                    try await run.lease.advance("\(rows)", counts: .init(processed: rows), connection)
                }
                hasBegun.raise()
                await mayGoOn.wait()
                if run.mustStop { return .givenBack }
            }
            return .completed(summary: "{}")
        }
    }

    /// Runs a body while an administrator's session holds a lock.
    private func whileLocked(
        _ statements: [String],
        in name: String,
        _ body: (_ session: UInt64) async throws -> Void
    ) async throws {
        try await SuiteServer.administrator()
            .withConnection { connection in
                try await connection.query("USE \(raw: name)")
                for statement in statements { try await connection.query(SQL(raw: statement)) }
                try await body(connection.sessionID)
                try await connection.query("UNLOCK TABLES")
                try await connection.query("ROLLBACK")
            }
    }

    /// The queue with less patience.
    private func hasty(_ queue: JobQueue) -> JobQueue {
        var settings = queue.database.settings
        settings.answerTimeout = .seconds(4)
        return JobQueue(Database(settings))
    }

    @Test(arguments: Lock.allCases)
    func `each call of the queue ends while another session has a lock, and says so`(_ lock: Lock) async throws {
        let name = "locked_\(lock.rawValue)"
        try await withQueue(name) { queue, database in
            _ = try await queue.add(job("/a"), batchID: "b1")
            let hasty = hasty(queue)
            var writes: [(String, () async throws -> Void)] = [
                ("cancel", { _ = try await hasty.cancel(1) }), ("delete", { _ = try await hasty.delete(1) }),
                ("claim", { _ = try await Worker(hasty.database, handler: Steps()).runOnce { _ in } }),
            ]
            if lock != .row { writes.append(("add", { _ = try await hasty.add(job("/a"), batchID: "b2") })) }
            let reads: [(String, () async throws -> Void)] = [
                ("health", { _ = try await hasty.health() }), ("list", { _ = try await hasty.list() }),
                ("migrate", { _ = try await Migration(JobsSchema.tables).run(on: hasty.database) }),
            ]
            try await whileLocked(lock.statements, in: name) { _ in
                // An ALTER waits for a transaction that has read the table, and everybody else waits for the ALTER.
                let alter = Task {
                    guard lock == .alter else { return }
                    try await SuiteServer.administrator()
                        .withConnection {
                            try await $0.query(
                                "ALTER TABLE \(raw: name).import_jobs ADD COLUMN more INT",
                                timeout: .seconds(50)
                            )
                        }
                }
                if lock == .alter {
                    let isWaiting = try await eventually {
                        try await SuiteServer.waiting(for: "ALTER TABLE \(name)") == 1
                    }
                    #expect(isWaiting)
                }
                for (call, body) in writes + (lock == .table || lock == .alter ? reads.dropLast() : []) {
                    let start = ContinuousClock.now
                    let error = await #expect(throws: DatabaseError.self, "\(call)") { try await body() }
                    #expect(error?.serverCode == 1205, "\(call)")
                    #expect(error?.message.contains("locked") == true, "\(call)")
                    #expect(start.duration(to: .now) < .seconds(8), "\(call)")
                }
                if lock == .row || lock == .server { for (_, body) in reads { try await body() } }
                let left = try await SuiteServer.administrator()
                    .withConnection {
                        try await $0.number(
                            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'app' AND DB = '\(raw: name)'"
                        )
                    }
                #expect(left == 0)
                alter.cancel()
                _ = await alter.result
            }
            #expect(try await queue.job(1)?.status == .queued)
        }
    }

    @Test func `a job whose row is locked keeps no other from being claimed`() async throws {
        try await withQueue("passed") { queue, _ in
            for index in 1...3 { _ = try await queue.add(job("/\(index)"), batchID: "b\(index)") }
            try await whileLocked(Lock.row.statements, in: "passed") { _ in
                let start = ContinuousClock.now
                let claims = [try await queue.claim()?.id, try await queue.claim()?.id]
                #expect(claims == [2, 3])
                #expect(start.duration(to: .now) < .seconds(5))
            }
            #expect(try await queue.claim()?.id == 1)
        }
    }

    @Test func `who has a row locked is named to those who may know`() async throws {
        try await withQueue("named") { queue, database in
            _ = try await queue.add(job("/a"), batchID: "b1")
            var settings = try SuiteServer.administrator().settings
            (settings.database, settings.answerTimeout) = ("named", .seconds(2))
            let knowing = JobQueue(Database(settings, share: .reserve))
            try await whileLocked(Lock.row.statements, in: "named") { session in
                let error = await #expect(throws: DatabaseError.self) { _ = try await knowing.cancel(1) }
                #expect(error?.message.contains("session \(session)") == true)
            }
        }
    }

    @Test(arguments: [Lock.row, .table, .server])
    func `a worker outlasts a lock, and keeps its job`(_ lock: Lock) async throws {
        let name = "outlasted_\(lock.rawValue)"
        try await withQueue(name) { queue, database in
            let id = try await queue.add(job("/a"), batchID: "b1")
            let handler = Steps()
            let task = Task { try await Worker(database, handler: handler).runOnce { _ in } }
            await handler.hasBegun.wait()
            try await whileLocked(lock.statements, in: name) { _ in
                handler.mayGoOn.raise()
                // Longer than a statement of it waits.
                try await Task.sleep(for: Lease.lockWait + .seconds(1))
            }
            #expect(try await task.value == 1)
            let done = try #require(try await queue.job(id))
            #expect(done.status == .completed)
            #expect(done.counts.processed == 10)
            #expect(done.retries == 0)
        }
    }

    @Test func `the lease is renewed while the table of jobs is locked`() async throws {
        try await withQueue("renewed") { queue, database in
            _ = try await queue.add(job("/a"), batchID: "b1")
            let handler = Steps()
            let task = Task { try await Worker(database, handler: handler).runOnce { _ in } }
            await handler.hasBegun.wait()
            try await whileLocked(Lock.table.statements, in: "renewed") { _ in
                let admin = try SuiteServer.administrator()
                func expiry() async throws -> String? {
                    try await admin.withConnection {
                        try await $0.query("SELECT CAST(expires_at AS CHAR) FROM renewed.headroom_leases")
                            .first(String.self)
                    }
                }
                let before = try await expiry()
                handler.mayGoOn.raise()
                let isRenewed = try await eventually(within: .seconds(15)) { try await expiry() != before }
                #expect(isRenewed)
            }
            #expect(try await task.value == 1)
        }
    }

    @Test func `a worker that stops while the table of jobs is locked gives its job back, and nobody has died`()
        async throws
    {
        try await withQueue("given_back") { queue, database in
            let id = try await queue.add(job("/a"), batchID: "b1")
            let handler = Steps()
            let worker = Worker(database, handler: handler)
            let outcomes = Mutex<[JobOutcome]>([])
            let task = Task {
                try await worker.runOnce {
                    if case .ended(_, let outcome) = $0 { outcomes.withLock { $0.append(outcome) } }
                }
            }
            await handler.hasBegun.wait()
            try await whileLocked(Lock.table.statements, in: "given_back") { _ in
                worker.stop.request()
                handler.mayGoOn.raise()
                _ = try await task.value
            }
            #expect(outcomes.withLock(\.self) == [.givenBack])
            let next = Steps()
            next.mayGoOn.raise()
            #expect(try await Worker(database, handler: next).runOnce { _ in } == 1)
            let done = try #require(try await queue.job(id))
            #expect(done.status == .completed)
            #expect(done.retries == 0)
        }
    }

    @Test func `a worker that is cancelled in the middle of a wait gives its job back`() async throws {
        try await withQueue("cancelled") { queue, database in
            let id = try await queue.add(job("/a"), batchID: "b1")
            let handler = Steps()
            let worker = Worker(database, handler: handler)
            let task = Task { try await worker.runOnce { _ in } }
            await handler.hasBegun.wait()
            try await whileLocked(["LOCK TABLES headroom_checkpoints WRITE"], in: "cancelled") { _ in
                handler.mayGoOn.raise()
                let step = "UPDATE import_jobs AS j JOIN"
                let isWaiting = try await eventually { try await SuiteServer.waiting(for: step) == 1 }
                #expect(isWaiting)
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                let left = try await SuiteServer.waiting(for: step)
                #expect(left == 0)
            }
            let job = try #require(try await queue.job(id))
            #expect(job.status == .queued)
            #expect(job.retries == 0)
        }
    }
}

extension SuiteServer {
    /// The number of sessions that wait for a lock at a statement which begins like this.
    fileprivate static func waiting(for statement: String) async throws -> Int {
        try await administrator()
            .withConnection {
                try await $0
                    .query(
                        """
                        SELECT COUNT(*) FROM information_schema.PROCESSLIST
                        WHERE INFO LIKE \("\(statement)%") AND STATE LIKE 'Waiting%'
                        """
                    )
                    .first(Int.self) ?? -1
            }
    }
}
