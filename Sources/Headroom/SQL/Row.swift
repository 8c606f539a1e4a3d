/// A row of a result.
public struct Row: Sendable {
    /// The names of the result's columns, shared by its rows.
    public let columns: Columns

    private let bytes: [UInt8]
    private let cells: [Range<Int>?]

    init(columns: Columns, bytes: [UInt8], cells: [Range<Int>?]) {
        self.columns = columns
        self.bytes = bytes
        self.cells = cells
    }

    /// The number of cells.
    public var count: Int { cells.count }

    /// The cell at a position, from 0.
    public subscript(index: Int) -> Cell {
        Cell(bytes: cells[index].map { bytes[$0] })
    }

    /// The text of the cell at a position, from 0; `nil` for NULL.
    ///
    /// Without the generic way of `decode`, which costs more than reading the cell: for results of thousands of rows.
    package func text(at index: Int) -> String? {
        cells[index].map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// The whole number of the cell at a position, from 0, up to a decimal point; `nil` for NULL, and for anything else.
    package func number(at index: Int) -> UInt64? {
        guard let range = cells[index], !range.isEmpty else { return nil }
        var number: UInt64 = 0
        for byte in bytes[range] {
            if byte == 0x2E { break }
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = product.addingReportingOverflow(UInt64(byte - 0x30))
            guard !isTooLarge, !isStillTooLarge else { return nil }
            number = sum
        }
        return number
    }

    /// Reads the cell at a position, from 0, as a value of the given type.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when the cell holds something else, or there is no such cell.
    public func decode<Value: SQLDecodable>(_ type: Value.Type = Value.self, at index: Int) throws -> Value {
        guard cells.indices.contains(index) else {
            throw DatabaseError(.decodingFailed, message: "The result has \(count) columns, not \(index + 1).")
        }
        let cell = self[index]
        guard let value = Value(cell: cell) else {
            throw DatabaseError(
                .decodingFailed,
                message: "Column '\(columns.names[index])' holds \(cell.isNull ? "NULL" : "something else")"
                    + " where \(Value.self) was asked for."
            )
        }
        return value
    }

    /// Reads the cell of a column as a value of the given type.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when the cell holds something else, or there is no such column.
    public func decode<Value: SQLDecodable>(_ type: Value.Type = Value.self, column: String) throws -> Value {
        guard let index = columns.names.firstIndex(of: column) else {
            throw DatabaseError(
                .decodingFailed,
                message: "The result has no column '\(column)'; it has \(columns.names.joined(separator: ", "))."
            )
        }
        return try decode(at: index)
    }

    /// Reads the cell of a row that has only one.
    func only<Value: SQLDecodable>(_ type: Value.Type) throws -> Value {
        guard count == 1 else {
            throw DatabaseError(.decodingFailed, message: "The result has \(count) columns, not 1.")
        }
        return try decode(at: 0)
    }

    /// Reads the whole row as values of the given types, one for each column.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when a cell holds something else or the number of columns differs.
    public func decode<each Value: SQLDecodable>(_ types: repeat (each Value).Type) throws -> (repeat each Value) {
        var expected = 0
        for _ in repeat (each Value).self { expected += 1 }
        guard expected == count else {
            throw DatabaseError(.decodingFailed, message: "The result has \(count) columns, not \(expected).")
        }
        var index = -1
        func next() -> Int {
            index += 1
            return index
        }
        return (repeat try decode((each Value).self, at: next()))
    }
}

/// The names of a result's columns.
public final class Columns: Sendable {
    /// The names in their order, as the statement gives them.
    public let names: [String]

    init(names: [String]) {
        self.names = names
    }
}

/// A cell of a row: NULL, or the value's text or bytes.
public struct Cell: Sendable {
    /// The value as the server writes it, `nil` for NULL.
    public let bytes: ArraySlice<UInt8>?

    /// Whether the cell is NULL.
    public var isNull: Bool { bytes == nil }
}
