/// A type that can be read from a cell of a result.
public protocol SQLDecodable {
    /// Creates a value from a cell, or returns `nil` when the cell holds something else.
    init?(cell: Cell)
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

extension String: SQLDecodable {
    /// Creates text from anything but NULL and bytes that are not UTF-8.
    public init?(cell: Cell) {
        guard let bytes = cell.bytes, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        self = text
    }
}

extension [UInt8]: SQLDecodable {
    /// Creates bytes from anything but NULL.
    public init?(cell: Cell) {
        guard let bytes = cell.bytes else { return nil }
        self = [UInt8](bytes)
    }
}

extension Bool: SQLDecodable {
    /// Creates `false` from 0 and `true` from any other whole number.
    public init?(cell: Cell) {
        guard let number = Int64(cell: cell) else { return nil }
        self = number != 0
    }
}

extension Double: SQLDecodable {
    /// Creates a number from the text of a number, decimals included.
    public init?(cell: Cell) {
        guard let text = String(cell: cell) else { return nil }
        self.init(text)
    }
}

extension SQLDecodable where Self: FixedWidthInteger {
    /// Creates a whole number, or `nil` when the cell has a fraction or does not fit.
    public init?(cell: Cell) {
        guard let text = String(cell: cell) else { return nil }
        self.init(text)
    }
}

extension Int: SQLDecodable {}
extension Int32: SQLDecodable {}
extension Int64: SQLDecodable {}
extension UInt32: SQLDecodable {}
extension UInt64: SQLDecodable {}
