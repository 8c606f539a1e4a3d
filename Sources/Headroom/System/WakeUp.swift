#if os(Linux) && !HEADROOM_TEST_PORTABLE
import CLibrary

/// A descriptor that one thread makes readable for another: an `eventfd`.
struct WakeUp: ~Copyable, Sendable {
    /// Is readable from ``raise()`` to ``lower()``; negative when the process may open no more.
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))

    deinit {
        close(descriptor)
    }

    /// Makes the descriptor readable.
    func raise() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Makes the descriptor wait again.
    func lower() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
#endif
