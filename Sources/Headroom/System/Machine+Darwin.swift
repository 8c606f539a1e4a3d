#if canImport(Darwin)
import CLibrary

/// What the kernel says of this machine and its processes, as macOS says it.
///
/// Never run on a Mac.
enum Machine {
    /// A new one after each start of the machine.
    static let bootID: String = {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { word in
            guard let start = word.baseAddress, kernel_boot_word(start, word.count) == 0 else { return "" }
            return String(cString: start)
        }
    }()

    /// What tells pid namespaces apart: macOS has one.
    static let processNamespace = ""

    /// Where the system's certificates are: one file of them.
    static let authorities = "/etc/ssl/cert.pem"

    /// The socket option for how long a silent peer is trusted.
    static var idleBeforeKeepAlive: Int32 { TCP_KEEPALIVE }

    /// Who listened at a unix socket when this connection to it was made; `nil` for another kind of socket.
    static func listener(of descriptor: Int32) -> uid_t? {
        var (user, group) = (uid_t.max, gid_t.max)
        return getpeereid(descriptor, &user, &group) == 0 ? user : nil
    }

    /// When a process was started, in microseconds since 1970; `nil` when there is no such process.
    ///
    /// One that has ended and that its parent has not taken note of is none.
    static func start(of process: pid_t) -> UInt64? {
        var start: UInt64 = 0
        return kernel_process_start(process, &start) == 1 ? start : nil
    }

    /// A process's parent; this one's only.
    static func parent(of process: pid_t) -> pid_t? { process == getpid() ? getppid() : nil }

    /// Whether a process is stopped: not asked for here.
    static func isStopped(_ process: pid_t) -> Bool { false }

    /// Whether something has the process id that cannot be seen from here: on macOS all can be.
    static func isHidden(_ process: pid_t) -> Bool { false }

    /// Opens a file that was removed and that a process still has open: macOS does not tell.
    static func openRemoved(before descriptor: Int32) -> Int32? { nil }

    /// The kind of the network file system that a path is on; `nil` for a file system of this machine.
    static func networkFileSystem(_ path: String) -> String? {
        var facts = statfs()
        guard statfs(path, &facts) == 0, facts.f_flags & UInt32(MNT_LOCAL) == 0 else { return nil }
        return "not local"
    }

    /// Makes a file at least so large, with its room on the disk; returns 0 or an error number.
    static func makeRoom(_ descriptor: Int32, _ size: Int) -> Int32 {
        kernel_make_room(descriptor, Int64(size))
    }
}
#endif
