import HeadroomJobs
import Synchronization

/// Keeps little in memory while a worker sleeps or imports a long file: the code that has led there is let go of.
///
/// Not for each job: one of a few rows took twice as long when it had to fetch its code again.
final class WorkMemory: Sendable {
    private struct State {
        var hasStarted = false
        /// Whether a file of more than one chunk is being imported.
        var isUnderWay = false
    }

    private let staysIdle: Bool
    private let state = Mutex(State())

    /// Creates one when the command has read its flags.
    ///
    /// - Parameter staysIdle: Whether the worker sleeps when it has nothing to do.
    init(staysIdle: Bool) {
        self.staysIdle = staysIdle
        turn()
    }

    /// Takes note that something else begins, as to connect does when the settings are read.
    func turn() { ResidentMemory.letGoOfCode() }

    func note(_ event: Worker.Event) {
        let isTurn = state.withLock { state in
            switch event {
            case .started:
                defer { state.hasStarted = true }
                return !state.hasStarted
            case .progressed(_, let progress) where progress.bytesDone < progress.bytesTotal:
                // From the second chunk on it is the same code again and again.
                defer { state.isUnderWay = true }
                return !state.isUnderWay
            case .ended:
                defer { state.isUnderWay = false }
                return state.isUnderWay
            case .idle:
                return staysIdle
            default:
                return false
            }
        }
        if isTurn { turn() }
    }
}
