// TINYINT to BIGINT, signed and unsigned, and YEAR; BIT has its own bytes.

extension SQLDecodable where Self: FixedWidthInteger {
    /// Creates a whole number, or `nil` when the cell holds none, or one with a fraction, or does not fit.
    ///
    /// Bits are read as the number that they make; of a DOUBLE its exact value counts.
    public init?(cell: Cell) {
        guard let bytes = cell.bytes else { return nil }
        switch cell.type {
        case .bit:
            self.init(bits: bytes)
        case .float, .double:
            guard let number = Double(cell: cell) else { return nil }
            self.init(exactly: number)
        case let type where type.isNumeric:
            self.init(digits: bytes)
        default:
            return nil
        }
    }
}

extension SQLEncodable where Self: FixedWidthInteger {
    /// The number, as an integer, or in decimal digits where it is larger than any of the protocol's.
    public var sqlValue: SQLValue {
        if let number = Int64(exactly: self) { return .integer(number) }
        if let number = UInt64(exactly: self) { return .unsigned(number) }
        return .decimal(String(self))
    }
}

extension FixedWidthInteger {
    /// Creates a number from decimal digits with or without a minus sign, and from nothing else.
    init?(digits: ArraySlice<UInt8>) {
        var digits = digits
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits.removeFirst() }
        guard !digits.isEmpty else { return nil }
        var number: Self = 0
        for byte in digits {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let digit = Self(truncatingIfNeeded: byte &- 0x30)
            let (sum, isStillTooLarge) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !isTooLarge, !isStillTooLarge else { return nil }
            number = sum
        }
        self = number
    }
}

extension Int: SQLDecodable, SQLEncodable {}
extension Int8: SQLDecodable, SQLEncodable {}
extension Int16: SQLDecodable, SQLEncodable {}
extension Int32: SQLDecodable, SQLEncodable {}
extension Int64: SQLDecodable, SQLEncodable {}
extension Int128: SQLDecodable, SQLEncodable {}
extension UInt: SQLDecodable, SQLEncodable {}
extension UInt8: SQLDecodable, SQLEncodable {}
extension UInt16: SQLDecodable, SQLEncodable {}
extension UInt32: SQLDecodable, SQLEncodable {}
extension UInt64: SQLDecodable, SQLEncodable {}
extension UInt128: SQLDecodable, SQLEncodable {}
