#if os(Linux)
import CLibrary
import DequeModule

/// Threads of a program's own that Swift's tasks run on, in the place of Dispatch's.
///
/// Dispatch starts a thread when a task comes, and where the host gives none it asks once a second for ever: a program that
/// cron starts would hang, and the next one after it. Here the first thread is started before anything is done, or the program
/// says why it cannot go on; the others come when they have something to do, and it goes on without those that it does not get.
package final class TaskThreads: Sendable {
    private struct State {
        var jobs = Deque<UnownedJob>()
        var threads = 1
        /// How many of them sleep, and have not been woken.
        var idle = 0
    }

    private let name: String
    private let most: Int
    private let state = Guarded(State())
    /// What idle ones sleep on. It is never freed, as they never end.
    private nonisolated(unsafe) let wakeUps = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    /// Starts the first thread.
    ///
    /// - Parameters:
    ///   - name: What the threads are called, for debuggers.
    ///   - most: How many there may be; by default as many as the process may use processors.
    /// - Throws: ``DatabaseError`` with `hostExhausted`.
    package init(named name: String, most: Int = kernel_processors()) throws(DatabaseError) {
        self.name = name
        self.most = most
        sem_init(wakeUps, 0, 0)
        try startThread()
    }

    private func startThread() throws(DatabaseError) {
        // Twice as much as macOS gives such threads; of the 8 MB that are usual here a limit of all memory counts each.
        try startDetachedThread(named: name, stack: 1 << 20) { [self] in work() }
    }

    /// Has the job run, in its turn.
    package func add(_ job: UnownedJob) {
        let (wakes, starts) = state.withLock { state in
            state.jobs.append(job)
            if state.idle > 0 {
                state.idle -= 1
                return (true, false)
            }
            guard state.threads < most else { return (false, false) }
            state.threads += 1
            return (false, true)
        }
        if wakes { sem_post(wakeUps) }
        guard starts else { return }
        do throws(DatabaseError) {
            try startThread()
        } catch {
            // Those that there are run the job.
            state.withLock { $0.threads -= 1 }
        }
    }

    private func work() -> Never {
        while true {
            let job = state.withLock { state in
                if state.jobs.isEmpty { state.idle += 1 }
                return state.jobs.popFirst()
            }
            if let job {
                kernel_run_job(unsafeBitCast(job, to: UnsafeMutableRawPointer.self))
            } else {
                sem_wait(wakeUps)
            }
        }
    }
}

/// A program that is all of Headroom's own: its tasks run on ``TaskThreads``, and its first thread waits for all of them.
package enum WaitingProgram {
    /// Runs the program, and never returns: the program ends the process.
    ///
    /// - Parameters:
    ///   - signals: A descriptor.
    ///   - heard: Is run on the first thread whenever the descriptor can be read.
    ///   - program: The program.
    /// - Throws: ``DatabaseError`` with `hostExhausted`; then nothing of the program was done.
    package static func run(
        signals: Int32,
        heard: @escaping @Sendable () -> Void,
        _ program: @escaping @Sendable () async -> Void
    ) throws(DatabaseError) -> Never {
        let waiting = try Waiting.startForOwnThread()
        waiting.watch(signals, heard)
        threads = try TaskThreads(named: "headroom-task")
        kernel_take_tasks(
            { job, _ in WaitingProgram.add(job) },
            { nanoseconds, job, _ in WaitingProgram.add(job, after: .nanoseconds(Int64(clamping: nanoseconds))) },
            { seconds, nanoseconds, _, _, clock, job, _ in
                let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
                let moment = overflow ? Int64.max : whole + min(nanoseconds, Int64.max - whole)
                // Swift's numbers: 1 goes on while the machine sleeps, 2 does not, 3 is the time of day.
                let now = clock == 1 ? kernel_uptime() : clock == 2 ? kernel_monotonic_time() : kernel_time_of_day()
                WaitingProgram.add(job, after: .nanoseconds(max(0, moment - now)))
            }
        )
        Task { await program() }
        waiting.loop()
    }

    /// Set before the first task begins, and never again.
    private nonisolated(unsafe) static var threads: TaskThreads?

    private static func add(_ job: UnsafeMutableRawPointer?) {
        threads?.add(unsafeBitCast(job, to: UnownedJob.self))
    }

    private static func add(_ job: UnsafeMutableRawPointer?, after time: Duration) {
        // A pointer to what the runtime hands over, and takes no more.
        nonisolated(unsafe) let job = job
        _ = Waiting.shared.schedule(at: .now + time) { add(job) }
    }
}
#endif
