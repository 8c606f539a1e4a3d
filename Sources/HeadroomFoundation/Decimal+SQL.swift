public import Headroom

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Decimal: SQLDecodable, SQLEncodable {
    /// Creates a number from a DECIMAL, a whole number, or the text of one; `nil` where it has more than 38 digits.
    ///
    /// A FLOAT and a DOUBLE are none: they have no decimal digits.
    public init?(cell: Cell) {
        switch cell.type {
        case .float, .double, .bit: return nil
        default: break
        }
        guard let text = String(cell: cell), Self.digits(text).map({ $0 <= 38 }) == true,
            let number = Decimal(string: text)
        else { return nil }
        self = number
    }

    /// The number in decimal digits, exactly.
    public var sqlValue: SQLValue { isNaN ? .unstorable("The number is none (NaN).") : .decimal(description) }

    /// The number of digits that count in a text, or `nil` when it is no number in decimal digits.
    private static func digits(_ text: String) -> Int? {
        var (count, zeros, hasPoint, hasDigit) = (0, 0, false, false)
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "-") where index == 0: break
            case UInt8(ascii: ".") where !hasPoint: hasPoint = true
            case 0x30:
                hasDigit = true
                // Zeros before the first other digit do not count; later ones do once another digit follows.
                if count > 0 { zeros += 1 }
            case 0x31...0x39:
                hasDigit = true
                count += zeros + 1
                zeros = 0
            default: return nil
            }
        }
        return hasDigit ? count : nil
    }
}
