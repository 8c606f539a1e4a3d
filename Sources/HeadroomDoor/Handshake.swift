/// What client and server can agree on; the names are those of the protocol.
package enum Capability: UInt32, Sendable {
    case connectWithDatabase = 0x8
    case compress = 0x20
    case protocol41 = 0x200
    case ssl = 0x800
    case secureConnection = 0x8000
    case multiStatements = 0x1_0000
    case pluginAuthentication = 0x8_0000
    case attributes = 0x10_0000
    case lengthEncodedAuthentication = 0x20_0000
    case deprecateEOF = 0x100_0000
    case optionalMetadata = 0x200_0000
    case zstandard = 0x400_0000
    case queryAttributes = 0x800_0000

    /// What would hide from the door where a reply ends.
    static let blinding: UInt32 =
        compress.rawValue | ssl.rawValue | zstandard.rawValue | optionalMetadata.rawValue
}

/// What only a MariaDB and its own client agree on, in a second set of bits.
package enum MariaDBCapability: UInt32, Sendable {
    case multipleCommands = 2
    case cachedMetadata = 16
}

/// The server's first packet.
package struct ServerGreeting: Sendable, Equatable {
    /// The server's version as it names itself.
    package let version: String

    /// The session's id.
    package let sessionID: UInt32

    /// What the server offers.
    package let capabilities: UInt32

    /// What it wants the password to be proven with.
    package let nonce: [UInt8]

    /// The way to log in that it names.
    package let method: String

    private let capabilitiesAt: Int

    /// The longest greeting that is taken for one.
    package static let longest = 1024

    /// Reads a packet without its header; `nil` when it is no greeting that can be followed.
    package init?(_ packet: ArraySlice<UInt8>) {
        guard packet.first == 10, packet.count <= Self.longest, let end = packet.firstIndex(of: 0),
            packet.endIndex - end >= 32
        else { return nil }
        version = String(decoding: packet[(packet.startIndex + 1)..<end], as: UTF8.self)
        sessionID = ServerPacket.number(packet[(end + 1)...])
        capabilitiesAt = end + 14 - packet.startIndex
        let (low, high) = (packet[(end + 14)...].prefix(2), packet[(end + 19)...].prefix(2))
        capabilities = ServerPacket.number(low + high)
        guard capabilities & Capability.protocol41.rawValue != 0,
            capabilities & Capability.secureConnection.rawValue != 0
        else { return nil }
        // Eight bytes of it here, and at least twelve and a zero behind the capabilities.
        let rest = packet[(end + 32)...]
        nonce = Array(packet[(end + 5)..<(end + 13)] + rest.prefix(12))
        guard nonce.count == 20 else { return nil }
        method = String(decoding: rest.dropFirst(13).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The same packet without what would hide from the door where a reply ends.
    package func masked(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        let kept = capabilities & ~Capability.blinding
        for (index, shift) in [(0, 0), (1, 8), (5, 16), (6, 24)] {
            packet[capabilitiesAt + index] = UInt8(truncatingIfNeeded: kept >> UInt32(shift))
        }
        return packet
    }

    /// Whether the server is a MariaDB.
    var isMariaDB: Bool { version.utf8.contains(sequence: "MariaDB") }
}

extension Collection<UInt8> {
    /// Whether a text occurs in the bytes.
    func contains(sequence text: StaticString) -> Bool {
        text.withUTF8Buffer { wanted in
            var rest = self[...]
            while rest.count >= wanted.count {
                if rest.starts(with: wanted) { return true }
                rest = rest.dropFirst()
            }
            return false
        }
    }
}

/// What a client logs in with, or changes its user to.
package struct Login: Sendable, Equatable {
    package var capabilities: UInt32
    package var mariaDBCapabilities: UInt32
    package var mostPacket: UInt32
    package var characterSet: UInt16
    package var user: [UInt8]
    package var proof: [UInt8]
    package var database: [UInt8]?
    package var method: [UInt8]
    package var attributes: [UInt8]

    /// The longest packet that is taken for a login: a client's attributes may have 64 KB.
    static let longest = 70_000

    func has(_ capability: Capability) -> Bool { capabilities & capability.rawValue != 0 }

    func hasMariaDB(_ capability: MariaDBCapability) -> Bool { mariaDBCapabilities & capability.rawValue != 0 }

    /// Reads the client's answer to the greeting; `nil` when it cannot be read, as when it begins TLS.
    package init?(response packet: UnsafeRawBufferPointer) {
        var fields = Fields(packet)
        guard let capabilities = fields.number(4), let most = fields.number(4), let set = fields.number(1),
            let filler = fields.bytes(23), capabilities & Capability.protocol41.rawValue != 0
        else { return nil }
        self.capabilities = capabilities
        mostPacket = most
        characterSet = UInt16(set)
        // The bit says that the client is none of MariaDB's.
        mariaDBCapabilities = capabilities & 1 == 0 ? ServerPacket.number(filler.suffix(4)) : 0
        guard let user = fields.text() else { return nil }
        self.user = user
        let isLong = capabilities & Capability.lengthEncodedAuthentication.rawValue != 0
        let proof = isLong ? fields.lengthEncodedBytes() : fields.shortBytes()
        guard let proof else { return nil }
        self.proof = proof
        database = nil
        method = []
        attributes = []
        if has(.connectWithDatabase) {
            guard let name = fields.text() else { return nil }
            database = name.isEmpty ? nil : name
        }
        if has(.pluginAuthentication), !fields.isEmpty { method = fields.text() ?? fields.rest() }
        if has(.attributes) { attributes = fields.rest() }
    }

    /// The same after a COM_CHANGE_USER; `nil` when that cannot be read.
    package func changed(by packet: UnsafeRawBufferPointer) -> Login? {
        var fields = Fields(packet)
        guard fields.number(1) == UInt32(ProtocolFollower.Command.changeUser), let user = fields.text(),
            let proof = fields.shortBytes(), let database = fields.text()
        else { return nil }
        var new = self
        (new.user, new.proof) = (user, proof)
        new.database = database.isEmpty ? nil : database
        if !fields.isEmpty {
            guard let set = fields.number(2) else { return nil }
            new.characterSet = UInt16(truncatingIfNeeded: set)
        }
        if has(.pluginAuthentication), !fields.isEmpty { new.method = fields.text() ?? fields.rest() }
        if has(.attributes) { new.attributes = fields.rest() }
        return new
    }

    /// Whether what client and server agree on lets replies be followed.
    func canBeFollowed(after greeting: ServerGreeting) -> Bool {
        let unoffered = capabilities & ~greeting.capabilities
        let weighty = Capability.blinding | Capability.deprecateEOF.rawValue | Capability.queryAttributes.rawValue
        return capabilities & Capability.blinding == 0 && unoffered & weighty == 0
            && !hasMariaDB(.multipleCommands)
    }

    /// The packet without its header that logs in the same client anew.
    ///
    /// - Parameters:
    ///   - proof: What proves the password to the new session.
    ///   - method: The way in which it does.
    /// - Returns: The packet.
    package func response(proof: [UInt8], method: String) -> [UInt8] {
        var flags = capabilities | Capability.pluginAuthentication.rawValue
        if database == nil {
            flags &= ~Capability.connectWithDatabase.rawValue
        } else {
            flags |= Capability.connectWithDatabase.rawValue
        }
        var packet = Self.bytes(flags, 4) + Self.bytes(mostPacket, 4) + [UInt8(truncatingIfNeeded: characterSet)]
        packet += [UInt8](repeating: 0, count: 19) + Self.bytes(mariaDBCapabilities, 4)
        packet += user + [0, UInt8(truncatingIfNeeded: proof.count)] + proof
        if let database { packet += database + [0] }
        packet += Array(method.utf8) + [0]
        return packet + attributes
    }

    static func bytes(_ number: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    }
}

/// The fields of a packet of the client, one after the other.
private struct Fields {
    private var left: Slice<UnsafeRawBufferPointer>

    init(_ packet: UnsafeRawBufferPointer) { left = packet[...] }

    var isEmpty: Bool { left.isEmpty }

    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, left.count >= count else { return nil }
        defer { left = left.dropFirst(count) }
        return Array(left.prefix(count))[...]
    }

    mutating func number(_ count: Int) -> UInt32? { bytes(count).map { ServerPacket.number($0) } }

    /// Text up to a zero.
    mutating func text() -> [UInt8]? {
        guard let end = left.firstIndex(of: 0) else { return nil }
        defer { left = left[end...].dropFirst() }
        return Array(left[..<end])
    }

    mutating func shortBytes() -> [UInt8]? { number(1).flatMap { bytes(Int($0)).map(Array.init) } }

    mutating func lengthEncodedBytes() -> [UInt8]? {
        guard let first = number(1) else { return nil }
        switch first {
        case ..<0xFB: return bytes(Int(first)).map(Array.init)
        case 0xFC: return number(2).flatMap { bytes(Int($0)).map(Array.init) }
        default: return nil
        }
    }

    mutating func rest() -> [UInt8] {
        defer { left = left.suffix(0) }
        return Array(left)
    }
}

/// Packets that the door itself sends.
enum DoorPacket {
    /// A packet with its header.
    static func framed(_ payload: [UInt8], sequence: UInt8) -> [UInt8] {
        Login.bytes(UInt32(payload.count), 3) + [sequence] + payload
    }

    /// An error.
    static func error(_ number: UInt16, state: StaticString, _ text: String, sequence: UInt8) -> [UInt8] {
        var payload: [UInt8] = [0xFF] + Login.bytes(UInt32(number), 2) + [UInt8(ascii: "#")]
        payload += state.withUTF8Buffer { Array($0.prefix(5)) }
        return framed(payload + plain(text), sequence: sequence)
    }

    /// The text as clients show it whole: ASCII, and shorter than 300 bytes.
    ///
    /// PHP's and MariaDB's clients cut at 511 bytes, in the middle of a character, and what is cut so is no JSON.
    static func plain(_ text: String) -> [UInt8] {
        text.utf8.prefix(299).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }
    }

    /// A greeting of the door's own, for a client that is to be told that there is no place.
    ///
    /// Half of the clients show no error that comes in a greeting's place.
    static func greeting(version: String) -> [UInt8] {
        let nonce = (0..<20).map { _ in UInt8.random(in: 33...126) }
        // What every client knows, and nothing that would have it say more.
        let offered: UInt32 = 0x0008_A20F | Capability.multiStatements.rawValue | 0x2_0000
        var payload: [UInt8] = [10] + Array(version.utf8) + [0] + Login.bytes(0, 4) + nonce.prefix(8) + [0]
        payload += Login.bytes(offered, 2) + [45] + Login.bytes(2, 2) + Login.bytes(offered >> 16, 2) + [21]
        payload += [UInt8](repeating: 0, count: 10) + nonce.suffix(12) + [0]
        return framed(payload + Array("mysql_native_password".utf8) + [0], sequence: 0)
    }

    /// A command whose argument is text.
    static func command(_ command: UInt8, _ text: some Sequence<UInt8> = []) -> [UInt8] {
        framed([command] + text, sequence: 0)
    }
}
