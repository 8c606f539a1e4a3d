/// Decides which statements stay prepared within a scope: from the second use of a text on, the 16 that were used last.
///
/// The first use drops its statement, as most texts are used once, and each that stays counts on the server
/// (`max_prepared_stmt_count`). A kept one is taken out while it is used, so that nothing else can use it.
struct StatementCache<Statement> {
    static var most: Int { 16 }

    /// Longer texts are not remembered: they are made of data, and differ each time.
    static var longestText: Int { 4096 }

    /// The one that was used last is the last.
    private var kept: [(text: String, statement: Statement)] = []

    /// The texts that were used, as hashes.
    private var seen: Set<Int> = []

    /// Whether statements are kept at all; false once the server has no room for them.
    private var isOn = true

    /// The number of statements that are kept.
    var count: Int { kept.count }

    /// Takes out the statement that is kept for a text.
    mutating func take(_ text: String) -> Statement? {
        kept.firstIndex { $0.text == text }.map { kept.remove(at: $0).statement }
    }

    /// Notes a use, and returns whether the statement is to be kept after it.
    mutating func isWorthKeeping(_ text: String) -> Bool {
        guard isOn, text.utf8.count <= Self.longestText else { return false }
        if seen.count >= 256 { seen.removeAll() }
        return !seen.insert(text.hashValue).inserted
    }

    /// Keeps a statement, and returns the ones to drop for it.
    mutating func put(_ text: String, _ statement: Statement) -> [Statement] {
        guard isOn else { return [statement] }
        var dropped = take(text).map { [$0] } ?? []
        kept.append((text, statement))
        if kept.count > Self.most { dropped.append(kept.removeFirst().statement) }
        return dropped
    }

    /// Forgets everything, at a scope's end, and returns the statements to drop.
    mutating func removeAll() -> [Statement] {
        defer { self = StatementCache() }
        return kept.map(\.statement)
    }

    /// Keeps nothing from now on, where the server has no room, and returns the statements to drop.
    mutating func turnOff() -> [Statement] {
        defer { isOn = false }
        return removeAll()
    }
}
