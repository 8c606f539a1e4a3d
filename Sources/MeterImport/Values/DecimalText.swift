/// Reads decimal numbers exactly, and rounds them half to even.
enum DecimalText {
    /// Reads a number and counts it in units of ten to the power of the negative decimals.
    ///
    /// Also `1.5e-3`, which spreadsheets write. Not: a comma as the decimal point, separators between thousands, `inf`.
    ///
    /// - Parameters:
    ///   - text: The number.
    ///   - decimals: How many decimals are kept.
    /// - Returns: The count, the greatest possible one when it is too large, or `nil` when the text is no number.
    static func units(_ text: Bytes, decimals: Int) -> Int64? {
        if let units = plain(text, decimals: decimals) { return units }
        guard let number = Decimal(text) else { return nil }
        guard let units = number.rounded(shiftedBy: decimals) else { return .max }
        return number.isNegative ? -units : units
    }

    /// Reads what nearly all cells are: a sign, at most 18 digits and a point; `nil` for everything else.
    private static func plain(_ text: Bytes, decimals wanted: Int) -> Int64? {
        var index = 0
        var isNegative = false
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        guard text.count - index <= 19, text.count > index else { return nil }
        var whole: Int64 = 0
        var digits = 0
        var decimals = -1
        while index < text.count {
            let byte = text[index]
            if byte.isDigit {
                whole = whole &* 10 &+ Int64(byte.digit)
                digits += 1
                if decimals >= 0 { decimals += 1 }
            } else if byte == UInt8(ascii: "."), decimals < 0 {
                decimals = 0
            } else {
                return nil
            }
            index += 1
        }
        guard digits > 0, digits <= 18 else { return nil }
        let shift = wanted - max(0, decimals)
        guard shift < 0 else {
            guard shift <= 9 else { return nil }
            let (product, isTooLarge) = whole.multipliedReportingOverflow(by: powersOfTen[shift])
            return isTooLarge ? nil : isNegative ? -product : product
        }
        let divisor = powersOfTen[-shift]
        var (quotient, rest) = whole.quotientAndRemainder(dividingBy: divisor)
        // Half to even; the double of a rest below 10^18 fits.
        if rest * 2 > divisor || rest * 2 == divisor && quotient % 2 != 0 { quotient += 1 }
        return isNegative ? -quotient : quotient
    }

    private static let powersOfTen: [Int64] = {
        var powers: [Int64] = [1]
        for _ in 0..<18 { powers.append((powers.last ?? 1) * 10) }
        return powers
    }()
}

/// A decimal number as its digits and the place of its point.
private struct Decimal {
    var isNegative = false
    private var digits: [UInt8] = []
    /// How many of the digits stand before the point; may be negative or beyond the digits.
    private var point = 0

    init?(_ text: Bytes) {
        var index = 0
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        digits.reserveCapacity(text.count)
        var sawDigit = false
        var sawPoint = false
        while index < text.count {
            let byte = text[index]
            if byte.isDigit {
                sawDigit = true
                // Leading zeros say nothing; a number of zeros alone has no digits.
                if byte != 48 || !digits.isEmpty {
                    digits.append(byte - 48)
                    if !sawPoint { point += 1 }
                } else if sawPoint {
                    point -= 1
                }
            } else if byte == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
            } else {
                break
            }
            index += 1
        }
        guard sawDigit else { return nil }
        guard index < text.count else { return }
        let exponent = text.dropFirst(index + 1)
        guard text[index] == UInt8(ascii: "e") || text[index] == UInt8(ascii: "E"), exponent.count <= 4,
            let exponent = Int(exponent.text)
        else { return nil }
        point += exponent
    }

    /// The number times a power of ten, rounded half to even to a whole number; `nil` when it does not fit.
    func rounded(shiftedBy shift: Int) -> Int64? {
        let count = point + shift
        guard !digits.isEmpty, count >= 0 else { return 0 }
        guard count <= 18 else { return nil }
        var whole: Int64 = 0
        for index in 0..<count {
            whole = whole * 10 + (index < digits.count ? Int64(digits[index]) : 0)
        }
        guard count < digits.count else { return whole }
        let first = digits[count]
        let isExactHalf = first == 5 && digits[(count + 1)...].allSatisfy { $0 == 0 }
        let goesUp = isExactHalf ? whole % 2 != 0 : first >= 5
        return goesUp ? whole + 1 : whole
    }
}
