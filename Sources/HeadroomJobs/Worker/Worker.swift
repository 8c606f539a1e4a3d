/// Works on the jobs of a queue, one after the other, and holds no connection between them.
public struct Worker: Sendable {
    /// The queue.
    public let queue: JobQueue

    /// What does the work.
    public let handler: any JobHandler

    /// Creates a worker.
    public init(queue: JobQueue, handler: any JobHandler) {
        self.queue = queue
        self.handler = handler
    }

    /// What happens while a worker works.
    public enum Event: Sendable {
        /// A job was claimed.
        case started(ImportJob)
        /// A job's work has come this far.
        case progressed(ImportJob, JobProgress)
        /// A job has ended.
        case ended(ImportJob, JobOutcome)
    }

    /// Works on the jobs that wait, and returns when there is none left or the limit is reached.
    ///
    /// When the task is cancelled, the job in hand is given back to the queue.
    ///
    /// - Parameters:
    ///   - limit: The most jobs to work on.
    ///   - report: Is told what happens.
    /// - Returns: The number of jobs worked on.
    /// - Throws: ``DatabaseError`` when the queue cannot be reached, `CancellationError` when cancelled.
    public func runOnce(limit: Int = 10, report: (Event) -> Void) async throws -> Int {
        var worked = 0
        while worked < limit, let job = try await claim() {
            report(.started(job))
            let outcome = await outcome(of: job, report: report)
            try await end(job, outcome)
            report(.ended(job, outcome))
            try Task.checkCancellation()
            worked += 1
        }
        return worked
    }

    // Claiming and ending run in tasks of their own, which the cancellation of this one does not reach: a claim that took
    // effect on the server must be known here, and a job must not stay claimed.

    private func claim() async throws -> ImportJob? {
        try Task.checkCancellation()
        return try await Task { [queue, handler] in try await queue.claimNext(types: handler.types) }.value
    }

    private func end(_ job: ImportJob, _ outcome: JobOutcome) async throws {
        try await Task { [queue] in try await queue.end(job, outcome) }.value
    }

    private func outcome(of job: ImportJob, report: (Event) -> Void) async -> JobOutcome {
        do {
            return try await handler.run(job) { report(.progressed(job, $0)) }
        } catch is CancellationError {
            return .givenBack
        } catch {
            return .failed(reason: "\(error)", summary: nil)
        }
    }
}
