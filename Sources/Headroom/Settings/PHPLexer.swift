/// A word of PHP.
enum PHPToken: Hashable {
    case variable(String)
    case word(String)
    /// A text or a whole number, as a text.
    case text(String)
    /// A literal that is none of these, such as a text with variables in it.
    case unknown
    case sign(UInt8)
}

/// Takes a PHP file apart.
struct PHPLexer {
    private var rest: ArraySlice<UInt8>
    private(set) var line = 1

    /// Where the last word begins and ends in the file.
    private(set) var start = 0
    var end: Int { rest.startIndex }

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
        skipPage()
    }

    /// Whether PHP begins here.
    static func isTag(_ text: ArraySlice<UInt8>) -> Bool {
        text.begins(with: "<?") && text.dropFirst(2).prefix(3).text.lowercased() == "php"
    }

    /// Passes over a page, up to where PHP begins in it.
    private mutating func skipPage() {
        while !rest.isEmpty, !Self.isTag(rest), !rest.begins(with: "<?=") { skip(1) }
        skip(rest.begins(with: "<?=") ? 3 : 5)
    }

    private mutating func skip(_ count: Int) {
        for byte in rest.prefix(count) where byte == UInt8(ascii: "\n") { line += 1 }
        rest = rest.dropFirst(count)
    }

    private mutating func skipBlank() {
        while let byte = rest.first {
            if byte.isSpace {
                skip(1)
            } else if rest.begins(with: "//") || byte == UInt8(ascii: "#") && !rest.begins(with: "#[") {
                // What ends the PHP ends its last comment too.
                while !rest.isEmpty, !rest.begins(with: "\n"), !rest.begins(with: "?>") { skip(1) }
            } else if rest.begins(with: "/*") {
                skip(2)
                while !rest.isEmpty, !rest.begins(with: "*/") { skip(1) }
                skip(2)
            } else {
                return
            }
        }
    }

    /// The next word; `nil` at the end.
    mutating func next() -> PHPToken? {
        skipBlank()
        start = rest.startIndex
        guard let first = rest.first else { return nil }
        switch first {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return quoted(first)
        case UInt8(ascii: "<") where rest.begins(with: "<<<"): return heredoc()
        case UInt8(ascii: "$"):
            let name = rest.dropFirst().prefix(while: Self.isOfWord)
            skip(1 + name.count)
            return .variable(name.text)
        case UInt8(ascii: "?") where rest.begins(with: "?>"):
            skipPage()
            return .sign(UInt8(ascii: ";"))
        case 0x30...0x39:
            let number = rest.prefix { Self.isOfWord($0) || $0 == UInt8(ascii: ".") }
            skip(number.count)
            let isPlain = number.allSatisfy { (0x30...0x39).contains($0) } && (first != 0x30 || number.count == 1)
            return isPlain ? .text(number.text) : .unknown
        case _ where Self.isOfWord(first):
            let word = rest.prefix(while: Self.isOfWord)
            skip(word.count)
            return .word(word.text)
        default:
            skip(1)
            return .sign(first)
        }
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        EnvFile.isOfName(byte) && byte != UInt8(ascii: ".") || byte >= 0x80
    }

    private mutating func quoted(_ quote: UInt8) -> PHPToken {
        var text: [UInt8] = []
        var isPlain = true
        let isDouble = quote == UInt8(ascii: "\"")
        skip(1)
        while let byte = rest.first {
            skip(1)
            if byte == quote { return isPlain ? .text(text[...].text) : .unknown }
            guard byte == UInt8(ascii: "\\"), let escaped = rest.first else {
                if isDouble, byte == UInt8(ascii: "$"), let after = rest.first,
                    after == UInt8(ascii: "{") || Self.isOfWord(after) && !(0x30...0x39).contains(after)
                {
                    isPlain = false
                }
                text.append(byte)
                continue
            }
            let known: [UInt8: UInt8] =
                isDouble
                ? [
                    0x22: 0x22, 0x5C: 0x5C, 0x24: 0x24, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09, 0x76: 0x0B, 0x65: 0x1B,
                    0x66: 0x0C,
                ] : [0x27: 0x27, 0x5C: 0x5C]
            if let sign = known[escaped] {
                skip(1)
                text.append(sign)
            } else {
                // A number in octal, hexadecimal or Unicode: rare in settings, and not worth a guess.
                if isDouble,
                    escaped == UInt8(ascii: "x") || escaped == UInt8(ascii: "u") || (0x30...0x37).contains(escaped)
                {
                    isPlain = false
                }
                text.append(byte)
            }
        }
        return .unknown
    }

    private mutating func heredoc() -> PHPToken {
        skip(3)
        while let byte = rest.first, byte == 0x20 || byte == 0x09 || byte == 0x22 || byte == 0x27 { skip(1) }
        let name = rest.prefix(while: Self.isOfWord)
        skip(name.count)
        guard !name.isEmpty else { return .unknown }
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            skip(end - rest.startIndex + 1)
            let indent = rest.prefix { $0 == 0x20 || $0 == 0x09 }.count
            guard rest.dropFirst(indent).starts(with: name) else { continue }
            if let after = rest.dropFirst(indent + name.count).first, Self.isOfWord(after) { continue }
            skip(indent + name.count)
            return .unknown
        }
        skip(rest.count)
        return .unknown
    }
}
