import HeapModule

@testable import Headroom

/// Many hosts that share one account, with a simulated clock, network and database.
///
/// Everything that happens follows from the seed. What the library's shell does is played here in its place, and what it
/// decides with, ``HostShare`` and ``ShareTable``, is the library's own. The server counts connections as a real one does: a
/// login that would be one too many is refused, and here that is a violation.
struct ShareSimulation {
    /// A safeguard that can be taken out, to see that the simulation notices.
    enum Mutant: CaseIterable {
        /// The database writes a book whatever version it was made for.
        case versionUnchecked
        /// A host goes on with its share although its time is up.
        case clockUnchecked
        /// What a host had is given to others while its sessions are still there.
        case sessionsForgotten
        /// A host gives away what is taken between its counting and its writing.
        case capNotLowered
    }

    /// What went wrong first; `nil` when nothing did.
    private(set) var violation: String?

    /// What happened, to see that the faults were there.
    private(set) var counts: [String: Int] = [:]

    /// How long a host's tasks may wait once nothing goes wrong any more: a lease, and then its turn.
    private static let patience: Int64 = 50_000_000

    private let mutant: Mutant?
    private let terms = ShareTiming.usual
    private var random: Random
    private var now: Int64 = 0
    private var events = Heap<Event>()
    private var sequence = 0
    private var hosts: [Host] = []
    private var server: Server
    private let end: Int64
    private var isCalm = false
    private var isOver = false

    private struct Server {
        var limit: Int
        var version = 0
        var book = ""
        var isDown = false
        /// The clocks of the nodes that answer in turn, and the drift of all.
        var offsets: [Int64]
        var rate: Double
        var sessions: [Int: Session] = [:]
        var lastSession = 0
    }

    private struct Session {
        var host: Int
        var identity: String
        var isAsking: Bool
        /// When the server notices that there is nobody any more.
        var orphanUntil: Int64?
    }

    private struct Asking {
        var session: Int?
        var asked: UInt64 = 0
        var version = 0
        var answer: ShareTable.Answer?
    }

    private struct Host {
        var identity: String
        var generation = 0
        var isUp = true
        var pausedUntil: Int64 = 0
        var cutUntil: Int64 = 0
        var rate: Double
        var offset: Int64
        var share = HostShare()
        var held = 0
        /// Since when each task waits.
        var waiting: [Int64] = []
        var asking: Asking?
        /// When a task got a connection last.
        var servedAt: Int64 = 0
        var lull: Int64
        var length: Int64
    }

    private enum Action {
        case arrive
        case login(isAsking: Bool, generation: Int)
        case opened(session: Int, isAsking: Bool)
        case failed(isAsking: Bool, generation: Int)
        case scopeEnds(session: Int)
        case close(session: Int)
        case closed(session: Int, isAsking: Bool, generation: Int)
        case read(session: Int)
        case readDone(session: Int, version: Int, book: String, clock: Int64, remains: [String: Int])
        case write(session: Int, version: Int, book: String)
        case written(session: Int, isDone: Bool)
        case askTimeout(asked: UInt64, generation: Int)
        case drop(session: Int)
        case look
        case fault
        case up(keepsIdentity: Bool)
        case serverUp
        case calm
        case over
        case finish
    }

    private struct Event: Comparable {
        var time: Int64
        var sequence: Int
        var host: Int
        var action: Action

        static func < (left: Self, right: Self) -> Bool {
            (left.time, left.sequence) < (right.time, right.sequence)
        }

        static func == (left: Self, right: Self) -> Bool { left.sequence == right.sequence }
    }

