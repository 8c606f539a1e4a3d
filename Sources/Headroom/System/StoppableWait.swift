import Synchronization

/// Waits of one task after another that some other task can stop for good.
final class StoppableWait: Sendable {
    private let current = Locked<EventLoop.Reserved?>(nil)
    private let stopped = Atomic(false)

    /// Whether no wait is to begin any more.
    var isStopped: Bool { stopped.load(ordering: .relaxed) }

    /// Takes note of a wait that begins; it ends at once when all were stopped before.
    func begin(_ wait: EventLoop.Reserved) {
        let isStopped = current.withLock { current in
            current = wait
            return stopped.load(ordering: .relaxed)
        }
        if isStopped { wait.cancel() }
    }

    /// Stops the wait that is under way, and every one after it.
    func stop() {
        let wait = current.withLock { current in
            stopped.store(true, ordering: .relaxed)
            return current
        }
        wait?.cancel()
    }
}
