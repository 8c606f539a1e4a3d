/// How the connections of one account are shared out between hosts: what the account's row of `headroom_shares` says.
///
/// All hosts write the whole book, and only in the place of the version that they have read. So a change is one statement:
/// nothing is left open or half done, whenever its host or its server ends, and a host that was stopped between reading and
/// writing changes nothing.
///
/// What is shared out is the budget less one place for each host, from which it asks. A host that has nothing can so ask
/// at any time, and every open connection belongs to a host's share.
///
/// Nothing here waits or reads a clock. The only clock that decides is the database's.
struct ShareTable: Sendable, Hashable {
    /// What the book says of one host.
    struct Entry: Sendable, Hashable {
        /// What tells the host from every other.
        var host: String

        /// How many connections are the host's.
        var share = 0

        /// How many of them it used when it last wrote.
        var inUse = 0

        /// How many it could use then, those included.
        var wanted = 0

        /// Until when the share is the host's, in microseconds since 1970, UTC, on the database's clock.
        var expires: Int64 = 0

        /// Since when it has had a share, or since when it has waited for one.
        var since: Int64 = 0

        /// The budget that the host makes of the account's limit.
        var budget = 0

        /// How many places the host's settings set aside: one for each host, and what each may always hold.
        var setAside = 0

        /// The host's clock minus the database's, in milliseconds.
        var clockError: Int64 = 0

        /// The host's name, for people.
        var name = ""

        /// What a later version of Headroom says of the host besides: kept as it is.
        var further = ""
    }

    /// What a host asks for.
    struct Request: Sendable, Hashable {
        var host: String
        var name = ""

        /// How many connections it holds of its share: less it cannot have at this moment.
        var inUse: Int

        /// How many it could use, those included.
        var wanted: Int

        /// The budget that it makes of the account's limit.
        var budget: Int

        /// How many hosts its settings speak of.
        var hosts: Int

        /// How many connections each of them may always hold, beside the place from which it asks.
        var base = 0

        /// Its own clock, in microseconds since 1970; for people to compare, never to decide.
        var clock: Int64 = 0
    }

    /// What a host gets.
    struct Answer: Sendable, Hashable {
        /// How many connections are the host's now.
        var share: Int

        /// How many it is to hold at most, so that others come to theirs: it waits until those above have ended.
        var cap: Int

        /// Whether another host wants more than it has, or this one has more than its equal part.
        var isContested: Bool

        /// Whether this host wants more than it has got.
        var isShort: Bool
    }

    /// The last moment that is believed to be one: the end of the year 9999, in microseconds since 1970.
    static let lastMoment: Int64 = 253_402_300_799_999_999

    /// The most hosts in a book, and the most connections that one can have.
    static let (mostHosts, mostConnections) = (1_000, Int64(SlotTable.unlimited))

    /// What the hosts have, in the order of their first coming.
    var entries: [Entry] = []

    /// Those whose time is up, and whose share may so be another's.
    func expired(at now: Int64, except host: String) -> [Entry] {
        entries.filter { $0.expires <= now && $0.host != host && $0.share > 0 }
    }

    /// Writes what a host says of itself, and gives it what it may have.
    ///
    /// - Parameters:
    ///   - request: What it says.
    ///   - now: The database's clock, in microseconds since 1970.
    ///   - remains: For hosts whose time is up, how many of their sessions are still there. Without a number, all may be.
    ///   - terms: For how long.
    /// - Returns: What it gets.
    mutating func exchange(
        _ request: Request,
        at now: Int64,
        remains: [String: Int] = [:],
        _ terms: ShareTiming
    ) -> Answer {
        // The server's clock is a number from outside too, and what is made of it is to be readable again.
        let now = min(max(0, now), Self.lastMoment)
        takeBack(at: now, except: request.host, remains)
        let old = entries.first { $0.host == request.host }
        let others = entries.filter { $0.host != request.host }

        // Hosts whose settings differ: the most careful of them is obeyed.
        let setAside = others.map(\.setAside).reduce(request.hosts * (1 + request.base), max)
        let budget = others.map(\.budget).reduce(request.budget, min)
        let total = max(0, budget - max(setAside, (others.count + 1) * (1 + request.base)))
        let free = max(0, total - others.reduce(0) { $0 + $1.share })

        var own = old ?? Entry(host: request.host)
        own.wanted = max(request.wanted, request.inUse)
        let demands = others.filter { $0.expires > now } + [own]
        let gone = others.filter { $0.expires <= now }.reduce(0) { $0 + $1.share }
        let parts = Self.parts(of: max(0, total - gone), among: demands)
        let part = parts[request.host] ?? 0

        // What it holds stays its own, as far as the book has it: it is counted there already.
        let share = max(min(part, free), min(request.inUse, old?.share ?? 0))
        if share > 0 {
            own.since = old.map { $0.share > 0 ? $0.since : now } ?? now
        } else {
            own.since = old.map { $0.share == 0 ? $0.since : now } ?? now
        }
        own.share = share
        own.inUse = request.inUse
        own.expires = min(now.adding(clamped: (share > 0 ? terms.lease : terms.waiting).microseconds), Self.lastMoment)
        own.budget = request.budget
        own.setAside = request.hosts * (1 + request.base)
        own.clockError = request.clock.subtracting(clamped: now) / 1_000
        own.name = request.name
        own.further = ""
        write(own)

        let othersAreShort = others.contains { $0.expires > now && $0.wanted > $0.share }
        let isMuch = share > max(1, total / max(1, request.hosts))
        return Answer(
            share: share,
            cap: min(part, share),
            isContested: othersAreShort || isMuch,
            isShort: own.wanted > share
        )
    }

