#if os(Linux)
// How a program names the threads of its tasks: to be public in a later Swift (SE-0505).
@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) import _Concurrency
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
    private let state = Locked(State())
    /// Where idle ones sleep; never freed, as they never end.
    private nonisolated(unsafe) let wakeUps = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    /// Starts the first thread.
    ///
    /// - Parameters:
    ///   - name: What the threads are called, for debuggers.
    ///   - most: How many there may be; by default as many as the process may use processors.
    /// - Throws: ``DatabaseError`` with `hostExhausted`.
    package init(named name: String, most: Int = Int(kernel_processors())) throws(DatabaseError) {
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
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else {
                // A signal that ends the wait is no wake-up: this thread is still among the idle ones.
                while sem_wait(wakeUps) != 0 {}
            }
        }
    }
}

extension TaskThreads: DelayingExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        add(UnownedJob(job))
    }
}

extension EventLoop: DelayingExecutor {}

/// An executor whose jobs of a later time come by the waiting thread.
package protocol DelayingExecutor: TaskExecutor, SchedulingExecutor {}

extension DelayingExecutor {
    package func enqueue<C: Clock>(
        _ job: consuming ExecutorJob,
        after delay: C.Duration,
        tolerance: C.Duration?,
        clock: C
    ) {
        let job = UnownedJob(job)
        // All clocks of the programs count in `Duration`.
        _ = EventLoop.shared.schedule(at: .now + (delay as? Duration ?? .zero)) { [self] in enqueue(job) }
    }

    package func enqueue<C: Clock>(
        _ job: consuming ExecutorJob,
        at instant: C.Instant,
        tolerance: C.Duration?,
        clock: C
    ) {
        enqueue(job, after: clock.now.duration(to: instant), tolerance: tolerance, clock: clock)
    }
}

/// A program that is all of Headroom's own: its first thread waits for all of its tasks.
package enum ProgramEventLoop {
    /// Runs the program, and never returns: the program ends the process.
    ///
    /// - Parameters:
    ///   - signals: A descriptor.
    ///   - heard: Is run on the first thread whenever the descriptor can be read.
    ///   - isAlone: Whether the tasks run on the first thread too, and not on ``TaskThreads``: a program that asks one thing after
    ///     another would only have to wake a thread for each step.
    ///   - program: The program.
    /// - Throws: ``DatabaseError`` with `hostExhausted`; then nothing of the program was done.
    package static func run(
        signals: Int32,
        heard: @escaping @Sendable () -> Void,
        isAlone: Bool,
        _ program: @escaping @Sendable () async -> Void
    ) throws(DatabaseError) -> Never {
        let loop = try EventLoop.startForOwnThread()
        loop.watch(signals, heard)
        if !isAlone { threads = try TaskThreads(named: "headroom-task") }
        _createExecutors(factory: Executors.self)
        Task { await program() }
        loop.run()
    }

    /// Set before the first task begins, and never again.
    private nonisolated(unsafe) static var threads: TaskThreads?

    private enum Executors: ExecutorFactory {
        static var mainExecutor: any MainExecutor { PlatformExecutorFactory.mainExecutor }
        static var defaultExecutor: any TaskExecutor { threads ?? EventLoop.shared }
    }
}
#endif
