import Headroom
import Synchronization
import TestSupport
import Testing

@testable import HeadroomJobs

/// A worker works through the queue, holds nothing between jobs, and loses nothing when it is stopped.
@Suite(.sandbox()) struct WorkerTests {
    private struct Broken: Error {}
    private struct Hopeless: PermanentError {}

    /// Does what the job's path says.
    private struct TestHandler: JobHandler {
        let types: Set<String> = ["hh"]
        var hasBegun = EventFlag()

        func run(_ run: JobRun, _ connection: Connection) async throws -> JobOutcome {
            switch run.job.path {
            case "/broken": throw Broken()
            case "/hopeless": throw Hopeless()
            case "/endless":
                hasBegun.raise()
                try await Task.sleep(for: .seconds(60))
                return .completed(summary: "{}")
            case "/steps":
                // Counts to a thousand, a hundred commits of ten.
                var rows = Int(try await run.lease.checkpoint(connection) ?? "0") ?? 0
                while rows < 1000 {
                    rows += 10
                    try await connection.withTransaction {
                        try await run.lease.advance("\(rows)", counts: .init(processed: rows), connection)
                    }
                    if rows == 100 { hasBegun.raise() }
                    if run.mustStop { return .givenBack }
                    try await Task.sleep(for: .milliseconds(2))
                }
                return .completed(summary: "{}")
            default: return .completed(summary: #"{"ok":1}"#)
            }
        }
    }

    @Test func `a job that fails is tried again later, and does not stop the others`() async throws {
        try await withQueue("failing") { queue, database in
            let broken = try await queue.add(job("/broken"), batchID: "b1")
            let hopeless = try await queue.add(job("/hopeless"), batchID: "b2")
            let fine = try await queue.add(job("/fine"), batchID: "b3")
            let worked = try await Worker(database, handler: TestHandler()).runOnce { _ in }
            #expect(worked == 3)
            let waiting = try #require(try await queue.job(broken))
            #expect(waiting.status == .queued)
            #expect(waiting.retries == 1)
            let delay = try await database.withConnection {
                try await $0.number(
                    "SELECT TIMESTAMPDIFF(SECOND, NOW(), retry_at) FROM import_jobs WHERE id = \(broken)"
                )
            }
            #expect((58...72).contains(delay ?? 0))
            let failed = try #require(try await queue.job(hopeless))
            #expect(failed.status == .failed)
            #expect(failed.errorMessage == "Hopeless()")
            #expect(try await queue.job(fine)?.status == .completed)
            // It is not its turn yet.
            #expect(try await Worker(database, handler: TestHandler()).runOnce { _ in } == 0)
        }
    }

    @Test func `a job that has been tried often enough fails, and can be queued again`() async throws {
        try await withQueue("exhausted") { queue, database in
            let id = try await queue.add(job("/broken"), batchID: "b1")
            let worker = Worker(database, handler: TestHandler())
            for _ in 0..<4 {
                try await database.withConnection { _ = try await $0.query("UPDATE import_jobs SET retry_at = NULL") }
                #expect(try await worker.runOnce { _ in } == 1)
            }
            let failed = try #require(try await queue.job(id))
            #expect(failed.status == .failed)
            #expect(failed.retries == 3)
            #expect(failed.errorMessage == "Broken()")
            let told: SQL = "SELECT alert_sent FROM import_jobs WHERE id = \(id)"
            try await database.withConnection { _ = try await $0.query("UPDATE import_jobs SET alert_sent = 1") }
            #expect(try await queue.retry(id))
            #expect(try await queue.job(id)?.retries == 0)
            // Should it fail again, that is told again.
            #expect(try await database.withConnection { try await $0.query(told).first(Int.self) } == 0)
            #expect(try await worker.runOnce { _ in } == 1)
        }
    }

    @Test func `a cancelled worker gives its job back`() async throws {
        try await withQueue("stopped") { queue, database in
            let id = try await queue.add(job("/endless"), batchID: "b1")
            let handler = TestHandler()
            let worker = Worker(database, handler: handler)
            let task = Task { try await worker.runOnce { _ in } }
            await handler.hasBegun.wait()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await queue.job(id)?.status == .queued)
        }
    }

    @Test func `a worker that is told to stop commits what it has in hand, and the next carries on there`() async throws
    {
        try await withQueue("graceful") { queue, database in
            let id = try await queue.add(job("/steps"), batchID: "b1")
            let handler = TestHandler()
            let worker = Worker(database, handler: handler)
            let task = Task { try await worker.run(WorkerSchedule()) { _ in } }
            await handler.hasBegun.wait()
            worker.stop.request()
            _ = try await task.value
            let stopped = try #require(try await queue.job(id))
            #expect(stopped.status == .queued)
            #expect(stopped.counts.processed >= 100)
            #expect(stopped.counts.processed < 1000)
            #expect(stopped.retries == 0)
            #expect(try await Worker(database, handler: TestHandler()).runOnce { _ in } == 1)
            let done = try #require(try await queue.job(id))
            #expect(done.status == .completed)
            #expect(done.counts.processed == 1000)
        }
    }

    @Test func `a worker whose session is killed carries on from its last commit`() async throws {
        try await withQueue("killed") { queue, database in
            let id = try await queue.add(job("/steps"), batchID: "b1")
            let handler = TestHandler()
            let interruptions = Atomic(0)
            let task = Task {
                try await Worker(database, handler: handler)
                    .runOnce {
                        if case .interrupted = $0 { interruptions.add(1, ordering: .relaxed) }
                    }
            }
            await handler.hasBegun.wait()
            try await SuiteServer.endSessions(of: "app", database: "killed")
            #expect(try await task.value == 1)
            #expect(interruptions.load(ordering: .relaxed) >= 1)
            let done = try #require(try await queue.job(id))
            #expect(done.status == .completed)
            #expect(done.counts.processed == 1000)
            #expect(done.retries == 0)
        }
    }

    @Test func `the limit of jobs is kept`() async throws {
        try await withQueue("limited") { queue, database in
            for index in 0..<3 { _ = try await queue.add(job("/\(index)"), batchID: "b\(index)") }
            #expect(try await Worker(database, handler: TestHandler()).runOnce(limit: 2) { _ in } == 2)
            #expect(try await queue.list(status: .queued).count == 1)
        }
    }

    @Test func `an idle worker holds no session, and wakes up when it is rung for`() async throws {
        try await withQueue("bell") { queue, database in
            var schedule = WorkerSchedule()
            schedule.poll = .seconds(600)
            let folder = database.settings.stateFolder
            schedule.notification = try HostNotification("work.bell", stateFolder: folder)
            let worker = Worker(database, handler: TestHandler())
            let isIdle = EventFlag()
            let task = Task { [schedule] in
                try await worker.run(schedule) { if case .idle = $0 { isIdle.raise() } }
            }
            await isIdle.wait()
            let sessions = try await SuiteServer.administrator()
                .withConnection {
                    try await $0.number("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = 'signal'")
                }
            #expect(sessions == 0)
            let id = try await queue.add(job("/1"), batchID: "b1")
            try HostNotification.post("work.bell", stateFolder: folder)
            #expect(try await eventually { try await queue.job(id)?.status == .completed })
            worker.stop.request()
            #expect(try await task.value == 1)
        }
    }

    @Test func `a worker leaves the account to others when it is told to`() async throws {
        try await withQueue("yield") { queue, database in
            let id = try await queue.add(job("/1"), batchID: "b1")
            var worker = Worker(database, handler: TestHandler())
            worker.yields = { _ in "it is busy" }
            #expect(try await worker.runOnce { _ in } == 0)
            #expect(try await queue.job(id)?.status == .queued)
        }
    }
}

