import Glibc

/// Core files: the memory of a program that crashed, the password in it.
enum CoreDumps {
    /// Has this program leave none when it crashes.
    ///
    /// A limit of 1, not 0: the kernel does not heed 0 where cores are piped to a program (systemd-coredump, apport), and
    /// heeds 1 (core(5)). Not PR_SET_DUMPABLE: it would also forbid this user to look into the process, which rescue needs.
    static func forbid() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(1, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }
}
