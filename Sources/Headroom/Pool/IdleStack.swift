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
