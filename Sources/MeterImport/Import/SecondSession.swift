import Headroom
import HeadroomJobs

/// A second session that stores its part of each chunk while the first stores the other, where the budget has room for it.
///
/// Each half has a checkpoint of its own (``Lane``), committed with it.
final class SecondSession: Sendable {
    /// A part of a chunk.
    struct Part: Sendable {
        var readings: [Reading]
        var meterIDs: [Int]
        /// How many rows of the file it is.
        var rows: Int
        /// Where the chunk ends, and what this session has stored before it.
        var lane: Lane
    }

    private struct Order: Sendable {
        var part: Part
        var reply: CheckedContinuation<Stored, any Error>
    }

    /// What became of a part.
    struct Stored: Sendable {
        /// Behind the part.
        var lane: Lane
        /// Whether somebody waits for a place in the account, who has more need of this session's.
        var isWanted = false
    }

    private let orders: AsyncStream<Order>.Continuation
    private let task: Task<Void, Never>

    /// Opens the session; `nil` when the budget has no room for it.
    init?(_ database: Database, _ run: JobRun) async throws {
        let (lease, stop, batch) = (run.lease, run.stop, run.job.batchID)
        let (stream, orders) = AsyncStream.makeStream(of: Order.self)
        let (opening, opened) = AsyncStream.makeStream(of: Void.self)
        var settings = database.settings
        // A task that waits needs the place more.
        settings.waitTimeout = .milliseconds(100)
        let patient = Database(settings)
        self.orders = orders
        task = Task {
            // The caller has the error of its request; that there was no room is none.
            try? await patient.withConnection(label: "import, second session") { connection in
                // As the first session does: the lease is renewed meanwhile.
                try connection.waitForLocks(Lease.lockWait)
                var store = try await ReadingStore(batch: batch, connection)
                opened.yield()
                for await order in stream {
                    do {
                        let lane = try await Self.carryOut(order.part, &store, lease, until: stop, connection)
                        order.reply.resume(returning: Stored(lane: lane, isWanted: connection.isWanted))
                    } catch {
                        order.reply.resume(throwing: error)
                        throw error
                    }
                }
            }
            opened.finish()
            orders.finish()
            // An order that came too late has its answer all the same.
            for await order in stream { order.reply.resume(throwing: CancellationError()) }
        }
        for await _ in opening { return }
        // It never opened, or nobody waits for it any more: it must not stay behind with its connection.
        task.cancel()
        await task.value
        try Task.checkCancellation()
        return nil
    }

    /// Stores a part; cancelled with its caller.
    func store(_ part: Part) async throws -> Stored {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { reply in
                let result = orders.yield(Order(part: part, reply: reply))
                if case .terminated = result { reply.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            task.cancel()
        }
    }

    /// Closes the session.
    func close() async {
        orders.finish()
        await task.value
    }

    /// Stores a part, in a transaction with its checkpoint.
    static func carryOut(
        _ part: Part,
        _ store: inout ReadingStore,
        _ lease: Lease,
        until stop: WorkerStop,
        _ connection: Connection
    ) async throws -> Lane {
        try await lease.transaction(.chunk, until: stop, connection) {
            var lane = part.lane
            let stored = try await store.store(part.readings, meterIDs: part.meterIDs, connection)
            lane.new += stored.new
            lane.duplicates += stored.duplicates
            try await lease.advance(lane: Lane.number, lane.json, rows: part.rows, connection)
            return lane
        }
    }
}

extension RetryPolicy {
    /// For a chunk, which changes nothing that is there when it comes again: another import was at the same rows, or an id was
    /// taken.
    static var chunk: RetryPolicy {
        RetryPolicy(
            of: [.transaction],
            mayRunTwice: true,
            numbers: [TakenID.serverCode],
            except: [1205],
            most: 10,
            first: .milliseconds(20)
        )
    }
}
