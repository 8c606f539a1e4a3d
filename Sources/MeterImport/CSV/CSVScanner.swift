/// Cuts a stream of bytes into CSV records, whatever the pieces in which the bytes come.
///
/// RFC 4180, and what real files have besides: a byte order mark, LF, CR or CR LF as the end of a line, blank lines, quotes
/// that are not closed. It reads and writes nothing itself. What it finds depends on the bytes alone and never on the
/// pieces, so that reading may begin again behind any record.
struct CSVScanner: ~Copyable {
    /// What the next look at the bytes found.
    enum Step {
        /// A record.
        case record(CSVRecord)
        /// More bytes are needed, or the end of the file.
        case needsMore
        /// There is no further record.
        case end
    }

    /// The longest record in bytes; one with a quote that is not closed must not take in the whole file.
    static let longestRecord = 1 << 16

    /// How much of a record that is too long is kept, to show it.
    private static let shownOfTooLong = 1000

    private static let capacity = longestRecord + 192 * 1024

    /// The place in the file just behind the last record, in bytes.
    private(set) var offset = 0

    /// The line after the last record, from 1.
    private(set) var line = 1

    /// What stands between fields.
    let delimiter: UInt8

    private let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.capacity)
    /// The text of fields with doubled quotes, and the beginning of a record that is too long.
    private let unescaped = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.longestRecord + 1)
    private let fields = UnsafeMutablePointer<Bytes>.allocate(capacity: Self.longestRecord + 2)
    /// For each byte whether it ends a run of ordinary ones.
    private let isSpecial = UnsafeMutablePointer<Bool>.allocate(capacity: 256)
    private var position = 0
    private var end = 0
    private var isAtEnd = false
    /// The beginning of a record that is too long, while its end is looked for.
    private var tooLong: (count: Int, line: Int)?

    init(delimiter: UInt8) {
        self.delimiter = delimiter
        isSpecial.initialize(repeating: false, count: 256)
        for byte in [delimiter, .quote, .newline, .carriageReturn] { isSpecial[Int(byte)] = true }
    }

    deinit {
        buffer.deallocate()
        unescaped.deallocate()
        fields.deallocate()
        isSpecial.deallocate()
    }

    /// Goes on elsewhere in the file, at the start of a record.
    mutating func jump(to offset: Int, line: Int) {
        self.offset = offset
        self.line = line
        position = 0
        end = 0
        isAtEnd = false
        tooLong = nil
    }

    /// Takes the file's next bytes.
    ///
    /// - Parameter read: Puts bytes into the room and returns how many; none means that the file is at its end.
    mutating func feed(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows {
        if position > 0 {
            buffer.update(from: buffer + position, count: end - position)
            end -= position
            position = 0
        }
        let count = try read(UnsafeMutableRawBufferPointer(start: buffer + end, count: Self.capacity - end))
        if count == 0 { isAtEnd = true }
        end += count
    }

    /// Finds the next record.
    mutating func next() -> Step {
        while true {
            if offset == 0, tooLong == nil {
                guard end - position >= 3 || isAtEnd else { return .needsMore }
                if end - position >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { advance(to: 3) }
            }
            if tooLong != nil {
                guard let record = skipTooLong() else { return .needsMore }
                return .record(record)
            }
            guard position < end else { return isAtEnd ? .end : .needsMore }
            switch scan() {
            case .incomplete:
                return .needsMore
            case .complete(let content, let next, let lines, let count, let isASCII):
                let record = CSVRecord(
                    raw: Bytes(start: buffer + position, count: content - position),
                    fields: fields,
                    count: count,
                    line: line,
                    isASCII: isASCII
                )
                line += lines
                advance(to: next)
                if record.raw.isEmpty { continue }
                return .record(record)
            case .broken(let content, let next, let lines):
                let record = flawed(
                    Bytes(start: buffer + position, count: content - position),
                    .brokenQuote,
                    line: line
                )
                line += lines
                advance(to: next)
                return .record(record)
            case .tooLong:
                let count = Self.shownOfTooLong
                unescaped.update(from: buffer + position, count: count)
                tooLong = (count, line)
                // What has been looked at may hold quoted line ends; the record ends with the first beyond it.
                let known = position + Self.longestRecord
                for index in position..<known where buffer[index] == .newline { line += 1 }
                advance(to: known)
            }
        }
    }

    private mutating func advance(to next: Int) {
        offset += next - position
        position = next
    }

    private func flawed(_ raw: Bytes, _ flaw: CSVRecord.Flaw, line: Int) -> CSVRecord {
        CSVRecord(raw: raw, fields: fields, count: 0, line: line, isASCII: false, flaw: flaw)
    }

    /// Skips to the end of the line of a record that is too long; `nil` when that is not there yet.
    private mutating func skipTooLong() -> CSVRecord? {
        guard let (count, firstLine) = tooLong else { return nil }
        var index = position
        while index < end, buffer[index] != .newline, buffer[index] != .carriageReturn { index += 1 }
        advance(to: index)
        guard index < end || isAtEnd else { return nil }
        if index < end {
            guard let next = lineEnd(at: index) else { return nil }
            advance(to: next)
            line += 1
        }
        tooLong = nil
        return flawed(Bytes(start: unescaped, count: count), .tooLong, line: firstLine)
    }

    /// Where the next line begins after the line end at an index; `nil` when that is not known yet.
    private func lineEnd(at index: Int) -> Int? {
        guard buffer[index] == .carriageReturn else { return index + 1 }
        guard index + 1 < end else { return isAtEnd ? index + 1 : nil }
        return index + (buffer[index + 1] == .newline ? 2 : 1)
    }
}

