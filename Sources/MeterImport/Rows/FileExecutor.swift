import Dispatch

/// Runs an actor's work on a queue of its own, so that reading a file blocks no thread of Swift's cooperative pool.
package final class FileExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "headroom-file")

    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