/// How well a queue does, judged by numbers alone.
@Suite struct QueueHealthTests {
    private func health(_ change: (inout QueueHealth.Numbers) -> Void) -> QueueHealth {
        var numbers = QueueHealth.Numbers()
        change(&numbers)
        return QueueHealth(numbers)
    }

    @Test func `an empty queue is well`() {
        #expect(health { _ in }.level == .ok)
    }

    @Test func `a stuck job is critical, and named`() {
        let found = health { $0.stuck = [7, 9] }
        #expect(found.level == .critical)
        #expect(found.findings.first?.contains("7, 9") == true)
    }

    @Test func `over a quarter of failures is a warning, over a half critical`() {
        #expect(health { ($0.completed, $0.failed) = (3, 1) }.level == .ok)
        #expect(health { ($0.completed, $0.failed) = (2, 1) }.level == .warning)
        #expect(health { ($0.completed, $0.failed) = (1, 1) }.level == .warning)
        #expect(health { ($0.completed, $0.failed) = (1, 2) }.level == .critical)
    }

    @Test func `over a hundred that wait are a warning`() {
        #expect(health { $0.queued = 100 }.level == .ok)
        #expect(health { $0.queued = 101 }.level == .warning)
    }

    @Test func `a job that nobody works on for an hour is critical`() {
        #expect(health { ($0.queued, $0.oldestWait) = (1, .seconds(3601)) }.level == .critical)
        #expect(health { ($0.queued, $0.oldestWait, $0.processing) = (1, .seconds(3601), 1) }.level == .ok)
    }
}
