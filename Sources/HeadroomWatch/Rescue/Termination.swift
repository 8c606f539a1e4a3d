import CKernel
import Glibc

/// Asks a process to end, and waits until it has.
public struct Termination: Sendable {
    /// What became of it.
    public enum Result: String, Sendable, Hashable {
        /// It would have been asked, were it not a dry run.
        case wouldAsk = "would_ask"
        /// It has ended.
        case ended
        /// It was asked, and goes on.
        case goesOn = "goes_on"
        /// There is no such process.
        case noProcess = "no_process"
        /// It is this program, or one that this program was started by.
        case ours
        /// It holds no connection to the server, as far as can be seen.
        case noHolder = "no_holder"
        /// It is another user's.
        case notPermitted = "not_permitted"

        /// The result in words.
        public var words: String {
            switch self {
            case .wouldAsk: "would be asked to end (SIGTERM)"
            case .ended: "has ended"
            case .goesOn: "was asked to end (SIGTERM) and goes on"
            case .noProcess: "is none that runs"
            case .ours: "is this program or one that started it, and is left alone"
            case .noHolder: "holds no connection to this server as far as can be seen, and is left alone"
            case .notPermitted: "is another user's: only root may end it"
            }
        }
    }

    /// Asks a process to end, if the host's view shows it as a holder of connections or as one that may be.
    ///
    /// - Parameters:
    ///   - process: The process.
    ///   - view: The host's view.
    ///   - patience: How long to wait for its end.
    ///   - isDryRun: Whether to ask nothing, and only say what would be.
    /// - Returns: What became of it.
    /// - Throws: `CancellationError` when cancelled.
    public static func run(
        _ process: Int32,
        in view: HostView,
        patience: Duration,
        isDryRun: Bool
    ) async throws -> Result {
        let handle = process > 0 ? kernel_pidfd_open(process) : -1
        guard handle >= 0 else { return .noProcess }
        defer { close(handle) }
        let known = view.processes + view.hidden.flatMap(\.suspects)
        guard let holder = known.first(where: { $0.id == process }) else { return .noHolder }
        guard !holder.isOurs else { return .ours }
        if isDryRun { return geteuid() == 0 || geteuid() == holder.user ? .wouldAsk : .notPermitted }
        guard kernel_pidfd_signal(handle, SIGTERM) == 0 else { return errno == ESRCH ? .ended : .notPermitted }
        let deadline = ContinuousClock.now + patience
        while true {
            var entry = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
            // Readable once the process has ended, also when nobody has waited for it yet.
            if poll(&entry, 1, 0) == 1 { return .ended }
            if deadline < .now { return .goesOn }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
