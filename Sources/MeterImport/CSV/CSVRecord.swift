import Headroom

/// A record of a CSV file: its fields where they lie in the reader's buffer; good only until the next one is read.
struct CSVRecord {
    /// What is wrong with a record as a whole.
    enum Flaw: UInt8 {
        /// A quote of it is not closed, or text follows the closing one. It ends with the line in which the quote opens.
        case brokenQuote
        /// It is longer than ``CSVScanner/longestRecord``. Its bytes are only the first of it.
        case tooLong
    }

    /// The record as it stands in the file, without the line's end.
    var raw: Bytes

    /// The fields, unescaped; none when the record has a flaw.
    var fields: UnsafePointer<Bytes>

    /// The number of fields.
    var count: Int

    /// The line on which the record begins, from 1.
    var line: Int

    /// Whether it holds nothing but ASCII.
    var isASCII: Bool

    /// What is wrong with it as a whole.
    var flaw: Flaw?

    /// The field's bytes without white space around them; empty when the record has no such field.
    ///
    /// A `'` by which somebody, such as our own rejects.csv, has kept a spreadsheet from running the cell is no part of it.
    subscript(field: Int) -> Bytes {
        guard field < count else { return Bytes(start: raw.start, count: 0) }
        let cell = fields[field].trimmed
        guard cell.first == UInt8(ascii: "'"), Escaping.isFormula(cell.dropFirst().buffer) else { return cell }
        return cell.dropFirst().trimmed
    }

    /// Whether there is nothing in any field: a blank line, or one of delimiters only, as spreadsheets leave behind.
    var isBlank: Bool {
        guard flaw == nil else { return false }
        for field in 0..<count where !self[field].isEmpty { return false }
        return true
    }

    /// The record as it stands in the file, as text that is valid even when the bytes are not.
    var text: String { raw.text }

    /// Whether the record's bytes are valid UTF-8.
    var isUTF8: Bool { isASCII || String(validating: raw.buffer, as: UTF8.self) != nil }
}
