/// Keeps items (open connections) for the next who needs one, with their idle time and lifetime.
final class IdleSessions<Item: Sendable>: Sendable {
    private let idle: Duration
    private let stack = Locked(State())
    private let discard: @Sendable (Item, CloseReason) -> Void

    private struct State: ~Copyable {
        var kept = IdleStack<Item>()
        var isTimerSet = false
    }

    /// Creates an empty list.
    ///
    /// - Parameters:
    ///   - idle: How long an item is kept.
    ///   - discard: Is given what is not kept any longer.
    init(idle: Duration, discard: @escaping @Sendable (Item, CloseReason) -> Void) {
        self.idle = idle
        self.discard = discard
    }

    /// The number of items kept.
    var count: Int { stack.withLock { $0.kept.count } }

    /// Takes the item that was put back last.
    func take() -> Item? {
        let now = ContinuousClock.now
        return stack.withLock { $0.kept.take(at: now) }
    }

    /// Puts an item back.
    func put(_ item: Item, livesUntil: ContinuousClock.Instant) {
        let idleUntil = ContinuousClock.now + idle
        let needsTimer = stack.withLock { state in
            state.kept.put(item, idleUntil: idleUntil, livesUntil: livesUntil)
            defer { state.isTimerSet = true }
            return !state.isTimerSet
        }
        // One timer for all: it stays set while items come and go.
        if needsTimer { setTimer(at: min(idleUntil, livesUntil)) }
    }

    /// Takes all items.
    func takeAll() -> [Item] {
        stack.withLock { $0.kept.empty() }
    }

    /// Gives up an item that was taken.
    func giveUp(_ item: Item, _ reason: CloseReason) {
        discard(item, reason)
    }

    private func setTimer(at moment: ContinuousClock.Instant) {
        _ = EventLoop.shared.schedule(at: moment) { [weak self] in self?.collect() }
    }

    private func collect() {
        let (over, next) = stack.withLock { state in
            let over = state.kept.collect(at: .now)
            let next = state.kept.nextEnd
            state.isTimerSet = next != nil
            return (over, next)
        }
        for (item, reason) in over { discard(item, reason) }
        if let next { setTimer(at: next) }
    }
}

/// Decides which kept connection is used next, and which have been kept for long enough.
///
/// The one that came back last is used first: a few are used often, and the others soon reach their idle time.
struct IdleStack<Item>: ~Copyable {
    private struct Entry {
        var item: Item
        var idleUntil: ContinuousClock.Instant
        var livesUntil: ContinuousClock.Instant
    }

    private var entries: [Entry] = []

    /// The number of items kept.
    var count: Int { entries.count }

    /// Keeps an item.
    mutating func put(_ item: Item, idleUntil: ContinuousClock.Instant, livesUntil: ContinuousClock.Instant) {
        entries.append(Entry(item: item, idleUntil: idleUntil, livesUntil: livesUntil))
    }

    /// Returns the item that came back last, unless its time is over; it stays then, to be collected.
    mutating func take(at now: ContinuousClock.Instant) -> Item? {
        guard let last = entries.last, now < last.idleUntil, now < last.livesUntil else { return nil }
        return entries.removeLast().item
    }

    /// Takes out the items whose time is over.
    mutating func collect(at now: ContinuousClock.Instant) -> [(item: Item, reason: CloseReason)] {
        var over: [(Item, CloseReason)] = []
        entries.removeAll { entry in
            guard now >= entry.idleUntil || now >= entry.livesUntil else { return false }
            over.append((entry.item, now >= entry.livesUntil ? .lifetime : .idle))
            return true
        }
        return over
    }

    /// Takes out all items.
    mutating func empty() -> [Item] {
        defer { entries.removeAll() }
        return entries.map(\.item)
    }

    /// When the next item's time is over.
    var nextEnd: ContinuousClock.Instant? {
        entries.map { min($0.idleUntil, $0.livesUntil) }.min()
    }
}
