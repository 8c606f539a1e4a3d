/// Decides which connections stay when there are as many as may be.
///
/// Who comes gets in, and who has owed us a request for the longest time goes: an attacker who holds connections open makes
/// room for everybody else by that. Who has signed in goes last.
struct ConnectionTable<ID: Hashable & Sendable>: Sendable {
    /// What becomes of who comes.
    enum Admission: Equatable {
        /// It is let in.
        case admitted
        /// It is let in, and the other one is to be closed.
        case instead(of: ID)
        /// It is to be closed: everybody else has sent a whole request.
        case refused
    }

    private struct Entry: Sendable {
        var peer: String?
        var isIncomplete = true
        var isKnown = false
        var turn: UInt64
    }

    private let most: Int
    private let mostOfPeer: Int
    private var entries: [ID: Entry] = [:]
    private var turn: UInt64 = 0

    /// - Parameters:
    ///   - most: The most connections in all.
    ///   - mostOfPeer: The most of one address; an eighth of all by default, and at least 8.
    init(most: Int, mostOfPeer: Int? = nil) {
        self.most = most
        self.mostOfPeer = mostOfPeer ?? max(8, most / 8)
    }

    var count: Int { entries.count }

    /// A connection has come.
    ///
    /// - Parameters:
    ///   - id: The connection.
    ///   - peer: The client's address; `nil` where it says nothing, as all come from this host or through a proxy.
    /// - Returns: What becomes of it.
    mutating func open(_ id: ID, from peer: String?) -> Admission {
        let ofPeer = peer == nil ? [:] : entries.filter { $0.value.peer == peer }
        let isFull = ofPeer.count >= mostOfPeer
        guard isFull || entries.count >= most else {
            add(id, peer)
            return .admitted
        }
        guard let oldest = (isFull ? ofPeer : entries).filter(\.value.isIncomplete).min(by: Self.goesBefore)?.key else {
            return .refused
        }
        entries[oldest] = nil
        add(id, peer)
        return .instead(of: oldest)
    }

    /// A connection's client owes us a request from now on, or does not any more.
    mutating func note(_ id: ID, isIncomplete: Bool) {
        guard var entry = entries[id], entry.isIncomplete != isIncomplete else { return }
        entry.isIncomplete = isIncomplete
        turn += 1
        entry.turn = turn
        entries[id] = entry
    }

    /// A connection's client has shown who it is.
    mutating func noteKnown(_ id: ID) { entries[id]?.isKnown = true }

    func isKnown(_ id: ID) -> Bool { entries[id]?.isKnown ?? false }

    /// A connection is closed.
    mutating func close(_ id: ID) { entries[id] = nil }

    private mutating func add(_ id: ID, _ peer: String?) {
        turn += 1
        entries[id] = Entry(peer: peer, turn: turn)
    }

    private static func goesBefore(_ one: (key: ID, value: Entry), _ other: (key: ID, value: Entry)) -> Bool {
        one.value.isKnown == other.value.isKnown ? one.value.turn < other.value.turn : !one.value.isKnown
    }
}
