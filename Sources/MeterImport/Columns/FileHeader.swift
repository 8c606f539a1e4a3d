import HeadroomJobs

/// The header of a file: the names of its columns.
struct FileHeader {
    /// The header as it stands in the file.
    let text: String

    /// The columns.
    let columns: [ColumnName]

    /// Whether an error may show the columns: what a row alone has named may be no table at all.
    private let isShown: Bool

    /// Reads a file's first record.
    init(_ record: CSVRecord, isShown: Bool = true) {
        self.isShown = isShown
        text = record.text
        columns = (0..<record.count).map { ColumnName(record[$0]) }
    }

    /// The columns' names as the file writes them.
    var names: [String] { columns.map(\.original) }

    /// The column that suits best: the one with the lowest rank, and the first of several.
    func column(_ rank: (ColumnName) -> Int?) -> Int? {
        columns.indices
            .compactMap { index in rank(columns[index]).map { (rank: $0, index: index) } }
            .min { $0 < $1 }?
            .index
    }

    /// The unit in a column's name.
    ///
    /// - Throws: ``ImportError`` with `wrongColumns` when it is not one of energy.
    func unit(of column: Int) throws -> EnergyUnit? {
        do {
            return try columns[column].unit()
        } catch {
            throw ImportError(
                .wrongColumns,
                isShown
                    ? "The column '\(shown(columns[column].original, most: 60))' cannot be used: \(shown(error.reason))."
                    : "The column \(column + 1) cannot be used: its unit is not Wh, kWh, MWh or GWh."
            )
        }
    }

    /// An error that says what is wrong with the columns, and which there are.
    func missing(_ what: String) -> ImportError {
        guard isShown else {
            let next =
                "Which there are, 'headroom import --check FILE' shows; a job does with HEADROOM_IMPORT_DIRS set."
            return ImportError(.wrongColumns, "\(what) \(next)")
        }
        // A header of thousands of columns is most likely none.
        let some = names.prefix(60).map { shown($0, most: 60) }.joined(separator: ", ")
        return ImportError(
            .wrongColumns,
            "\(what) The file has the columns: \(some)\(columns.count > 60 ? ", …" : "")."
        )
    }
}