    init(seed: UInt64, mutant: Mutant? = nil) {
        var random = Random(seed: seed)
        self.mutant = mutant
        let count = Int.random(in: 2...5, using: &random)
        server = Server(
            limit: count + Int.random(in: 1...8, using: &random),
            offsets: (0..<3).map { _ in Int64.random(in: -1_500_000...1_500_000, using: &random) },
            rate: Double.random(in: 0.995...1.005, using: &random)
        )
        end = Int64.random(in: 30...90, using: &random) * 1_000_000
        for index in 0..<count {
            hosts.append(
                Host(
                    identity: "h\(index).0",
                    rate: Double.random(in: 0.995...1.005, using: &random),
                    offset: Int64.random(in: 0...1_000_000_000_000, using: &random),
                    lull: Int64.random(in: 300_000...6_000_000, using: &random),
                    length: Int64.random(in: 50_000...8_000_000, using: &random)
                )
            )
        }
        self.random = random
    }

    /// Plays it to its end, or to the first violation.
    mutating func run() {
        for index in hosts.indices {
            at(.random(in: 0...3_000_000, using: &random), index, .arrive)
            at(1_000_000, index, .look)
        }
        at(.random(in: 0...8_000_000, using: &random), 0, .fault)
        at(end, 0, .calm)
        while violation == nil, let event = events.popMin() {
            now = event.time
            handle(event)
        }
    }

    private mutating func handle(_ event: Event) {
        let index = event.host
        switch event.action {
        case .login(let isAsking, let generation): login(index, isAsking, generation)
        case .close(let session): close(session)
        case .read(let session): read(session)
        case .write(let session, let version, let book): write(session, version, book)
        case .drop(let session): drop(session)
        case .fault: fault()
        case .up(let keepsIdentity): up(index, keepsIdentity)
        case .serverUp: server.isDown = false
        case .calm: calm()
        case .over: over()
        case .finish: finish()
        default:
            // What a host does or hears waits until it runs on.
            guard hosts[index].pausedUntil <= now else {
                return at(hosts[index].pausedUntil - now, index, event.action)
            }
            handleOnHost(index, event.action)
        }
    }

    private mutating func handleOnHost(_ index: Int, _ action: Action) {
        switch action {
        case .arrive:
            guard !isOver else { return }
            if hosts[index].isUp, hosts[index].waiting.count < 6 {
                hosts[index].waiting.append(now)
                take(index)
                ask(index)
            }
            at(.random(in: 0...(2 * hosts[index].lull), using: &random), index, .arrive)
        case .look:
            if hosts[index].isUp {
                take(index)
                ask(index)
                if isCalm, let first = hosts[index].waiting.first,
                    now - max(first, end, hosts[index].servedAt) > Self.patience
                {
                    violation = "host \(index) has waited for too long, \(hosts[index].share), \(server.book)"
                }
            }
            at(.random(in: 500_000...1_000_000, using: &random), index, .look)
        case .opened(let session, let isAsking):
            guard owns(index, session) else { return }
            if isAsking {
                guard hosts[index].asking != nil else { return send(index, .close(session: session)) }
                hosts[index].asking?.session = session
                let time = clock(index)
                hosts[index].asking?.asked = time
                send(index, .read(session: session))
            } else {
                let length = isCalm ? min(hosts[index].length, 1_500_000) : hosts[index].length
                at(.random(in: 1_000...length, using: &random), index, .scopeEnds(session: session))
            }
        case .scopeEnds(let session):
            if owns(index, session) { send(index, .close(session: session)) }
        case .failed(let isAsking, let generation):
            guard hosts[index].generation == generation else { return }
            if isAsking {
                failAsking(index)
            } else {
                hosts[index].held -= 1
            }
        case .closed(_, let isAsking, let generation):
            guard hosts[index].generation == generation else { return }
            if isAsking {
                // A session that ends in the middle.
                let time = clock(index)
                if hosts[index].asking?.answer == nil { hosts[index].share.failed(at: time, terms, jitter: 0.5) }
                hosts[index].asking = nil
            } else {
                hosts[index].held -= 1
                take(index)
            }
        case .readDone(let session, let version, let book, let clock, let remains):
            guard owns(index, session), hosts[index].asking?.session == session else { return }
            propose(index, session, version, book, clock, remains)
        case .written(let session, let isDone):
            guard owns(index, session), hosts[index].asking?.session == session, let asking = hosts[index].asking,
                let answer = asking.answer
            else { return }
            if isDone {
                let jitter = jitter()
                hosts[index].share.granted(answer, asked: asking.asked, terms, jitter: jitter)
                send(index, .close(session: session))
                take(index)
            } else {
                hosts[index].asking?.answer = nil
                let time = clock(index)
                hosts[index].asking?.asked = time
                send(index, .read(session: session))
            }
        case .askTimeout(let asked, let generation):
            guard hosts[index].generation == generation, hosts[index].asking?.asked == asked,
                let session = hosts[index].asking?.session
            else { return }
            let (time, jitter) = (clock(index), jitter())
            hosts[index].share.failed(at: time, terms, jitter: jitter)
            hosts[index].asking?.answer = nil
            at(0, index, .close(session: session))
        default:
            break
        }
    }

