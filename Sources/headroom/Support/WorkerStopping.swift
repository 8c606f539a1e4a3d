import Glibc
import HeadroomJobs
import Synchronization

/// Ends a worker in steps: the first signal lets it store what it has in hand, for at most 1.5 s, the second ends it at once.
final class WorkerStopping: Sendable {
    private struct State {
        var stop: WorkerStop?
        var isRequested = false
        var hasJob = false
    }

    private let state = Mutex(State())

    /// Takes note of what the worker has in hand.
    func note(_ event: Worker.Event) {
        switch event {
        case .started: state.withLock { $0.hasJob = true }
        case .ended: state.withLock { $0.hasJob = false }
        default: break
        }
    }

    /// Names what to stop.
    func begin(_ stop: WorkerStop) {
        let isRequested = state.withLock { state in
            state.stop = stop
            return state.isRequested
        }
        if isRequested { stop.request() }
    }

    /// Takes a signal; returns whether that is all there is to do.
    func take(_ number: Int32) -> Bool {
        let (stop, isFirst, hasJob) = state.withLock { state in
            defer { state.isRequested = true }
            return (state.stop, !state.isRequested, state.hasJob)
        }
        guard let stop else { return false }
        guard isFirst else { _exit(128 + number) }
        stop.request()
        Task {
            // A chunk takes milliseconds; whatever takes longer is given up, and the kernel and the server clean up.
            try? await Task.sleep(for: .milliseconds(1500))
            _exit(128 + number)
        }
        // Without a job in hand it is cancelled: it may be waiting for a slot.
        return hasJob
    }
}
