/// A reading of a file, ready to be stored.
struct Reading: Equatable {
    /// The meter, as the file names it.
    var meter: String
    /// The half-hour.
    var halfHour: HalfHour
    /// The energy used in it.
    var energy: Energy
    /// How it came about.
    var type: ReadingType
}

/// A row that is not imported, and why.
struct RejectedRow: Equatable {
    /// The line on which the row begins, from 1.
    var line: Int
    /// The column with the offending cell; `nil` when it is the row as a whole.
    var column: String?
    /// The offending cell.
    var cell: String?
    /// What is wrong, in a sentence.
    var reason: String
    /// The row as it stands in the file, as valid text.
    var content: String
}
