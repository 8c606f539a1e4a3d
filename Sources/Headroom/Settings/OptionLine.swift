/// One line of a MySQL option file, `name`, or `name = value`.
struct OptionLine {
    /// The name, as it stands.
    let name: String

    /// The value without its quotes; `nil` for a name alone.
    let value: String?

    /// Whether a comment begins within a word: most likely a password with a `#` that is not in quotes.
    let isCut: Bool

    init(_ line: Substring) {
        let end = Self.endBeforeComment(line)
        isCut = end < line.endIndex && end > line.startIndex && !line[line.index(before: end)].isWhitespace
        let text = line[..<end]
        guard let equals = text.firstIndex(of: "=") else {
            name = String(text.trimming { $0.isWhitespace })
            value = nil
            return
        }
        name = String(text[..<equals].trimming { $0.isWhitespace })
        var raw = text[text.index(after: equals)...].trimming { $0.isWhitespace }
        // One quote at each end, whatever is between them: as the tools have it.
        if raw.count > 1, let quote = raw.first, quote == "'" || quote == "\"", raw.last == quote {
            raw = raw.dropFirst().dropLast()
        }
        value = Self.unescaped(raw)
    }

    private static func endBeforeComment(_ line: Substring) -> Substring.Index {
        var quote: Character?
        var isEscaped = false
        for index in line.indices {
            let character = line[index]
            if !isEscaped, character == "'" || character == "\"" {
                if quote == nil { quote = character } else if quote == character { quote = nil }
            }
            if quote == nil, character == "#" { return index }
            isEscaped = quote != nil && character == "\\" && !isEscaped
        }
        return line.endIndex
    }

    private static func unescaped(_ raw: Substring) -> String {
        let escapes: [Character: Character] = [
            "n": "\n", "t": "\t", "r": "\r", "b": "\u{8}", "s": " ", "\\": "\\", "'": "'", "\"": "\"",
        ]
        var text = ""
        var rest = raw
        while let character = rest.popFirst() {
            guard character == "\\", let next = rest.popFirst() else {
                text.append(character)
                continue
            }
            if let meant = escapes[next] { text.append(meant) } else { text += "\\\(next)" }
        }
        return text
    }
}
