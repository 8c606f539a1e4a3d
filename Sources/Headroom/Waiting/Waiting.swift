import CLinux
import Glibc
import Synchronization

/// Waits for descriptors and deadlines on one thread for the whole process, so that no task blocks a thread.
///
/// A connection costs no thread of its own: while its server is slow, its task is suspended and one `epoll` watches the
/// socket. The thread starts with the first wait and sleeps in the kernel until something happens.
final class Waiting: Sendable {
    /// How a wait ended.
    typealias Outcome = WaitTable<Waiter>.Outcome

    /// What is to happen when a wait ends.
    enum Waiter: Sendable {
        /// Resumes the task that waits.
        case task(UnsafeContinuation<Outcome, Never>)
        /// Runs a short, non-blocking action on the waiting thread.
        case action(@Sendable () -> Void)
    }

    /// The process's one instance.
    static let shared = Waiting()

    private let epoll: Int32
    private let timer: Int32
    private let table = Mutex(WaitTable<Waiter>())
    private let identifiers = Atomic<UInt64>(1)

    /// The identifier that stands for the timer itself in `epoll`.
    private static let timerIdentifier: UInt64 = 0

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        precondition(epoll >= 0 && timer >= 0, "The kernel gives this process no epoll or timer descriptor.")
        _ = clinux_epoll_add(epoll, timer, UInt32(POLLIN), Self.timerIdentifier)
        startDetachedThread(named: "headroom-wait") { [self] in loop() }
    }

    /// Suspends the task until the descriptor is ready for one of `events`, the deadline passes or the task is cancelled.
    ///
    /// With `cancellable` false a cancelled task still waits: closing must finish whatever happens to its caller.
    func wait(
        for descriptor: Int32,
        events: Int32,
        until deadline: ContinuousClock.Instant?,
        cancellable: Bool
    ) async -> Outcome {
        let identifier = identifiers.add(1, ordering: .relaxed).oldValue
        guard cancellable else {
            return await suspend(identifier, descriptor: descriptor, events: events, deadline: deadline)
        }
        let outcome = await withTaskCancellationHandler {
            await suspend(identifier, descriptor: descriptor, events: events, deadline: deadline)
        } onCancel: {
            finish(table.withLock { $0.cancel(identifier) })
        }
        if outcome != .cancelled, Task.isCancelled {
            // The cancellation came after the end of the wait and left a tombstone that nobody will collect.
            table.withLock { $0.forget(identifier) }
        }
        return outcome
    }

    /// Runs a short action at the deadline, unless it is revoked before.
    func schedule(at deadline: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> Scheduled {
        let identifier = identifiers.add(1, ordering: .relaxed).oldValue
        table.withLock { table in
            _ = table.register(identifier, waiter: .action(action), descriptor: nil, deadline: deadline)
            setTimer(to: table.nextDeadline)
        }
        return Scheduled(identifier: identifier, waiting: self)
    }

    /// An action that will run at its deadline, unless it is revoked.
    struct Scheduled: Sendable {
        fileprivate let identifier: UInt64
        fileprivate let waiting: Waiting

        /// Revokes the action; nothing happens when it has run already.
        func revoke() {
            _ = waiting.table.withLock { $0.end(identifier, .cancelled) }
        }
    }

    private func suspend(
        _ identifier: UInt64,
        descriptor: Int32,
        events: Int32,
        deadline: ContinuousClock.Instant?
    ) async -> Outcome {
        await withUnsafeContinuation { continuation in
            // The table comes first: once the kernel watches the descriptor, its event may arrive at any moment.
            let ended = table.withLock { table in
                let ended = table.register(
                    identifier,
                    waiter: .task(continuation),
                    descriptor: descriptor,
                    deadline: deadline
                )
                if ended == nil {
                    if clinux_epoll_add_oneshot(epoll, descriptor, UInt32(bitPattern: events), identifier) != 0 {
                        // A descriptor that cannot be watched (closed, or no memory) counts as ready: its user will
                        // meet the real error when it reads.
                        return table.end(identifier, .ready)
                    }
                    if deadline != nil { setTimer(to: table.nextDeadline) }
                }
                return ended
            }
            finish(ended)
        }
    }

    private func finish(_ ended: WaitTable<Waiter>.Ended?) {
        guard let ended else { return }
        if let descriptor = ended.descriptor { _ = clinux_epoll_remove(epoll, descriptor) }
        switch ended.waiter {
        case .task(let continuation): continuation.resume(returning: ended.outcome)
        case .action(let action): if ended.outcome == .deadlinePassed { action() }
        }
    }

    /// Sets the timer under the table's lock, so that a later deadline never overwrites an earlier one.
    private func setTimer(to deadline: ContinuousClock.Instant?) {
        guard let deadline else {
            _ = clinux_timer_set(timer, 0)
            return
        }
        let left = ContinuousClock.now.duration(to: deadline)
        _ = clinux_timer_set(timer, max(1, left.nanoseconds))
    }

    private func loop() {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            while true {
                let count = epoll_wait(epoll, events.baseAddress, 64, -1)
                for index in 0..<Int(max(0, count)) {
                    let identifier = events[index].data.u64
                    if identifier == Self.timerIdentifier {
                        expire()
                    } else {
                        finish(table.withLock { $0.end(identifier, .ready) })
                    }
                }
            }
        }
    }

    private func expire() {
        var expirations: UInt64 = 0
        _ = read(timer, &expirations, MemoryLayout<UInt64>.size)
        let ended = table.withLock { table in
            let ended = table.expire(at: .now)
            setTimer(to: table.nextDeadline)
            return ended
        }
        for wait in ended { finish(wait) }
    }
}