    // MARK: what a host does

    private func clock(_ index: Int) -> UInt64 {
        UInt64(Double(now) * hosts[index].rate + Double(hosts[index].offset)) * 1_000
    }

    private mutating func take(_ index: Int) {
        let host = hosts[index]
        let allowed = mutant == .clockUnchecked ? host.share.cap : host.share.allowed(at: clock(index))
        while hosts[index].held < allowed, !hosts[index].waiting.isEmpty {
            hosts[index].waiting.removeFirst()
            hosts[index].servedAt = now
            hosts[index].held += 1
            connect(index, isAsking: false)
            count("scopes")
        }
    }

    private mutating func ask(_ index: Int) {
        let host = hosts[index]
        guard host.asking == nil, host.share.isDue(at: clock(index), wanted: host.held + host.waiting.count) else {
            return
        }
        hosts[index].asking = Asking(asked: clock(index))
        connect(index, isAsking: true)
    }

    private mutating func connect(_ index: Int, isAsking: Bool) {
        let generation = hosts[index].generation
        if isLost(index) {
            at(3_000_000, index, .failed(isAsking: isAsking, generation: generation))
        } else {
            send(index, .login(isAsking: isAsking, generation: generation))
        }
    }

    private mutating func propose(
        _ index: Int,
        _ session: Int,
        _ version: Int,
        _ text: String,
        _ clock: Int64,
        _ remains: [String: Int]
    ) {
        guard let book = ShareTable(text: text) else {
            violation = "the book cannot be read"
            return
        }
        let host = hosts[index]
        var share = host.share
        let proposal = share.propose(book, at: clock, remains: remains, terms) { _ in
            ShareTable.Request(
                host: host.identity,
                inUse: host.held,
                wanted: host.held + host.waiting.count,
                budget: server.limit,
                hosts: hosts.count
            )
        }
        if mutant != .capNotLowered { hosts[index].share = share }
        hosts[index].asking?.answer = proposal.answer
        hosts[index].asking?.version = version
        at(2_000_000, index, .askTimeout(asked: host.asking?.asked ?? 0, generation: host.generation))
        if isLost(index) { return }
        // Now and then what was sent is on its way for long: the book has changed by then.
        let delay =
            !isCalm && Int64.random(in: 0..<50, using: &random) == 0
            ? Int64.random(in: 0...30_000_000, using: &random) : delay()
        at(delay, index, .write(session: session, version: version, book: proposal.book.text))
    }

    private mutating func failAsking(_ index: Int) {
        let (time, jitter) = (clock(index), jitter())
        hosts[index].asking = nil
        hosts[index].share.failed(at: time, terms, jitter: jitter)
    }

    private func owns(_ index: Int, _ session: Int) -> Bool {
        server.sessions[session].map { $0.host == index && $0.orphanUntil == nil } ?? false
    }

    // MARK: what the server does

    private mutating func login(_ index: Int, _ isAsking: Bool, _ generation: Int) {
        // A process that has ended meanwhile cannot answer the greeting.
        guard hosts[index].generation == generation, hosts[index].isUp else { return }
        guard !server.isDown else {
            return send(index, .failed(isAsking: isAsking, generation: generation))
        }
        guard server.sessions.count < server.limit else {
            violation =
                "host \(index) is refused at \(now / 1_000) ms: \(server.sessions.count) of \(server.limit) are used"
            return
        }
        server.lastSession += 1
        server.sessions[server.lastSession] = Session(host: index, identity: hosts[index].identity, isAsking: isAsking)
        send(index, .opened(session: server.lastSession, isAsking: isAsking))
    }

