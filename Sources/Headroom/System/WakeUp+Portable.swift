#if !os(Linux) || HEADROOM_TEST_PORTABLE
import CLibrary

/// A descriptor that one thread makes readable for another: a pipe's end.
struct WakeUp: ~Copyable, Sendable {
    /// Is readable from ``raise()`` to ``lower()``; negative when the process may open no more.
    let descriptor: Int32

    private let sink: Int32

    init() {
        var ends: (read: Int32, write: Int32) = (-1, -1)
        _ = withUnsafeMutablePointer(to: &ends) { $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) } }
        (descriptor, sink) = ends
        for end in [descriptor, sink] where end >= 0 {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        close(descriptor)
        close(sink)
    }

    /// Makes the descriptor readable.
    func raise() {
        // A full pipe is readable already.
        var byte: UInt8 = 1
        _ = write(sink, &byte, 1)
    }

    /// Makes the descriptor wait again.
    func lower() {
        var bytes: UInt64 = 0
        while read(descriptor, &bytes, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size {}
    }
}
#endif
