import CLibrary
package import Headroom

/// What a door is to do.
package struct DoorSettings: Sendable {
    /// Where it listens.
    package var places: [DoorPlace]

    /// The rights to its socket files.
    package var mode: UInt32 = 0o660

    /// The group of its socket files; the process's own when `nil`.
    package var group: UInt32?

    /// How long a client waits for a place before it is told that there is none.
    package var wait: Duration = .seconds(5)

    /// How many clients may wait; further ones are told at once.
    package var mostWaiting = 512

    /// After how long a client that does nothing is hung up on although its session is sticky, when somebody waits; never when `nil`.
    package var cutAfter: Duration?

    /// How many sessions programs whose names begin so may have at once.
    package var atMost: [String: Int] = [:]

    /// The one user who may log in.
    package var account: String

    /// The account's password, by which parked clients are logged in again; `nil` when clients are never parked.
    package var password: String?

    /// Creates settings.
    package init(places: [DoorPlace], account: String, password: String?) {
        (self.places, self.account, self.password) = (places, account, password)
    }
}

/// A relay that lets programs which cannot be changed wait in the line of the host, like all that use Headroom.
///
/// `@unchecked Sendable`: what changes is used on the event loop's thread only.
package final class Door: @unchecked Sendable {
    let database: Database
    let settings: DoorSettings
    let poll: SocketPoll

    /// Is given a line for each thing that somebody should know of.
    let log: @Sendable (String) -> Void

    /// The server's version as it named itself last, for the door's own greeting.
    var version = "10.11.0-headroom-door"

    private(set) var listeners: [DoorListener] = []
    private var clients: [ObjectIdentifier: DoorClient] = [:]
    private var control: DoorControl?
    private var isTicking = false
    private var isToldOfWants = false
    private var whenEmpty: UnsafeContinuation<Void, Never>?

    /// When it was said last that the server is full beyond the budget, and how long that is not said again: a minute.
    private var fullToldAt: Int64?
    private static let fullPause: Int64 = 60_000_000_000

    // What it has done.
    var served = 0
    var opened = 0
    var parked = 0
    var hungUp = 0
    var refusedClients = 0

    /// How long a session has done nothing before it is parked: 25 ms.
    ///
    /// A page that computes between two statements is done sooner; and with 10 ms between two looks no place is idle for 50 ms.
    private static let quiet: Int64 = 25_000_000
    private static let look: Duration = .milliseconds(10)

    /// Creates a door; it listens when it is run.
    ///
    /// - Throws: ``DatabaseError`` with `hostExhausted`.
    package init(_ database: Database, _ settings: DoorSettings, log: @escaping @Sendable (String) -> Void) throws {
        self.database = database
        self.settings = settings
        self.log = log
        try EventLoop.start()
        poll = SocketPoll.shared
    }

    /// Listens, tells that it does, and serves clients until the task is cancelled or another door takes its place.
    ///
    /// After the one the clients have ten seconds to leave, after the other as long as they like.
    ///
    /// - Parameters:
    ///   - replacing: Whether it takes the place of a door that listens at the same places, which then serves those it has.
    ///   - lent: Sockets that listen at its places already, and that are another process's too (``DoorSockets``).
    ///   - ready: Is run when clients can come.
    /// - Throws: ``DatabaseError`` when it cannot listen.
    package func run(
        replacing: Bool = false,
        lent: [String: Int32] = [:],
        ready: @escaping @Sendable () -> Void
    ) async throws {
        raiseDescriptorLimit()
        let (stopped, stopping) = AsyncStream<Void>.makeStream()
        try await takePlaces(replacing: replacing, lent: lent) { stopping.finish() }
        // Which account it is, and whose slots, the first client need not wait for.
        if let slot = try? await database.relaySlot(label: "door", until: .now + .seconds(1)) {
            slot.release()
            await onLoop { self.listenForWants() }
        }
        await onLoop { self.listen() }
        ready()
        for await _ in stopped {}
        await withTaskCancellationHandler {
            await Task(executorPreference: EventLoop.shared) { await self.drain() }.value
        } onCancel: {
            EventLoop.shared.schedule(at: .now) { self.end(within: .seconds(10)) }
        }
    }

    /// Opens the sockets, or takes them over, and answers for them from then on; clients wait until they are listened to.
    private func takePlaces(
        replacing: Bool,
        lent: [String: Int32],
        whenTaken: @escaping @Sendable () -> Void
    ) async throws {
        let path = DoorControl.path(database.settings, settings.places)
        let turn = await DoorControl.turn(database.settings, settings.places)
        defer { withExtendedLifetime(turn) {} }
        var taken = replacing ? path.map { DoorControl.sockets($0, to: .take) } ?? [:] : [:]
        var opened: [DoorListener] = []
        for place in settings.places {
            if let descriptor = lent[place.description] {
                opened.append(DoorListener(place, taking: descriptor, isLent: true))
            } else if let descriptor = taken.removeValue(forKey: place.description) {
                opened.append(DoorListener(place, taking: descriptor))
            } else {
                opened.append(try DoorListener(place, mode: settings.mode, group: settings.group))
            }
        }
        for descriptor in taken.values { close(descriptor) }
        await onLoop { [opened] in
            self.listeners = opened
            self.control = path.flatMap { DoorControl(self, at: $0, whenTaken: whenTaken) }
        }
    }

    /// A client takes two descriptors, and a shell's limit is 1024.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < 65_536 else {
            return
        }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Runs the body where everything of the door is.
    func onLoop<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await Task(executorPreference: EventLoop.shared) { body() }.value
    }

    private func listen() {
        for listener in listeners {
            poll.add(listener.descriptor, SocketPoll.input) { [weak self] _ in self?.accept(listener) }
        }
    }

    /// Stops listening, and gives the sockets to whoever goes on with them.
    func giveUpListeners() -> [DoorListener] {
        defer { listeners = [] }
        for listener in listeners { poll.remove(listener.descriptor) }
        return listeners
    }

    /// Leaves the clients, those that nothing is lost for at once.
    private func end(within time: Duration) {
        for listener in giveUpListeners() { listener.close(isLeft: false) }
        for client in clients.values { client.leaveSoon() }
        EventLoop.shared.schedule(at: .now + time) { [weak self] in
            for client in self?.clients.values.map(\.self) ?? [] { client.cut() }
        }
    }

    /// Waits until all clients have gone.
    private func drain() async {
        control?.close()
        if !clients.isEmpty { await withUnsafeContinuation { whenEmpty = $0 } }
    }

    /// What it is at, a line for each client.
    var report: String {
        clients.values
            .map { "\($0.state.rawValue) \((kernel_monotonic_time() - $0.since) / 1_000_000) \($0.peer.label)\n" }
            .sorted().joined()
    }

    private func accept(_ listener: DoorListener) {
        var isUnix = false
        if case .unix = listener.place { isUnix = true }
        for _ in 0..<64 {
            let descriptor = kernel_accept(listener.descriptor)
            guard descriptor >= 0 else {
                if errno == EMFILE || errno == ENFILE { pauseListening(listener) }
                return
            }
            var one: Int32 = 1
            if !isUnix { setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4) }
            let client = DoorClient(self, descriptor, DoorPeer(descriptor, isUnix: isUnix))
            clients[ObjectIdentifier(client)] = client
            served += 1
            client.begin()
        }
    }

    /// Without a descriptor left nobody can be let in, and the one that waits is told again and again.
    private func pauseListening(_ listener: DoorListener) {
        poll.change(listener.descriptor, 0)
        EventLoop.shared.schedule(at: .now + .milliseconds(20)) { [weak self] in
            self?.poll.change(listener.descriptor, SocketPoll.input)
        }
    }

    func ended(_ client: DoorClient) {
        clients[ObjectIdentifier(client)] = nil
        if clients.isEmpty, let whenEmpty {
            self.whenEmpty = nil
            whenEmpty.resume()
        }
    }

    /// Those who are there, for tests.
    var present: [DoorClient] { Array(clients.values) }

    // MARK: Programs that may not take all

    /// The clients of a program that may have so many sessions only.
    private struct ProgramLine {
        var inUse = 0
        var waiting: [Turn] = []
    }

    /// A client's place in such a line.
    private final class Turn: @unchecked Sendable {
        var continuation: UnsafeContinuation<Bool, Never>?

        func end(_ isTheirs: Bool) -> Bool {
            guard let continuation else { return false }
            self.continuation = nil
            continuation.resume(returning: isTheirs)
            return true
        }
    }

    private var lines: [String: ProgramLine] = [:]

    private func limit(of client: DoorClient) -> (name: String, most: Int)? {
        settings.atMost.first { client.peer.name.utf8.starts(with: $0.key.utf8) }.map { ($0.key, $0.value) }
    }

    /// Waits until the client's program has fewer sessions than it may have; only then does the client wait for a slot.
    ///
    /// - Returns: Whether it is the client's turn; not when the deadline has passed or the client has gone.
    func turn(of client: DoorClient, until deadline: ContinuousClock.Instant) async -> Bool {
        guard let (name, most) = limit(of: client) else { return true }
        if lines[name, default: ProgramLine()].inUse < most {
            lines[name, default: ProgramLine()].inUse += 1
            return true
        }
        let turn = Turn()
        lines[name]?.waiting.append(turn)
        let timer = EventLoop.shared.schedule(at: deadline) { _ = turn.end(false) }
        let isTheirs = await withUnsafeContinuation { continuation in
            turn.continuation = continuation
            poll.add(client.descriptor, SocketPoll.left) { _ in _ = turn.end(false) }
        }
        poll.remove(client.descriptor)
        timer.revoke()
        if !isTheirs { lines[name]?.waiting.removeAll { $0 === turn } }
        return isTheirs
    }

    /// Passes a client's turn on to the next of its program.
    func endTurn(of client: DoorClient) {
        guard let (name, _) = limit(of: client) else { return }
        while let next = lines[name]?.waiting.first {
            lines[name]?.waiting.removeFirst()
            if next.end(true) { return }
        }
        lines[name]?.inUse -= 1
    }

    // MARK: Fairness

    /// How many clients wait to be greeted.
    var waiting: Int { clients.values.reduce(0) { $0 + ($1.state == .waiting ? 1 : 0) } }

    /// Whether anybody of the host waits for a place.
    var isWanted: () -> Bool { { [database] in database.areSlotsWanted } }

    /// Has itself told whenever anybody of the host waits for a place; from the first slot on, as no account is known before.
    func listenForWants() {
        guard !isToldOfWants else { return }
        isToldOfWants = database.whenSlotsAreWanted { [weak self] in
            EventLoop.shared.schedule(at: .now) { [weak self] in self?.lookForIdle() }
        }
    }

    /// Looks for sessions that do nothing, for as long as anybody of the host waits for a place.
    private func lookForIdle() {
        guard !isTicking else { return }
        isTicking = true
        tick()
    }

    private func tick() {
        let demand = database.slotDemand
        guard demand.isWanted else {
            isTicking = false
            return
        }
        let now = kernel_monotonic_time()
        let before = now - Self.quiet
        for client in clients.values {
            guard let relay = client.relay else { continue }
            // A place is not for a client that does not answer the greeting (PHP on a host that bounds its processor time may take
            // seconds), nor, where that is asked for, for one that does nothing for long.
            let patience =
                relay.follower.phase == .login ? Duration.seconds(5) : relay.follower.isIdle ? settings.cutAfter : nil
            if let patience, relay.lastActivity < now - patience.nanoseconds { relay.end(.hangUp) }
        }
        let idle = clients.values
            .filter { client in
                guard let relay = client.relay, relay.lastActivity < before, relay.isParkable else { return false }
                return DoorLogin.knowsPassword(of: relay.follower, settings)
            }
            .sorted { ($0.relay?.lastActivity ?? 0) < ($1.relay?.lastActivity ?? 0) }
        for client in idle.prefix(max(1, demand.waiting)) { client.relay?.end(.park) }
        EventLoop.shared.schedule(at: .now + Self.look) { [weak self] in self?.tick() }
    }

    // MARK: Words

    /// How all that it says begins; Headroom's own programs know it by that.
    static let name = ConnectFailure.doorsWords

    /// Takes note that the server has no place for a client although the budget has one; says so once in a while.
    func isFull(_ error: DatabaseError) {
        let now = kernel_monotonic_time()
        guard fullToldAt.map({ $0 < now - Self.fullPause }) ?? true else { return }
        fullToldAt = now
        log("sessions beyond the budget hold places: \(error.message)")
    }

    /// What a client is told that is not let in.
    ///
    /// - Parameters:
    ///   - error: Why; `nil` when too many wait.
    ///   - time: How long it has waited.
    /// - Returns: ASCII, shorter than 300 bytes, without the words at which frameworks try again at once.
    func words(after error: (any Error)?, _ time: Duration = .zero) -> String {
        if let failure = error as? DoorLogin.Failure {
            log("a client could not be logged in again: \(failure.text)")
            return "\(Self.name) could not log in again to the server."
        }
        if let error = error as? DatabaseError, error.code != .budgetExhausted {
            log(error.message)
            return "\(Self.name) cannot reach the server."
        }
        let tenths = time.microseconds / 100_000
        let demand = database.slotDemand
        let start =
            error == nil
            ? "\(Self.name): \(settings.mostWaiting) clients wait already"
            : "\(Self.name): no place came free in \(tenths / 10).\(tenths % 10) s"
        return "\(start). \(demand.budget) places: \(holders). \(demand.waiting) waiting."
    }

    /// What a client is told when the server itself refuses.
    func words(ofServer packet: [UInt8]?) -> String {
        if let packet, packet.first == 0xFF, packet.count > 3 {
            log("the server refuses: \(String(decoding: packet.dropFirst(3).prefix(200), as: UTF8.self))")
        }
        return "\(Self.name): the server lets nobody in at present."
    }

    private var holders: String {
        guard let report = try? SlotReport(database.settings) else { return "held" }
        var counts: [String: Int] = [:]
        for held in report.held {
            let label = held.holder.label.utf8.prefix { $0 != UInt8(ascii: "(") }
            let isDoors = held.holder.program == database.settings.programName
            let name = isDoors ? String(decoding: label, as: UTF8.self) : "\(held.holder.program) "
            counts[String(name.utf8.prefix(32)) ?? "", default: 0] += 1
        }
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.isEmpty ? "none held" : sorted.prefix(4).map { "\($0.key)\($0.value)" }.joined(separator: ", ")
    }
}

extension DatabaseError {
    /// All that a program may have at once is in use.
    static var noTurn: DatabaseError {
        DatabaseError(.budgetExhausted, message: "The program has all that it may have.", advice: "")
    }
}
