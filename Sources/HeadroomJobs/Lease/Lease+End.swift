import Headroom

extension Lease {
    /// Writes what became of the job, and gives the lease up.
    ///
    /// While another session has the job's row or table locked it waits, until the worker is to stop: then it gives up the lease
    /// alone, and the next worker writes the end again.
    ///
    /// - Returns: What became of it: `givenBack` when only the lease could be given up.
    /// - Throws: ``LeaseEnded`` when the job is not this worker's any more, and nothing was written.
    func end(_ outcome: JobOutcome, until stop: WorkerStop, _ connection: Connection) async throws -> JobOutcome {
        do {
            try await transaction(until: stop, connection) { try await write(end: outcome, connection) }
            return outcome
        } catch is StoppedAtLock {
            try await connection.query(
                """
                UPDATE headroom_leases SET process_id = 0, process_start = 0, expires_at = '2000-01-01'
                WHERE job_id = \(jobID) AND token = \(token)
                """
            )
            return .givenBack
        }
    }

    private func write(end outcome: JobOutcome, _ connection: Connection) async throws {
        // The job's row first, as everywhere.
        let status =
            try await connection.query("SELECT status FROM import_jobs WHERE id = \(jobID) FOR UPDATE")
            .first(String.self)
        let given = try await connection.query(
            "DELETE FROM headroom_leases WHERE job_id = \(jobID) AND token = \(token)"
        )
        guard given.affectedRows == 1 else { throw status == nil ? LeaseEnded.calledOff : .lost }
        // The host's pages delete a job's own row, and know nothing of the rest.
        if status == nil { try await connection.forgetJobs([jobID]) }
        // A job that was cancelled meanwhile stays cancelled.
        guard status == "processing" else { return }
        try await write(outcome, connection)
    }

    /// What became of the job, when the lease is not there any more; `nil` while it is.
    func outcome(_ connection: Connection) async throws -> JobOutcome? {
        let isHeld =
            try await connection.query(
                "SELECT 1 FROM headroom_leases WHERE job_id = \(jobID) AND token = \(token)"
            )
            .first(Int.self)
        if isHeld != nil { return nil }
        guard let job = try await connection.job(jobID) else { return .cancelled }
        switch job.status {
        case .completed: return .completed(summary: job.summary ?? "{}")
        case .failed: return .failed(reason: job.errorMessage ?? "", summary: job.summary)
        case .cancelled: return .cancelled
        case .queued, .processing: return .lost
        }
    }

    private func write(_ outcome: JobOutcome, _ connection: Connection) async throws {
        switch outcome {
        case .completed(let summary):
            try await connection.query(
                """
                UPDATE import_jobs SET status = 'completed', completed_at = NOW(), summary = \(summary), retry_at = NULL
                WHERE id = \(jobID)
                """
            )
            try await forgetCheckpoints(connection)
        case .failed(let reason, let summary):
            try await connection.query(
                """
                UPDATE import_jobs
                SET status = 'failed', completed_at = NOW(), summary = COALESCE(\(summary), summary),
                    error_message = \(reason), last_error = \(reason)
                WHERE id = \(jobID)
                """
            )
            // What was stored stays, and with it the place to carry on from should its user try again.
            if summary != nil { try await forgetCheckpoints(connection) }
        case .retried(let reason, let delay):
            try await connection.query(
                """
                UPDATE import_jobs
                SET status = 'queued', retry_count = LEAST(retry_count, 1000000) + 1, last_error = \(reason),
                    retry_at = NOW() + INTERVAL \(Int(delay.components.seconds)) SECOND
                WHERE id = \(jobID)
                """
            )
        case .givenBack, .cancelled, .lost:
            // Who cancelled it, or took it over, has written that; a job that is still ours has no other owner.
            try await connection.query("UPDATE import_jobs SET status = 'queued' WHERE id = \(jobID)")
        }
    }

    private func forgetCheckpoints(_ connection: Connection) async throws {
        try await connection.query("DELETE FROM headroom_checkpoints WHERE job_id = \(jobID)")
    }
}