    private mutating func close(_ session: Int) {
        guard let index = server.sessions[session]?.host else { return }
        let delay = hosts[index].cutUntil > now ? hosts[index].cutUntil - now : delay()
        at(delay, index, .drop(session: session))
    }

    private mutating func drop(_ session: Int) {
        guard let gone = server.sessions.removeValue(forKey: session), gone.orphanUntil == nil else { return }
        let delay = hosts[gone.host].cutUntil > now ? hosts[gone.host].cutUntil - now : delay()
        at(
            delay,
            gone.host,
            .closed(session: session, isAsking: gone.isAsking, generation: hosts[gone.host].generation)
        )
    }

    private var databaseClock: Int64 {
        mutating get {
            Int64(Double(now) * server.rate) + server.offsets[Int.random(in: server.offsets.indices, using: &random)]
        }
    }

    private mutating func read(_ session: Int) {
        guard let reader = server.sessions[session] else { return }
        let clock = databaseClock
        var remains: [String: Int] = [:]
        for entry in ShareTable(text: server.book)?.expired(at: clock, except: reader.identity) ?? [] {
            let left = server.sessions.filter { $0.value.identity == entry.host && !$0.value.isAsking }
            remains[entry.host] = mutant == .sessionsForgotten ? 0 : left.count
            count("taken back")
            if !left.isEmpty { count("ended by others") }
            for id in left.keys.sorted() {
                at(.random(in: 500...500_000, using: &random), reader.host, .drop(session: id))
            }
        }
        guard !isLost(reader.host) else { return askLater(reader.host) }
        send(
            reader.host,
            .readDone(session: session, version: server.version, book: server.book, clock: clock, remains: remains)
        )
    }

    private mutating func askLater(_ index: Int) {
        at(
            2_000_000,
            index,
            .askTimeout(asked: hosts[index].asking?.asked ?? 0, generation: hosts[index].generation)
        )
    }

    private mutating func write(_ session: Int, _ version: Int, _ book: String) {
        // A write whose session is gone may have been carried out before; here it is, now and then.
        guard let writer = server.sessions[session] ?? (Bool.random(using: &random) ? nil : lateWriter) else { return }
        guard !server.isDown else { return }
        // 1213: another node's commit came first.
        let isAborted = !isCalm && Int.random(in: 0..<12, using: &random) == 0
        let isDone = !isAborted && (version == server.version || mutant == .versionUnchecked)
        if version != server.version { count("outdated") }
        if isDone {
            server.version += 1
            server.book = book
        }
        guard server.sessions[session] != nil, !isLost(writer.host) else { return }
        send(writer.host, .written(session: session, isDone: isDone))
    }

    private let lateWriter = Session(host: 0, identity: "", isAsking: true, orphanUntil: 0)

    // MARK: what goes wrong

    private mutating func fault() {
        guard !isCalm else { return }
        at(.random(in: 200_000...12_000_000, using: &random), 0, .fault)
        let index = Int.random(in: hosts.indices, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1, 2:
            count("paused")
            hosts[index].pausedUntil = now + .random(in: 100_000...50_000_000, using: &random)
        case 3, 4:
            count("cut off")
            hosts[index].cutUntil = now + .random(in: 100_000...50_000_000, using: &random)
        case 5, 6:
            // All processes killed: the kernel closes their sockets, but a statement may run on.
            guard hosts[index].isUp else { return }
            count("killed")
            orphan(index, within: 5_000_000, asking: 50_000)
            at(.random(in: 100_000...20_000_000, using: &random), index, .up(keepsIdentity: true))
        case 7, 8:
            // Without power nobody closes anything.
            guard hosts[index].isUp else { return }
            count("lost power")
            orphan(index, within: 300_000_000, asking: 2_000_000)
            at(.random(in: 5_000_000...60_000_000, using: &random), index, .up(keepsIdentity: false))
        default:
            count("server restarted")
            server.isDown = true
            for session in server.sessions.keys.sorted() { drop(session) }
            at(.random(in: 100_000...8_000_000, using: &random), 0, .serverUp)
        }
    }

