// FLOAT and DOUBLE, and whatever else is a number.
//
// In the text form, which a statement without values has, the server rounds a FLOAT to 6 digits; in the binary form all of
// its bits come. A DOUBLE is exact in both.

extension Float: SQLDecodable, SQLEncodable {
    /// Creates the nearest number, or returns `nil` when the cell holds none, or one that is too large.
    public init?(cell: Cell) {
        self.init(number: cell)
    }

    /// The number in double precision, which changes nothing of it.
    public var sqlValue: SQLValue { .double(Double(self)) }
}

extension Double: SQLDecodable, SQLEncodable {
    /// Creates the nearest number, or returns `nil` when the cell holds none, or one that is too large.
    ///
    /// Of a FLOAT it is the very number that the column has, which for 0.1 is 0.10000000149011612.
    public init?(cell: Cell) {
        if cell.type == .float {
            guard let number = Float(number: cell) else { return nil }
            self.init(number)
        } else {
            self.init(number: cell)
        }
    }

    /// The number in double precision.
    public var sqlValue: SQLValue { .double(self) }
}

extension BinaryFloatingPoint where Self: LosslessStringConvertible {
    fileprivate init?(number cell: Cell) {
        guard let bytes = cell.bytes else { return nil }
        if cell.type == .bit {
            guard let bits = UInt64(bits: bytes) else { return nil }
            self.init(bits)
            return
        }
        // Swift reads more than numbers: "nan", "0x10".
        guard cell.type.isNumeric, NumberText.isValid(bytes, allowsExponent: true) else { return nil }
        self.init(String(decoding: bytes, as: UTF8.self))
        if !isFinite { return nil }
    }
}

/// The text of a number, as SQL writes it.
enum NumberText {
    /// Whether the bytes are a number in decimal digits, such as `-1.50`, or `1e+20` with an exponent.
    static func isValid(_ bytes: some Sequence<UInt8>, allowsExponent: Bool) -> Bool {
        var (digits, hasPoint, hasExponent, isAtSign) = (0, false, false, true)
        for byte in bytes {
            switch byte {
            case 0x30...0x39:
                digits += 1
            case UInt8(ascii: "-"), UInt8(ascii: "+"):
                guard isAtSign else { return false }
            case UInt8(ascii: "."):
                guard !hasPoint, !hasExponent else { return false }
                hasPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard allowsExponent, !hasExponent, digits > 0 else { return false }
                (digits, hasExponent, isAtSign) = (0, true, true)
                continue
            default:
                return false
            }
            isAtSign = false
        }
        return digits > 0
    }
}
