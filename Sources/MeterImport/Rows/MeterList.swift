/// The meters of a chunk, in the order in which they come.
///
/// The cells of a file name few meters many times. What a cell says is remembered over chunks, for 8,192 cells at most, so
/// that it need not be read again and a file in the order of time is as fast as one in the order of meters.
struct MeterList {
    /// The meters' identifications, one of which may stand here twice when the file writes it in two ways.
    private(set) var codes: [String] = []

    /// A hash of each, the same in every run.
    private(set) var hashes: [UInt64] = []

    private var known: [Known] = []
    /// For the hash of a cell where it is in `known`, or -1; twice as many as can be known.
    private var slots = [Int32](repeating: -1, count: 2 * Self.most)
    private var chunk = 0
    private var last = -1

    private static let most = 8_192

    private struct Known {
        var cell: Cell
        var code: String
        var hash: UInt64
        /// The chunk in which it was seen last, and its place in there.
        var chunk: Int
        var place: Int
    }

    /// The bytes of a short cell.
    private struct Cell: Equatable {
        var words: SIMD4<UInt64>

        init?(_ bytes: Bytes) {
            guard bytes.count <= 24 else { return nil }
            words = SIMD4(bytes.word(at: 0), bytes.word(at: 8), bytes.word(at: 16), UInt64(bytes.count))
        }

        var slot: Int {
            var hash = (words[0] ^ words[3]) &* 0x9E37_79B9_7F4A_7C15
            hash = (hash ^ hash >> 32 ^ words[1]) &* 0xBF58_476D_1CE4_E5B9
            hash = (hash ^ hash >> 32 ^ words[2]) &* 0x94D0_49BB_1331_11EB
            return Int(truncatingIfNeeded: (hash ^ hash >> 29) & UInt64(2 * MeterList.most - 1))
        }
    }

    /// Begins a chunk.
    mutating func removeAll() {
        codes.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        chunk += 1
        last = -1
    }

    /// The place of the meter that a cell names.
    mutating func place(of bytes: Bytes) throws(CellProblem) -> Int {
        guard let cell = Cell(bytes) else {
            let code = try MeterCode.read(bytes)
            return codes.firstIndex(of: code) ?? append(code, StableHash(code.utf8).value)
        }
        // A file's rows mostly come meter by meter.
        if last >= 0, known[last].cell == cell { return known[last].place }
        var slot = cell.slot
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if known[index].cell == cell { return place(ofKnown: index) }
            slot = (slot + 1) & (2 * Self.most - 1)
        }
        let code = try MeterCode.read(bytes)
        if known.count == Self.most { forget() }
        slot = cell.slot
        while slots[slot] >= 0 { slot = (slot + 1) & (2 * Self.most - 1) }
        slots[slot] = Int32(known.count)
        known.append(Known(cell: cell, code: code, hash: StableHash(code.utf8).value, chunk: -1, place: 0))
        return place(ofKnown: known.count - 1)
    }

    /// The place of the meter that a job carries.
    mutating func place(of code: String) -> Int {
        if let first = codes.first, first == code { return 0 }
        return codes.firstIndex(of: code) ?? append(code, StableHash(code.utf8).value)
    }

    /// Forgets the meters behind the first ones: their row has been rejected.
    mutating func truncate(to count: Int) {
        guard codes.count > count else { return }
        codes.removeLast(codes.count - count)
        hashes.removeLast(hashes.count - count)
        for index in known.indices where known[index].chunk == chunk && known[index].place >= count {
            known[index].chunk = -1
        }
        last = -1
    }

    private mutating func place(ofKnown index: Int) -> Int {
        if known[index].chunk != chunk {
            known[index].chunk = chunk
            known[index].place = append(known[index].code, known[index].hash)
        }
        last = index
        return known[index].place
    }

    private mutating func append(_ code: String, _ hash: UInt64) -> Int {
        codes.append(code)
        hashes.append(hash)
        return codes.count - 1
    }

    private mutating func forget() {
        known.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = -1 }
        last = -1
    }
}
