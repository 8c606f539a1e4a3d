import CLibrary

/// The right to try again at a full account, which one task of all the host's processes has at a time.
///
/// The kernel's lock in the slots' file tells processes apart, not their tasks.
struct ProberLock: Sendable {
    let file: SlotFile

    private final class Own: Sendable {
        let isProbing = Locked(false)
    }

    private let own = Own()

    init(file: SlotFile) {
        self.file = file
    }

    fileprivate func begin() -> Bool {
        own.isProbing.withLock { isProbing in
            guard !isProbing, file.tryLock(.prober) else { return false }
            isProbing = true
            return true
        }
    }

    fileprivate func end() {
        own.isProbing.withLock { isProbing in
            isProbing = false
            file.unlock(.prober)
        }
    }

    fileprivate var isTaken: Bool {
        own.isProbing.withLock(\.self) || file.isLockedByOther(.prober)
    }
}

/// Keeps the processes of this host from storming an account that is full although they hold slots of its budget.
///
/// That happens when other programs use the account too, or a killed process's session is still dying. Then one task of all
/// the host's processes, the prober, tries again, after waits of growing but random length; the others wait until it got in
/// and try in turn.
struct ConnectRetry {
    private let shared: ProberLock
    private let limits: Limits
    private var backoff = Backoff()
    private var isProber = false
    private var last: DatabaseError?

    /// Begins with no attempt made.
    ///
    /// - Parameters:
    ///   - shared: The right of the host's processes.
    ///   - limits: When to give up.
    init(_ shared: ProberLock, limits: Limits) {
        self.shared = shared
        self.limits = limits
    }

    /// Waits until an attempt may be made.
    ///
    /// - Throws: At the deadline the last refusal; `CancellationError`.
    mutating func turn() async throws {
        if isProber || (last != nil && shared.begin()) {
            isProber = true
            return try await pause(backoff.next())
        }
        // After a refusal one's own turn must come; before it, one only keeps out of the prober's way.
        while last != nil || shared.isTaken {
            try await pause(.milliseconds(Int64.random(in: 1...10)))
            guard last != nil else { continue }
            isProber = shared.begin()
            if isProber { return }
        }
    }

    /// Whether an attempt was refused.
    var isAfterRefusal: Bool { last != nil }

    /// The refusal that an error stands for: the time was up in the middle of one attempt of many.
    func refusal(behind error: any Error) -> DatabaseError? {
        (error as? DatabaseError)?.code == .connectTimedOut ? last : nil
    }

    /// Takes note of a refusal that waiting may end.
    mutating func refused(_ error: DatabaseError) {
        last = error
    }

    /// Ends the attempts, whatever has become of them.
    func end() {
        if isProber { shared.end() }
    }

    private func pause(_ duration: Duration) async throws {
        let now = ContinuousClock.now
        if let deadline = limits.deadline, deadline <= now {
            throw last
                ?? DatabaseError(
                    .accountLimitReached,
                    message: "The account stayed full, and another task of this host kept trying.",
                    advice: "Find out who uses it with 'headroom status'."
                )
        }
        let wait = EventLoop.shared.reserve()
        let until = min(now + duration, limits.deadline ?? now + duration)
        if await wait.wait(until: until, cancellable: limits.isCancellable) == .cancelled { throw CancellationError() }
    }
}
