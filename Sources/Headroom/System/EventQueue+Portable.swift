#if !os(Linux) || HEADROOM_TEST_PORTABLE
import CLibrary

/// What the event loop's thread sleeps in: `poll`, over a list that is made anew for each sleep.
///
/// For systems with no `epoll`. A change of the list wakes the thread; a sleep costs by the number of descriptors, and
/// ends on the millisecond after its moment.
final class EventQueue: Sendable {
    private struct Watch {
        var events: Int32
        var identifier: UInt64
        var isOnce: Bool
    }

    private struct State {
        var watches: [Int32: Watch] = [:]
        var timerAt: ContinuousClock.Instant?
        /// Whether the thread sleeps over a list that is older than a change.
        var isAsleep = false
    }

    private let state = Locked(State())
    private let change = WakeUp()

    /// The identifier that stands for the timer itself.
    static let timerIdentifier: UInt64 = 0

    /// - Throws: ``DatabaseError`` with `hostExhausted`.
    init() throws(DatabaseError) {
        guard change.descriptor >= 0 else { throw .hostExhausted("descriptor", error: EMFILE) }
    }

    /// Reports the descriptor whenever one of `events` is there, for as long as it is open.
    func watch(_ descriptor: Int32, events: UInt32 = UInt32(POLLIN), as identifier: UInt64) {
        let events = Int32(truncatingIfNeeded: events)
        change { $0.watches[descriptor] = Watch(events: events, identifier: identifier, isOnce: false) }
    }

    /// Changes for which events a descriptor is reported.
    func change(_ descriptor: Int32, events: UInt32, as identifier: UInt64) {
        watch(descriptor, events: events, as: identifier)
    }

    /// Reports the descriptor once, when it is ready for one of `events`.
    ///
    /// - Returns: Whether it can be watched at all.
    func watchOnce(_ descriptor: Int32, events: Int32, as identifier: UInt64) -> Bool {
        guard descriptor >= 0 else { return false }
        change { $0.watches[descriptor] = Watch(events: events, identifier: identifier, isOnce: true) }
        return true
    }

    /// Reports the descriptor no more.
    func forget(_ descriptor: Int32) {
        // The thread may sleep on: what it hears of the descriptor is then of nobody's.
        state.withLock { state in _ = state.watches.removeValue(forKey: descriptor) }
    }

    /// Has the timer's identifier reported after a while, once, and no more after an earlier one.
    func setTimer(after time: Duration) {
        change { $0.timerAt = .now + time }
    }

    /// Takes note that the timer has done its work.
    func noteTimer() {}

    /// Sleeps until something happens, and reports it; for the event loop's one thread.
    func wait(_ report: (_ identifier: UInt64, _ events: UInt32) -> Void) {
        var (descriptors, identifiers, limit) = state.withLock { state in
            state.isAsleep = true
            var descriptors = [pollfd(fd: change.descriptor, events: Int16(POLLIN), revents: 0)]
            var identifiers: [UInt64] = [.max]
            for (descriptor, watch) in state.watches {
                descriptors.append(pollfd(fd: descriptor, events: Int16(watch.events), revents: 0))
                identifiers.append(watch.identifier)
            }
            return (descriptors, identifiers, state.timerAt.map { Self.milliseconds(until: $0) } ?? -1)
        }
        let count = CLibrary.poll(&descriptors, nfds_t(descriptors.count), limit)
        if descriptors[0].revents != 0 { change.lower() }
        let found = state.withLock { state in
            state.isAsleep = false
            var found: [(UInt64, UInt32)] = []
            if let timerAt = state.timerAt, timerAt <= .now {
                state.timerAt = nil
                found.append((Self.timerIdentifier, 0))
            }
            guard count > 0 else { return found }
            for (entry, identifier) in zip(descriptors, identifiers).dropFirst() where entry.revents != 0 {
                // Since the sleep began it may have become another's.
                guard let watch = state.watches[entry.fd], watch.identifier == identifier else { continue }
                if watch.isOnce || entry.revents & Int16(POLLNVAL) != 0 { state.watches[entry.fd] = nil }
                found.append((identifier, UInt32(truncatingIfNeeded: entry.revents)))
            }
            return found
        }
        for (identifier, events) in found { report(identifier, events) }
    }

    /// Looks whether the descriptor is ready for one of `events`; does not wait, as `poll` counts in milliseconds.
    static func poll(_ descriptor: Int32, events: Int32, within limit: Duration) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return CLibrary.poll(&request, 1, 0) > 0
    }

    private func change(_ body: (inout sending State) -> Void) {
        let isToWake = state.withLock { state in
            body(&state)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if isToWake { change.raise() }
    }

    private static func milliseconds(until moment: ContinuousClock.Instant) -> Int32 {
        let left = max(.zero, ContinuousClock.now.duration(to: moment))
        return Int32(clamping: min(left, .seconds(3600)).nanoseconds / 1_000_000 + 1)
    }
}
#endif
