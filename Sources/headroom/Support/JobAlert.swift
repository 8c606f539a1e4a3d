import CommandSupport
import Headroom
import HeadroomJobs
import Subprocess
import Synchronization
import SystemPackage

/// Tells somebody of jobs that have failed for good, by a command of theirs.
final class JobAlert: Sendable {
    private let command: String?
    private let queue: JobQueue
    private let tasks = Mutex<[Task<Void, Never>]>([])

    /// Creates an alert.
    ///
    /// - Parameters:
    ///   - command: What the shell is to run, with the facts in `HEADROOM_JOB_ID`, `_FILE` and `_REASON`; `nil` for nothing.
    ///   - database: The database with the queue.
    init(command: String?, _ database: Database) {
        self.command = command
        queue = JobQueue(database)
    }

    /// Runs the command when the event is a failure.
    func note(_ event: Worker.Event) {
        guard let command, case .ended(let job, .failed(let reason, _)) = event else { return }
        let task = Task { [queue] in
            do {
                let result = try await Subprocess.run(
                    .path("/bin/sh"),
                    arguments: ["-c", command],
                    environment: .inherit.updating([
                        "HEADROOM_JOB_ID": "\(job.id)", "HEADROOM_JOB_FILE": job.filename,
                        "HEADROOM_JOB_REASON": reason,
                    ]),
                    output: .discarded,
                    error: .discarded
                )
                guard result.terminationStatus.isSuccess else {
                    return Console.error(
                        "headroom: the alert command failed (\(result.terminationStatus)), so nobody was told of job "
                            + "\(job.id): run HEADROOM_ALERT_COMMAND by hand to see why"
                    )
                }
                try await queue.noteAlerted(job.id)
            } catch {
                Console.error("headroom: the alert for job \(job.id) failed: \(error)")
            }
        }
        tasks.withLock { $0.append(task) }
    }

    /// Waits for the commands that run.
    func finish() async {
        for task in tasks.withLock(\.self) { await task.value }
    }
}
