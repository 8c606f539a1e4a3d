/// The beginning of a packet of the server: as much as is needed to know what it is.
struct ServerPacket: Sendable {
    /// How much of a packet is kept.
    static let room = 32

    /// The length of the whole packet.
    var length = 0

    /// How much of it is here.
    private(set) var count = 0

    private var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Its first byte; 0x100, which is none, of an empty packet.
    var first: Int { count > 0 ? Int(bytes.0 & 0xFF) : 0x100 }

    mutating func append(_ byte: UInt8) {
        guard count < Self.room else { return }
        let count = count
        withUnsafeMutableBytes(of: &bytes) { $0[count] = byte }
        self.count += 1
    }

    /// A byte; 0 behind what is here.
    subscript(index: Int) -> UInt8 {
        guard index >= 0, index < count else { return 0 }
        return withUnsafeBytes(of: bytes) { $0[index] }
    }

    func short(at index: Int) -> UInt16 { UInt16(self[index]) | UInt16(self[index + 1]) << 8 }

    func number(at index: Int) -> UInt32 { UInt32(short(at: index)) | UInt32(short(at: index + 2)) << 16 }

    static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The number of an error.
    var errorNumber: Int { Int(short(at: 1)) }

    /// A number of a length that its first byte tells, and where it ends; `nil` when it is not all here.
    func lengthEncoded(at index: Int) -> (value: UInt64, next: Int)? {
        let size: Int
        switch self[index] {
        case 0xFC: size = 2
        case 0xFD: size = 3
        case 0xFE: size = 8
        case 0xFB, 0xFF: return nil
        case let small: return index < count ? (UInt64(small), index + 1) : nil
        }
        guard index + 1 + size <= count else { return nil }
        let value = (1...size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(self[index + $1]) }
        return (value, index + 1 + size)
    }

    /// What an OK says of the session; `nil` when this is none.
    var okStatus: ServerStatus? {
        guard let (_, next) = lengthEncoded(at: 1), let (insertID, end) = lengthEncoded(at: next), end + 4 <= count
        else { return nil }
        return ServerStatus(flags: short(at: end), warnings: short(at: end + 2), insertID: insertID)
    }

    /// Whether this is the packet that ends rows, and no row: one that begins with this byte is longer.
    func isEnd(byOK: Bool) -> Bool { first == 0xFE && length < (byOK ? 0xFF_FFFF : 9) }

    /// What the packet that ends a result says of the session; `nil` when this is none.
    func endStatus(byOK: Bool) -> ServerStatus? {
        guard isEnd(byOK: byOK) else { return nil }
        if byOK, length >= 7 { return okStatus }
        return count >= 5 ? ServerStatus(flags: short(at: 3), warnings: short(at: 1), insertID: 0) : nil
    }
}

/// What the server says of a session at the end of a reply.
struct ServerStatus: Sendable {
    enum Flag: UInt16 {
        case transaction = 0x0001
        case moreResults = 0x0008
        case cursor = 0x0040
        case noBackslashEscapes = 0x0200
    }

    var flags: UInt16
    var warnings: UInt16
    var insertID: UInt64

    func has(_ flag: Flag) -> Bool { flags & flag.rawValue != 0 }
}
