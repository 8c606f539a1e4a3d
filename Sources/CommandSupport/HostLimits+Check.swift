import CKernel
import Glibc

extension HostLimits {
    /// Ends the program with words when the host lacks something that it needs; the first thing that a program does.
    ///
    /// Standard descriptors that are closed are opened: their numbers would become a socket's, and what is printed would go to
    /// the server.
    ///
    /// - Parameter needs: What the program needs, by its arguments.
    /// - Returns: The arguments, without the program's name, and what it needs.
    package static func check(_ needs: (ArraySlice<String>) -> Need) -> (ArraySlice<String>, Need) {
        kernel_limit_stacks(1 << 20)
        // A write beyond the limit of a file's size fails then (EFBIG), and is told like one onto a full disk. Not SIG_IGN: what is
        // started would inherit it.
        signal(SIGXFSZ) { _ in }
        var facts = Facts()
        facts.hasClock = hasClocks
        var (closed, free) = descriptors(below: 64)
        facts.closed = closed.filter { open("/dev/null", O_RDONLY) != $0 }
        free -= closed.count
        var need = Need(descriptors: 1, megabytes: 0)
        guard facts.hasClock, facts.closed.isEmpty, free > 0, access("/proc/self/stat", R_OK) == 0 else {
            // What the arguments say that it needs cannot be known.
            facts.descriptors = free
            facts.hasProcess = free < need.descriptors
            refuse(facts, need)
        }
        let arguments = CommandLine.arguments.dropFirst()
        need = needs(arguments)
        // The parent process may have left many open.
        facts.descriptors = free < need.descriptors ? descriptors(below: 1 << 20).free : free
        facts.hasProcess = !CommandLine.arguments.isEmpty
        facts.hasMemory = has(memory: need.memory)
        facts.threads = need.threads > 0 ? Int(kernel_try_threads(Int32(clamping: need.threads))) : 0
        guard lack(facts, for: need) == nil else { refuse(facts, need) }
        return (arguments, need)
    }

    private static func refuse(_ facts: Facts, _ need: Need) -> Never {
        let lack = lack(facts, for: need)
        Console.error("headroom: \(lack?.message ?? "The host lacks something that it needs.")")
        Console.error("  next: \(lack?.advice ?? "Look at its limits: ulimit -a.")")
        _exit(lack?.exitCode ?? hostLacks)
    }

    private static var hasClocks: Bool {
        // 0 when it cannot be read.
        kernel_time_of_day() != 0 && kernel_monotonic_time() != 0 && kernel_uptime() != 0
    }

    /// Which of the standard descriptors are closed, and how many can be opened; one call for all of them.
    private static func descriptors(below most: Int) -> (closed: [Int32], free: Int) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = min(most, Int(clamping: limit.rlim_cur))
        return withUnsafeTemporaryAllocation(of: pollfd.self, capacity: max(1, count)) { entries in
            for number in 0..<count {
                entries.initializeElement(at: number, to: pollfd(fd: Int32(number), events: 0, revents: 0))
            }
            // Fails for want of memory alone, and then so does what comes next.
            guard poll(entries.baseAddress, nfds_t(count), 0) >= 0 else { return ([], 0) }
            let closed = (0..<count).filter { entries[$0].revents & Int16(POLLNVAL) != 0 }
            return (closed.filter { $0 <= STDERR_FILENO }.map { Int32($0) }, closed.count)
        }
    }

    /// Whether so much can be mapped; a limit counts what is mapped, used or not.
    private static func has(memory: Int) -> Bool {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let room = mmap(nil, memory, PROT_READ | PROT_WRITE, flags, -1, 0), room != MAP_FAILED else {
            return false
        }
        munmap(room, memory)
        return true
    }
}
