/// Does the work of some kinds of job; the queue and the worker know nothing else of it.
public protocol JobHandler: Sendable {
    /// The kinds of job that it handles, such as `hh`.
    var types: Set<String> { get }

    /// Does a job's work.
    ///
    /// The handler writes the job's counts with its own work, in the same transactions, so that they are always right.
    ///
    /// - Parameters:
    ///   - job: The job, claimed for this worker.
    ///   - progress: Is told how far the work is, as often as the handler likes.
    /// - Returns: What became of the job.
    /// - Throws: `CancellationError` to give the job back; any other error fails it.
    func run(_ job: ImportJob, progress: (JobProgress) -> Void) async throws -> JobOutcome
}

/// What became of a job.
public enum JobOutcome: Sendable, Hashable {
    /// It is done; the summary is JSON.
    case completed(summary: String)
    /// It cannot be done, and trying again would not help; the summary is JSON.
    case failed(reason: String, summary: String?)
    /// Its user called it off while it was worked on.
    case cancelled
    /// The worker must stop; the job waits for another one.
    case givenBack
}

/// How far the work on a job is.
public struct JobProgress: Sendable, Hashable {
    /// The bytes of the file read so far.
    public var bytesDone: Int
    /// The file's size in bytes.
    public var bytesTotal: Int
    /// The rows counted so far.
    public var counts: ImportJob.Counts

    /// Creates a progress report.
    public init(bytesDone: Int, bytesTotal: Int, counts: ImportJob.Counts) {
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
        self.counts = counts
    }
}
