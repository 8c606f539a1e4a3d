/// How a reading came about; the raw values are the database's.
enum ReadingType: String, Sendable, Codable {
    case actual
    case estimated
    case manual

    /// Reads a cell; an empty one means an actual reading.
    ///
    /// - Throws: ``CellProblem`` for a word that is not known.
    init(_ text: Bytes) throws(CellProblem) {
        if text.isEmpty || text.isWord("a") || text.isWord("act") || text.isWord("actual") {
            self = .actual
        } else if text.isWord("e") || text.isWord("est") || text.isWord("estimate") || text.isWord("estimated") {
            self = .estimated
        } else if text.isWord("m") || text.isWord("man") || text.isWord("manual") {
            self = .manual
        } else if let known = Catalogue.flagWordsOfCells[FileLayout.word(text.text)] {
            self = known
        } else {
            throw CellProblem("the reading type is not known; use actual, estimated or manual (or A, E, M)")
        }
    }
}
