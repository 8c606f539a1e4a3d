import Synchronization

/// A value that one thread at a time may use.
///
/// It is a `Mutex`, with one atomic that each holder reads at its start and writes at its end. The mutex alone is enough for
/// the memory model; but a contended one changes hands inside the kernel's futex call, where ThreadSanitizer cannot see it,
/// and every value behind it is then reported as a race. The atomic costs two plain instructions and shows it the order.
struct Locked<Value: ~Copyable>: ~Copyable, Sendable {
    private let mutex: Mutex<Value>
    private let handover = Atomic(false)

    init(_ value: consuming sending Value) {
        mutex = Mutex(value)
    }

    /// Runs the body with the value, alone; it must be short and must not wait for anything.
    borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock { value throws(Failure) -> sending Result in
            _ = handover.load(ordering: .acquiring)
            defer { handover.store(false, ordering: .releasing) }
            return try body(&value)
        }
    }
}
