import CLibrary
import Headroom

/// Passes bytes between a client and its session, and follows them, until one of the two ends or the door parts them.
///
/// `@unchecked Sendable`: it is used on the event loop's thread only.
final class Relay: @unchecked Sendable {
    /// How it ended.
    enum End: Sendable {
        /// The client has said goodbye.
        case quit
        /// The client has hung up.
        case clientLeft
        /// The server has hung up.
        case serverLeft
        /// The client is hung up on, where it begins something new.
        case hangUp
        /// The session is ended, and the client kept.
        case park
        /// The client is told why it is not let in.
        case refuse(sequence: UInt8)
        /// The server has refused the login with this packet, of which the client has not heard.
        case refused([UInt8])
    }

    private let poll: SocketPoll
    private let client: Int32
    let session: RelayedSession
    private let isWanted: () -> Bool

    var follower: ProtocolFollower

    /// Whether the client knows another session than this one, whose greeting it has not seen.
    private let isReplaced: Bool

    /// When something was passed on last, on the host's monotonic clock.
    private(set) var lastActivity = kernel_monotonic_time()

    /// What came from the client and is not passed on yet, as the packet is not all there.
    private(set) var held: [UInt8]

    private var toServer: [UInt8] = []
    private var toClient: [UInt8] = []
    private var continuation: UnsafeContinuation<End, Never>?
    private var ended: End?

    init(
        _ poll: SocketPoll,
        client: Int32,
        _ session: RelayedSession,
        _ follower: ProtocolFollower,
        held: [UInt8],
        isReplaced: Bool,
        isWanted: @escaping () -> Bool
    ) {
        self.poll = poll
        self.client = client
        self.session = session
        self.follower = follower
        self.held = held
        self.isReplaced = isReplaced
        self.isWanted = isWanted
    }

    /// Relays until the end; afterwards neither socket is watched, and both are open.
    func run() async -> End {
        await withUnsafeContinuation { continuation in
            self.continuation = continuation
            poll.add(client, SocketPoll.input | SocketPoll.left) { [weak self] in self?.clientEvent($0) }
            poll.add(session.descriptor, SocketPoll.input | SocketPoll.left) { [weak self] in self?.serverEvent($0) }
            if !held.isEmpty {
                let bytes = held
                held = []
                bytes.withUnsafeBytes { take($0) }
            }
        }
    }

    /// Whether nothing would be missed were the session ended now and another begun at the client's next command.
    var isParkable: Bool { held.isEmpty && toServer.isEmpty && toClient.isEmpty && follower.isReplaceable }

    /// Ends the relay.
    func end(_ end: End) {
        guard let continuation else { return }
        self.continuation = nil
        poll.remove(client)
        poll.remove(session.descriptor)
        continuation.resume(returning: end)
    }

    // MARK: From the client

