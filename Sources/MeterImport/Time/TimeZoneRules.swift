/// When a place's clocks stood how far from UTC.
///
/// Read from the system's time zone files (RFC 8536), because the static build of this program has no other: Foundation's
/// `TimeZone(identifier:)` returns `nil` there, as its data is left out.
struct TimeZoneRules: Sendable {
    /// The zone's name, such as `Europe/London`.
    let name: String

    /// A stretch of time during which the offset is the same.
    struct Span: Sendable, Equatable {
        /// Its first second, since 1970 in UTC.
        var start: Int
        /// The first second after it.
        var end: Int
        /// Seconds east of UTC.
        var offset: Int
    }

    private let transitions: [(at: Int, offset: Int)]
    private let firstOffset: Int
    private let footer: PosixTimeZone?

    /// UTC.
    static let utc = TimeZoneRules(name: "UTC")

    private init(name: String) {
        self.name = name
        transitions = []
        firstOffset = 0
        footer = nil
    }

    /// Reads the bytes of a zone file; `nil` when they are not one.
    init?(name: String, bytes: [UInt8]) {
        guard var block = TZifBlock(bytes[...], timeSize: 4) else { return nil }
        var rest = block.rest
        // From version 2 on, a second block with 64-bit times follows the first, and a rule for the future that.
        if block.version >= 2 {
            guard let wide = TZifBlock(rest, timeSize: 8) else { return nil }
            block = wide
            rest = wide.rest
        }
        self.name = name
        transitions = block.transitions
        firstOffset = block.firstOffset
        footer = PosixTimeZone(rest.split(separator: .newline).first.map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    /// The stretch of time that an instant is in.
    func span(at instant: Int) -> Span {
        guard let last = transitions.last else {
            return footer?.span(at: instant, notBefore: .min) ?? Span(start: .min, end: .max, offset: firstOffset)
        }
        if instant >= last.at {
            return footer?.span(at: instant, notBefore: last.at) ?? Span(start: last.at, end: .max, offset: last.offset)
        }
        // The first transition after the instant.
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= instant { low = middle + 1 } else { high = middle }
        }
        let end = transitions[low].at
        guard low > 0 else { return Span(start: .min, end: end, offset: firstOffset) }
        return Span(start: transitions[low - 1].at, end: end, offset: transitions[low - 1].offset)
    }
}

/// One block of a zone file.
private struct TZifBlock {
    let version: Int
    let transitions: [(at: Int, offset: Int)]
    let firstOffset: Int
    let rest: ArraySlice<UInt8>

    init?(_ bytes: ArraySlice<UInt8>, timeSize: Int) {
        guard bytes.count >= 44, bytes.starts(with: Array("TZif".utf8)) else { return nil }
        let start = bytes.startIndex
        version = bytes[start + 4] == 0 ? 1 : bytes[start + 4].digit
        func number(_ place: Int, _ size: Int) -> Int {
            let raw = bytes[place..<(place + size)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return size == 8 ? Int(Int64(bitPattern: raw)) : Int(Int32(bitPattern: UInt32(raw)))
        }
        let counts = (0..<6).map { number(start + 20 + $0 * 4, 4) }
        let (utcCount, standardCount, leapCount) = (counts[0], counts[1], counts[2])
        let (timeCount, typeCount, characterCount) = (counts[3], counts[4], counts[5])
        let times = start + 44
        let indexes = times + timeCount * timeSize
        let types = indexes + timeCount
        let end = types + typeCount * 6 + characterCount + leapCount * (timeSize + 4) + standardCount + utcCount
        guard counts.allSatisfy({ $0 >= 0 }), typeCount > 0, end <= bytes.endIndex else { return nil }
        let offsets = (0..<typeCount).map { number(types + $0 * 6, 4) }
        var transitions: [(at: Int, offset: Int)] = []
        for index in 0..<timeCount {
            let type = Int(bytes[indexes + index])
            guard type < typeCount else { return nil }
            transitions.append((number(times + index * timeSize, timeSize), offsets[type]))
        }
        self.transitions = transitions
        firstOffset = offsets[0]
        rest = bytes[end...]
    }
}
