/// Keeps the waits that are under way, and decides which of them end and how.
///
/// A wait is registered, and ends exactly once: because its descriptor is ready, its deadline has passed or its task was
/// cancelled. A cancellation may come before the registration (the two run on different threads); it then leaves a
/// tombstone, and the registration ends at once. Generic over what stands for the waiter, so that tests need no task.
struct WaitTable<Waiter>: ~Copyable {
    /// How a wait ended.
    enum Outcome: Sendable, Equatable {
        /// The descriptor can be read or written, or has failed.
        case ready
        /// The deadline passed first.
        case deadlinePassed
        /// The waiting task was cancelled first.
        case cancelled
    }

    /// A wait that has ended, to be told so once no lock is held.
    struct Ended {
        var waiter: Waiter
        var descriptor: Int32?
        var outcome: Outcome
    }

    private enum Entry {
        /// The wait is under way. Transitions: removed by the first of ready, deadline and cancellation.
        case waiting(Waiter, descriptor: Int32?, deadline: ContinuousClock.Instant?)
        /// The wait was cancelled before it was registered. Transitions: removed by the registration.
        case tombstone
    }

    private var entries: [UInt64: Entry] = [:]

    /// The earliest deadline of any wait under way.
    var nextDeadline: ContinuousClock.Instant? {
        var earliest: ContinuousClock.Instant?
        for entry in entries.values {
            if case .waiting(_, _, let deadline?) = entry, earliest.map({ deadline < $0 }) ?? true {
                earliest = deadline
            }
        }
        return earliest
    }

    /// The number of waits under way.
    var count: Int { entries.count }

    /// Registers a wait, unless it was cancelled already: then it has ended, and is returned.
    mutating func register(
        _ identifier: UInt64,
        waiter: Waiter,
        descriptor: Int32?,
        deadline: ContinuousClock.Instant?
    ) -> Ended? {
        if case .tombstone? = entries.removeValue(forKey: identifier) {
            return Ended(waiter: waiter, descriptor: nil, outcome: .cancelled)
        }
        entries[identifier] = .waiting(waiter, descriptor: descriptor, deadline: deadline)
        return nil
    }

    /// Ends a wait because its task was cancelled, or remembers the cancellation for a wait not yet registered.
    mutating func cancel(_ identifier: UInt64) -> Ended? {
        guard entries[identifier] != nil else {
            entries[identifier] = .tombstone
            return nil
        }
        return end(identifier, .cancelled)
    }

    /// Forgets a cancellation that came after the wait had ended.
    mutating func forget(_ identifier: UInt64) {
        if case .tombstone? = entries[identifier] { entries[identifier] = nil }
    }

    /// Ends a wait; nothing happens when it has ended already.
    mutating func end(_ identifier: UInt64, _ outcome: Outcome) -> Ended? {
        guard case .waiting(let waiter, let descriptor, _)? = entries[identifier] else { return nil }
        entries[identifier] = nil
        return Ended(waiter: waiter, descriptor: descriptor, outcome: outcome)
    }

    /// Ends every wait whose deadline has come.
    mutating func expire(at now: ContinuousClock.Instant) -> [Ended] {
        var due: [UInt64] = []
        for (identifier, entry) in entries {
            if case .waiting(_, _, let deadline?) = entry, deadline <= now { due.append(identifier) }
        }
        return due.compactMap { end($0, .deadlinePassed) }
    }
}
