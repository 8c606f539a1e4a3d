/// One line of a MySQL option file, `name`, or `name = value`.
struct OptionLine {
    /// The name, as it stands.
    let name: String

    /// The value without its quotes; `nil` for a name alone.
    let value: String?

    /// Whether a comment begins within a word: most likely a password with a `#` that is not in quotes.
    let isCut: Bool

    init(_ line: ArraySlice<UInt8>) {
        let end = Self.endBeforeComment(line)
        isCut = end < line.endIndex && end > line.startIndex && !line[end - 1].isSpace
        let text = line[..<end]
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else {
            name = text.trimmed.text
            value = nil
            return
        }
        name = text[..<equals].trimmed.text
        var raw = text[(equals + 1)...].trimmed
        // One quote at each end, whatever is between them: as the tools have it.
        if raw.count > 1, let quote = raw.first, Self.isQuote(quote), raw.last == quote {
            raw = raw.dropFirst().dropLast()
        }
        value = Self.unescaped(raw)
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") }

    private static func endBeforeComment(_ line: ArraySlice<UInt8>) -> Int {
        var quote: UInt8?
        var isEscaped = false
        for (index, byte) in zip(line.indices, line) {
            if !isEscaped, isQuote(byte) {
                if quote == nil { quote = byte } else if quote == byte { quote = nil }
            }
            if quote == nil, byte == UInt8(ascii: "#") { return index }
            isEscaped = quote != nil && byte == UInt8(ascii: "\\") && !isEscaped
        }
        return line.endIndex
    }

    private static func unescaped(_ raw: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        var rest = raw
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                text.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "n"): text.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "t"): text.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "r"): text.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "s"): text.append(UInt8(ascii: " "))
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): text.append(next)
            default: text += [byte, next]
            }
        }
        return text[...].text
    }
}
