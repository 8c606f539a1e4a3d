public import Headroom

/// Does the work of some kinds of job; the queue and the worker know nothing else of it.
public protocol JobHandler: Sendable {
    /// The kinds of job that it handles, such as `hh`.
    var types: Set<String> { get }

    /// Does a job's work, or what is left of it.
    ///
    /// The handler commits its work in pieces, each with ``JobRun/advance(_:counts:total:_:)`` in the same transaction, and
    /// begins where the last checkpoint says: it is called again after a lost connection or a dead worker. Between pieces
    /// it looks at ``JobRun/mustStop``.
    ///
    /// - Parameters:
    ///   - run: The job, and the way to say how far it is.
    ///   - connection: The one connection to work with.
    /// - Returns: What became of the job: `completed`, `failed`, or `givenBack` when it had to stop.
    /// - Throws: A ``PermanentError`` fails the job at once; `CancellationError` gives it back; any other error has it
    ///   tried again later, as often as the job allows.
    func run(_ run: JobRun, _ connection: Connection) async throws -> JobOutcome
}

/// An error that trying again would not cure, such as a file that is missing.
public protocol PermanentError: Error {}

/// What became of a job.
public enum JobOutcome: Sendable, Hashable {
    /// It is done; the summary is JSON.
    case completed(summary: String)
    /// It cannot be done, and trying again would not help; the summary is JSON, `nil` when the work did not come so far.
    case failed(reason: String, summary: String?)
    /// It is to be tried again after a while.
    case retried(reason: String, after: Duration)
    /// Its user called it off while it was worked on.
    case cancelled
    /// The worker must stop; the job waits for another one, which carries on.
    case givenBack
    /// Another worker has taken it over.
    case lost
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

/// One go at a job: the job, its lease, and the way to say how far it is.
public struct JobRun {
    /// The job.
    public let job: ImportJob

    /// The claim on it.
    public let lease: Lease

    /// Tells when the worker is to stop.
    package let stop: WorkerStop

    private let report: (JobProgress) -> Void

    /// Creates a go at a job.
    init(_ job: ImportJob, _ lease: Lease, stop: WorkerStop, report: @escaping (JobProgress) -> Void) {
        self.job = job
        self.lease = lease
        self.stop = stop
        self.report = report
    }

    /// Whether the handler is to return `givenBack` as soon as what it has in hand is committed.
    public var mustStop: Bool { stop.isRequested }

    /// Runs a piece of the work in a transaction: see ``Lease/transaction(_:until:_:_:)``.
    package func transaction<Result>(
        with policy: RetryPolicy = RetryPolicy(of: [.transaction], except: [1205], most: 20),
        _ connection: Connection,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await lease.transaction(policy, until: stop, connection, body)
    }

    /// The same for work on another thread, which looks from time to time.
    package var stopLook: @Sendable () -> Bool {
        let stop = stop
        return { stop.isRequested }
    }

    /// Tells those who watch how far the work is, as often as the handler likes.
    public func progressed(_ progress: JobProgress) { report(progress) }
}

/// Decides whether and when a job is tried again after an error that may pass.
struct RetryRule: Sendable, Hashable {
    /// How often the job has been tried again already.
    let retries: Int

    /// How often it may be.
    let maxRetries: Int

    /// The longest wait, without the jitter.
    static let longest: Duration = .seconds(60 * 60)

    /// How long to wait: 1, 2, 4 minutes and so on, an hour at most.
    ///
    /// Up to a fifth more, so that jobs that failed together do not come back together.
    ///
    /// - Parameter jitter: A random number from 0 to 1.
    /// - Returns: The wait; `nil` when the job has been tried often enough.
    func delay(jitter: Double) -> Duration? {
        guard retries < maxRetries else { return nil }
        let minutes = retries >= 6 ? 60 : 1 << max(0, retries)
        return .seconds(minutes * 60) * (1 + jitter / 5)
    }
}
