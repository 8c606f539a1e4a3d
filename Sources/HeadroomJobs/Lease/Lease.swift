public import Headroom

/// A worker's claim on a job, for as long as it gets on with it.
///
/// Every commit of the work carries the lease's token and renews it in the same transaction: a worker that has lost its
/// lease, as it was stopped or cut off for too long, can commit nothing.
public struct Lease: Sendable, Hashable {
    /// The job.
    public let jobID: Int

    /// What tells this lease from every other.
    public let token: String

    /// How long a worker on another host may go without a commit before the job is taken from it: 30 s.
    ///
    /// On the same host a dead worker is seen at once.
    public static let duration: Duration = .seconds(30)

    /// A token that nobody can guess or draw again.
    static func newToken() -> String {
        let digits = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }
        return digits.map { String(repeating: "0", count: 16 - $0.utf8.count) + $0 }.joined()
    }

    /// Returns how far the work has come.
    ///
    /// - Parameters:
    ///   - lane: Which of several sessions' work.
    ///   - connection: The connection to ask.
    /// - Returns: What the handler has written last; `nil` when nothing.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func checkpoint(lane: Int = 0, _ connection: Connection) async throws -> String? {
        try await connection.query(
            "SELECT checkpoint FROM headroom_checkpoints WHERE job_id = \(jobID) AND lane = \(lane)"
        )
        .first(String.self)
    }

    /// Writes how far the work has come, and renews the lease; belongs into the transaction with the work itself.
    ///
    /// - Parameters:
    ///   - checkpoint: Where to carry on, in the handler's words.
    ///   - counts: The rows so far, as the host's pages show them.
    ///   - total: The number of rows in the file, when known.
    ///   - adds: Whether the counts are what came since the last checkpoint, and are added: so several sessions count what each
    ///     has stored, and no more.
    ///   - isBeginning: Whether nothing has been done yet: a worker that dies now has got nowhere.
    ///   - connection: The connection with the transaction.
    /// - Throws: ``LeaseEnded`` when the job is not this worker's any more: the transaction must then be rolled back.
    ///   ``DatabaseError``, or `CancellationError` when cancelled.
    public func advance(
        _ checkpoint: String,
        counts: ImportJob.Counts,
        total: Int? = nil,
        adds: Bool = false,
        isBeginning: Bool = false,
        _ connection: Connection
    ) async throws {
        func sum(_ column: String) -> SQL { SQL(raw: adds ? "j.\(column) +" : "") }
        if isBeginning { try await write(checkpoint, lane: 0, connection) }
        // One statement for all, as each is a way to the server and back. It comes last in the transaction: the host's pages
        // wait for the job's row until the commit, and for no longer.
        let statement: SQL = """
            UPDATE import_jobs AS j JOIN headroom_leases AS l ON l.job_id = j.id
              JOIN headroom_checkpoints AS c ON c.job_id = j.id AND c.lane = 0
            SET c.checkpoint = \(checkpoint), l.expires_at = UTC_TIMESTAMP(6) + INTERVAL \(Self.seconds) SECOND,
                l.fruitless = IF(\(isBeginning), l.fruitless, 0),
                j.processed_rows = \(sum("processed_rows")) \(counts.processed),
                j.imported_rows = \(sum("imported_rows")) \(counts.imported),
                j.failed_rows = \(sum("failed_rows")) \(counts.failed), j.total_rows = COALESCE(\(total), j.total_rows)
            WHERE j.id = \(jobID) AND j.status = 'processing' AND l.token = \(token)
            """
        // The time of expiry is always another one, so a lease that is still there counts as changed.
        if try await connection.query(statement).affectedRows > 0 { return }
        // Its first checkpoint, or not this worker's job any more.
        try await write(checkpoint, lane: 0, connection)
        if try await connection.query(statement).affectedRows == 0 { throw try await ended(connection) }
    }

    /// Writes how far another session's part of the work has come; belongs into the transaction with the work itself.
    ///
    /// - Parameters:
    ///   - lane: Which part, from 1; part 0 is the other.
    ///   - checkpoint: Where to carry on, in the handler's words.
    ///   - rows: How many rows were imported since its last checkpoint.
    ///   - connection: The connection with the transaction.
    /// - Throws: ``LeaseEnded`` when the job is not this worker's any more: the transaction must then be rolled back.
    ///   ``DatabaseError``, or `CancellationError` when cancelled.
    public func advance(lane: Int, _ checkpoint: String, rows: Int, _ connection: Connection) async throws {
        try await write(checkpoint, lane: lane, connection)
        // It comes last, and locks the job's row to the commit: who takes the lease away waits for it.
        let renewed = try await connection.query(
            """
            UPDATE import_jobs AS j JOIN headroom_leases AS l ON l.job_id = j.id
            SET l.expires_at = UTC_TIMESTAMP(6) + INTERVAL \(Self.seconds) SECOND,
                j.processed_rows = j.processed_rows + \(rows), j.imported_rows = j.imported_rows + \(rows)
            WHERE j.id = \(jobID) AND j.status = 'processing' AND l.token = \(token)
            """
        )
        if renewed.affectedRows == 0 { throw try await ended(connection) }
    }

    /// Renews the lease again and again while something runs that commits nothing.
    ///
    /// - Parameters:
    ///   - connection: The connection to renew it with.
    ///   - interval: How often; every 10 s by default.
    ///   - body: What takes long. It is cancelled when the lease is lost.
    /// - Returns: What the body returns.
    /// - Throws: ``LeaseEnded`` when the job is not this worker's any more, ``DatabaseError``, or what the body throws.
    public func whileRenewing<Result: Sendable>(
        _ connection: Connection,
        every interval: Duration = .seconds(10),
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while true {
                group.addTask {
                    try await Task.sleep(for: interval)
                    return nil
                }
                // The one or the other is always there.
                if let next = try await group.next(), let result = next { return result }
                try await connection.briefly { try await renew(connection) }
            }
        }
    }

    /// How long a statement of the work waits for another session's lock before the lease is renewed and it is sent again.
    package static let lockWait: Duration = .seconds(3)

    /// Runs a piece of the work in a transaction, for as long as another session has locked what it needs.
    ///
    /// Such as a table while a backup is made: a wait is no failure. The lease is renewed meanwhile.
    ///
    /// - Parameters:
    ///   - policy: After which other errors it is run again.
    ///   - stop: Tells when the worker is to stop, and to wait no longer.
    ///   - connection: The connection.
    ///   - body: The piece of work.
    /// - Returns: What the body returns.
    /// - Throws: ``StoppedAtLock``, ``LeaseEnded``, or what the body throws.
    package func transaction<Result>(
        _ policy: RetryPolicy = RetryPolicy(of: [.transaction], except: [1205], most: 20),
        until stop: WorkerStop,
        _ connection: Connection,
        _ body: () async throws -> Result
    ) async throws -> Result {
        var policy = policy
        while true {
            do {
                return try await connection.withTransaction { try await body() }
            } catch let error as DatabaseError where error.isLockWait && connection.isUsable {
                try await outlast(until: stop, connection)
            } catch let error as DatabaseError {
                guard let pause = policy.pause(after: error) else { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Renews the lease between two waits for a lock.
    func outlast(until stop: WorkerStop, _ connection: Connection) async throws {
        guard !stop.isRequested else { throw StoppedAtLock() }
        do {
            try await connection.briefly(lockWait: .seconds(1)) { try await renew(connection) }
        } catch let error as DatabaseError where error.isLockWait {
            // The lease's table is locked too, and so no other worker can take the job over.
        }
    }

    private func renew(_ connection: Connection) async throws {
        let renewed = try await connection.query(
            """
            UPDATE headroom_leases SET expires_at = UTC_TIMESTAMP(6) + INTERVAL \(Self.seconds) SECOND
            WHERE job_id = \(jobID) AND token = \(token)
            """
        )
        if renewed.affectedRows == 0 { throw try await ended(connection) }
    }

    static var seconds: Int { Int(duration.components.seconds) }

    private func write(_ checkpoint: String, lane: Int, _ connection: Connection) async throws {
        try await connection.query(
            """
            INSERT INTO headroom_checkpoints (job_id, lane, checkpoint) VALUES (\(jobID), \(lane), \(checkpoint))
            ON DUPLICATE KEY UPDATE checkpoint = VALUES(checkpoint)
            """
        )
    }

    /// Why the job is not this worker's any more.
    private func ended(_ connection: Connection) async throws -> LeaseEnded {
        let status = try await connection.query("SELECT status FROM import_jobs WHERE id = \(jobID) FOR UPDATE")
            .first(String.self)
        // Without its row, or cancelled: its user has done that. Otherwise another worker has it.
        return status == "processing" || status == "queued" ? .lost : .calledOff
    }
}

/// Says that the worker is to stop, while another session has locked what its work needs.
struct StoppedAtLock: Error {}

/// Says that a job is not its worker's any more.
public enum LeaseEnded: Error, Sendable, Hashable {
    /// Another worker has taken it over.
    case lost
    /// Its user has cancelled or deleted it.
    case calledOff
}