    private func clientEvent(_ events: UInt32) {
        if events & SocketPoll.output != 0 { flushToClient() }
        guard continuation != nil, toServer.isEmpty, events & ~SocketPoll.output != 0 else {
            // While the server takes nothing the client is not read, but that it is gone is known.
            if events & (SocketPoll.failed | SocketPoll.left) != 0 { end(.clientLeft) }
            return
        }
        let count = recv(client, poll.scratch.baseAddress, poll.scratch.count, Int32(MSG_DONTWAIT))
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { end(.clientLeft) }
            return
        }
        let bytes = UnsafeRawBufferPointer(rebasing: poll.scratch[..<count])
        guard !held.isEmpty else { return take(bytes) }
        let all = held + bytes
        held = []
        all.withUnsafeBytes { take($0) }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        lastActivity = kernel_monotonic_time()
        if bytes.count >= 5, follower.isIdle, begins(with: bytes[4]) { return end(.hangUp) }
        switch follower.client(bytes) {
        case .pass(let count):
            if count < bytes.count { held = Array(bytes[count...]) }
            send(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        case .stranger(let count):
            send(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            return end(.refuse(sequence: bytes.count > count + 3 ? bytes[count + 3] &+ 1 : 1))
        }
        if follower.phase == .quitting, toServer.isEmpty { end(.quit) }
    }

    /// Whether the client is hung up on at this command: it begins something new, and others wait.
    ///
    /// PHP sends them when it takes up a connection that a request before has left, and opens another one without an error.
    private func begins(with command: UInt8) -> Bool {
        switch command {
        // It gives up all that the session has; and it is proven with what another session's greeting said.
        case ProtocolFollower.Command.changeUser: isReplaced || isWanted()
        case ProtocolFollower.Command.ping: follower.isClean && isWanted()
        default: false
        }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) {
        guard toServer.isEmpty else { return toServer.append(contentsOf: bytes) }
        var sent = 0
        while sent < bytes.count {
            let count = session.send(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            if count > 0 {
                sent += count
            } else if errno == EINTR {
                continue
            } else if errno == EAGAIN {
                toServer = Array(bytes[sent...])
                poll.change(client, SocketPoll.left)
                return poll.change(session.descriptor, SocketPoll.input | SocketPoll.left | SocketPoll.output)
            } else {
                // What it said before it hung up is still to be read.
                return
            }
        }
    }

    private func flushToServer() {
        guard !toServer.isEmpty else { return }
        let bytes = toServer
        toServer = []
        poll.change(session.descriptor, SocketPoll.input | SocketPoll.left)
        bytes.withUnsafeBytes { send($0) }
        guard toServer.isEmpty else { return }
        if follower.phase == .quitting { return end(.quit) }
        poll.change(client, SocketPoll.input | SocketPoll.left)
    }

    // MARK: From the server

    private func serverEvent(_ events: UInt32) {
        if events & SocketPoll.output != 0 { flushToServer() }
        guard continuation != nil, events & ~SocketPoll.output != 0 else { return }
        guard toClient.isEmpty else {
            // That it has hung up is told again and again, but the client has not taken all of it yet.
            return poll.remove(session.descriptor)
        }
        let descriptor = session.descriptor
        let count = recv(descriptor, poll.scratch.baseAddress, poll.scratch.count, Int32(MSG_DONTWAIT))
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { end(.serverLeft) }
            return
        }
        lastActivity = kernel_monotonic_time()
        let bytes = UnsafeRawBufferPointer(rebasing: poll.scratch[..<count])
        follower.server(bytes)
        if follower.phase == .refused, isWhole(bytes) { return end(.refused(Array(bytes))) }
        reply(bytes)
    }

    /// Whether the bytes are one packet, and all of it: the server sends a refusal in one piece.
    private func isWhole(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count > 7 && bytes.count - 4 == Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
    }

    private func reply(_ bytes: UnsafeRawBufferPointer) {
        var sent = 0
        while sent < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            let count = CLibrary.send(client, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if count > 0 {
                sent += count
            } else if errno == EINTR {
                continue
            } else if errno == EAGAIN {
                toClient = Array(rest)
                poll.change(session.descriptor, toServer.isEmpty ? 0 : SocketPoll.output)
                return poll.change(
                    client,
                    (toServer.isEmpty ? SocketPoll.input : 0) | SocketPoll.left | SocketPoll.output
                )
            } else {
                return end(.clientLeft)
            }
        }
    }

    private func flushToClient() {
        guard !toClient.isEmpty else { return }
        let bytes = toClient
        toClient = []
        poll.change(client, (toServer.isEmpty ? SocketPoll.input : 0) | SocketPoll.left)
        poll.remove(session.descriptor)
        let output = toServer.isEmpty ? 0 : SocketPoll.output
        poll.add(session.descriptor, SocketPoll.input | SocketPoll.left | output) { [weak self] in self?.serverEvent($0)
        }
        bytes.withUnsafeBytes { reply($0) }
    }

    /// What the server does, for whoever ends the session.
    var activity: RelayedSession.Activity {
        guard follower.phase == .commands || follower.isLost, !follower.isIdle else { return .none }
        return follower.isSending ? .sending : .working
    }
}
