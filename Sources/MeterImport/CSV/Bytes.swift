/// A stretch of bytes in somebody else's buffer, such as a cell; good only until the next record is read.
///
/// Cells are read where they lie: a file of 40 million rows must not cost an allocation a field.
struct Bytes {
    /// The first byte.
    let start: UnsafePointer<UInt8>

    /// The number of bytes.
    let count: Int

    var isEmpty: Bool { count == 0 }

    var first: UInt8? { count > 0 ? start[0] : nil }

    var last: UInt8? { count > 0 ? start[count - 1] : nil }

    /// The bytes for the standard library's algorithms.
    var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

    subscript(index: Int) -> UInt8 {
        assert(index >= 0 && index < count)
        return start[index]
    }

    /// The first bytes, at most that many.
    func prefix(_ length: Int) -> Bytes { Bytes(start: start, count: min(length, count)) }

    /// What follows the first bytes.
    func dropFirst(_ length: Int = 1) -> Bytes {
        let length = min(length, count)
        return Bytes(start: start + length, count: count - length)
    }

    /// All but the last byte.
    func dropLast() -> Bytes { Bytes(start: start, count: max(0, count - 1)) }

    /// Where a byte occurs first.
    func firstIndex(of byte: UInt8) -> Int? {
        var index = 0
        while index < count {
            if start[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// Where the first byte that is no digit stands; the count when all are digits.
    var digitCount: Int {
        var index = 0
        while index < count, start[index].isDigit { index += 1 }
        return index
    }

    /// Whether all bytes are digits, and there is one.
    var isAllDigits: Bool { count > 0 && digitCount == count }

    /// The bytes without white space at both ends.
    var trimmed: Bytes {
        var from = 0
        var to = count
        while from < to, start[from].isSpace { from += 1 }
        while from < to, start[to - 1].isSpace { to -= 1 }
        // A space that does not break (U+00A0) is one.
        while to - from >= 2, start[from] == 0xC2, start[from + 1] == 0xA0 { from += 2 }
        while to - from >= 2, start[to - 2] == 0xC2, start[to - 1] == 0xA0 { to -= 2 }
        return Bytes(start: start + from, count: to - from)
    }

    /// The bytes as text that is valid even when they are not.
    var text: String { String(decoding: buffer, as: UTF8.self) }

    /// The digits as a number; `nil` when there are other bytes, or too few or many.
    func number(digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(count) else { return nil }
        var number = 0
        var index = 0
        while index < count {
            let byte = start[index]
            guard byte.isDigit else { return nil }
            number = number * 10 + byte.digit
            index += 1
        }
        return number
    }

    /// Eight bytes as a number, with zeros beyond the end.
    func word(at place: Int) -> UInt64 {
        if place + 8 <= count { return UnsafeRawPointer(start + place).loadUnaligned(as: UInt64.self) }
        var word: UInt64 = 0
        var index = count
        while index > place {
            index -= 1
            word = word << 8 | UInt64(start[index])
        }
        return word
    }

    /// Whether the bytes are an ASCII word, in any case; the word is given in lower case.
    func isWord(_ word: StaticString) -> Bool {
        guard word.utf8CodeUnitCount == count else { return false }
        var index = 0
        while index < count {
            let byte = start[index]
            let lower = byte >= 65 && byte <= 90 ? byte + 32 : byte
            guard lower == word.utf8Start[index] else { return false }
            index += 1
        }
        return true
    }
}

extension UInt8 {
    static let quote = UInt8(ascii: "\"")
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    /// Whether the byte is an ASCII digit.
    var isDigit: Bool { self &- 48 <= 9 }

    /// The value of an ASCII digit.
    var digit: Int { Int(self) - 48 }

    /// Whether the byte is white space that may stand around a cell.
    var isSpace: Bool { self == 32 || self == 9 || self == 10 || self == 13 }
}
