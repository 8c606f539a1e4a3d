import CLibrary

/// Keeps the processes of this host from storming an account that is full although they hold slots of its budget.
///
/// That happens when other programs use the account too, or a killed process's session is still dying. Then one task of all
/// the host's processes, the prober, tries again, after waits of growing but random length; the others wait until it got in
/// and try in turn.
struct Door: Sendable {
    let file: SlotFile

    /// Whether a task of this very process is the prober: the kernel's lock tells processes apart, not their tasks.
    private final class Own: Sendable {
        let isProbing = Guarded(false)
    }

    private let own = Own()

    init(file: SlotFile) {
        self.file = file
    }

    /// Opens a connection, and tries again while the account or the server is full.
    ///
    /// - Parameters:
    ///   - limits: When to give up.
    ///   - refused: Is told of every refusal.
    ///   - connect: Opens the connection.
    ///   - final: Completes the error to throw at the deadline.
    /// - Returns: What `connect` returns.
    /// - Throws: What `connect` throws; after a refusal that waiting can help, only at the deadline.
    func open<Result>(
        limits: Limits,
        refused: (DatabaseError) -> Void,
        connect: () async throws -> Result,
        error final: (DatabaseError) -> DatabaseError
    ) async throws -> Result {
        var backoff = Backoff()
        var isProber = false
        var last: DatabaseError?
        defer { if isProber { endProbing() } }
        while true {
            if !isProber {
                // After a refusal one's own turn must come; before it, one only keeps out of the prober's way.
                isProber = last != nil && beginProbing()
                if !isProber, last != nil || somebodyProbes {
                    try await pause(.milliseconds(Int64.random(in: 1...10)), limits, last.map(final))
                    continue
                }
            }
            do {
                return try await connect()
            } catch let error as DatabaseError where error.isConnectionLimit {
                refused(error)
                last = error
                if isProber || beginProbing() {
                    isProber = true
                    try await pause(backoff.next(), limits, final(error))
                }
            }
        }
    }

    private func beginProbing() -> Bool {
        own.isProbing.withLock { isProbing in
            guard !isProbing, file.tryLock(.prober) else { return false }
            isProbing = true
            return true
        }
    }

    private func endProbing() {
        own.isProbing.withLock { isProbing in
            isProbing = false
            file.unlock(.prober)
        }
    }

    private var somebodyProbes: Bool {
        own.isProbing.withLock(\.self) || file.isLockedByOther(.prober)
    }

    private func pause(_ duration: Duration, _ limits: Limits, _ last: DatabaseError?) async throws {
        let now = ContinuousClock.now
        if let deadline = limits.deadline, deadline <= now {
            throw last
                ?? DatabaseError(
                    .accountLimitReached,
                    message: "The account stayed full, and another task of this host kept trying.",
                    advice: "Find out who uses it with 'headroom status'."
                )
        }
        let wait = Waiting.shared.reserve()
        let until = min(now + duration, limits.deadline ?? now + duration)
        if await wait.wait(until: until, cancellable: limits.isCancellable) == .cancelled { throw CancellationError() }
    }
}

/// The lengths of the waits between attempts: random between nothing and a bound that doubles (full jitter).
struct Backoff {
    private var bound: Duration

    /// The longest bound.
    let most: Duration

    init(first: Duration = .milliseconds(2), most: Duration = .milliseconds(250)) {
        bound = first
        self.most = most
    }

    /// The next wait.
    mutating func next() -> Duration {
        defer { bound = min(bound * 2, most) }
        return .nanoseconds(Int64.random(in: 0...bound.nanoseconds))
    }
}

extension DatabaseError {
    /// Whether a limit on connections at a time was reached: the one kind of refusal that ends when somebody lets go.
    var isConnectionLimit: Bool {
        code == .accountLimitReached || code == .userLimitReached || code == .serverLimitReached
    }
}
