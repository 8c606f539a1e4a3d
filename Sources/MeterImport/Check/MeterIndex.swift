/// The meters of a whole file, each with a place.
struct MeterIndex {
    private var cells: [UInt64: Int32] = [:]
    private var codes: [UInt64: Int32] = [:]
    private var hashes: [UInt64] = []
    private var isSupply: [Bool] = []
    private var last: (UInt64, UInt64, Int, Int)?

    /// The place of the meter that a cell names; `nil` when it names none.
    mutating func place(of cell: Bytes) -> Int? {
        let words = (cell.word(at: 0), cell.word(at: 8))
        if let last, cell.count <= 16, last.0 == words.0, last.1 == words.1, last.2 == cell.count { return last.3 }
        let raw = StableHash(cell.buffer).value
        let place: Int
        if let known = cells[raw] {
            place = Int(known)
        } else {
            guard let code = try? MeterCode.read(cell) else { return nil }
            place = self.place(ofJob: code)
            if cells.count < 200_000 { cells[raw] = Int32(truncatingIfNeeded: place) }
        }
        last = (words.0, words.1, cell.count, place)
        return place
    }

    /// The place of a meter that is known by its number.
    mutating func place(ofJob code: String) -> Int {
        let hash = StableHash(code.utf8).value
        if let known = codes[hash] { return Int(known) }
        codes[hash] = Int32(truncatingIfNeeded: hashes.count)
        hashes.append(hash)
        isSupply.append(MeterCode.isMPAN(code))
        return hashes.count - 1
    }

    func hash(of place: Int) -> UInt64 { hashes[place] }

    func isMPAN(_ place: Int) -> Bool { isSupply[place] }
}
