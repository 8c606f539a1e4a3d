import Headroom

/// What a thread sleeps in, as `/proc/PID/task/TID/syscall` says; which descriptors it waits for tells who is at work.
struct SystemCall: Hashable {
    var number: Int
    var arguments: [UInt64]

    /// Reads the file's text; `nil` for a thread that runs.
    init?(_ text: String) {
        let fields = text.pieces(where: \.isBlank)
        guard fields.count >= 7, let number = Int(fields[0]), number >= 0 else { return nil }
        self.number = number
        arguments = fields[1...6].map { UInt64($0.dropFirst(2), radix: 16) ?? 0 }
    }

    /// What the call waits for.
    enum Waits: Hashable {
        /// One descriptor.
        case descriptor(Int32)
        /// An array of `struct pollfd` in the process's memory.
        case list(address: UInt64, count: Int)
        /// Something else, or too much to tell.
        case unknown
    }

    /// Whether the numbers of this machine's processor are known; elsewhere nobody can be seen to wait.
    static var isKnown: Bool {
        #if arch(arm64) || arch(riscv64) || arch(x86_64)
        true
        #else
        false
        #endif
    }

    /// What the call waits for, with the numbers of this machine's processor.
    var waits: Waits {
        // The numbers that most newer processors share.
        #if arch(arm64) || arch(riscv64)
        let (reads, polls): (Set<Int>, Set<Int>) = ([63, 207, 212], [73])
        #elseif arch(x86_64)
        // read, recvfrom, recvmsg; poll, ppoll.
        let (reads, polls): (Set<Int>, Set<Int>) = ([0, 45, 47], [7, 271])
        #else
        let (reads, polls): (Set<Int>, Set<Int>) = ([], [])
        #endif
        if reads.contains(number) { return .descriptor(Int32(truncatingIfNeeded: arguments[0])) }
        if polls.contains(number), arguments[1] <= 256 {
            return .list(address: arguments[0], count: Int(arguments[1]))
        }
        return .unknown
    }
}
