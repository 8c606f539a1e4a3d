public import Headroom

/// Works on the jobs of a queue, one after the other, and holds no connection between them.
///
/// A job takes one connection, from the claim to its end. When that is lost the worker opens another and carries on from
/// the last commit.
public struct Worker: Sendable {
    /// The database with the queue.
    public let database: Database

    /// What does the work.
    public let handler: any JobHandler

    /// Asks the worker to stop.
    public let stop = WorkerStop()

    /// Looks, through the connection that a job is about to take, whether the worker should leave the account to others
    /// for now; returns why, or `nil` to go on.
    public var yields: (@Sendable (Connection) async throws -> String?)?

    /// Creates a worker.
    ///
    /// - Parameters:
    ///   - database: The database with the queue.
    ///   - handler: What does the work.
    public init(_ database: Database, handler: any JobHandler) {
        self.database = database
        self.handler = handler
    }

    /// What happens while a worker works.
    public enum Event: Sendable {
        /// A job was claimed.
        case started(ImportJob)
        /// A job's work has come this far.
        case progressed(ImportJob, JobProgress)
        /// The connection was lost in the middle of a job; the worker opens another.
        case interrupted(ImportJob, DatabaseError)
        /// A job has ended.
        case ended(ImportJob, JobOutcome)
        /// Nothing waits in the queue.
        case idle
        /// The database cannot be reached, or the account is full; the worker waits.
        case waiting(DatabaseError)
        /// The account is to be left to others for now.
        case yielded(reason: String)
    }

    /// Works on the jobs that wait, and returns when there is none left, the limit is reached, or it is told to stop.
    ///
    /// When the task is cancelled, what is not committed of the job in hand is dropped and the job given back.
    ///
    /// - Parameters:
    ///   - limit: The most jobs to work on.
    ///   - report: Is told what happens.
    /// - Returns: The number of jobs worked on.
    /// - Throws: ``DatabaseError`` when the queue cannot be reached, `CancellationError` when cancelled.
    public func runOnce(limit: Int = 10, report: @escaping (Event) -> Void) async throws -> Int {
        var worked = 0
        do {
            while worked < limit, !stop.isRequested, try await workOnNext(report: report) { worked += 1 }
        } catch let error as DatabaseError where error.isLockWait && worked > 0 {
            // What is left is another session's for now, and comes with the next run.
        }
        return worked
    }

    /// Works on one job at once, whatever else waits.
    ///
    /// - Parameters:
    ///   - id: The job's id.
    ///   - report: Is told what happens.
    /// - Returns: Whether the job was to be had; another worker may have been faster.
    /// - Throws: ``DatabaseError`` when the queue cannot be reached, `CancellationError` when cancelled.
    public func run(job id: Int, report: @escaping (Event) -> Void) async throws -> Bool {
        try await workOnNext(only: id, report: report)
    }

    /// How far one connection has brought a job.
    private enum Step {
        case nothing
        case ended
        case interrupted(ImportJob, Lease, DatabaseError)
    }

    /// Claims a job and works on it to its end; returns whether there was one.
    private func workOnNext(only id: Int? = nil, report: @escaping (Event) -> Void) async throws -> Bool {
        let token = Lease.newToken()
        defer { LiveLeases.remove(token) }
        var claimed: ImportJob?
        do {
            return try await work(token, only: id) { event in
                if case .started(let job) = event { claimed = job }
                report(event)
            }
        } catch {
            // A claim may have taken effect all the same: the next worker must not have to wait until it expires.
            // Not where it was never sent: the account is full then, and giving back would wait for a place too.
            if LiveLeases.contains(token), await giveBack(token), let claimed { report(.ended(claimed, .givenBack)) }
            throw error
        }
    }

    private func work(
        _ token: String,
        only id: Int?,
        _ report: @escaping (Event) -> Void
    ) async throws -> Bool {
        let reconnects = Reconnects()
        var step = try await database.withConnection(label: "import") { connection in
            if let reason = try await connection.briefly({ try await yields?(connection) }) {
                report(.yielded(reason: reason))
                return Step.nothing
            }
            let claim = try await connection.briefly(lockWait: .seconds(1)) {
                try await connection.claimNext(types: handler.types, token: token, only: id)
            }
            switch claim {
            case nil:
                return .nothing
            case .poisoned(let job, let reason):
                report(.ended(job, .failed(reason: reason, summary: nil)))
                return .ended
            case .job(let job, let lease):
                report(.started(job))
                return try await proceed(job, lease, reconnects, connection, report)
            }
        }
        while case .interrupted(let job, let lease, let error) = step {
            report(.interrupted(job, error))
            guard !stop.isRequested, let pause = reconnects.pause(after: error) else { throw error }
            try await Task.sleep(for: pause)
            do {
                step = try await database.withConnection(label: "import") { connection in
                    // The last thing that was sent may have been the job's end.
                    if let outcome = try await connection.briefly({ try await lease.outcome(connection) }) {
                        report(.ended(job, outcome))
                        return .ended
                    }
                    if reconnects.hasRunOut {
                        // The server is there, and what this job does loses it again and again.
                        return try await end(job, lease, failure(of: job, error), connection, report)
                    }
                    return try await proceed(job, lease, reconnects, connection, report)
                }
            } catch let error as DatabaseError where error.retry != .never {
                step = .interrupted(job, lease, error)
            }
        }
        if case .ended = step { return true }
        return false
    }

