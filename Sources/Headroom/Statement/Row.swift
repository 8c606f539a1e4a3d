/// A row of a result.
public struct Row: Sendable {
    /// The result's columns, shared by its rows.
    public let columns: Columns

    /// The row's place in its result, from 1.
    let ordinal: Int

    private let bytes: [UInt8]
    private let cells: [Range<Int>?]

    init(columns: Columns, ordinal: Int, bytes: [UInt8], cells: [Range<Int>?]) {
        self.columns = columns
        self.ordinal = ordinal
        self.bytes = bytes
        self.cells = cells
    }

    /// The number of cells.
    public var count: Int { cells.count }

    /// The cell at a position, from 0.
    public subscript(index: Int) -> Cell {
        Cell(bytes: cells[index].map { bytes[$0] }, columns: columns, position: index)
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
        guard cells.indices.contains(index) else { throw widthDiffers(from: "\(index + 1)") }
        guard let value = Value(cell: self[index]) else { throw misfit(at: index, as: Value.self) }
        return value
    }

    /// Reads the cell of a column as a value of the given type.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when the cell holds something else, or there is no such column.
    public func decode<Value: SQLDecodable>(_ type: Value.Type = Value.self, column: String) throws -> Value {
        guard let index = columns.position(of: column) else { throw columnMissing(column) }
        return try decode(at: index)
    }

    /// Reads the cell of a row that has only one.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when the cell holds something else or there are more columns.
    public func decode<Value: SQLDecodable>(_ type: Value.Type) throws -> Value {
        guard count == 1 else { throw widthDiffers(from: "1") }
        return try decode(at: 0)
    }

    /// Reads the whole row as values of the given types, one for each column.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when a cell holds something else or the number of columns differs.
    public func decode<each Value: SQLDecodable>(_ types: repeat (each Value).Type) throws -> (repeat each Value) {
        var expected = 0
        for _ in repeat (each Value).self { expected += 1 }
        guard expected == count else { throw widthDiffers(from: "\(expected)") }
        var index = -1
        func next() -> Int {
            index += 1
            return index
        }
        return (repeat try decode((each Value).self, at: next()))
    }

    /// Reads the row as a value with a property for each column, by the columns' names.
    ///
    /// A property `siteID` has the column `siteID`, or else `site_id`. A column without a property is passed over; an
    /// optional property without a column is `nil`, as of NULL. For example:
    ///
    /// ```swift
    /// struct Site: Decodable {
    ///     var id: Int
    ///     var name: String
    ///     var closedAt: String?
    /// }
    /// ```
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when a cell holds something else or a column is missing.
    @_disfavoredOverload
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            return try Value(from: RowDecoder(row: self))
        } catch let error as DecodingError {
            throw DatabaseError(
                .decodingFailed,
                message: "Row \(ordinal) is no \(Value.self): \(RowDecoder.reason(error))"
            )
        }
    }
}

// What went wrong, without the data: the cell's type and length, never its content.
extension Row {
    /// The error for a cell that holds something else than was asked for.
    func misfit(at index: Int, as type: Any.Type) -> DatabaseError {
        let column = columns[index]
        let found =
            switch self[index].bytes {
            case nil: "NULL"
            case let bytes? where column.type.hasText && String(validating: bytes, as: UTF8.self) == nil:
                "\(bytes.count) bytes that are not UTF-8"
            case let bytes?: "a value of \(bytes.count) bytes"
            }
        return DatabaseError(
            .decodingFailed,
            message:
                "Row \(ordinal), column '\(Escaping.printable(column.name, most: 64))' (\(column.type)) holds \(found)"
                + " where \(type) was asked for."
        )
    }

    /// The error for a column that the result does not have.
    func columnMissing(_ name: String) -> DatabaseError {
        let names = columns.prefix(20).map { Escaping.printable($0.name, most: 64) }.joined(separator: ", ")
        return DatabaseError(
            .decodingFailed,
            message:
                "The result has no column '\(Escaping.printable(name, most: 64))'; it has \(names)\(count > 20 ? ", and more" : "")."
        )
    }

    private func widthDiffers(from expected: String) -> DatabaseError {
        DatabaseError(.decodingFailed, message: "The result has \(count) columns, not \(expected).")
    }
}
