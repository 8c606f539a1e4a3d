/// How a file writes its numbers.
enum NumberStyle: String, Codable, Hashable, Sendable {
    /// Digits and a point.
    case plain
    /// With a sign between thousands, such as `1,563.10`.
    case grouped
    /// With a comma before the decimals, such as `1563,10`.
    case decimalComma

    /// The same as ``DecimalText/units(_:decimals:)``, as the file writes its numbers.
    func units(_ text: Bytes, decimals: Int) -> Int64? {
        guard self != .plain, let number = SeparatedNumber(text) else {
            return DecimalText.units(text, decimals: decimals)
        }
        guard let plain = number.plain(self) else { return nil }
        return plain.withBytes { DecimalText.units($0, decimals: decimals) }
    }
}

/// A number with commas, spaces or apostrophes in it.
struct SeparatedNumber {
    /// What the signs in a number can be.
    enum Form {
        /// Between thousands only: `1,563.10`, `1 563`, `1,234,567`.
        case grouped
        /// Before the decimals: `0,25`, `1.563,10`.
        case decimalComma
        /// Either: `1,563`.
        case either
    }

    let form: Form
    /// The digits, with the sign before them, and how many of them are behind the last sign.
    private var digits: [UInt8] = []
    private var last = 0

    /// Reads a number; `nil` when it has no such sign in it, or they stand where none can.
    init?(_ text: Bytes) {
        var runs: [Int] = []
        var signs: [UInt8] = []
        var run = 0
        var index = 0
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            digits.append(first)
            index = 1
        }
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte.isDigit {
                digits.append(byte)
                run += 1
                continue
            }
            guard signs.count < 8, digits.count < 40 else { return nil }
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "."): signs.append(byte)
            case 32, UInt8(ascii: "'"): signs.append(32)
            // Spaces that do not break, wide and narrow.
            case 0xC2 where index < text.count && text[index] == 0xA0:
                signs.append(32)
                index += 1
            case 0xE2 where index + 1 < text.count && text[index] == 0x80 && text[index + 1] == 0xAF:
                signs.append(32)
                index += 2
            default: return nil
            }
            runs.append(run)
            run = 0
        }
        runs.append(run)
        guard let sign = signs.last, signs.contains(where: { $0 != UInt8(ascii: ".") }), run > 0 else { return nil }
        last = run
        let isGroups = (1...3).contains(runs[0]) && runs[1..<signs.count].allSatisfy { $0 == 3 }
        let others = Set(signs.dropLast())
        switch sign {
        case UInt8(ascii: "."):
            guard isGroups, others.count == 1 else { return nil }
            form = .grouped
        case UInt8(ascii: ","):
            if others == [sign] {
                guard isGroups, run == 3 else { return nil }
                form = .grouped
            } else if others.isEmpty {
                let isZero = runs[0] == 0 || runs[0] == 1 && digits.first { $0.isDigit } == 48
                form = run == 3 && isGroups && !isZero ? .either : .decimalComma
            } else {
                guard isGroups, others.count == 1 else { return nil }
                form = .decimalComma
            }
        default:
            guard isGroups, run == 3, others.isSubset(of: [32]) else { return nil }
            form = .grouped
            last = 0
            return
        }
        if sign == UInt8(ascii: ","), form == .grouped { last = 0 }
    }

    /// The number with a point and nothing else in it; `nil` where it is of another style.
    func plain(_ style: NumberStyle) -> [UInt8]? {
        switch (style, form) {
        case (.grouped, .grouped): with(last)
        case (.grouped, .either): with(0)
        case (.decimalComma, .decimalComma), (.decimalComma, .either): with(last)
        default: nil
        }
    }

    private func with(_ decimals: Int) -> [UInt8] {
        guard decimals > 0 else { return digits }
        return digits.dropLast(decimals) + [UInt8(ascii: ".")] + digits.suffix(decimals)
    }
}

extension [UInt8] {
    /// Reads the bytes where they lie.
    func withBytes<Result, Failure>(_ body: (Bytes) throws(Failure) -> Result) throws(Failure) -> Result {
        try withUnsafeBufferPointer { buffer throws(Failure) in
            guard let start = buffer.baseAddress else {
                preconditionFailure("a number of one digit at least has an address")
            }
            return try body(Bytes(start: start, count: buffer.count))
        }
    }
}
