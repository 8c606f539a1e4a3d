import CKernel
import CommandSupport
import Glibc
import Headroom

/// What a bug report needs to know of the host; read, never changed.
enum HostCheckup {
    static var facts: [(String, String)] {
        var facts: [(String, String)] = []
        var name = utsname()
        if uname(&name) == 0 {
            facts.append(("kernel", "\(text(&name.sysname)) \(text(&name.release)), \(text(&name.machine))"))
        }
        let release = read("/etc/os-release")?.pieces(separator: "\n").first { $0.begins(with: "PRETTY_NAME=") }
        facts.append(("distribution", release.map { $0.dropFirst(12).keeping { $0 != "\"" } } ?? "not known"))
        facts.append(("processors", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))"))
        facts.append(("systemd", access("/run/systemd/system", F_OK) == 0 ? "yes" : "no"))
        let isContainer = access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0
        facts.append(("container", isContainer || getenv("container") != nil ? "yes" : "not seen"))
        facts.append(("user", "\(geteuid()), groups \(groups.map { "\($0)" }.joined(separator: " "))"))
        facts.append(("libraries", LinkedLibraries.areInside ? "inside the program" : "of this host"))
        facts += limits + processes + schedules
        for (label, path) in [
            ("yama ptrace_scope", "/proc/sys/kernel/yama/ptrace_scope"),
            ("protected_regular", "/proc/sys/fs/protected_regular"),
            ("protected_symlinks", "/proc/sys/fs/protected_symlinks"),
            ("inotify instances", "/proc/sys/fs/inotify/max_user_instances"),
        ] {
            facts.append((label, read(path)?.keeping { !$0.endsLine } ?? "not there"))
        }
        facts.append(("/run/headroom", folder("/run/headroom")))
        return facts
    }

    /// What one user may have, and where a hoster bounds the whole account.
    private static var limits: [(String, String)] {
        var facts = [
            ("open files", RLIMIT_NOFILE),  // Of no name in Swift's module (bits/resource.h).
            ("processes and threads", __rlimit_resource(6)), ("address space", RLIMIT_AS),
        ]
        .map { label, resource in
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
            return (label, "\(bound(limit.rlim_cur)) of \(bound(limit.rlim_max))")
        }
        if let memory = read("/sys/fs/cgroup/memory.max") {
            facts.append(("memory of the group", memory.keeping { !$0.endsLine }))
        }
        if access("/proc/lve/list", F_OK) == 0 {
            facts.append(("CloudLinux", "yes: its limits (LVE) bind this account"))
        }
        return facts
    }

    private static func bound(_ value: rlim_t) -> String { value == rlim_t.max ? "no limit" : "\(value)" }

    /// What can be seen and done of other processes, which `rescue` lives on.
    private static var processes: [(String, String)] {
        guard access("/proc/self/stat", R_OK) == 0 else {
            return [("/proc", "not there: nobody can be told who holds a connection")]
        }
        let seen = access("/proc/1/stat", R_OK) == 0
        let others = seen ? "seen" : "hidden (hidepid): rescue finds this user's own connections only"
        // The call is not there (ENOSYS) before Linux 5.6; for this process itself it needs no right.
        let handle = kernel_pidfd_open(getpid())
        let copy = handle >= 0 ? kernel_pidfd_getfd(handle, 0) : -1
        let isThere = copy >= 0 || errno == EBADF
        if copy >= 0 { close(copy) }
        if handle >= 0 { close(handle) }
        let hangUp =
            isThere ? "possible" : "not on this kernel (pidfd_getfd, Linux 5.6): rescue ends the process instead"
        return [("other users' processes", others), ("hanging up a process's connection", hangUp)]
    }

    /// Whether a program is found in PATH.
    static func has(_ program: String) -> Bool {
        let folders = (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin").pieces(separator: ":")
        return folders.contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// What can start Headroom without root.
    private static var schedules: [(String, String)] {
        let hasUnits = access("/run/user/\(geteuid())/systemd/private", F_OK) == 0
        let name = getpwuid(geteuid()).flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? ""
        let lingers = !name.isEmpty && access("/var/lib/systemd/linger/\(name)", F_OK) == 0
        let units = hasUnits ? lingers ? "yes" : "yes, while this user is logged in (no linger)" : "no"
        return [("cron", has("crontab") ? "crontab is there" : "no crontab"), ("systemd units of this user", units)]
    }

    /// A folder or file with its owner and rights.
    static func folder(_ path: String) -> String {
        var information = stat()
        guard lstat(path, &information) == 0 else { return String(cString: strerror(errno)) }
        let kind =
            switch information.st_mode & S_IFMT {
            case S_IFDIR: "folder"
            case S_IFLNK: "symbolic link"
            case S_IFREG: "file"
            default: "neither file nor folder"
            }
        let usable = access(path, R_OK | W_OK) == 0 ? "usable" : "not usable by this user"
        return "\(kind), \(String(information.st_mode & 0o7777, radix: 8)), "
            + "user \(information.st_uid), group \(information.st_gid), \(usable)"
    }

    /// The entries of a folder; none when it cannot be read.
    static func entries(_ path: String) -> [String] { (OpenFolder.names(in: path) ?? []).sorted() }

    private static var groups: [gid_t] {
        var list = [gid_t](repeating: 0, count: 64)
        let count = getgroups(64, &list)
        return Array(list.prefix(Int(max(0, count))))
    }

    private static func read(_ path: String) -> String? {
        (try? RegularFile.read(path, atMost: 1 << 16, links: .followed)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func text<T>(_ tuple: inout T) -> String {
        withUnsafeBytes(of: &tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
