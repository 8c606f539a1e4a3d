import CLibrary
import Headroom

/// One client of the door, from its coming to its leaving.
///
/// `@unchecked Sendable`: it is used on the event loop's thread only, where its task runs too.
final class DoorClient: @unchecked Sendable {
    /// What it is at.
    enum State: String, Sendable {
        /// It waits for a place, and has not been greeted.
        case waiting
        /// It has a session.
        case connected
        /// It has had a session, and asks for nothing.
        case parked
        /// It has asked for something, and waits for another session.
        case returning
    }

    private let door: Door
    let descriptor: Int32
    let peer: DoorPeer
    private(set) var state = State.waiting
    private(set) var since = kernel_monotonic_time()
    private(set) var relay: Relay?
    private var asking: Task<RelaySlot, any Error>?

    init(_ door: Door, _ descriptor: Int32, _ peer: DoorPeer) {
        self.door = door
        self.descriptor = descriptor
        self.peer = peer
    }

    /// Serves the client, in a task of its own.
    func begin() {
        Task(executorPreference: EventLoop.shared) {
            await self.serve()
            self.giveTurnBack()
            self.close()
            self.door.ended(self)
        }
    }

    private func enter(_ new: State) {
        state = new
        since = kernel_monotonic_time()
    }

    private func serve() async {
        let start = ContinuousClock.now
        guard let (session, greeting, packet) = await open(since: start) else { return }
        var follower = ProtocolFollower(account: door.settings.account)
        follower.greet(greeting)
        send(greeting.masked(packet), sequence: 0)
        enter(.connected)
        var relay = Relay(
            door.poll,
            client: descriptor,
            session,
            follower,
            held: [],
            isReplaced: false,
            isWanted: door.isWanted
        )
        while true {
            self.relay = relay
            let end = await relay.run()
            self.relay = nil
            switch end {
            case .park:
                await relay.session.end(.none)
                giveTurnBack()
                door.parked += 1
                guard let next = await returned(from: relay) else { return }
                relay = next
            case .refused(let packet):
                guard let next = await admitted(after: packet, in: relay, until: start + door.settings.wait) else {
                    return
                }
                relay = next
            case .refuse(let sequence):
                refuse(relay.follower, sequence)
                return await relay.session.end(.none)
            case .quit, .serverLeft, .hangUp:
                if case .hangUp = end { door.hungUp += 1 }
                // The client hears of it at once; its place is free when the server has let go.
                close()
                return await relay.session.end(.none)
            case .clientLeft:
                return await relay.session.end(relay.activity)
            }
        }
    }

    // MARK: Waiting

    /// Waits in the line, and for a server that greets.
    private func open(since start: ContinuousClock.Instant) async -> (RelayedSession, ServerGreeting, [UInt8])? {
        // One too many gets what is free at once, or nothing.
        let isOneTooMany = door.waiting > door.settings.mostWaiting
        let deadline = isOneTooMany ? start : start + door.settings.wait
        while true {
            let slot: RelaySlot
            switch await slotOrLeaving(until: deadline) {
            case .left: return nil
            case .failed(let error):
                await refuse(with: door.words(after: isOneTooMany ? nil : error, start.duration(to: .now)))
                return nil
            case .slot(let found): slot = found
            }
            // One that has gone is seen before the server is: a connect that comes to nothing counts as an attack there.
            guard !hasLeft else {
                slot.release()
                return nil
            }
            do {
                let session = try await slot.connect()
                door.opened += 1
                let first = await firstPacket(of: session)
                if let first, let greeting = ServerGreeting(first[...]) {
                    door.version = greeting.version
                    await session.note(sessionID: UInt64(greeting.sessionID))
                    return (session, greeting, first)
                }
                await session.end(.none)
                if hasLeft { return nil }
                // The server is full although a place of the budget is free, or is being started: it may let in later.
                guard let first, first.first == 0xFF, ContinuousClock.now + Self.pause < deadline else {
                    await refuse(with: door.words(ofServer: first))
                    return nil
                }
                await pause(Self.pause)
            } catch {
                await refuse(with: door.words(after: error, start.duration(to: .now)))
                return nil
            }
        }
    }

    private enum Found {
        case slot(RelaySlot)
        case left
        case failed(any Error)
    }

    /// Waits for a slot, or until the client has gone.
    private func slotOrLeaving(until deadline: ContinuousClock.Instant) async -> Found {
        guard await door.turn(of: self, until: deadline) else { return hasLeft ? .left : .failed(DatabaseError.noTurn) }
        hasTurn = true
        if let slot = door.database.relaySlotAtOnce(label: peer.label) { return .slot(slot) }
        let asking = Task(executorPreference: EventLoop.shared) { [door, peer] in
            try await door.database.relaySlot(label: peer.label, until: deadline)
        }
        self.asking = asking
        door.poll.add(descriptor, SocketPoll.left) { _ in asking.cancel() }
        defer {
            self.asking = nil
            door.poll.remove(descriptor)
        }
        switch await asking.result {
        case .success(let slot):
            door.listenForWants()
            return .slot(slot)
        case .failure(let error): return error is CancellationError || hasLeft ? .left : .failed(error)
        }
    }

