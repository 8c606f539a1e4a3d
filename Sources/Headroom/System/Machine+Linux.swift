#if os(Linux)
import CLibrary

/// What the kernel says of this machine and its processes, as Linux says it.
enum Machine {
    /// A new one after each start of the machine (random(4)).
    static let bootID = text("/proc/sys/kernel/random/boot_id") ?? ""

    private static func text(_ path: String) -> String? {
        (try? RegularFile.read(path, atMost: 1 << 16, links: .followed)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What tells this pid namespace (a container) from the others of the machine.
    static let processNamespace: String = {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/self/ns/pid", &buffer, buffer.count)
        let digits = buffer.prefix(max(0, count)).map { UInt8(truncatingIfNeeded: $0) }
            .filter { (48...57).contains($0) }
        return String(decoding: digits, as: UTF8.self)
    }()

    /// Where the system's certificates are: a folder of hashed ones, or one file of all.
    ///
    /// OpenSSL looks where it was built for; a program that runs on any distribution must look itself (the list of Go's
    /// crypto/x509).
    static let authorities: String = {
        let bundles = [
            "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch; beside it the folder of hashed ones
            "/etc/pki/tls/certs/ca-bundle.crt",  // RHEL, AlmaLinux, CloudLinux, Fedora
            "/etc/ssl/ca-bundle.pem",  // SUSE
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL without the old names
            "/etc/ssl/cert.pem",  // Alpine
        ]
        let found = bundles.first { access($0, R_OK) == 0 }
        return found == nil || found == bundles[0] ? "/etc/ssl/certs" : found ?? ""
    }()

    /// The socket option for how long a silent peer is trusted.
    static var idleBeforeKeepAlive: Int32 { TCP_KEEPIDLE }

    /// Who listened at a unix socket when this connection to it was made; `nil` for another kind of socket.
    static func listener(of descriptor: Int32) -> uid_t? {
        // struct ucred: the process, its user, its group.
        var who: (process: Int32, user: uid_t, group: gid_t) = (0, .max, .max)
        var size = socklen_t(MemoryLayout.size(ofValue: who))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0, who.user != .max else { return nil }
        return who.user
    }

    /// When a process was started, in clock ticks since the machine was; `nil` when there is no such process.
    ///
    /// One that has ended and that its parent has not taken note of is none: it holds nothing and does nothing. (Some
    /// parents never do, as the first process of many containers.)
    static func start(of process: pid_t) -> UInt64? {
        // The second field, the program's name in parentheses, may contain anything.
        guard let text = text("/proc/\(process)/stat"), let end = text.unicodeScalars.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.unicodeScalars.index(after: end)...].pieces(separator: " ")
        guard fields.count > 19 else { return nil }
        // With further threads only the first one has ended, and the process goes on.
        if fields[0] == "Z" || fields[0] == "X", (Int(fields[17]) ?? 0) <= 1 { return nil }
        return UInt64(fields[19])
    }

    /// A process's parent; `nil` when there is no such process.
    static func parent(of process: pid_t) -> pid_t? {
        guard let text = text("/proc/\(process)/stat"), let end = text.unicodeScalars.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.unicodeScalars.index(after: end)...].pieces(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }

    /// Whether a process is stopped (SIGSTOP, a debugger): it runs, and does nothing.
    static func isStopped(_ process: pid_t) -> Bool {
        guard let text = text("/proc/\(process)/stat"), let end = text.unicodeScalars.lastIndex(of: ")") else {
            return false
        }
        let state = text[text.unicodeScalars.index(after: end)...].pieces(separator: " ").first
        return state == "T" || state == "t"
    }

    /// Whether something has the process id that cannot be seen from here: another user's process may be (hidepid).
    static func isHidden(_ process: pid_t) -> Bool {
        access("/proc/\(process)", F_OK) != 0 && kill(process, 0) != 0 && errno == EPERM
    }

    /// Opens a file that was removed and that a process still has open, for reading and writing; `nil` when there is none.
    ///
    /// Of other users' processes only root can tell.
    ///
    /// - Parameter descriptor: The file that is at the other's path now.
    /// - Returns: The descriptor.
    static func openRemoved(before descriptor: Int32) -> Int32? {
        var own = stat()
        guard fstat(descriptor, &own) == 0, let path = target("/proc/self/fd/\(descriptor)") else { return nil }
        for process in OpenFolder.names(in: "/proc") ?? [] where process.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        {
            for number in OpenFolder.names(in: "/proc/\(process)/fd") ?? [] {
                let link = "/proc/\(process)/fd/\(number)"
                guard target(link) == "\(path) (deleted)",
                    let removed = try? RegularFile.open(link, O_RDWR, links: .followed)
                else { continue }
                // Another namespace may have another file of that name.
                var facts = stat()
                if fstat(removed, &facts) == 0, facts.st_dev == own.st_dev, facts.st_uid == own.st_uid,
                    facts.st_nlink == 0
                {
                    return removed
                }
                close(removed)
            }
        }
        return nil
    }

    private static func target(_ link: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink(link, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// The kind of the network file system that a path is on; `nil` for a file system of this machine.
    static func networkFileSystem(_ path: String) -> String? {
        networkFileSystem(type: kernel_file_system(path))
    }

    /// The name of a network file system by its number (statfs(2)).
    static func networkFileSystem(type: UInt32) -> String? {
        switch type {
        case 0x6969: "NFS"
        case 0x517B, 0xFF53_4D42, 0xFE53_4D42: "SMB"
        case 0x00C3_6400: "Ceph"
        case 0x0BD0_0BD0: "Lustre"
        case 0x4750_4653: "GPFS"
        case 0x1983_0326: "BeeGFS"
        case 0x5346_414F, 0x6B41_4653: "AFS"
        case 0x0102_1997: "9p"
        case 0x0116_1970: "GFS2"
        case 0x7461_636F: "OCFS2"
        default: nil
        }
    }

    /// Makes a file at least so large, with its room on the disk; returns 0 or an error number.
    static func makeRoom(_ descriptor: Int32, _ size: Int) -> Int32 {
        posix_fallocate(descriptor, 0, off_t(size))
    }
}
#endif
