/// Finds out what stands between the fields of a file.
enum Delimiter {
    /// The candidates, the likeliest first.
    static let candidates: [UInt8] = [",", "\t", ";", "|"].map { UInt8(ascii: $0) }

    /// The candidate that the header line has most of, outside quotes; a comma when it has none.
    static func sniff(_ bytes: some Collection<UInt8>) -> UInt8 {
        var counts = [Int](repeating: 0, count: candidates.count)
        var isQuoted = false
        var isHeader = false
        for byte in bytes {
            if byte == .quote { isQuoted.toggle() }
            guard !isQuoted else { continue }
            if byte == .newline || byte == .carriageReturn {
                // Blank lines may stand before the header.
                if isHeader { break }
            } else if !byte.isSpace {
                isHeader = true
            }
            if let index = candidates.firstIndex(of: byte) { counts[index] += 1 }
        }
        let most = counts.indices.max { counts[$0] < counts[$1] || counts[$0] == counts[$1] && $0 > $1 } ?? 0
        return candidates[most]
    }
}