    /// Works on a job for as long as the connection lasts.
    private func proceed(
        _ job: ImportJob,
        _ lease: Lease,
        _ reconnects: Reconnects,
        _ connection: Connection,
        _ report: @escaping (Event) -> Void
    ) async throws -> Step {
        let outcome: JobOutcome
        do {
            reconnects.begin()
            let run = JobRun(job, lease, stop: stop) {
                reconnects.gotOn()
                report(.progressed(job, $0))
            }
            try connection.waitForLocks(Lease.lockWait)
            outcome = try await runThroughLocks(run, connection)
        } catch is StoppedAtLock {
            outcome = .givenBack
        } catch let error as DatabaseError where [.connectionLost, .commitUnknown].contains(error.code) {
            return .interrupted(job, lease, error)
        } catch let ended as LeaseEnded {
            outcome = ended == .calledOff ? .cancelled : .lost
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as any PermanentError {
            outcome = .failed(reason: "\(error)", summary: nil)
        } catch {
            outcome = failure(of: job, error)
        }
        return try await end(job, lease, outcome, connection, report)
    }

    /// Has the handler begin again behind its last commit for as long as another session has locked what it needs.
    private func runThroughLocks(_ run: JobRun, _ connection: Connection) async throws -> JobOutcome {
        while true {
            do {
                return try await handler.run(run, connection)
            } catch let error as DatabaseError where error.isLockWait && connection.isUsable {
                try await run.lease.outlast(until: stop, connection)
            }
        }
    }

    /// What becomes of a job after an error that may pass.
    private func failure(of job: ImportJob, _ error: any Error) -> JobOutcome {
        let rule = RetryRule(retries: job.retries, maxRetries: job.maxRetries)
        return rule.delay(jitter: .random(in: 0...1)).map { .retried(reason: "\(error)", after: $0) }
            ?? .failed(reason: "\(error)", summary: nil)
    }

    /// Writes what became of a job.
    private func end(
        _ job: ImportJob,
        _ lease: Lease,
        _ outcome: JobOutcome,
        _ connection: Connection,
        _ report: (Event) -> Void
    ) async throws -> Step {
        do {
            report(.ended(job, try await lease.end(outcome, until: stop, connection)))
        } catch let ended as LeaseEnded {
            report(.ended(job, ended == .calledOff ? .cancelled : .lost))
        } catch let error as DatabaseError
            where [.connectionLost, .transactionLost, .commitUnknown].contains(error.code)
        {
            // Whether the end was written is not known; the next connection finds out.
            return .interrupted(job, lease, error)
        }
        return .ended
    }

    /// Gives a job back that this worker may have, in a task of its own, which the cancellation of this one does not reach.
    ///
    /// - Returns: Whether it was this worker's, and is back.
    private func giveBack(_ token: String) async -> Bool {
        let stopped = WorkerStop()
        stopped.request()
        let task = Task { [database] in
            try await database.withConnection(timeout: .seconds(5), label: "import") { connection in
                try connection.waitForLocks(.seconds(1))
                let id = try await connection.query("SELECT job_id FROM headroom_leases WHERE token = \(token)")
                    .first(Int.self)
                guard let id else { return false }
                _ = try await Lease(jobID: id, token: token).end(.givenBack, until: stopped, connection)
                return true
            }
        }
        return (try? await task.value) ?? false
    }
}

extension Connection {
    /// Runs short statements of a worker's own: a server that does not answer them counts as lost, and is come back to.
    func briefly<Result>(lockWait: Duration? = nil, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await withinAnswerTime(lockWait: lockWait, body)
        } catch let error as DatabaseError where error.code == .deadlineExceeded {
            throw DatabaseError(
                .connectionLost,
                message: "The server has not answered a worker's look at the queue in time, and was given up.",
                advice: "See what keeps it busy."
            )
        }
    }
}
