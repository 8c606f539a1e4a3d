/// A file to import, as the queue holds it.
public struct ImportJob: Sendable, Hashable {
    /// The job's id.
    public var id: Int
    /// The UUID under which its readings are stored.
    public var batchID: String
    /// The file's name, as its user knows it.
    public var filename: String
    /// Where the file is.
    public var path: String
    /// What kind of file it is: `hh`, `daily` or `sites`.
    public var type: String
    /// How far it is.
    public var status: Status
    /// Whether nothing but the result is to be written.
    public var isDryRun: Bool
    /// How urgent it is.
    public var priority: Priority
    /// The rows counted so far.
    public var counts: Counts
    /// The number of rows in the file, when known.
    public var totalRows: Int?
    /// When it was queued, in the server's time.
    public var queuedAt: String
    /// When it was claimed, in the server's time.
    public var startedAt: String?
    /// When it ended, in the server's time.
    public var completedAt: String?
    /// Why it failed.
    public var errorMessage: String?
    /// How often it has been tried again, after an error or a worker's death.
    public var retries: Int
    /// How often it may be tried again.
    public var maxRetries: Int
    /// When it may be tried again, in the server's time; `nil` when at once.
    public var retryAt: String?
    /// What its handler found, as JSON.
    public var summary: String?
    /// What its handler must know beside the file, as JSON.
    public var metadata: String?
    /// How long it has been worked on since it was claimed, until now or until it ended.
    public var elapsed: Duration?

    /// How far a job is.
    public enum Status: String, Sendable, Hashable, CaseIterable {
        /// It waits for a worker.
        case queued
        /// A worker has it.
        case processing
        /// It is done.
        case completed
        /// It ended with an error.
        case failed
        /// Its user called it off.
        case cancelled
    }

    /// How urgent a job is; the oldest of the most urgent comes first.
    public enum Priority: String, Sendable, Hashable, CaseIterable {
        /// After all others.
        case low
        /// As it comes.
        case normal
        /// Before all others.
        case high
    }

    /// The rows of a file, by what became of them.
    public struct Counts: Sendable, Hashable {
        /// The rows read.
        public var processed: Int
        /// The rows that brought something new.
        public var imported: Int
        /// The rows that were rejected.
        public var failed: Int

        /// Creates counts.
        public init(processed: Int = 0, imported: Int = 0, failed: Int = 0) {
            self.processed = processed
            self.imported = imported
            self.failed = failed
        }
    }
}

/// A job to be queued.
public struct NewJob: Sendable {
    /// The file's name, as its user knows it.
    public var filename: String
    /// The absolute path of the file.
    public var path: String
    /// What kind of file it is: `hh`, `daily` or `sites`.
    public var type: String
    /// How urgent it is.
    public var priority: ImportJob.Priority
    /// Whether nothing but the result is to be written.
    public var isDryRun: Bool
    /// What the handler must know beside the file, as JSON.
    public var metadata: String?

    /// Creates a job.
    public init(
        filename: String,
        path: String,
        type: String,
        priority: ImportJob.Priority = .normal,
        isDryRun: Bool = false,
        metadata: String? = nil
    ) {
        self.filename = filename
        self.path = path
        self.type = type
        self.priority = priority
        self.isDryRun = isDryRun
        self.metadata = metadata
    }
}
