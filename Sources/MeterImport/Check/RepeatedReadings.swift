/// Finds readings of one meter and time that come more than once, and whether they differ: in as many passes over the file as
/// memory makes needed.
///
/// A pass looks for times that come again, among as many as there is room for; the next one compares the values of those, and
/// looks on.
struct RepeatedReadings {
    private var bits = BitPages()
    private var isLooking = true
    /// Times that come more than once, found in this pass.
    private var found: Set<UInt64> = []
    /// Those of the pass before, and what was seen of them.
    private var compared: [UInt64: Seen] = [:]
    private var flagColumn: Int?
    private var words: [Int] = []

    private let most: Int
    /// How many of them are kept with the words of their rows.
    private static let mostWithWords = 20_000

    struct Seen {
        var value: UInt64 = 0
        var flag: UInt64 = 0
        var isSeen = false
        var words: [UInt64] = []
    }

    init(most: Int = 120_000, pages: Int = 20_000) {
        self.most = most
        bits = BitPages(most: pages)
    }

    /// Begins a pass; whether one is needed.
    mutating func beginPass(flags: Int?, words: [Int]) -> Bool {
        (flagColumn, self.words) = (flags, words)
        compared = [:]
        compared.reserveCapacity(found.count)
        for key in found { compared[key] = Seen() }
        found = []
        isLooking = bits.goOn()
        return isLooking || !compared.isEmpty
    }

    /// The times that this pass compares.
    var waiting: Dictionary<UInt64, Seen>.Keys { compared.keys }

    /// Notes a reading in the first pass.
    mutating func note(_ key: UInt64) {
        guard isLooking, bits.insert(key) else { return }
        found.insert(key)
        while found.count > most {
            // Half of the times are for a further pass.
            bits.shrink()
            found = found.filter { bits.holds($0) }
        }
    }

    /// Notes a reading in a further pass: compares it with what it was before.
    mutating func note(_ key: UInt64, _ value: UInt64, _ record: CSVRecord, _ evidence: inout Evidence) {
        note(key)
        guard let seen = compared[key] else { return }
        let flag = flagColumn.map { StableHash(record[$0].buffer).value } ?? 0
        let hasWords = compared.count <= Self.mostWithWords
        let cells = hasWords ? words.map { StableHash(record[$0].buffer).value } : []
        guard seen.isSeen else {
            compared[key] = Seen(value: value, flag: flag, isSeen: true, words: cells)
            return
        }
        guard seen.value != value, seen.flag == flag else { return }
        evidence.conflictCount += 1
        if evidence.conflicts.count < 10 { evidence.conflicts.append(record.line) }
        guard hasWords else { return }
        evidence.conflictsWithWords += 1
        for (place, column) in words.enumerated() where seen.words[place] != cells[place] {
            evidence.separators[column, default: 0] += 1
        }
    }
}
