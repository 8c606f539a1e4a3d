/// A value to bind to a statement, in one of the forms that the protocol has.
public enum SQLValue: Sendable, Hashable {
    /// NULL.
    case null
    /// A signed integer.
    case integer(Int64)
    /// An unsigned integer.
    case unsigned(UInt64)
    /// A double-precision number; NaN and the infinities are refused when they are bound, as no server has them.
    case double(Double)
    /// A number of any size in decimal digits, such as `-12.50`, exactly.
    case decimal(String)
    /// Text in UTF-8; also dates and times, which the server reads from their text.
    case text(String)
    /// Bytes as they are.
    case bytes([UInt8])
    /// What no server can store: binding it throws `encodingFailed` with this reason, and nothing is sent.
    case unstorable(String)
}

/// A type whose values can be bound to a statement.
///
/// An enumeration with raw values needs no more than to say so: `enum Status: String, SQLEncodable, SQLDecodable`.
public protocol SQLEncodable {
    /// The value in the protocol's form.
    var sqlValue: SQLValue { get }
}

/// A type that can be read from a cell of a result.
///
/// What the column is decides how its bytes are read: see ``Cell/column``.
public protocol SQLDecodable {
    /// Creates a value from a cell, or returns `nil` when the cell holds something else.
    init?(cell: Cell)
}

extension SQLValue: SQLEncodable {
    /// The value itself.
    public var sqlValue: SQLValue { self }

    /// Why the value cannot be bound; `nil` when it can.
    var refusal: String? {
        switch self {
        case .unstorable(let reason):
            reason
        case .double(let number) where !number.isFinite:
            "The number \(number) is none that a server can store."
        case .decimal(let text) where !NumberText.isValid(text.utf8, allowsExponent: false):
            "A text of \(text.utf8.count) bytes was bound as a decimal, but is no number in decimal digits."
        default:
            nil
        }
    }

    /// Makes sure that every value can be bound.
    ///
    /// - Throws: ``DatabaseError`` with `encodingFailed`, which names the value's position, from 1.
    static func check(_ values: [SQLValue]) throws(DatabaseError) {
        for (index, value) in values.enumerated() {
            guard let reason = value.refusal else { continue }
            throw DatabaseError(.encodingFailed, message: "Value \(index + 1) cannot be bound. \(reason)")
        }
    }
}

extension Optional: SQLEncodable where Wrapped: SQLEncodable {
    /// The wrapped value, or NULL.
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

extension Optional: SQLDecodable where Wrapped: SQLDecodable {
    /// Creates `nil` from NULL, and the wrapped value from anything else.
    public init?(cell: Cell) {
        if cell.isNull {
            self = .none
        } else if let wrapped = Wrapped(cell: cell) {
            self = .some(wrapped)
        } else {
            return nil
        }
    }
}

extension SQLEncodable where Self: RawRepresentable, RawValue: SQLEncodable {
    /// The raw value.
    public var sqlValue: SQLValue { rawValue.sqlValue }
}

extension SQLDecodable where Self: RawRepresentable, RawValue: SQLDecodable {
    /// Creates a value from its raw value, or returns `nil` when it has none of them.
    public init?(cell: Cell) {
        guard let rawValue = RawValue(cell: cell) else { return nil }
        self.init(rawValue: rawValue)
    }
}

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
