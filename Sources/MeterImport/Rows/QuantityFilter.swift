/// Tells the rows of the quantity that is imported from the others.
struct QuantityFilter {
    private let wanted: Quantity
    private let chosen: (column: Int, word: String)?
    private var columns: [(column: Int, words: WordColumn, kinds: [Quantity?])]

    init(_ layout: FileLayout, wanted: Quantity, chosen: (column: Int, word: String)?) {
        self.wanted = wanted
        self.chosen = chosen
        columns = layout.quantities.map { ($0, WordColumn(), []) }
    }

    /// The words of the columns, as far as they have been seen.
    var words: [(column: Int, words: WordColumn)] { columns.map { ($0.column, $0.words) } }

    /// The word that says that a row is of another quantity; `nil` for one that is imported.
    mutating func otherQuantity(_ record: CSVRecord) -> String? {
        if let chosen {
            let cell = record[chosen.column]
            return cell.text.lowercased() == chosen.word ? nil : cell.isEmpty ? "no word" : cell.text
        }
        guard !columns.isEmpty else { return nil }
        var result = Quantity.consumed
        var name: String?
        for index in columns.indices {
            let cell = record[columns[index].column]
            guard let place = columns[index].words.place(of: cell, line: record.line) else { continue }
            while columns[index].kinds.count <= place {
                columns[index].kinds.append(Catalogue.quantityWords[FileLayout.word(columns[index].words.words[columns[index].kinds.count].text)])
            }
            guard let kind = columns[index].kinds[place], kind != .consumed, result == .consumed || kind != .export else { continue }
            (result, name) = (kind, columns[index].words.words[place].text)
        }
        return result == wanted ? nil : name ?? "import"
    }
}
