import CKernel
import Glibc
import Headroom

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
            case .wouldAsk: "would be asked to end"
            case .ended: "has ended"
            case .goesOn: "was asked to end and goes on"
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
        guard let handle = ProcessHandle(process) else { return .noProcess }
        let known = view.processes + view.hidden.flatMap(\.suspects)
        guard let holder = known.first(where: { $0.id == process }) else { return .noHolder }
        guard !holder.isOurs else { return .ours }
        if isDryRun { return geteuid() == 0 || geteuid() == holder.user ? .wouldAsk : .notPermitted }
        // PHP-FPM's workers finish the page that they serve, and are replaced; SIGTERM would cut it.
        let error = handle.signal(holder.isPHPPool ? SIGQUIT : SIGTERM)
        guard error == 0 else { return error == ESRCH ? .ended : .notPermitted }
        let deadline = ContinuousClock.now + patience
        while true {
            if handle.hasEnded { return .ended }
            if deadline < .now { return .goesOn }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// A process that is still meant when its number is given to another: by a descriptor where the kernel has those (Linux 5.3), by
/// the moment it was started elsewhere.
private struct ProcessHandle: ~Copyable {
    private let process: Int32
    private let descriptor: Int32
    private let startedAt: UInt64?

    /// Takes hold of a process; `nil` when there is none.
    init?(_ process: Int32) {
        self.process = process
        descriptor = process > 0 ? kernel_pidfd_open(process) : -1
        startedAt = process > 0 && descriptor < 0 && errno != ESRCH ? Self.start(of: process) : nil
        if descriptor < 0, startedAt == nil { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Sends it a signal; returns 0, or the error number.
    func signal(_ number: Int32) -> Int32 {
        if descriptor >= 0 { return kernel_pidfd_signal(descriptor, number) == 0 ? 0 : errno }
        if hasEnded { return ESRCH }
        return kill(process, number) == 0 ? 0 : errno
    }

    /// Whether it has ended, also when nobody has waited for it yet.
    var hasEnded: Bool {
        guard descriptor >= 0 else { return Self.start(of: process) != startedAt }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// When a process was started; `nil` for one that is not there any more.
    private static func start(of process: Int32) -> UInt64? {
        guard let bytes = try? RegularFile.read("/proc/\(process)/stat", atMost: 4096),
            let stat = ProcessText.stat(String(decoding: bytes, as: UTF8.self)), !stat.hasEnded
        else { return nil }
        return stat.startedAt
    }
}
