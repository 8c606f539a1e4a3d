import CKernel
import Glibc
import Headroom
import HeadroomJobs
import Synchronization

/// Keeps little in memory while a worker sleeps or imports a long file: the code that has led there is let go of.
///
/// Not for each job: one of a few rows took twice as long when it had to fetch its code again.
final class WorkMemory: Sendable {
    private struct State {
        var hasStarted = false
        /// Whether a file of more than one chunk is being imported.
        var isUnderWay = false
    }

    private let staysIdle: Bool
    private let state = Mutex(State())

    /// Creates one when the command has read its flags.
    ///
    /// - Parameter staysIdle: Whether the worker sleeps when it has nothing to do.
    init(staysIdle: Bool) {
        self.staysIdle = staysIdle
        turn()
    }

    /// Takes note that something else begins, as to connect does when the settings are read.
    func turn() { ResidentMemory.letGoOfCode() }

    func note(_ event: Worker.Event) {
        let isTurn = state.withLock { state in
            switch event {
            case .started:
                defer { state.hasStarted = true }
                return !state.hasStarted
            case .progressed(_, let progress) where progress.bytesDone < progress.bytesTotal:
                // From the second chunk on it is the same code again and again.
                defer { state.isUnderWay = true }
                return !state.isUnderWay
            case .ended:
                defer { state.isUnderWay = false }
                return state.isUnderWay
            case .idle:
                return staysIdle
            default:
                return false
            }
        }
        if isTurn { turn() }
    }
}

/// What the process has in memory, for hosts that bound what an account's processes have resident.
enum ResidentMemory {
    /// Keeps the heap near what is in use, from here on.
    ///
    /// Each thread would get a heap of its own, and what was freed would stay in it for the next time: 8 MB of an import that
    /// uses 4. Large pieces come from the kernel and go back to it, which an import does not feel.
    static func keepHeapSmall() { kernel_keep_heap_small() }

    /// Lets go of the pages that hold the program's code and constants, and its libraries', before a long sleep or a long
    /// import, which need few of them.
    ///
    /// They are unchanged copies of files: what runs next is fetched from the kernel's cache of those files, in microseconds.
    /// A worker that sleeps or works for hours should not count for what its start has touched.
    static func letGoOfCode() {
        guard let maps = fopen("/proc/self/smaps", "re") else { return }
        defer { fclose(maps) }
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        var mapping = 0..<UInt(0)
        while getline(&line, &room, maps) > 0, let line {
            // Each mapping has a line of its own, as of a map file, and lines that say what is in memory of it:
            // 55d0c8a00000-55d0c8f00000 r-xp 00012000 08:01 131 /usr/bin/headroom
            // Anonymous:             0 kB
            let words = String(cString: line).pieces(separator: " ")
            if words.count > 5, let bounds = bounds(words[0]) {
                mapping = ["r-xp", "r--p"].contains(words[1]) && words[5].begins(with: "/") ? bounds : 0..<0
            } else if words.first == "Anonymous:", words.count > 1, words[1] == "0" {
                // Nothing in it was changed, as the loader changes addresses in constants.
                madvise(UnsafeMutableRawPointer(bitPattern: mapping.lowerBound), mapping.count, MADV_DONTNEED)
            }
        }
    }

    private static func bounds(_ word: Substring) -> Range<UInt>? {
        let bounds = word.pieces(separator: "-").compactMap { UInt($0, radix: 16) }
        return bounds.count == 2 && bounds[0] < bounds[1] ? bounds[0]..<bounds[1] : nil
    }
}
