@preconcurrency import Dispatch
import Glibc
import Synchronization

/// Hears SIGINT, SIGTERM and SIGHUP, and hands each on.
///
/// Whichever thread a signal comes to, it is noted in a pipe. Dispatch's own sources are told by a descriptor that a thread
/// which does not block the signals takes them away from, and Subprocess has such a thread: a signal could be lost while the
/// source was being made.
package final class Interrupts: Sendable {
    /// The signals that are heard.
    static let signals = [SIGINT, SIGTERM, SIGHUP]

    private let end: Int32
    private let source: any DispatchSourceRead

    /// Notes from now on what comes, for ``hear(_:)`` to hand on: what is begun in between may already be signalled.
    package init() {
        end = SignalPipe.readingEnd
        source = DispatchSource.makeReadSource(fileDescriptor: end, queue: .global())
        for number in Self.signals { signal(number, SignalPipe.note) }
    }

    /// Starts to hand on what has come and what comes.
    package func hear(_ heard: @escaping @Sendable (Int32) -> Void) {
        source.setEventHandler { [end] in
            var byte: UInt8 = 0
            while read(end, &byte, 1) == 1 { heard(Int32(byte)) }
        }
        source.resume()
    }

    /// Stops listening.
    package func stop() {
        source.cancel()
    }
}

/// A pipe in which signals are noted by their numbers, for as long as the process lives.
private enum SignalPipe {
    /// Where they are read.
    static let readingEnd: Int32 = {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            fatalError("The process has no descriptors left: error \(errno).")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        writingEnd.store(ends[1], ordering: .releasing)
        return ends[0]
    }()

    /// Notes a signal; a handler, which may do no more than this (signal-safety(7)).
    static let note: @convention(c) (Int32) -> Void = { number in
        let before = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(writingEnd.load(ordering: .acquiring), &byte, 1)
        errno = before
    }

    private static let writingEnd = Atomic<Int32>(-1)
}