    /// Whether the client has hung up, as far as can be seen without reading.
    private var hasLeft: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(SocketPoll.left), revents: 0)
        return poll(&entry, 1, 0) > 0 && entry.revents & Int16(SocketPoll.left | SocketPoll.failed) != 0
    }

    /// The first packet of the server, without its header; `nil` when it does not come.
    private func firstPacket(of session: RelayedSession) async -> [UInt8]? {
        var reader = PacketReader(session.descriptor)
        return await reader.next(door.poll, or: nil, until: .now + .seconds(10))
    }

    private func pause(_ time: Duration) async {
        await withUnsafeContinuation { continuation in
            EventLoop.shared.schedule(at: .now + time) { continuation.resume() }
        }
    }

    private var hasTurn = false

    private func giveTurnBack() {
        guard hasTurn else { return }
        hasTurn = false
        door.endTurn(of: self)
    }

    // MARK: Refusing

    /// Greets the client, hears what it says to that, and tells it that there is no place.
    private func refuse(with text: String) async {
        door.refusedClients += 1
        door.log("\(peer.label): \(text)")
        send(raw: DoorPacket.greeting(version: door.version))
        var reader = PacketReader(descriptor)
        let answer = await reader.next(door.poll, or: nil, until: .now + .seconds(1))
        guard answer != nil else { return }
        send(raw: DoorPacket.error(1040, state: "08004", text, sequence: reader.sequence &+ 1))
    }

    private func refuse(_ follower: ProtocolFollower, _ sequence: UInt8) {
        let text: String
        var number: UInt16 = 1045
        if case .lost(let reason) = follower.phase {
            number = 1043
            text = "\(Door.name) cannot follow this client (\(reason)): it takes no TLS and no compression."
        } else {
            text = "\(Door.name) lets in no other user than the account whose connections it counts."
        }
        door.log("\(peer.label): \(text)")
        send(raw: DoorPacket.error(number, state: number == 1045 ? "28000" : "08S01", text, sequence: sequence))
    }

    private func send(_ payload: [UInt8], sequence: UInt8) { send(raw: DoorPacket.framed(payload, sequence: sequence)) }

    /// Sends a few bytes, for which there is always room: nothing is under way then.
    private func send(raw bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes {
            CLibrary.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
    }

    // MARK: Parking

    /// Waits until a parked client asks for something, and gives it another session for that.
    ///
    /// - Returns: The relay to go on with; `nil` when the client is to be left.
    private func returned(from relay: Relay) async -> Relay? {
        enter(.parked)
        var held: [UInt8] = []
        while held.count < 5 {
            guard await readable(descriptor, or: nil, until: nil) else { return nil }
            let count = recv(descriptor, door.poll.scratch.baseAddress, door.poll.scratch.count, Int32(MSG_DONTWAIT))
            guard count > 0 else {
                if count < 0, errno == EAGAIN || errno == EINTR { continue }
                return nil
            }
            held += UnsafeRawBufferPointer(rebasing: door.poll.scratch[..<count])
        }
        switch held[4] {
        case ProtocolFollower.Command.quit: return nil
        case ProtocolFollower.Command.ping, ProtocolFollower.Command.changeUser:
            // It begins something new, for which another connection does as well.
            door.hungUp += 1
            return nil
        case ProtocolFollower.Command.query, ProtocolFollower.Command.prepare:
            // What the statement before has left is gone: no answer is better than a wrong one.
            if StatementReader.readsBefore(held.dropFirst(5)) { return nil }
        default: break
        }
        enter(.returning)
        let start = ContinuousClock.now
        do {
            guard let (session, _) = try await another(for: relay.follower, until: start + door.settings.wait) else {
                return nil
            }
            enter(.connected)
            return replaced(session, relay.follower, held: held)
        } catch {
            let text = door.words(after: error, start.duration(to: .now))
            door.refusedClients += 1
            door.log("\(peer.label): \(text)")
            send(raw: DoorPacket.error(1040, state: "08004", text, sequence: held[3] &+ 1))
            return nil
        }
    }

    /// Logs a client in, after all, whose login the server has refused as the account is full beyond the budget: with the sessions of
    /// a door that was killed, or of another host.
    ///
    /// - Parameters:
    ///   - packet: What the server has said, with its header.
    ///   - relay: The relay that has heard it.
    ///   - deadline: Until when it is tried.
    /// - Returns: The relay to go on with; `nil` when the client is to be left.
    private func admitted(
        after packet: [UInt8],
        in relay: Relay,
        until deadline: ContinuousClock.Instant
    ) async -> Relay? {
        let error = relay.session.refused(Array(packet.dropFirst(4)))
        door.isFull(error)
        await relay.session.end(.none)
        giveTurnBack()
        enter(.waiting)
        var follower = relay.follower
        do {
            guard error.isConnectionLimit, DoorLogin.knowsPassword(of: follower, door.settings) else { throw error }
            await pause(Self.pause)
            guard let (session, answer) = try await another(for: follower, until: deadline) else { return nil }
            follower.admit(answer)
            send(answer, sequence: packet[3])
            enter(.connected)
            return replaced(session, follower, held: [])
        } catch {
            // It hears what the server has said.
            send(raw: packet)
            return nil
        }
    }

    /// How long a full server is left alone.
    private static let pause = Duration.milliseconds(50)

    /// Gives the client another session, logged in as it was; waits for a place, and until the server lets in.
    ///
    /// - Returns: The session, and what the server said to the login; `nil` when the client has gone.
    private func another(
        for follower: ProtocolFollower,
        until deadline: ContinuousClock.Instant
    ) async throws -> (RelayedSession, [UInt8])? {
        while true {
            let slot: RelaySlot
            switch await slotOrLeaving(until: deadline) {
            case .left: return nil
            case .failed(let error): throw error
            case .slot(let found): slot = found
            }
            let session = try await slot.connect()
            door.opened += 1
            var login = DoorLogin(session, door.settings, door.poll)
            do {
                return (session, try await login.run(follower))
            } catch {
                await session.end(.none)
                giveTurnBack()
                guard let error = error as? DatabaseError, error.isConnectionLimit, .now + Self.pause < deadline else {
                    throw error
                }
            }
            await pause(Self.pause)
        }
    }

    private func replaced(_ session: RelayedSession, _ follower: ProtocolFollower, held: [UInt8]) -> Relay {
        Relay(
            door.poll,
            client: descriptor,
            session,
            follower,
            held: held,
            isReplaced: true,
            isWanted: door.isWanted
        )
    }

    private func readable(_ socket: Int32, or other: Int32?, until deadline: ContinuousClock.Instant?) async -> Bool {
        await door.poll.readable(socket, or: other, until: deadline)
    }

    // MARK: Leaving

    private var isClosed = false

    /// Leaves the client, the door being stopped, unless its session has state that it would miss.
    func leaveSoon() {
        asking?.cancel()
        switch state {
        case .parked: shutdown(descriptor, Int32(SHUT_RDWR))
        case .connected: if let relay, relay.follower.isClean { relay.end(.hangUp) }
        case .waiting, .returning: break
        }
    }

    /// Leaves the client whatever it does.
    func cut() {
        asking?.cancel()
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Hangs up on the client.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        // With unread bytes in its socket the kernel would throw away what was sent last.
        var scratch: UInt64 = 0
        var rounds = 0
        while rounds < 8192, recv(descriptor, &scratch, 8, Int32(MSG_DONTWAIT)) > 0 { rounds += 1 }
        CLibrary.close(descriptor)
    }
}

