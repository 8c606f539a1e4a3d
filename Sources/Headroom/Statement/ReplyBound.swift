/// Bounds what a server makes this side keep: it counts what comes, as it will lie in memory, before the library keeps it.
struct ReplyBound {
    /// The most that the reply to one statement may bring, with all of its results, and the largest packet: 64 MiB.
    ///
    /// Twice what a server sends at most by default for one row (MariaDB's max_allowed_packet is 16 MiB, MySQL's 64), and far
    /// above what Headroom's own statements bring; a result that is larger is for a stream, of which each row counts alone.
    static let largest = 64 << 20

    /// The most that a login may bring: a greeting, a key, an error; none has more than a few KB.
    static let login = 64 << 10

    /// The most further results that one reply may have, each of which costs more than its bytes: far above what a procedure
    /// sends that answers with one for each of its rows.
    static let mostResults = 10_000

    /// The length of the largest packet so far.
    private(set) var largestPacket = 0

    private var left: Int
    private var results = 0
    private var headerBytes = 0
    private var header = 0
    private var inPacket = 0

    init(_ allowance: Int) {
        left = allowance
    }

    /// Begins a reply, or a row that is read by itself, which may bring as much again.
    mutating func begin() {
        left = Self.largest
        results = 0
    }

    /// Counts a further result of the reply, and returns whether it is within the bound.
    mutating func takeResult() -> Bool {
        results += 1
        return results <= Self.mostResults
    }

    /// Counts what has come.
    ///
    /// - Parameters:
    ///   - bytes: The next bytes of the connection, in pieces of any size.
    ///   - columns: How many columns a row has.
    /// - Returns: Whether it is within the bound.
    mutating func take(_ bytes: UnsafeBufferPointer<UInt8>, columns: Int) -> Bool {
        var index = 0
        while index < bytes.count, left >= 0 {
            if inPacket > 0 {
                let count = min(inPacket, bytes.count - index)
                index += count
                inPacket -= count
                continue
            }
            header |= Int(bytes[index]) << (8 * headerBytes)
            headerBytes += 1
            index += 1
            guard headerBytes == 4 else { continue }
            inPacket = header & 0xFF_FFFF
            (header, headerBytes) = (0, 0)
            largestPacket = max(largestPacket, inPacket)
            // The library keeps a node for each row, and a pointer and a zero for each column, whatever they hold.
            left -= inPacket + 64 + 9 * min(columns, 1 << 32)
        }
        return left >= 0
    }
}
