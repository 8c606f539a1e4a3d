/// The meters of a whole file, each with a place; of more than there is room for, all others share one.
struct MeterIndex {
    private var cells: [UInt64: Int32] = [:]
    private var codes: [UInt64: Int32] = [:]
    private var hashes: [UInt64] = []
    private var last: (UInt64, UInt64, Int, place: Int, hash: UInt64)?
    /// Whether one has 6 to 10 digits, as supplies of gas have.
    private(set) var hasGasNumbers = false

    /// The meters with a place of their own.
    static let most = 64_000

    /// A meter: its place, and a hash of its number.
    struct Entry {
        var place: Int
        var hash: UInt64
    }

    /// The meter that a cell names; `nil` when it names none.
    mutating func entry(of cell: Bytes) -> Entry? {
        let words = (cell.word(at: 0), cell.word(at: 8))
        if let last, cell.count <= 16, last.0 == words.0, last.1 == words.1, last.2 == cell.count {
            return Entry(place: last.place, hash: last.hash)
        }
        let raw = StableHash(cell.buffer).value
        let entry: Entry
        if let known = cells[raw] {
            entry = Entry(place: Int(known), hash: hashes[Int(known)])
        } else {
            guard let code = try? MeterCode.read(cell) else { return nil }
            entry = self.entry(ofCode: code)
            if cells.count < Self.most, entry.place < Self.most { cells[raw] = Int32(truncatingIfNeeded: entry.place) }
        }
        last = (words.0, words.1, cell.count, entry.place, entry.hash)
        return entry
    }

    /// The meter that is known by its number.
    mutating func entry(ofCode code: String) -> Entry {
        let hash = StableHash(code.utf8).value
        if (6...10).contains(code.utf8.count), code.utf8.allSatisfy(\.isDigit) { hasGasNumbers = true }
        if let known = codes[hash] { return Entry(place: Int(known), hash: hash) }
        guard hashes.count < Self.most else { return Entry(place: Self.most, hash: hash) }
        codes[hash] = Int32(truncatingIfNeeded: hashes.count)
        hashes.append(hash)
        return Entry(place: hashes.count - 1, hash: hash)
    }
}
