import HeadroomJobs
import Synchronization

/// Keeps little in memory while a worker works or sleeps: what has led there is let go of at each turn.
final class WorkMemory: Sendable {
    private let staysIdle: Bool
    private let isUnderWay = Mutex(false)

    /// Creates one when the command has read its flags.
    ///
    /// - Parameter staysIdle: Whether the worker sleeps when it has nothing to do.
    init(staysIdle: Bool) {
        self.staysIdle = staysIdle
        turn()
    }

    /// Whether this is asked for the first time since the job was started.
    private var isFirstChunk: Bool {
        isUnderWay.withLock { isUnderWay in
            defer { isUnderWay = true }
            return !isUnderWay
        }
    }

    /// Takes note that something else begins, as to connect does when the settings are read.
    func turn() { ResidentMemory.letGoOfCode() }

    func note(_ event: Worker.Event) {
        switch event {
        case .started, .ended:
            isUnderWay.withLock { $0 = false }
            turn()
        case .progressed where isFirstChunk:
            // From the second chunk on it is the same code again and again.
            turn()
        case .idle where staysIdle:
            turn()
        default: break
        }
    }
}
