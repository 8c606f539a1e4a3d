import CLibrary
import Synchronization

/// The one event loop of the process: a thread that waits for descriptors, deadlines and wake-ups by other tasks.
///
/// A connection costs no thread: while its server is slow, its task is suspended and one ``EventQueue`` watches the socket. The
/// thread starts with the first wait and sleeps in the kernel until something happens. Tasks may also run on it: see
/// ``Database/executor``.
package final class EventLoop: Sendable {
    /// How a wait ended.
    typealias Outcome = WaitTable<Waiter>.Outcome

    /// What is to happen when a wait ends.
    enum Waiter: Sendable {
        /// Resumes the task that waits.
        case task(UnsafeContinuation<Outcome, Never>)
        /// Runs a short, non-blocking action on its thread.
        case action(@Sendable () -> Void)
    }

    /// The process's one instance, which ``start()`` has made before the first wait.
    ///
    /// ``Database/executor`` alone may come before, and has no way to say that the host gives no thread but this.
    package static let shared: EventLoop = {
        do throws(DatabaseError) {
            return try begin(onThreadOfItsOwn)
        } catch {
            let words = "headroom: \(error.message)\n  next: \(error.advice)\n"
            _ = words.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            _exit(71)
        }
    }()

    private static let begun = Locked<EventLoop?>(nil)
    private static let hasBegun = Atomic(false)

    /// Begins to wait, once for the process; may be tried again when it has failed.
    ///
    /// - Throws: ``DatabaseError`` with `hostExhausted` when the host gives no thread or descriptor for it.
    package static func start() throws(DatabaseError) {
        guard !hasBegun.load(ordering: .acquiring) else { return }
        _ = try begin(onThreadOfItsOwn)
    }

    private static func onThreadOfItsOwn(_ loop: EventLoop) throws(DatabaseError) {
        try startDetachedThread(named: "headroom-wait") { loop.run() }
    }

    /// The same, for a thread that goes on to ``run()``.
    static func startForOwnThread() throws(DatabaseError) -> EventLoop {
        try begin { _ in }
    }

    private static func begin(_ run: (EventLoop) throws(DatabaseError) -> Void) throws(DatabaseError) -> EventLoop {
        try begun.withLock { (instance) throws(DatabaseError) in
            if let instance { return instance }
            let loop = try EventLoop()
            try run(loop)
            instance = loop
            hasBegun.store(true, ordering: .releasing)
            return loop
        }
    }

    private struct State: ~Copyable {
        var table = WaitTable<Waiter>()
        /// What runs whenever its descriptor is readable, by identifiers with the highest bit set.
        var watches: [UInt64: @Sendable () -> Void] = [:]
        /// For when the timer is set.
        var timerAt: ContinuousClock.Instant?
    }

    let jobs = ExecutorQueue()
    private let thread = Atomic<UInt>(0)
    private let queue: EventQueue
    private let state = Locked(State())

    /// The identifier that stands for jobs that came from other threads.
    private static let jobsIdentifier: UInt64 = watchBit - 1

    /// The bit that tells a watch from a wait.
    private static let watchBit: UInt64 = 1 << 63

    private init() throws(DatabaseError) {
        guard jobs.descriptor >= 0 else { throw .hostExhausted("descriptor", error: EMFILE) }
        queue = try EventQueue()
        queue.watch(jobs.descriptor, as: Self.jobsIdentifier)
    }

    /// Begins a wait for another task, which ends it.
    func reserve() -> Reserved {
        Reserved(identifier: state.withLock { $0.table.reserve() }, loop: self)
    }

    /// A wait that another task ends.
    struct Reserved: Sendable, Hashable {
        fileprivate let identifier: UInt64
        fileprivate let loop: EventLoop

        /// Suspends the task until the wait is granted, the deadline passes or the task is cancelled.
        func wait(until deadline: ContinuousClock.Instant?, cancellable: Bool) async -> Outcome {
            await loop.rest(
                identifier,
                descriptor: nil,
                events: 0,
                deadline: deadline,
                cancellable: cancellable
            )
        }

        /// Ends the wait, and returns whether that came in time: no deadline and no cancellation was first.
        func grant() -> Bool {
            loop.end(identifier, .ready)
        }

        /// Ends the wait as if its task were cancelled; nothing happens when it has ended.
        func cancel() {
            loop.end(identifier, .cancelled)
        }

        static func == (left: Self, right: Self) -> Bool { left.identifier == right.identifier }

        func hash(into hasher: inout Hasher) { hasher.combine(identifier) }
    }

    /// Suspends the task until the descriptor is ready for one of `events`, the deadline passes or the task is cancelled.
    ///
    /// With `cancellable` false a cancelled task still waits: closing must finish whatever happens to its caller.
    func wait(
        for descriptor: Int32,
        events: Int32,
        until deadline: ContinuousClock.Instant?,
        cancellable: Bool,
        stoppable: StoppableWait? = nil
    ) async -> Outcome {
        let identifier = state.withLock { $0.table.reserve() }
        stoppable?.begin(Reserved(identifier: identifier, loop: self))
        return await rest(
            identifier,
            descriptor: descriptor,
            events: events,
            deadline: deadline,
            cancellable: cancellable
        )
    }

    /// Runs a short action at the deadline, unless it is revoked before.
    @discardableResult
    package func schedule(at deadline: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> Scheduled {
        let identifier = state.withLock { state in
            let identifier = state.table.reserve()
            _ = state.table.rest(identifier, waiter: .action(action), descriptor: nil, deadline: deadline)
            setTimer(&state, for: deadline)
            return identifier
        }
        return Scheduled(identifier: identifier, loop: self)
    }

    /// An action that will run at its deadline, unless it is revoked.
    package struct Scheduled: Sendable {
        fileprivate let identifier: UInt64
        fileprivate let loop: EventLoop

        /// Revokes the action; nothing happens when it has run already.
        package func revoke() {
            loop.end(identifier, .cancelled)
        }
    }

    /// Runs a short action whenever the descriptor can be read, for as long as the descriptor is open.
    package func watch(_ descriptor: Int32, _ action: @escaping @Sendable () -> Void) {
        let identifier = state.withLock { state in
            let identifier = state.table.reserve()
            _ = state.table.end(identifier, .cancelled)
            state.watches[identifier | Self.watchBit] = action
            return identifier | Self.watchBit
        }
        queue.watch(descriptor, as: identifier)
    }

    private func rest(
        _ identifier: UInt64,
        descriptor: Int32?,
        events: Int32,
        deadline: ContinuousClock.Instant?,
        cancellable: Bool
    ) async -> Outcome {
        guard cancellable else {
            return await suspend(identifier, descriptor: descriptor, events: events, deadline: deadline)
        }
        return await withTaskCancellationHandler {
            await suspend(identifier, descriptor: descriptor, events: events, deadline: deadline)
        } onCancel: {
            end(identifier, .cancelled)
        }
    }

    private func suspend(
        _ identifier: UInt64,
        descriptor: Int32?,
        events: Int32,
        deadline: ContinuousClock.Instant?
    ) async -> Outcome {
        await withUnsafeContinuation { continuation in
            // The table comes first: once the kernel watches the descriptor, its event may arrive at any moment.
            let ended = state.withLock { state -> WaitTable<Waiter>.Ended? in
                let waiter = Waiter.task(continuation)
                if let ended = state.table.rest(identifier, waiter: waiter, descriptor: descriptor, deadline: deadline)
                {
                    return ended
                }
                if let descriptor,
                    !queue.watchOnce(descriptor, events: events, as: identifier),
                    // A descriptor that cannot be watched (closed, or no memory) counts as ready: its user will meet
                    // the real error when it reads.
                    case .ended(let ended) = state.table.end(identifier, .ready)
                {
                    return ended
                }
                if let deadline { setTimer(&state, for: deadline) }
                return nil
            }
            if let ended { finish(ended) }
        }
    }

    /// Ends a wait, and returns whether this came first.
    @discardableResult
    private func end(_ identifier: UInt64, _ outcome: Outcome) -> Bool {
        switch state.withLock({ $0.table.end(identifier, outcome) }) {
        case .tooLate: return false
        case .early: return true
        case .ended(let ended):
            finish(ended)
            return true
        }
    }

    private func finish(_ ended: WaitTable<Waiter>.Ended) {
        // One whose event has come is silent from now on, until it is waited for again.
        if let descriptor = ended.descriptor, ended.outcome != .ready { queue.forget(descriptor) }
        switch ended.waiter {
        case .task(let continuation): continuation.resume(returning: ended.outcome)
        case .action(let action): if ended.outcome == .deadlinePassed { action() }
        }
    }

    /// Sets the timer under the lock, and only to an earlier moment than it is set for.
    private func setTimer(_ state: inout State, for deadline: ContinuousClock.Instant) {
        if let timerAt = state.timerAt, timerAt <= deadline { return }
        state.timerAt = deadline
        queue.setTimer(after: ContinuousClock.now.duration(to: deadline))
    }

    /// Whether the calling thread is the one that waits.
    package var isOnThread: Bool { thread.load(ordering: .relaxed) == kernel_this_thread() }

    /// Waits, for as long as the process lives.
    func run() -> Never {
        thread.store(kernel_this_thread(), ordering: .relaxed)
        while true {
            jobs.run(on: asUnownedTaskExecutor())
            queue.wait { handle($0) }
        }
    }

    private func handle(_ identifier: UInt64) {
        if identifier == Self.jobsIdentifier {
            jobs.noteWakeUp()
        } else if identifier == EventQueue.timerIdentifier {
            expire()
        } else if identifier & Self.watchBit != 0 {
            state.withLock { $0.watches[identifier] }?()
        } else {
            end(identifier, .ready)
        }
    }

    private func expire() {
        queue.noteTimer()
        let ended = state.withLock { state in
            let ended = state.table.expire(at: .now)
            state.timerAt = nil
            if let next = state.table.nextDeadline { setTimer(&state, for: next) }
            return ended
        }
        for wait in ended { finish(wait) }
    }
}

/// Waits of one task after another that some other task can stop for good.
final class StoppableWait: Sendable {
    private let current = Locked<EventLoop.Reserved?>(nil)
    private let stopped = Atomic(false)

    /// Whether no wait is to begin any more.
    var isStopped: Bool { stopped.load(ordering: .relaxed) }

    /// Takes note of a wait that begins; it ends at once when all were stopped before.
    func begin(_ wait: EventLoop.Reserved) {
        let isStopped = current.withLock { current in
            current = wait
            return stopped.load(ordering: .relaxed)
        }
        if isStopped { wait.cancel() }
    }

    /// Stops the wait that is under way, and every one after it.
    func stop() {
        let wait = current.withLock { current in
            stopped.store(true, ordering: .relaxed)
            return current
        }
        wait?.cancel()
    }
}
