import Alerting
import CommandSupport
import HeadroomJobs
import HeadroomWatch

/// Tells somebody of jobs that have failed for good, and notes in the queue that they were told.
struct JobAlert: Sendable {
    private let courier: AlertCourier
    private let queue: JobQueue
    private let account: String

    /// Creates an alert.
    ///
    /// - Parameters:
    ///   - channels: The ways on which it goes out; none for nothing.
    ///   - queue: The queue of the jobs.
    ///   - account: The account that the worker uses.
    init(_ channels: [any AlertChannel], _ queue: JobQueue, account: String) {
        self.queue = queue
        self.account = account
        courier = AlertCourier(channels) { channel, error in
            Console.error("headroom: nobody was told by \(channel) of a job that failed: \(error)")
            Console.error("  next: headroom jobs list --status failed")
        }
    }

    /// Tells of the job when the event is a failure for good.
    func note(_ event: Worker.Event) {
        guard case .ended(let job, .failed(let reason, _)) = event else { return }
        let message = "Job \(job.id) (\(job.filename)) failed for good: \(reason)"
        let advice = "Correct what it says, then: headroom jobs retry \(job.id)"
        let alert = Alert(
            title: "[headroom] job \(job.id) failed: \(job.filename)",
            message: message,
            advice: advice,
            facts: [
                ("ALERT", "job_failed"), ("MESSAGE", message), ("ADVICE", advice), ("JOB_ID", "\(job.id)"),
                ("JOB_FILE", job.filename), ("JOB_REASON", reason), ("ACCOUNT", account), ("TIME", LogLine.time()),
            ]
        )
        courier.post(alert) { [queue] in
            do {
                try await queue.noteAlerted(job.id)
            } catch {
                Console.error("headroom: that somebody was told of job \(job.id) could not be noted: \(error)")
            }
        }
    }

    /// Waits until all are told, for a time at most; whom that is too short for is named.
    func finish(within limit: Duration) async { await courier.finish(within: limit) }
}
