import HeapModule

/// Keeps the waits that are under way, and decides which of them end and how.
///
/// A wait is reserved, then its waiter comes to rest, and it ends exactly once: because what it waits for has come, its
/// deadline has passed or its task was cancelled. The end may come before the waiter rests, as the two run on different
/// threads; the waiter then does not come to rest at all. Generic over what stands for the waiter, so that tests need no
/// task.
struct WaitTable<Waiter>: ~Copyable {
    /// How a wait ended.
    enum Outcome: Sendable, Equatable {
        /// What was waited for has come; a descriptor can be read or written, or has failed.
        case ready
        /// The deadline passed first.
        case deadlinePassed
        /// The waiting task was cancelled first.
        case cancelled
    }

    /// A waiter that rests no longer, to be told so once no lock is held.
    struct Ended {
        var waiter: Waiter
        var descriptor: Int32?
        var outcome: Outcome
    }

    /// What became of an attempt to end a wait.
    enum Ending {
        /// The wait had ended before.
        case tooLate
        /// The wait has ended before its waiter came to rest.
        case early
        /// The wait has ended; its waiter must be told.
        case ended(Ended)
    }

    private enum Entry {
        /// The waiter is on its way. Transitions: to `resting` by the waiter, to `endedEarly` by an end.
        case reserved
        /// The waiter rests. Transitions: removed by the end.
        case resting(Waiter, descriptor: Int32?, deadline: ContinuousClock.Instant?)
        /// The wait ended before its waiter came. Transitions: removed by the waiter.
        case endedEarly(Outcome)
    }

    private struct Deadline: Comparable {
        var instant: ContinuousClock.Instant
        var identifier: UInt64

        static func < (left: Self, right: Self) -> Bool { left.instant < right.instant }
    }

    private var entries: [UInt64: Entry] = [:]
    private var deadlines = Heap<Deadline>()
    private var lastIdentifier: UInt64 = 0

    /// The number of waits under way.
    var count: Int { entries.count }

    /// The number of deadlines kept, some of them perhaps of waits that have ended.
    var deadlineCount: Int { deadlines.count }

    /// The earliest deadline of any wait under way; may still name one that has just ended.
    var nextDeadline: ContinuousClock.Instant? { deadlines.min?.instant }

    /// Begins a wait, and returns what identifies it.
    mutating func reserve() -> UInt64 {
        lastIdentifier += 1
        entries[lastIdentifier] = .reserved
        return lastIdentifier
    }

    /// Brings the waiter to rest, unless the wait has ended already: then it is returned.
    mutating func rest(
        _ identifier: UInt64,
        waiter: Waiter,
        descriptor: Int32?,
        deadline: ContinuousClock.Instant?
    ) -> Ended? {
        if case .endedEarly(let outcome)? = entries[identifier] {
            entries[identifier] = nil
            return Ended(waiter: waiter, descriptor: nil, outcome: outcome)
        }
        entries[identifier] = .resting(waiter, descriptor: descriptor, deadline: deadline)
        if let deadline {
            deadlines.insert(Deadline(instant: deadline, identifier: identifier))
            if deadlines.count > 2 * entries.count + 64 { dropStaleDeadlines() }
        }
        return nil
    }

    /// Ends a wait, once.
    mutating func end(_ identifier: UInt64, _ outcome: Outcome) -> Ending {
        switch entries[identifier] {
        case nil, .endedEarly:
            return .tooLate
        case .reserved:
            entries[identifier] = .endedEarly(outcome)
            return .early
        case .resting(let waiter, let descriptor, _):
            entries[identifier] = nil
            return .ended(Ended(waiter: waiter, descriptor: descriptor, outcome: outcome))
        }
    }

    /// Ends every wait whose deadline has come.
    mutating func expire(at now: ContinuousClock.Instant) -> [Ended] {
        var due: [Ended] = []
        while let next = deadlines.min, next.instant <= now {
            deadlines.removeMin()
            if case .ended(let wait) = end(next.identifier, .deadlinePassed) { due.append(wait) }
        }
        return due
    }

    /// Drops the deadlines of waits that have ended; they stay in the heap until their time otherwise.
    private mutating func dropStaleDeadlines() {
        deadlines = Heap(
            entries.compactMap { identifier, entry in
                guard case .resting(_, _, let deadline?) = entry else { return nil }
                return Deadline(instant: deadline, identifier: identifier)
            }
        )
    }
}