extension CSVScanner {
    private enum Scan {
        case incomplete
        case complete(content: Int, next: Int, lines: Int, count: Int, isASCII: Bool)
        case broken(content: Int, next: Int, lines: Int)
        case tooLong
    }

    /// Cuts the record at the position into fields.
    private func scan() -> Scan {
        let limit = position + Self.longestRecord
        var index = position
        var fieldStart = position
        var count = 0
        var lines = 1
        var bits: UInt8 = 0
        var escaped = 0
        while true {
            // The loop that reads nearly every byte of a file.
            while index < end, !isSpecial[Int(buffer[index])] {
                bits |= buffer[index]
                index += 1
            }
            guard index <= limit else { return .tooLong }
            guard index < end else {
                guard isAtEnd else { return .incomplete }
                fields[count] = Bytes(start: buffer + fieldStart, count: index - fieldStart)
                return .complete(content: index, next: index, lines: lines, count: count + 1, isASCII: bits < 0x80)
            }
            let byte = buffer[index]
            if byte == delimiter {
                fields[count] = Bytes(start: buffer + fieldStart, count: index - fieldStart)
                count += 1
                index += 1
                fieldStart = index
            } else if byte != .quote {
                guard let next = lineEnd(at: index) else { return .incomplete }
                fields[count] = Bytes(start: buffer + fieldStart, count: index - fieldStart)
                return .complete(content: index, next: next, lines: lines, count: count + 1, isASCII: bits < 0x80)
            } else if index > fieldStart {
                // A quote in the middle of an unquoted field is an ordinary byte.
                index += 1
            } else {
                switch quoted(at: index, limit: limit, lines: &lines, bits: &bits, escaped: &escaped) {
                case .field(let text, let after):
                    fields[count] = text
                    count += 1
                    guard after < end else {
                        return .complete(content: after, next: after, lines: lines, count: count, isASCII: bits < 0x80)
                    }
                    if buffer[after] == delimiter {
                        index = after + 1
                        fieldStart = index
                    } else {
                        guard let next = lineEnd(at: after) else { return .incomplete }
                        return .complete(content: after, next: next, lines: lines, count: count, isASCII: bits < 0x80)
                    }
                case .incomplete:
                    return .incomplete
                case .broken:
                    return broken(openedAt: index, limit: limit, lines: lines)
                }
            }
        }
    }

    private enum Quoted {
        case field(Bytes, after: Int)
        case incomplete
        case broken
    }

    /// Reads the quoted field at an index; `after` is where the delimiter or the line's end stands.
    private func quoted(at open: Int, limit: Int, lines: inout Int, bits: inout UInt8, escaped: inout Int) -> Quoted {
        var index = open + 1
        var newlines = 0
        var hasEscapes = false
        while index < end {
            guard index <= limit else { return .broken }
            let byte = buffer[index]
            if byte == .quote {
                if index + 1 < end {
                    if buffer[index + 1] == .quote {
                        hasEscapes = true
                        index += 2
                        continue
                    }
                } else if !isAtEnd {
                    return .incomplete
                }
                let after = index + 1
                if after < end {
                    let next = buffer[after]
                    guard next == delimiter || next == .newline || next == .carriageReturn else { return .broken }
                }
                lines += newlines
                let text = Bytes(start: buffer + open + 1, count: index - open - 1)
                return .field(hasEscapes ? unescape(text, &escaped) : text, after: after)
            }
            if byte == .newline { newlines += 1 }
            bits |= byte
            index += 1
        }
        guard index <= limit else { return .broken }
        return isAtEnd ? .broken : .incomplete
    }

    /// Copies a field's text with its doubled quotes made single.
    private func unescape(_ text: Bytes, _ escaped: inout Int) -> Bytes {
        let start = escaped
        var index = 0
        while index < text.count {
            let byte = text[index]
            unescaped[escaped] = byte
            escaped += 1
            index += byte == .quote ? 2 : 1
        }
        return Bytes(start: unescaped + start, count: escaped - start)
    }

    /// A record with a broken quote ends with the line in which the quote opens, so that no other row is lost with it.
    private func broken(openedAt open: Int, limit: Int, lines: Int) -> Scan {
        var index = open + 1
        while index < end, index <= limit, buffer[index] != .newline, buffer[index] != .carriageReturn { index += 1 }
        guard index <= limit else { return .tooLong }
        guard index < end else {
            return isAtEnd ? .broken(content: index, next: index, lines: lines) : .incomplete
        }
        guard let next = lineEnd(at: index) else { return .incomplete }
        return .broken(content: index, next: next, lines: lines)
    }
}
