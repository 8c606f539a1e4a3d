/// How a reading came about; the raw values are the database's.
enum ReadingType: String {
    case actual
    case estimated
    case manual

    /// What files write for each.
    private static let words: [String: ReadingType] = [
        "": .actual, "a": .actual, "act": .actual, "actual": .actual,
        "e": .estimated, "est": .estimated, "estimate": .estimated, "estimated": .estimated,
        "m": .manual, "man": .manual, "manual": .manual,
    ]

    /// Reads a cell; an empty one means an actual reading.
    ///
    /// - Throws: ``CellProblem`` for a word that is not known.
    init(_ text: ArraySlice<UInt8>) throws(CellProblem) {
        guard let type = Self.words[text.text.lowercased()] else {
            throw CellProblem("the reading type is not known; use actual, estimated or manual (or A, E, M)")
        }
        self = type
    }
}