extension SocketPoll {
    /// Waits until the socket can be read, or the other one is hung up on, or the deadline passes; returns whether it can be read.
    func readable(_ socket: Int32, or other: Int32?, until deadline: ContinuousClock.Instant?) async -> Bool {
        final class Waiting: @unchecked Sendable {
            var continuation: UnsafeContinuation<Bool, Never>?
            var end: (Bool) -> Void = { _ in }
        }
        let waiting = Waiting()
        var timer: EventLoop.Scheduled?
        let isReady = await withUnsafeContinuation { continuation in
            waiting.continuation = continuation
            waiting.end = { isReady in
                guard let continuation = waiting.continuation else { return }
                waiting.continuation = nil
                self.remove(socket)
                if let other { self.remove(other) }
                continuation.resume(returning: isReady)
            }
            add(socket, Self.input | Self.left) { _ in waiting.end(true) }
            if let other { add(other, Self.left) { _ in waiting.end(false) } }
            if let deadline { timer = EventLoop.shared.schedule(at: deadline) { waiting.end(false) } }
        }
        timer?.revoke()
        waiting.end = { _ in }
        return isReady
    }
}

/// Reads packets of a login, one at a time.
struct PacketReader {
    private let descriptor: Int32
    private var bytes: [UInt8] = []

    /// The number of the packet that was read last.
    private(set) var sequence: UInt8 = 0

    /// The longest packet that is taken.
    private static let longest = 80_000

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Reads a packet; returns it without its header, or `nil` when it does not come.
    mutating func next(_ poll: SocketPoll, or other: Int32?, until deadline: ContinuousClock.Instant) async -> [UInt8]?
    {
        while true {
            if bytes.count >= 4 {
                let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
                guard length <= Self.longest else { return nil }
                if bytes.count >= 4 + length {
                    sequence = bytes[3]
                    let packet = Array(bytes[4..<4 + length])
                    bytes.removeFirst(4 + length)
                    return packet
                }
            }
            guard await poll.readable(descriptor, or: other, until: deadline) else { return nil }
            let count = recv(descriptor, poll.scratch.baseAddress, poll.scratch.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                bytes += UnsafeRawBufferPointer(rebasing: poll.scratch[..<count])
            } else if count == 0 || errno != EAGAIN && errno != EINTR {
                return nil
            }
        }
    }
}
