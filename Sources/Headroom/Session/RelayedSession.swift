import CLibrary
import Synchronization

/// A session that somebody else's bytes go through, without the client library: the door's.
///
/// Whoever has it reads from ``descriptor`` and sends with ``send(_:)``; its slot is released when the server has let it go.
package final class RelayedSession: Sendable {
    private let socket: SessionSocket
    private let slot: Slot
    private let sessions: Sessions
    private let spoken = Atomic(false)
    private let identifier = Atomic<UInt64>(0)

    /// Where the server was found.
    package let endpoint: Endpoint

    fileprivate init(_ socket: SessionSocket, _ slot: Slot, _ sessions: Sessions, _ endpoint: Endpoint) {
        self.socket = socket
        self.slot = slot
        self.sessions = sessions
        self.endpoint = endpoint
    }

    /// The socket, which does not block.
    package var descriptor: Int32 { socket.descriptor }

    /// Whether anything was sent to the server.
    var hasSpoken: Bool { spoken.load(ordering: .relaxed) }

    /// Sends bytes to the server.
    ///
    /// - Parameter bytes: The bytes.
    /// - Returns: How many the kernel has taken; -1 with `errno` set when it takes none.
    package func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        spoken.store(true, ordering: .relaxed)
        return CLibrary.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Notes which session of the server it is, and ends what is left of the one whose process died with the slot.
    ///
    /// - Parameter sessionID: The session's id.
    package func note(sessionID: UInt64) async {
        identifier.store(sessionID, ordering: .relaxed)
        let startedAt = slot.admission.serverStartedAt
        slot.note(session: sessionID, serverStartedAt: startedAt, socket: socket)
        guard let dead = slot.predecessor, dead.isOlder(than: sessionID, serverStartedAt: startedAt) else { return }
        _ = await sessions.killer.kill(dead.sessionID, until: .now + .seconds(2))
    }

    /// What the server does when the session is ended.
    package enum Activity: Sendable {
        /// Nothing: it waits for a command.
        case none
        /// It works on a statement.
        case working
        /// It sends what nobody wants any more.
        case sending
    }

    /// Ends the session, waits until the server has let it go, and releases its slot.
    ///
    /// What the server has not let go in time keeps its slot until it has.
    ///
    /// - Parameter activity: What the server does.
    package func end(_ activity: Activity) async {
        if let end = SessionEnd(unspoken: self) {
            socket.halfClose()
            slot.release(end)
            return
        }
        let sessionID = identifier.load(ordering: .relaxed)
        if activity != .none, sessionID != 0 {
            let state: SessionEnding.Activity = activity == .sending ? .sending : .working
            return await SessionEnding(sessionID, socket, slot, while: state, sessions).finish()
        }
        if let end = socket.endSeen {
            slot.release(end)
            return
        }
        socket.halfClose()
        guard let end = await socket.end(by: .now + sessions.settings.closeTimeout) else {
            return sessions.draining.watch(socket, slot)
        }
        if case .unconfirmed = end.cause { sessions.recorder.unconfirmed() }
        slot.release(end)
    }

    /// Takes note that the server has refused the login, and learns a limit that it names.
    ///
    /// - Parameter packet: The server's error, without its header.
    /// - Returns: The error.
    package func refused(_ packet: [UInt8]) -> DatabaseError {
        let number = Int(packet.dropFirst().prefix(2).reversed().reduce(0) { $0 << 8 | UInt16($1) })
        // Five bytes of SQLSTATE stand before the words, but in an error before the greeting.
        let words = packet.dropFirst(packet.count > 3 && packet[3] == UInt8(ascii: "#") ? 9 : 3)
        let error = ConnectFailure.error(number, String(decoding: words, as: UTF8.self), settings: sessions.settings)
        slot.admission.noteRefusal(error)
        return error
    }
}

/// A slot in which a relayed session may be opened.
package struct RelaySlot: Sendable {
    fileprivate let unused: UnusedSlot
    fileprivate let sessions: Sessions

    /// Gives it back.
    package func release() { unused.release() }

    /// Connects to the server, to the first of several nodes that can be reached; nothing is said to it yet.
    ///
    /// - Returns: The session.
    /// - Throws: ``DatabaseError``; the slot is given back then.
    package func connect() async throws -> RelayedSession {
        let settings = sessions.settings
        let limits = Limits(deadline: .now + settings.connectTimeout, isCancellable: false)
        var failure: DatabaseError?
        for endpoint in Connector.inOrder([settings.endpoint] + settings.otherEndpoints) {
            var node = settings
            node.endpoint = endpoint
            do throws(DatabaseError) {
                let socket = try await SessionSocket.connect(node, limits)
                Connector.note(endpoint, worked: true)
                // Until now there was nothing that a server could count.
                guard let slot = unused.use(sessions.draining) else { throw DatabaseError.deadlineExceeded }
                slot.note(session: 0, serverStartedAt: 0, socket: socket)
                return RelayedSession(socket, slot, sessions, endpoint)
            } catch {
                Connector.note(endpoint, worked: false)
                failure = failure ?? error
            }
        }
        unused.release()
        throw failure ?? ConnectFailure.timedOut(settings)
    }
}

extension Database {
    /// Waits for a slot in the line of this host, for a session that is relayed.
    ///
    /// - Parameters:
    ///   - label: Whom it is for.
    ///   - deadline: When to give up.
    /// - Returns: The slot, in which nothing is open.
    /// - Throws: ``DatabaseError`` (`budgetExhausted` at the deadline), `CancellationError`.
    package func relaySlot(label: String, until deadline: ContinuousClock.Instant) async throws -> RelaySlot {
        try EventLoop.start()
        let limits = Limits(deadline: deadline)
        let admission = try await sessions.admission(limits)
        let holder = Holder.thisProcess(program: settings.programName, label: label, site: "")
        return RelaySlot(unused: try await sessions.slot(holder, admission, limits), sessions: sessions)
    }

