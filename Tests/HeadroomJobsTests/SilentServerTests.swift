import Headroom
import TestSupport
import Testing

@testable import HeadroomJobs

/// The queue's short statements have an end on a server that has let us in and then says nothing.
@Suite(.timeLimit(.minutes(1))) struct SilentQueueTests {
    private let server: SilentServer
    private let database: Database

    init() throws {
        server = try SilentServer()
        database = Database(server.settings, share: .reserve)
    }

    private struct Idle: JobHandler {
        let types: Set<String> = ["hh"]
        func run(_ run: JobRun, _ connection: Connection) async throws -> JobOutcome { .completed(summary: "{}") }
    }

    @Test func `each call of the queue ends`() async throws {
        let queue = JobQueue(database)
        let calls: [(String, () async throws -> Void)] = [
            ("health", { _ = try await queue.health() }), ("list", { _ = try await queue.list() }),
            ("job", { _ = try await queue.job(1) }), ("cancel", { _ = try await queue.cancel(1) }),
            ("retry", { _ = try await queue.retry(1) }), ("delete", { _ = try await queue.delete(1) }),
            ("add", { _ = try await queue.add(job("/a"), batchID: "b") }), ("prune", { _ = try await queue.prune() }),
            ("rejected rows", { try await queue.rejectedRows(of: 1) { _, _, _ in } }),
        ]
        for (name, call) in calls {
            let error = await #expect(throws: DatabaseError.self, "\(name)") { try await call() }
            #expect(error?.code == .deadlineExceeded, "\(name)")
        }
    }

    @Test func `a worker's look at the queue ends, as if the server was lost`() async throws {
        let worker = Worker(database, handler: Idle())
        let error = await #expect(throws: DatabaseError.self) { try await worker.runOnce(limit: 1) { _ in } }
        #expect(error?.code == .connectionLost)
    }

    @Test func `so does the renewal of a lease`() async throws {
        let lease = Lease(jobID: 1, token: "t")
        let error = await #expect(throws: DatabaseError.self) {
            try await database.withConnection { connection in
                try await lease.whileRenewing(connection, every: .zero) { try await Task.sleep(for: .seconds(300)) }
            }
        }
        #expect(error?.code == .connectionLost)
    }
}