    /// Takes back what is still counted for hosts whose time is up, except for what their sessions still use.
    private mutating func takeBack(at now: Int64, except host: String, _ remains: [String: Int]) {
        for index in entries.indices where entries[index].expires <= now && entries[index].host != host {
            entries[index].share = min(entries[index].share, remains[entries[index].host] ?? entries[index].share)
            entries[index].inUse = entries[index].share
            entries[index].wanted = 0
        }
        entries.removeAll { $0.expires <= now && $0.host != host && $0.share == 0 }
    }

    /// A host that neither has nor wants anything has no entry and costs nothing.
    private mutating func write(_ own: Entry) {
        let index = entries.firstIndex { $0.host == own.host }
        if own.share == 0, own.wanted == 0 {
            if let index { entries.remove(at: index) }
        } else if let index {
            entries[index] = own
        } else {
            entries.append(own)
        }
    }

    /// What each host is to come to: one to each that wants any, then one more to each that wants more, and so on.
    ///
    /// Where there is not one for each, those go first that have nothing, the longest waiting of them first, and the host that has
    /// had one for longest goes without: so all come in turn. What does not divide stays where it is.
    static func parts(of total: Int, among hosts: [Entry]) -> [String: Int] {
        var parts: [String: Int] = [:]
        var left = total
        let wanting = hosts.filter { $0.wanted > 0 }
        let turn = wanting.sorted { one, other in
            if (one.share == 0) != (other.share == 0) { return one.share == 0 }
            if one.since != other.since { return one.share == 0 ? one.since < other.since : one.since > other.since }
            return one.host < other.host
        }
        for host in turn.prefix(left) { parts[host.host] = 1 }
        left -= parts.count
        let largest = wanting.sorted { ($0.share, $1.host) > ($1.share, $0.host) }
        var level = 1
        while left > 0 {
            let more = largest.filter { $0.wanted > level }
            guard !more.isEmpty else { break }
            for host in more.prefix(left) { parts[host.host, default: 0] += 1 }
            left -= min(left, more.count)
            level += 1
        }
        return parts
    }
}

/// The book as the database keeps it: a line for each host, its numbers, its name, and what a later version adds behind it.
extension ShareTable {
    /// The book as text.
    var text: String {
        entries.map { entry in
            let numbers = [
                Int64(entry.share), Int64(entry.inUse), Int64(entry.wanted), entry.expires, entry.since,
                Int64(entry.budget), Int64(entry.setAside), entry.clockError,
            ]
            let name = Escaping.line(entry.name).replaced("\t", with: " ")
            return ([entry.host] + numbers.map(String.init) + [name]).joined(separator: "\t") + entry.further
        }
        .joined(separator: "\n")
    }

    /// Reads a book.
    ///
    /// - Returns: The book; `nil` when the text is not one, or a number in it cannot be: the row may have been written by
    ///   anybody who has the account.
    init?(text: String) {
        for line in text.pieces(separator: "\n") {
            let fields = line.pieces(separator: "\t", omittingEmptySubsequences: false)
            let numbers = fields.dropFirst().prefix(8).compactMap { Int64($0) }
            let counts = [numbers.prefix(3), numbers.dropFirst(5).prefix(2)].joined()
            guard fields.count >= 10, numbers.count == 8, let host = fields.first,
                entries.count < Self.mostHosts, counts.allSatisfy({ (0...Self.mostConnections).contains($0) }),
                numbers[3...4].allSatisfy({ (0...Self.lastMoment).contains($0) })
            else { return nil }
            entries.append(
                Entry(
                    host: String(host),
                    share: Int(numbers[0]),
                    inUse: Int(numbers[1]),
                    wanted: Int(numbers[2]),
                    expires: numbers[3],
                    since: numbers[4],
                    budget: Int(numbers[5]),
                    setAside: Int(numbers[6]),
                    clockError: numbers[7],
                    name: String(fields[9]),
                    further: fields.dropFirst(10).map { "\t\($0)" }.joined()
                )
            )
        }
    }
}
