/// Cuts a stream of bytes into CSV records, whatever the pieces in which the bytes come.
///
/// RFC 4180, and what real files have besides: a byte order mark, LF, CR or CR LF as the end of a line, blank lines. It
/// reads and writes nothing itself.
struct CSVParser {
    /// What the next look at the bytes found.
    enum Step: Equatable {
        /// The record is filled.
        case record
        /// More bytes are needed, or the end of the file.
        case needsMore
        /// There is no further record.
        case end
        /// A record is longer than ``longestRecord``; most likely a quote is not closed. The line is where it begins.
        case tooLong(line: Int)
    }

    /// The longest record: a quote that is not closed must not take in the whole file.
    static let longestRecord = 1 << 20

    /// What stands between fields.
    var delimiter: UInt8

    /// The place in the file just behind the last record, in bytes.
    private(set) var offset: Int

    /// The line after the last record, from 1.
    private(set) var line: Int

    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    /// Creates a parser for a file, or for the rest of one from a place between two records.
    init(delimiter: UInt8 = UInt8(ascii: ","), offset: Int = 0, line: Int = 1) {
        self.delimiter = delimiter
        self.offset = offset
        self.line = line
    }

    /// Takes the file's next bytes; none means that the file is at its end.
    mutating func feed(_ bytes: some Collection<UInt8>) {
        if bytes.isEmpty { isAtEnd = true }
        if position > 0 {
            buffer.removeSubrange(..<position)
            position = 0
        }
        buffer.append(contentsOf: bytes)
        skipByteOrderMark()
    }

    /// Fills the record with the next one of the file.
    mutating func next(into record: inout CSVRecord) -> Step {
        while true {
            if offset == 0, !isAtEnd, buffer.count - position < 3 { return .needsMore }
            guard position < buffer.count else { return isAtEnd ? .end : .needsMore }
            guard let found = findEnd() else {
                guard buffer.count - position <= Self.longestRecord else { return .tooLong(line: line) }
                return .needsMore
            }
            let content = position..<found.content
            let isBlank = content.isEmpty
            if !isBlank { record.fill(from: buffer[content], delimiter: delimiter, line: line) }
            line += found.lines
            offset += found.next - position
            position = found.next
            if !isBlank { return .record }
        }
    }

    /// Where the record at the position ends, where the next begins, and how many lines that is.
    private func findEnd() -> (content: Int, next: Int, lines: Int)? {
        buffer.withUnsafeBufferPointer { bytes in
            var isQuoted = false
            var isFieldStart = true
            var lines = 1
            var index = position
            while index < bytes.count {
                let byte = bytes[index]
                if isQuoted {
                    if byte == .quote {
                        isQuoted = false
                    } else if byte == .newline {
                        lines += 1
                    }
                } else if byte == .quote {
                    // Opens a field, or goes on with one after a doubled quote.
                    isQuoted = isFieldStart || bytes[index - 1] == .quote
                } else if byte == .newline {
                    return (index, index + 1, lines)
                } else if byte == .carriageReturn {
                    guard index + 1 < bytes.count else { return isAtEnd ? (index, index + 1, lines) : nil }
                    return (index, index + (bytes[index + 1] == .newline ? 2 : 1), lines)
                }
                isFieldStart = byte == delimiter && !isQuoted
                index += 1
            }
            return isAtEnd ? (bytes.count, bytes.count, lines) : nil
        }
    }

    private mutating func skipByteOrderMark() {
        guard offset == 0, position == 0, buffer.starts(with: [0xEF, 0xBB, 0xBF]) else { return }
        position = 3
        offset = 3
    }
}
