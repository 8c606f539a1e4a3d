import Glibc
import Synchronization

/// Hears SIGINT, SIGTERM and SIGHUP, and hands each on.
///
/// Whichever thread a signal comes to, it is noted in a pipe, which the first thread reads. Subprocess has a thread that takes
/// signals too: with sources that are told by a descriptor one could be lost while they were being made.
package final class Interrupts: Sendable {
    /// The signals that every command hears.
    static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// Those that besides can be handed on to another program.
    package static let handedOn = [
        SIGQUIT, SIGABRT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGWINCH, SIGTSTP, SIGCONT,
        SIGURG, SIGIO,
    ]

    private enum Listener {
        /// Nobody listens yet: what has come is kept.
        case missing([Int32])
        case listening(@Sendable (Int32) -> Void)
    }

    private static let listener = Mutex(Listener.missing([]))

    /// Notes from now on what comes, for ``hear(_:)`` to hand on: what is begun in between may already be signalled.
    ///
    /// - Parameter more: Signals to hear beside those that all commands hear.
    package init(_ more: [Int32] = []) {
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        for number in Self.signals + more {
            sigaddset(&unblocked, number)
            signal(number, SignalPipe.note)
        }
        pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
    }

    /// Starts to hand on what has come and what comes.
    package func hear(_ heard: @escaping @Sendable (Int32) -> Void) {
        let earlier = Self.listener.withLock { listener in
            defer { listener = .listening(heard) }
            return if case .missing(let numbers) = listener { numbers } else { [] as [Int32] }
        }
        for number in earlier { heard(number) }
    }

    /// Stops listening.
    package func stop() {
        Self.listener.withLock { $0 = .missing([]) }
    }

    /// Hands on what has come; for the first thread.
    static func handOn() {
        for number in SignalPipe.read() {
            let heard = listener.withLock { listener -> (@Sendable (Int32) -> Void)? in
                switch listener {
                case .listening(let heard): return heard
                case .missing(let numbers):
                    listener = .missing(numbers + [number])
                    return nil
                }
            }
            heard?(number)
        }
    }
}

/// A pipe in which signals are noted by their numbers, for as long as the process lives.
enum SignalPipe {
    private static let readingEnd = Atomic<Int32>(-1)
    private static let writingEnd = Atomic<Int32>(-1)
    /// How many have been noted and not taken out; counted where a second one ends the process.
    private static let unread = Atomic<Int32>(.min)

    /// Opens it; returns its readable end, or `nil` when the process has no descriptors left.
    static func open() -> Int32? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        readingEnd.store(ends[0], ordering: .relaxed)
        writingEnd.store(ends[1], ordering: .releasing)
        return ends[0]
    }

    /// Has a signal end the process when the one before it was not even taken out: the code that would do that may be held up by a pipe
    /// that nobody reads.
    static func endAtSecond() {
        unread.store(0, ordering: .relaxed)
    }

    /// Takes out what was noted.
    static func read() -> [Int32] {
        if unread.load(ordering: .relaxed) > 0 { unread.store(0, ordering: .relaxed) }
        var bytes: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &bytes) { buffer in
            let count = Glibc.read(readingEnd.load(ordering: .relaxed), buffer.baseAddress, buffer.count)
            return buffer.prefix(max(0, count)).map { Int32($0) }
        }
    }

    /// Notes a signal; a handler, which may do no more than this (signal-safety(7)).
    static let note: @convention(c) (Int32) -> Void = { number in
        guard unread.add(1, ordering: .relaxed).oldValue <= 0 else { _exit(128 + number) }
        let before = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(writingEnd.load(ordering: .acquiring), &byte, 1)
        errno = before
    }
}
