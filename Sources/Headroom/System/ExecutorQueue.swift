/// The jobs of tasks that run on the event loop's thread.
///
/// A job that comes from the thread itself (most do: a task is resumed by the wait that ended) costs no system call.
final class ExecutorQueue: Sendable {
    /// Becomes readable when a job has come from another thread.
    var descriptor: Int32 { wakeUp.descriptor }

    private let wakeUp = WakeUp()

    private struct Lists: Sendable {
        /// The jobs that have come.
        var arrived: [UnownedJob] = []
        /// The jobs that are being run, and how far that is.
        var running: [UnownedJob] = []
        var position = 0

        mutating func swapLists() -> Bool {
            running.removeAll(keepingCapacity: true)
            position = 0
            swap(&arrived, &running)
            return !running.isEmpty
        }

        mutating func next() -> UnownedJob? {
            guard position < running.count else { return nil }
            defer { position += 1 }
            return running[position]
        }
    }

    private let jobs = Locked(Lists())

    /// Adds a job.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - wakesThread: Whether the thread has to be told.
    func add(_ job: UnownedJob, wakesThread: Bool) {
        let isFirst = jobs.withLock { jobs in
            jobs.arrived.append(job)
            return jobs.arrived.count == 1
        }
        if isFirst, wakesThread { wakeUp.raise() }
    }

    /// Runs the jobs until there are none, those that they add themselves included.
    func run(on executor: UnownedTaskExecutor) {
        // Two lists change places, so that neither is ever allocated anew.
        while jobs.withLock({ $0.swapLists() }) {
            while let job = jobs.withLock({ $0.next() }) { job.runSynchronously(on: executor) }
        }
    }

    /// Takes note that the descriptor has done its work.
    func noteWakeUp() {
        wakeUp.lower()
    }
}

extension EventLoop: TaskExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        jobs.add(UnownedJob(job), wakesThread: !isOnThread)
    }
}

extension Database {
    /// Runs tasks on the one thread that waits for all connections of the process.
    ///
    /// A task there goes on with no thread to be woken, which saves about a third of a short scope's cost when many tasks
    /// take turns on few cores. For tasks that do little but talk to databases: one that computes for long, or blocks, holds
    /// up everything that waits. Use it as `Task(executorPreference: Database.executor)`.
    public static var executor: any TaskExecutor { EventLoop.shared }
}
