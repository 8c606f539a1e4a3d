/// A record of a CSV file: its fields, and the bytes it was made of.
struct CSVRecord {
    /// The record's bytes as they stand in the file, without the line's end; then the unescaped text of quoted fields.
    fileprivate(set) var bytes: [UInt8] = []

    /// How many of the bytes are the record as it stands in the file.
    fileprivate(set) var rawCount = 0

    /// Where the fields are in `bytes`.
    fileprivate(set) var fields: [Range<Int>] = []

    /// The line on which the record begins, from 1.
    fileprivate(set) var line = 1

    /// Whether a quote of the record is not closed, or text follows a closed one: it may then have taken in further rows.
    fileprivate(set) var hasBrokenQuote = false

    /// The field's bytes without white space around them; empty when the record has no such field.
    subscript(field: Int) -> ArraySlice<UInt8> {
        guard field < fields.count else { return [] }
        return bytes[fields[field]].trimmed
    }

    /// The record as it stands in the file, as text that is valid even when the bytes are not.
    var text: String { String(decoding: bytes[..<rawCount], as: UTF8.self) }

    /// Whether the record's bytes are valid UTF-8.
    var isUTF8: Bool {
        // Nearly all records are plain ASCII, which needs no closer look.
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes[..<rawCount], as: UTF8.self) != nil
    }
}

extension CSVRecord {
    /// Fills the record from the bytes of a line.
    ///
    /// Fields in quotes are unescaped behind the raw bytes; a quote in the middle of an unquoted field is an ordinary byte.
    mutating func fill(from source: some Collection<UInt8>, delimiter: UInt8, line: Int) {
        self.line = line
        hasBrokenQuote = false
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: source)
        rawCount = bytes.count
        var position = 0
        while true {
            if position < rawCount, bytes[position] == .quote {
                position = fillQuoted(from: position, delimiter: delimiter)
            } else {
                let start = position
                while position < rawCount, bytes[position] != delimiter { position += 1 }
                fields.append(start..<position)
            }
            guard position < rawCount else { return }
            position += 1
        }
    }

    /// Unescapes the quoted field at the position; returns where its delimiter is, or the end.
    private mutating func fillQuoted(from start: Int, delimiter: UInt8) -> Int {
        let fieldStart = bytes.count
        var position = start + 1
        var isClosed = false
        while position < rawCount {
            let byte = bytes[position]
            if byte == .quote {
                guard position + 1 < rawCount, bytes[position + 1] == .quote else {
                    position += 1
                    isClosed = true
                    break
                }
                position += 1
            }
            bytes.append(byte)
            position += 1
        }
        if !isClosed || position < rawCount && bytes[position] != delimiter { hasBrokenQuote = true }
        while position < rawCount, bytes[position] != delimiter {
            bytes.append(bytes[position])
            position += 1
        }
        fields.append(fieldStart..<bytes.count)
        return position
    }
}

extension UInt8 {
    static let quote = UInt8(ascii: "\"")
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    /// Whether the byte is an ASCII digit.
    var isDigit: Bool { self >= 48 && self <= 57 }

    /// The value of an ASCII digit.
    var digit: Int { Int(self) - 48 }
}

extension ArraySlice<UInt8> {
    /// The bytes without white space at both ends.
    var trimmed: ArraySlice<UInt8> {
        var slice = self
        while let first = slice.first, first == 32 || first == 9 || first == 10 || first == 13 { slice.removeFirst() }
        while let last = slice.last, last == 32 || last == 9 || last == 10 || last == 13 { slice.removeLast() }
        return slice
    }

    /// The bytes as text that is valid even when they are not.
    var text: String { String(decoding: self, as: UTF8.self) }
}
