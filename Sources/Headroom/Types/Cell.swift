/// A cell of a row: NULL, or the value's text or bytes, with what the server says of its column.
public struct Cell: Sendable {
    /// The value as the server writes it, `nil` for NULL.
    public let bytes: ArraySlice<UInt8>?

    private let columns: Columns
    private let position: Int

    init(bytes: ArraySlice<UInt8>?, columns: Columns, position: Int) {
        self.bytes = bytes
        self.columns = columns
        self.position = position
    }

    /// What the server says of the cell's column.
    public var column: Column { columns[position] }

    /// The type of the cell's column.
    public var type: ColumnType { columns[position].type }

    /// Whether the cell is NULL.
    public var isNull: Bool { bytes == nil }
}
