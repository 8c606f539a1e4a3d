import Glibc
import Synchronization

/// Ends the service at the first signal, with its connection closed, and the program at the second.
final class Stopping: Sendable {
    private struct State {
        var task: Task<Void, any Error>?
        var isRequested = false
    }

    private let state = Mutex(State())

    /// Names what to end.
    func begin(_ task: Task<Void, any Error>) {
        let isRequested = state.withLock { state in
            state.task = task
            return state.isRequested
        }
        if isRequested { task.cancel() }
    }

    /// Takes a signal; returns whether that is all there is to do.
    func take(_ number: Int32) -> Bool {
        let (task, isFirst) = state.withLock { state in
            defer { if state.task != nil { state.isRequested = true } }
            return (state.task, !state.isRequested)
        }
        guard let task else { return false }
        guard isFirst else { _exit(128 + number) }
        task.cancel()
        return true
    }
}
