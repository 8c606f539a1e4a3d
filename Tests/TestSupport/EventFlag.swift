import Synchronization

/// Lets a test wait until something has happened in another task.
public final class EventFlag: Sendable {
    private let state = Mutex<(isRaised: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    /// Creates a flag that is down.
    public init() {}

    /// Whether the flag is up.
    public var isRaised: Bool { state.withLock(\.isRaised) }

    /// Raises the flag; a second time does nothing.
    public func raise() {
        let waiters = state.withLock { state in
            defer { state = (true, []) }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until the flag is up.
    public func wait() async {
        await withCheckedContinuation { continuation in
            let isRaised = state.withLock { state in
                if !state.isRaised { state.waiters.append(continuation) }
                return state.isRaised
            }
            if isRaised { continuation.resume() }
        }
    }
}