    private mutating func orphan(_ index: Int, within most: Int64, asking: Int64) {
        hosts[index].isUp = false
        hosts[index].generation += 1
        for (id, session) in server.sessions.sorted(by: { $0.key < $1.key }) where session.host == index {
            guard session.orphanUntil == nil else { continue }
            let until = now + .random(in: 1_000...(session.isAsking ? asking : most), using: &random)
            server.sessions[id]?.orphanUntil = until
            at(until - now, index, .drop(session: id))
        }
        hosts[index].asking = nil
        hosts[index].waiting = []
    }

    private mutating func up(_ index: Int, _ keepsIdentity: Bool) {
        guard !hosts[index].isUp else { return }
        // A slot whose holder has died is taken when its session is gone.
        let dead = server.sessions.values.contains { $0.host == index && $0.identity == hosts[index].identity }
        if keepsIdentity, dead { return at(200_000, index, .up(keepsIdentity: true)) }
        hosts[index].isUp = true
        hosts[index].held = 0
        hosts[index].pausedUntil = 0
        if !keepsIdentity {
            hosts[index].identity = "h\(index).\(hosts[index].generation)"
            hosts[index].share = HostShare()
        }
    }

    private mutating func calm() {
        isCalm = true
        for index in hosts.indices {
            hosts[index].pausedUntil = min(hosts[index].pausedUntil, now)
            hosts[index].cutUntil = min(hosts[index].cutUntil, now)
            hosts[index].lull = 1_000_000
            // A machine takes longer to start than the server to notice that nobody asks any more.
            at(3_000_000, index, .up(keepsIdentity: false))
        }
        // What was put off until a pause or a cut had ended comes now.
        let waiting = events.unordered
        events = Heap()
        for event in waiting {
            switch event.action {
            case .drop(let session) where server.sessions[session]?.orphanUntil != nil: events.insert(event)
            case .up: events.insert(event)
            default: at(min(event.time - now, delay()), event.host, event.action)
            }
        }
        at(75_000_000, 0, .over)
    }

    private mutating func over() {
        isOver = true
        for index in hosts.indices { hosts[index].waiting = [] }
        at(45_000_000, 0, .finish)
    }

    private mutating func finish() {
        let book = ShareTable(text: server.book)
        let clock = databaseClock
        let left = book?.entries.filter { $0.expires > clock && $0.share > 0 } ?? []
        if !left.isEmpty { violation = "shares did not come back: \(left)" }
        if !server.sessions.isEmpty, server.sessions.values.contains(where: { $0.orphanUntil == nil }) {
            violation = "sessions are left: \(server.sessions)"
        }
        events = Heap()
    }

    // MARK: the network

    private mutating func delay() -> Int64 {
        !isCalm && Int.random(in: 0..<20, using: &random) == 0
            ? .random(in: 0...2_000_000, using: &random) : .random(in: 100...20_000, using: &random)
    }

    private mutating func isLost(_ index: Int) -> Bool {
        hosts[index].cutUntil > now || (!isCalm && Int.random(in: 0..<60, using: &random) == 0)
    }

    private mutating func jitter() -> Double { .random(in: 0...1, using: &random) }

    private mutating func send(_ index: Int, _ action: Action) { at(delay(), index, action) }

    private mutating func at(_ delay: Int64, _ index: Int, _ action: Action) {
        sequence += 1
        events.insert(Event(time: now + max(0, delay), sequence: sequence, host: index, action: action))
    }

    private mutating func count(_ what: String) { counts[what, default: 0] += 1 }
}

/// Numbers that follow from a seed (SplitMix64).
struct Random: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