    /// Takes a slot for a session that is relayed, if one is free and nobody waits.
    ///
    /// - Parameter label: Whom it is for.
    /// - Returns: The slot; `nil` when it would have to be waited for, or the account is not known yet.
    package func relaySlotAtOnce(label: String) -> RelaySlot? {
        let holder = Holder.thisProcess(program: settings.programName, label: label, site: "")
        return admission?.admitAtOnce(holder).map { RelaySlot(unused: $0, sessions: sessions) }
    }

    /// Has the action run whenever somebody of this host waits for a slot, of this process or another.
    ///
    /// - Parameter action: What to do; short, on any thread.
    /// - Returns: Whether it will be run; not while the account is not known yet.
    package func whenSlotsAreWanted(_ action: @escaping @Sendable () -> Void) -> Bool {
        guard let admission else { return false }
        admission.whenWanted(action)
        return true
    }

    /// How many slots this host may hold, how many tasks of its programs wait for one, and whether any does.
    package var slotDemand: (budget: Int, waiting: Int, isWanted: Bool) {
        guard let admission else { return (0, 0, false) }
        return (admission.budget.slots, admission.demand.waiting, admission.isWanted)
    }

    /// Whether anybody of this host waits for a slot.
    package var areSlotsWanted: Bool { admission?.isWanted ?? false }
}

extension SessionSocket {
    /// Connects a socket of its own to a server.
    ///
    /// - Throws: ``DatabaseError``.
    fileprivate static func connect(_ settings: DatabaseSettings, _ limits: Limits) async throws(DatabaseError)
        -> SessionSocket
    {
        var failure = ConnectFailure.timedOut(settings)
        for address in try await addresses(settings, limits) {
            let family = address.withUnsafeBytes { $0.loadUnaligned(as: sockaddr.self).sa_family }
            let type = kernel_stream_socket(Int32(family))
            guard type >= 0 else { throw .hostExhausted("descriptor", error: errno) }
            var one: Int32 = 1
            // Nothing happens on a unix socket.
            setsockopt(type, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
            let socket = SessionSocket(owning: type, isUnix: Int32(family) == AF_UNIX)
            let number = await socket.connect(to: address, limits)
            if number == 0 {
                if let refusal = ServerTrust(settings, readsFiles: false).refusal(ofListenerAt: socket.descriptor) {
                    throw ConnectFailure.notTrusted(refusal, settings)
                }
                return socket
            }
            // What the client library says of the same.
            let isSocket = settings.endpoint.isSocket
            let text = "Can't connect to server on '\(settings.endpoint)' (\(number))"
            failure = ConnectFailure.error(isSocket ? 2002 : 2003, text, settings: settings)
        }
        throw failure
    }

    private func connect(to address: [UInt8], _ limits: Limits) async -> Int32 {
        var inline = AdaptivePoll()
        while true {
            let result = address.withUnsafeBytes { bytes in
                bytes.baseAddress.map {
                    CLibrary.connect(descriptor, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
                }
            }
            if result == 0 { return 0 }
            switch errno {
            case EISCONN: return 0
            case EINTR: continue
            case EAGAIN:
                // The queue of a unix socket is full.
                _ = await EventLoop.shared.reserve().wait(until: .now + .milliseconds(1), cancellable: false)
                if let deadline = limits.deadline, deadline <= .now { return ETIMEDOUT }
            case EINPROGRESS, EALREADY:
                let outcome = await waitUntilReady(
                    descriptor,
                    events: Int32(POLLOUT),
                    until: limits.deadline,
                    cancellable: false,
                    inline: &inline
                )
                guard outcome == .ready else { return ETIMEDOUT }
                var (number, size) = (Int32(0), socklen_t(4))
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
                return number
            case let number: return number
            }
        }
    }

    /// The addresses of a server; a name is looked up on a thread of its own.
    private static func addresses(_ settings: DatabaseSettings, _ limits: Limits) async throws(DatabaseError)
        -> [[UInt8]]
    {
        switch settings.endpoint {
        case .socket(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
                throw ConnectFailure.error(2002, "the path is too long (\(ENAMETOOLONG))", settings: settings)
            }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            return [withUnsafeBytes(of: address, Array.init)]
        case .tcp(let host, let port):
            guard settings.endpoint.needsResolving else { return lookUp(host, port, isAddress: true) }
            do throws(Interruption) {
                let found = try await onOwnThread(named: "headroom-name", limits: limits) {
                    lookUp(host, port, isAddress: false)
                } discard: { _ in
                }
                if !found.isEmpty { return found }
            } catch {
                if case .exhausted(let error) = error { throw error }
                throw ConnectFailure.timedOut(settings)
            }
            throw ConnectFailure.error(2005, "Unknown server host '\(host)'", settings: settings)
        }
    }

    private static func lookUp(_ host: String, _ port: Int, isAddress: Bool) -> [[UInt8]] {
        var hints = addrinfo()
        hints.ai_socktype = kernel_stream_type()
        if isAddress { hints.ai_flags = AI_NUMERICHOST }
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        return sequence(first: list, next: { $0?.pointee.ai_next })
            .compactMap { entry in
                guard let entry = entry?.pointee, let address = entry.ai_addr else { return nil }
                return Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
            }
    }
}
