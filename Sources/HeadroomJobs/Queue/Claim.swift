import CLibrary
import Headroom

/// What became of an attempt to claim a job.
enum Claim: Sendable {
    /// A job, now `processing`.
    case job(ImportJob, Lease)
    /// A job that has killed its workers once too often, now `failed`.
    case poisoned(ImportJob, reason: String)
}

extension Connection {
    /// Claims the next job: first those whose worker has died, then the most urgent, of those the oldest, that may run now.
    ///
    /// Candidates are only read, and a claim is one update of one row. (`FOR UPDATE SKIP LOCKED` with this order locks
    /// every queued row while the claim is open, and shuts out other workers and the host's pages: measured.) A claim is
    /// one only when it is committed: of two nodes of a cluster, both can take it that far. A job whose row another session
    /// has locked is passed over; when no other is left the first of them is waited for.
    ///
    /// - Parameters:
    ///   - types: The kinds of file that the caller can handle.
    ///   - token: The token of the lease to take.
    ///   - id: The only job to claim; `nil` for any.
    /// - Returns: What became of it; `nil` when no job waits.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    func claimNext(types: Set<String>, token: String, only id: Int? = nil) async throws -> Claim? {
        LiveLeases.insert(token)
        var retry = RetryPolicy(of: [.transaction], most: 100, first: .milliseconds(1), longest: .milliseconds(50))
        var locked: Set<Int> = []
        while true {
            let candidates = try await strangers(types, id) + candidates(types, id)
            guard let first = candidates.first else { return nil }
            let free = candidates.filter { !locked.contains($0.id) }
            if free.isEmpty, let claim = try await claim(first, token: token) { return claim }
            for candidate in free {
                do {
                    guard try await isFree(candidate.id) else {
                        locked.insert(candidate.id)
                        continue
                    }
                    if let claim = try await claim(candidate, token: token) { return claim }
                } catch let error as DatabaseError where error.isLockWait && locked.count < 3 {
                    locked.insert(candidate.id)
                } catch let error as DatabaseError {
                    // Another worker was at the same job.
                    guard let pause = retry.pause(after: error) else { throw error }
                    try await Task.sleep(for: pause)
                }
            }
        }
    }

    private struct Candidate {
        var id: Int
        var maxRetries: Int
        /// The lease that is to be taken over; `nil` for a job that waits.
        var lease: LeaseRecord?
        /// Whether that is one that this very process could not give back, or that was given back without its job: nobody died.
        var isLeftOver = false
        /// The counts of a job that another program does not get on with; `nil` for all others.
        var strandedAt: String?
    }

    /// Whether no other session has locked a job's row, where the server can tell that without a wait.
    private func isFree(_ id: Int) async throws -> Bool {
        do {
            return try await query("SELECT id FROM import_jobs WHERE id = \(id) FOR UPDATE SKIP LOCKED").first(Int.self)
                != nil
        } catch let error as DatabaseError where error.serverCode == 1064 {
            // MariaDB before 10.6, MySQL before 8.
            return true
        }
    }

    /// The jobs of the host's own worker, which takes no lease, that nobody gets on with; the others are remembered.
    private func strangers(_ types: Set<String>, _ id: Int?) async throws -> [Candidate] {
        let rows = try await query(
            """
            SELECT j.id, LEAST(GREATEST(j.max_retries, 0), 1000000) DIV 1, \(raw: progressOfJob), s.progress = \(raw: progressOfJob),
                   TIMESTAMPDIFF(SECOND, s.since, UTC_TIMESTAMP(6))
            FROM import_jobs AS j LEFT JOIN headroom_leases AS l ON l.job_id = j.id
              LEFT JOIN headroom_sightings AS s ON s.job_id = j.id
            WHERE j.status = 'processing' AND l.job_id IS NULL
              AND j.import_type IN (\(list: types.sorted())) AND (\(id) IS NULL OR j.id = \(id))
            ORDER BY j.id LIMIT 100
            """
        )
        .decode(Int.self, Int.self, String.self, Bool?.self, Int?.self)
        var stranded: [Candidate] = []
        for (id, maxRetries, progress, isUnchanged, age) in rows {
            switch StallCheck(isUnchanged: isUnchanged, age: .seconds(age ?? 0)).verdict {
            case .wait: break
            case .adopt: stranded.append(Candidate(id: id, maxRetries: maxRetries, strandedAt: progress))
            case .remember:
                try await query(
                    """
                    INSERT INTO headroom_sightings (job_id, progress, since)
                    VALUES (\(id), \(progress), UTC_TIMESTAMP(6))
                    ON DUPLICATE KEY UPDATE progress = VALUES(progress), since = VALUES(since)
                    """
                )
            }
        }
        return stranded
    }

    private func candidates(_ types: Set<String>, _ id: Int?) async throws -> [Candidate] {
        let rows = try await query(
            """
            SELECT j.id, j.status, LEAST(GREATEST(j.max_retries, 0), 1000000) DIV 1, l.token, l.host, l.process_id,
                   l.process_start, l.expires_at <= UTC_TIMESTAMP(6), LEAST(GREATEST(l.fruitless, 0), 2000000) DIV 1
            FROM import_jobs AS j LEFT JOIN headroom_leases AS l ON l.job_id = j.id
            WHERE j.import_type IN (\(list: types.sorted())) AND (\(id) IS NULL OR j.id = \(id))
              AND (j.status = 'queued' AND (j.retry_at IS NULL OR j.retry_at <= NOW())
                   OR j.status = 'processing'
                      AND (l.expires_at <= UTC_TIMESTAMP(6) OR l.host = \(ProcessIdentity.current.host)))
            ORDER BY j.status = 'queued', FIELD(j.priority, 'high', 'normal', 'low'), j.queued_at, j.id
            LIMIT 100
            """
        )
        .decode(
            Int.self,
            String.self,
            Int.self,
            String?.self,
            String?.self,
            Int?.self,
            UInt64?.self,
            Bool?.self,
            Int?.self
        )
        return rows.compactMap { id, status, maxRetries, token, host, process, start, isExpired, fruitless in
            guard status == "processing" else { return Candidate(id: id, maxRetries: maxRetries) }
            let holder = ProcessIdentity(
                host: host ?? "",
                processID: Int32(clamping: process ?? 0),
                start: start ?? 0
            )
            let lease = LeaseRecord(
                token: token ?? "",
                holder: holder,
                isExpired: isExpired ?? true,
                fruitless: fruitless ?? 0
            )
            if lease.isGivenBack { return Candidate(id: id, maxRetries: maxRetries, lease: lease, isLeftOver: true) }
            let isOwn = holder == .current
            let isRunning = isOwn ? LiveLeases.contains(lease.token) : holder.isRunning
            let isStopped = !isOwn && holder.isStopped
            guard lease.isAbandoned(isRunning: isRunning, isStopped: isStopped) else { return nil }
            return Candidate(id: id, maxRetries: maxRetries, lease: lease, isLeftOver: isOwn)
        }
    }

    /// Claims one candidate; `nil` when somebody else was faster.
    private func claim(_ candidate: Candidate, token: String) async throws -> Claim? {
        if candidate.lease == nil, candidate.strandedAt == nil {
            let isOurs = try await withTransaction {
                let claimed = try await query(
                    """
                    UPDATE import_jobs
                    SET status = 'processing', started_at = NOW(), completed_at = NULL, error_message = NULL
                    WHERE id = \(candidate.id) AND status = 'queued'
                    """
                )
                guard claimed.affectedRows == 1 else { return false }
                try await setLease(of: candidate.id, token: token, fruitless: 0)
                return true
            }
            return isOurs ? try await claimed(candidate.id, token) : nil
        }
        let fruitless = candidate.lease?.fruitless ?? 0
        let takeover =
            candidate.isLeftOver
            ? Takeover(leftOver: fruitless) : Takeover(fruitless: fruitless, maxRetries: candidate.maxRetries)
        // What a stopped worker has locked it never lets go.
        if let holder = candidate.lease?.holder, holder.isStopped { try await endSessions(of: holder) }
        let isOurs = try await withTransaction {
            // The job's row first, as everywhere: two that take rows in two orders wait for each other.
            let job =
                try await query(
                    """
                    SELECT j.status, \(raw: progressOfJob) FROM import_jobs AS j WHERE j.id = \(candidate.id) FOR UPDATE
                    """
                )
                .first(String.self, String.self)
            let current =
                try await query("SELECT token FROM headroom_leases WHERE job_id = \(candidate.id) FOR UPDATE")
                .first(String.self)
            guard let (status, progress) = job, status == "processing", current == candidate.lease?.token,
                candidate.strandedAt == nil || candidate.strandedAt == progress
            else { return false }
            guard takeover.isTriedAgain else {
                try await query(
                    """
                    UPDATE import_jobs
                    SET status = 'failed', completed_at = NOW(), error_message = \(takeover.reason),
                        last_error = \(takeover.reason)
                    WHERE id = \(candidate.id)
                    """
                )
                try await query("DELETE FROM headroom_leases WHERE job_id = \(candidate.id)")
                return true
            }
            if !candidate.isLeftOver {
                try await query(
                    """
                    UPDATE import_jobs
                    SET retry_count = LEAST(retry_count, 1000000) + 1, started_at = NOW(), last_error = \(
                        candidate.strandedAt == nil
                            ? "The worker died in the middle of it." : "Its worker had not got on with it for 60 minutes."
                    )
                    WHERE id = \(candidate.id)
                    """
                )
            }
            if candidate.strandedAt != nil {
                try await query("DELETE FROM headroom_sightings WHERE job_id = \(candidate.id)")
            }
            try await setLease(of: candidate.id, token: token, fruitless: takeover.fruitless)
            return true
        }
        guard isOurs else { return nil }
        if takeover.isTriedAgain { return try await claimed(candidate.id, token) }
        return try await job(candidate.id).map { .poisoned($0, reason: takeover.reason) }
    }

    private func claimed(_ id: Int, _ token: String) async throws -> Claim? {
        try await job(id).map { .job($0, Lease(jobID: id, token: token)) }
    }

    private func setLease(of job: Int, token: String, fruitless: Int) async throws {
        let process = ProcessIdentity.current
        try await query(
            """
            INSERT INTO headroom_leases
              (job_id, token, host, process_id, process_start, hostname, expires_at, fruitless)
            VALUES (\(job), \(token), \(process.host), \(Int(process.processID)), \(Int(process.start)),
                    \(hostName), UTC_TIMESTAMP(6) + INTERVAL \(Lease.seconds) SECOND, \(fruitless))
            ON DUPLICATE KEY UPDATE
              token = VALUES(token), host = VALUES(host), process_id = VALUES(process_id),
              process_start = VALUES(process_start), hostname = VALUES(hostname), expires_at = VALUES(expires_at),
              fruitless = VALUES(fruitless)
            """
        )
    }
}

/// What changes whenever a worker gets on with a job, in SQL; as long as the column that remembers it at most.
private let progressOfJob = """
    LEFT(CONCAT_WS(' ', UNIX_TIMESTAMP(j.started_at), j.processed_rows, j.imported_rows, j.failed_rows, j.retry_count), 100)
    """

/// This host's name, for people who look at the leases.
private let hostName: String = {
    var name = utsname()
    uname(&name)
    return withUnsafeBytes(of: &name.nodename) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}()
