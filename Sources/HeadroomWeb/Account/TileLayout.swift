/// Lays out an account's connections as tiles, one for each that the limit allows.
struct TileLayout: Sendable, Equatable {
    /// One connection of the limit.
    struct Tile: Sendable, Equatable {
        /// What the place is.
        var kind: Kind
        /// Which of the colours it has, from 0; `nil` for a place without a program.
        var colour: Int?
        /// The program, or what else holds it.
        var program = ""
        /// The session, when it is known.
        var session: UInt64?
        /// What goes on, in words.
        var detail = ""
    }

    /// What a place is.
    enum Kind: String, Sendable {
        /// A session at work.
        case active
        /// A session that waits for its client.
        case idle
        /// A session that waits in a transaction.
        case transaction
        /// Held by a session that this account may not see.
        case unseen
        /// Free, and left to people by the budget.
        case reserved
        /// Free.
        case free
    }

    /// A session, as far as a tile shows it.
    struct Holder: Sendable {
        var session: UInt64
        var program: String?
        var isSleeping: Bool
        var inTransaction = false
        var detail: String
    }

    /// An entry of the key to the colours.
    struct Entry: Sendable, Equatable {
        var program: String
        var colour: Int
        var count: Int
    }

    /// The tiles, held ones first, those of a program together.
    var tiles: [Tile] = []

    /// The programs with their colours, the one with most connections first.
    var key: [Entry] = []

    /// How many further places are not drawn.
    var notDrawn = 0

    /// The number of colours in the stylesheet.
    static let colours = 8

    /// The most tiles that are drawn.
    static let most = 240

    /// What a session is called whose program is not known.
    static let unnamed = "unnamed"

    /// - Parameters:
    ///   - holders: The sessions that count against the limit.
    ///   - used: How many count; more than there are holders when some cannot be seen.
    ///   - limit: The limit; as many as are used when it is not known.
    ///   - reserve: How many of the free ones the budget leaves to people.
    init(_ holders: [Holder], used: Int, limit: Int?, reserve: Int) {
        let counts = Dictionary(grouping: holders) { $0.program ?? Self.unnamed }.mapValues(\.count)
        let colours = Self.colours(of: counts.keys.sorted())
        key = counts.map { Entry(program: $0.key, colour: colours[$0.key] ?? 0, count: $0.value) }
            .sorted { ($1.count, $0.program) < ($0.count, $1.program) }
        let order = Dictionary(uniqueKeysWithValues: key.enumerated().map { ($0.element.program, $0.offset) })
        tiles =
            holders.map { holder in
                let program = holder.program ?? Self.unnamed
                return Tile(
                    kind: !holder.isSleeping ? .active : holder.inTransaction ? .transaction : .idle,
                    colour: colours[program],
                    program: program,
                    session: holder.session,
                    detail: holder.detail
                )
            }
            .sorted { (order[$0.program] ?? 0, $0.session ?? 0) < (order[$1.program] ?? 0, $1.session ?? 0) }
        tiles += Array(repeating: Tile(kind: .unseen), count: max(0, used - holders.count))
        let free = max(0, (limit ?? 0) - tiles.count)
        let reserved = min(free, max(0, reserve))
        // Only as many as are drawn are made: a server's limit may be 100,000.
        let drawnFree = min(free - reserved, max(0, Self.most - tiles.count - reserved))
        tiles += Array(repeating: Tile(kind: .free), count: drawnFree)
        tiles += Array(repeating: Tile(kind: .reserved), count: reserved)
        notDrawn = free - reserved - drawnFree
        if tiles.count > Self.most {
            notDrawn += tiles.count - Self.most
            tiles.removeLast(tiles.count - Self.most)
        }
    }

    /// The colours of programs: each has the one that its name leads to, or the next that is not taken, so that it keeps its
    /// colour while others come and go.
    static func colours(of programs: [String]) -> [String: Int] {
        var colours: [String: Int] = [:]
        var taken: Set<Int> = []
        for program in programs {
            // Not Swift's own hash, which differs from run to run (FNV-1a).
            let hash = program.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
            var colour = Int(hash % UInt32(Self.colours))
            if taken.count < Self.colours {
                while taken.contains(colour) { colour = (colour + 1) % Self.colours }
            }
            taken.insert(colour)
            colours[program] = colour
        }
        return colours
    }
}
