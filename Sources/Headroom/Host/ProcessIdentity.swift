import CLibrary

/// A process, told apart from every other that this host has had, and from those of other hosts.
///
/// For notes that outlive their writer, such as who works on a job: whoever reads one on the same host can see at once
/// whether that process still runs.
public struct ProcessIdentity: Sendable, Hashable {
    /// The host since it was started, and the pid namespace (a container) in which the id counts.
    public var host: String

    /// The process id.
    public var processID: Int32

    /// When the process was started, in clock ticks since its host was (on macOS in microseconds since 1970): an id alone may
    /// belong to another one by now.
    public var start: UInt64

    /// Creates a note of a process, as it was written down.
    public init(host: String, processID: Int32, start: UInt64) {
        self.host = host
        self.processID = processID
        self.start = start
    }

    /// This process.
    public static let current = ProcessIdentity(
        host: thisHost,
        processID: getpid(),
        start: Holder.start(of: getpid()) ?? 0
    )

    /// Whether the process still runs; `nil` when it cannot be seen from here, as it is another host's.
    public var isRunning: Bool? {
        guard host == Self.thisHost, !host.isEmpty else { return nil }
        if let start = Holder.start(of: processID) { return start == self.start }
        // That something has its id is all that can be known of a hidden one.
        return Machine.isHidden(processID) ? nil : false
    }

    private static let thisHost: String = {
        let boot = Machine.bootID.keeping { !$0.isBlank }
        return boot.isEmpty ? "" : "\(boot).\(Machine.processNamespace)"
    }()
}
