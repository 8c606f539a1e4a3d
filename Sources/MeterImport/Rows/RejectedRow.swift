/// A row that is not imported, and why.
public struct RejectedRow: Sendable, Hashable {
    /// The line on which the row begins, from 1.
    public var line: Int
    /// The column with the offending cell; `nil` when it is the row as a whole.
    public var column: String?
    /// The offending cell.
    public var cell: String?
    /// What is wrong, in a sentence of at most 500 characters.
    public var reason: String
    /// The row as it stands in the file, as valid text; only its beginning when it is longer than 64 KiB.
    public var content: String
}

/// Says which cell of a row is wrong, and how.
struct RowProblem: Error {
    var column: Int?
    var problem: CellProblem

    init(_ column: Int?, _ problem: CellProblem) {
        self.column = column
        self.problem = problem
    }

    /// What is wrong with a record whatever it means; `nil` when nothing is.
    static func ofForm(_ record: CSVRecord, columns: Int) -> RowProblem? {
        switch record.flaw {
        case .brokenQuote:
            return RowProblem(nil, CellProblem("a quote in it is not closed, or text follows a closing quote"))
        case .tooLong:
            return RowProblem(nil, CellProblem("it is longer than \(CSVScanner.longestRecord / 1024) KiB"))
        case nil:
            break
        }
        if !record.isUTF8 { return RowProblem(nil, CellProblem("it holds bytes that are not UTF-8 text")) }
        if record.count > columns {
            for field in columns..<record.count where !record[field].isEmpty {
                return RowProblem(
                    nil,
                    CellProblem(
                        "it has \(record.count) cells, the header only \(columns); a cell with a delimiter must be in quotes"
                    )
                )
            }
        }
        return nil
    }

    /// The row as it is kept.
    func row(_ record: CSVRecord, names: [String]) -> RejectedRow {
        let sentence: String
        let cell = column.map { record[$0].text }
        if let column, let cell {
            let name = names[column].prefix(60)
            sentence =
                cell.isEmpty
                ? "\(name) is empty: \(problem.reason)." : "\(name) is '\(cell.prefix(60))': \(problem.reason)."
        } else {
            sentence = "The row cannot be imported: \(problem.reason)."
        }
        return RejectedRow(
            line: record.line,
            column: column.map { names[$0] },
            cell: cell,
            reason: String(sentence.prefix(500)),
            content: record.text
        )
    }
}
