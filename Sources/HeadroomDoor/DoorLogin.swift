import Headroom

/// Logs a client in to another session: with its own login, the account's password, and the settings that it has made.
struct DoorLogin {
    private let session: RelayedSession
    private let settings: DoorSettings
    private let poll: SocketPoll
    private var reader: PacketReader

    init(_ session: RelayedSession, _ settings: DoorSettings, _ poll: SocketPoll) {
        self.session = session
        self.settings = settings
        self.poll = poll
        reader = PacketReader(session.descriptor)
    }

    /// Why it came to nothing.
    struct Failure: Error {
        var text: String
    }

    /// Whether the account's password is what the client has proven, so that the door can log it in again.
    static func knowsPassword(of follower: ProtocolFollower, _ settings: DoorSettings) -> Bool {
        guard let login = follower.login, let greeting = follower.greeting, let password = settings.password else {
            return false
        }
        let method = login.method.isEmpty ? greeting.method : String(decoding: login.method, as: UTF8.self)
        return PasswordProof.proof(password, by: method, greeting.nonce) == login.proof
    }

    /// Logs in, and gives the session its settings.
    ///
    /// - Returns: What the server said to the login, without its header.
    /// - Throws: ``Failure``; `DatabaseError` when the server refuses the login.
    mutating func run(_ follower: ProtocolFollower) async throws -> [UInt8] {
        let first = try await next()
        if first.first == 0xFF { throw session.refused(first) }
        guard let login = follower.login, let password = settings.password, let greeting = ServerGreeting(first[...])
        else { throw Failure(text: "the server does not greet") }
        await session.note(sessionID: UInt64(greeting.sessionID))
        let method =
            PasswordProof.proof(password, by: greeting.method, greeting.nonce) == nil
            ? "mysql_native_password" : greeting.method
        let proof = PasswordProof.proof(password, by: method, greeting.nonce) ?? []
        try send(login.response(proof: proof, method: method), sequence: 1)
        let answer = try await finish(password)
        for statement in follower.settings {
            try send([ProtocolFollower.Command.query] + statement, sequence: 0)
            guard try await next().first == 0 else { throw Failure(text: "a setting was refused") }
        }
        return answer
    }

    private mutating func finish(_ password: String) async throws -> [UInt8] {
        while true {
            let packet = try await next()
            switch packet.first {
            case 0: return packet
            case 0xFF: throw session.refused(packet)
            case 0xFE:
                // Another method, and another nonce.
                let name = packet.dropFirst().prefix { $0 != 0 }
                let nonce = Array(packet.dropFirst(name.count + 2).prefix(20))
                guard let proof = PasswordProof.proof(password, by: String(decoding: name, as: UTF8.self), nonce) else {
                    throw Failure(text: "the server wants another kind of login")
                }
                try send(proof, sequence: reader.sequence &+ 1)
            case 1 where packet.count == 2 && packet[1] == 3: break
            case 1 where packet.count == 2 && packet[1] == 4 && session.endpoint.isSocket:
                try send(Array(password.utf8) + [0], sequence: reader.sequence &+ 1)
            default: throw Failure(text: "the server wants another kind of login")
            }
        }
    }

    private mutating func next() async throws -> [UInt8] {
        guard let packet = await reader.next(poll, or: nil, until: .now + .seconds(10)) else {
            throw Failure(text: "the server has hung up, or does not answer")
        }
        return packet
    }

    private func send(_ payload: [UInt8], sequence: UInt8) throws {
        let packet = DoorPacket.framed(payload, sequence: sequence)
        let sent = packet.withUnsafeBytes { session.send($0) }
        guard sent == packet.count else { throw Failure(text: "the server takes nothing") }
    }
}
