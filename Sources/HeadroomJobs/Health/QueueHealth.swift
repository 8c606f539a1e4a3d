import Headroom

/// How well a queue does: judged by numbers alone.
public struct QueueHealth: Sendable, Hashable {
    /// What the numbers are.
    public struct Numbers: Sendable, Hashable {
        /// The jobs that wait for a worker.
        public var queued = 0
        /// The jobs of those that wait for another try.
        public var waitingForRetry = 0
        /// How long the oldest job that may run now has waited.
        public var oldestWait: Duration = .zero
        /// The jobs that a worker has.
        public var processing = 0
        /// The jobs that a worker has had for too long without getting anywhere, by id.
        public var stuck: [Int] = []
        /// The jobs that ended well in the last 24 hours.
        public var completed = 0
        /// The jobs that failed in the last 24 hours.
        public var failed = 0

        /// The hosts whose workers have jobs.
        public var hosts: [Host] = []

        /// Creates numbers of an empty queue.
        public init() {}

        /// The share of failures among the jobs that ended in the last 24 hours, in percent.
        public var failedPercent: Double {
            completed + failed == 0 ? 0 : Double(failed) * 100 / Double(completed + failed)
        }
    }

    /// A host whose workers have jobs, as their leases say.
    public struct Host: Sendable, Hashable {
        /// The host's name.
        public var name: String
        /// How many jobs its workers have.
        public var jobs: Int { jobIDs.count }
        /// How long ago the one that was committed last was; a lease is renewed with each commit.
        public var silence: Duration
        /// How many of the jobs others may take over, as their leases have ended.
        public var expired: Int { expiredIDs.count }
        /// The jobs, by id.
        public var jobIDs: [Int] = []
        /// Those that others may take over, by id.
        public var expiredIDs: [Int] = []
        /// Those of which nothing was heard for over a minute, twice as long as a lease lasts, by id.
        public var silentIDs: [Int] = []
    }

    /// How bad it is; the raw values are exit codes, as monitoring programs expect them.
    public enum Level: Int, Sendable, Hashable, Comparable {
        /// All is well.
        case ok = 0
        /// Somebody should look at it.
        case warning = 1
        /// Work is lost or does not get done.
        case critical = 2

        /// Whether one is less bad than the other.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// The numbers.
    public let numbers: Numbers

    /// How bad it is.
    public private(set) var level = Level.ok

    /// What is wrong, in sentences; empty when all is well.
    public private(set) var findings: [String] = []

    /// How long a job may go without progress: 60 minutes.
    public static let patience: Duration = .seconds(3600)

    /// The share of failures over which somebody should look: 25 %; over 50 % it is critical.
    public static let failedPercents = (warning: 25.0, critical: 50.0)

    /// The most jobs that may wait: 100.
    public static let mostQueued = 100

    /// Judges a queue.
    public init(_ numbers: Numbers) {
        self.numbers = numbers
        if !numbers.stuck.isEmpty {
            let ids = numbers.stuck.map(String.init).joined(separator: ", ")
            find(.critical, "stuck: no progress for over 60 minutes with job \(ids)")
        }
        for host in numbers.hosts where !host.silentIDs.isEmpty {
            let ids = host.silentIDs.prefix(10).map(String.init).joined(separator: ", ")
            find(.warning, "silent: the worker on \(host.name) has not been heard of for over a minute with job \(ids)")
        }
        if numbers.failedPercent > Self.failedPercents.critical {
            find(
                .critical,
                "failing: \(numbers.failed) of \(numbers.completed + numbers.failed) jobs in 24 hours failed"
            )
        } else if numbers.failedPercent > Self.failedPercents.warning {
            find(
                .warning,
                "failing: \(numbers.failed) of \(numbers.completed + numbers.failed) jobs in 24 hours failed"
            )
        }
        if numbers.queued > Self.mostQueued { find(.warning, "backed up: \(numbers.queued) jobs wait") }
        if numbers.processing == 0, numbers.oldestWait > Self.patience {
            find(.critical, "no worker: a job has waited for over 60 minutes, and none is worked on")
        }
    }

    private mutating func find(_ level: Level, _ finding: String) {
        self.level = max(self.level, level)
        findings.append(finding)
    }
}

extension QueueHealth.Host {
    fileprivate mutating func add(_ job: Int, silence: Duration, isExpired: Bool) {
        jobIDs.append(job)
        self.silence = min(self.silence, silence)
        if isExpired { expiredIDs.append(job) }
        if silence > .seconds(60) { silentIDs.append(job) }
    }
}

extension JobQueue {
    /// Looks how well the queue does.
    ///
    /// - Returns: The judgement, with the numbers.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func health() async throws -> QueueHealth {
        try await database.withBriefConnection { connection in
            var numbers = QueueHealth.Numbers()
            let row =
                try await connection.query(
                    """
                    SELECT COALESCE(SUM(status = 'queued'), 0),
                           COALESCE(SUM(status = 'queued' AND retry_at > NOW()), 0),
                           COALESCE(MAX(CASE WHEN status = 'queued' AND (retry_at IS NULL OR retry_at <= NOW())
                                             THEN TIMESTAMPDIFF(SECOND, queued_at, NOW()) END), 0),
                           COALESCE(SUM(status = 'processing'), 0),
                           COALESCE(SUM(status = 'completed' AND completed_at > NOW() - INTERVAL 24 HOUR), 0),
                           COALESCE(SUM(status = 'failed' AND completed_at > NOW() - INTERVAL 24 HOUR), 0)
                    FROM import_jobs
                    """
                )
                .first(Int.self, Int.self, Int.self, Int.self, Int.self, Int.self)
            if let row {
                (numbers.queued, numbers.waitingForRetry) = (row.0.asCount, row.1.asCount)
                numbers.oldestWait = .seconds(row.2)
                (numbers.processing, numbers.completed, numbers.failed) = (
                    row.3.asCount, row.4.asCount, row.5.asCount
                )
            }
            // A lease is renewed with each commit; a job without one is another worker's, which says nothing of its progress.
            numbers.stuck =
                try await connection.query(
                    """
                    SELECT j.id FROM import_jobs AS j LEFT JOIN headroom_leases AS l ON l.job_id = j.id
                    WHERE j.status = 'processing'
                      AND COALESCE(TIMESTAMPDIFF(SECOND, l.expires_at, UTC_TIMESTAMP()),
                                   TIMESTAMPDIFF(SECOND, j.started_at, NOW()))
                          > \(Int(QueueHealth.patience.components.seconds))
                    ORDER BY j.id LIMIT 100
                    """
                )
                .decode(Int.self)
            numbers.hosts =
                try await connection.query(
                    """
                    SELECT hostname, job_id, TIMESTAMPDIFF(SECOND, expires_at, UTC_TIMESTAMP(6)) + \(Lease.seconds),
                           expires_at <= UTC_TIMESTAMP(6)
                    FROM headroom_leases ORDER BY hostname, job_id LIMIT 10000
                    """
                )
                .decode(String.self, Int.self, Int.self, Int.self)
                .reduce(into: [QueueHealth.Host]()) { hosts, lease in
                    if hosts.last?.name != lease.0 {
                        hosts.append(QueueHealth.Host(name: lease.0, silence: .seconds(lease.2)))
                    }
                    hosts[hosts.count - 1].add(lease.1, silence: .seconds(lease.2), isExpired: lease.3 > 0)
                }
            return QueueHealth(numbers)
        }
    }
}
