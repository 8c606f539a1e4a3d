import Glibc

/// Decides whether the host gives a program what it needs, before the program does anything.
///
/// What is missing later ends in a trap or in a wait without end: in Swift's runtime, in Dispatch, in the loader of arguments.
package enum HostLimits {
    /// What a program needs beside what it starts with.
    package struct Need: Sendable, Equatable {
        /// Descriptors, all that it may have open at a time.
        package var descriptors: Int
        /// Room for stacks and heap, in bytes.
        package var memory: Int
        /// Threads of libraries that would wait for them without end.
        package var threads: Int
        /// How the program ends instead, where that is not for the lack to say.
        ///
        /// Monitoring expects 3 for what cannot be seen.
        package var failureCode: Int32?

        /// Creates a need.
        package init(descriptors: Int, megabytes: Int, threads: Int = 0, failureCode: Int32? = nil) {
            self.descriptors = descriptors
            memory = megabytes << 20
            self.threads = threads
            self.failureCode = failureCode
        }
    }

    /// What the host gives.
    struct Facts {
        var hasClock = true
        /// The numbers of standard descriptors that are closed, and for which /dev/null cannot be opened.
        var closed: [Int32] = []
        /// How many descriptors can be opened.
        var descriptors = Int.max
        /// Whether /proc says who this process is, and how it was called.
        var hasProcess = true
        var hasMemory = true
        var threads = Int.max
    }

    /// What is missing, and how the program ends for it.
    struct Lack: Equatable {
        var message: String
        var advice: String
        var exitCode: Int32
    }

    /// EX_OSERR of sysexits.h: the host has to be changed first.
    static let hostLacks: Int32 = 71

    /// EX_TEMPFAIL: others may give back what they have.
    package static let tryAgainLater: Int32 = 75

    /// What is missing; `nil` when all is there.
    static func lack(_ facts: Facts, for need: Need) -> Lack? {
        var lack = firstLack(facts, need)
        if let code = need.failureCode { lack?.exitCode = code }
        return lack
    }

    private static func firstLack(_ facts: Facts, _ need: Need) -> Lack? {
        if !facts.hasClock {
            return Lack(
                message: "The host's clocks cannot be read.",
                advice: "Let it call clock_gettime: a filter of system calls forbids that.",
                exitCode: hostLacks
            )
        }
        if let number = facts.closed.first {
            return Lack(
                message: "Descriptor \(number) is closed, and /dev/null cannot be opened in its place.",
                advice:
                    "Start it with standard input, output and error open, or make /dev/null: mknod -m 666 /dev/null c 1 3",
                exitCode: hostLacks
            )
        }
        if facts.descriptors < need.descriptors {
            return Lack(
                message: "It needs \(need.descriptors) descriptors, and the host lets it open \(facts.descriptors).",
                advice:
                    "Raise the limit ('ulimit -n \(need.descriptors + 8)'), or close what the program that starts it has left open.",
                exitCode: hostLacks
            )
        }
        if !facts.hasProcess {
            return Lack(
                message: "/proc is not mounted here, or does not show this process: its arguments cannot be read.",
                advice: "Mount it: mount -t proc proc /proc (in a chroot: below it). hidepid is no hindrance.",
                exitCode: hostLacks
            )
        }
        if !facts.hasMemory {
            return Lack(
                message: "It needs \(need.memory >> 20) MB of address space, and the host does not give them.",
                advice:
                    "Raise the limit ('ulimit -v', RLIMIT_AS, or the account's at the hoster), or end other programs.",
                exitCode: hostLacks
            )
        }
        if facts.threads < need.threads {
            return Lack(
                message: "It needs \(need.threads) further threads, and the host gives it \(facts.threads).",
                advice: "End other programs of this user, or raise the limit ('ulimit -u', TasksMax, pids.max).",
                exitCode: tryAgainLater
            )
        }
        return nil
    }
}

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
