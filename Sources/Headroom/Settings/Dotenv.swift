/// What the tools that read `.env` files make of a value: the bytes behind the sign of equality, up to the end of the line or,
/// in quotes, of several.
///
/// Tried against phpdotenv 5 and symfony/dotenv 5.4 with generated values.
enum Dotenv {
    typealias LookUp = (_ name: String) -> [UInt8]?

    private static let backslash = UInt8(ascii: "\\")
    private static let single = UInt8(ascii: "'")
    private static let double = UInt8(ascii: "\"")
    private static let dollar = UInt8(ascii: "$")
    private static let hash = UInt8(ascii: "#")
    private static let newline = UInt8(ascii: "\n")

    // MARK: phpdotenv

    private enum State { case initial, unquoted, single, double, escape, space, comment }

    /// The value as phpdotenv reads it; `nil` when it refuses it.
    static func phpdotenv(_ raw: ArraySlice<UInt8>, _ lookUp: LookUp) -> [UInt8]? {
        // It joins lines only where the double quote stands right behind the sign of equality.
        if raw.contains(newline) ? raw.first != double : isUnfinished(raw) { return nil }
        var state = State.initial
        var value: [UInt8] = []
        var variables: [Int] = []
        for byte in raw.trimmed {
            switch (state, byte) {
            case (.initial, single): state = .single
            case (.initial, double): state = .double
            case (.initial, hash), (.unquoted, hash), (.space, hash): state = .comment
            case (.unquoted, _) where byte.isSpace: state = .space
            case (.single, single), (.double, double): state = .space
            case (.double, backslash): state = .escape
            case (.escape, _):
                guard let escaped = escaped(byte) else { return nil }
                value.append(escaped)
                state = .double
            case (.space, _): if !byte.isSpace { return nil }
            case (.comment, _): break
            default:
                if byte == dollar, state != .single { variables.append(value.count) }
                value.append(byte)
                if state == .initial { state = .unquoted }
            }
        }
        return [.single, .double, .escape].contains(state) ? nil : expanded(value, variables, lookUp)
    }

    /// Whether phpdotenv waits for further lines: a double quote stands behind a sign of equality, and no other after it.
    private static func isUnfinished(_ raw: ArraySlice<UInt8>) -> Bool {
        let line = [UInt8(ascii: "=")] + raw
        guard zip(line, line.dropFirst()).contains(where: { $0 == UInt8(ascii: "=") && $1 == double }) else {
            return false
        }
        var quotes = 0
        var before = UInt8(ascii: " ")
        var isPair = false
        for byte in line {
            if byte == backslash, before == backslash, !isPair {
                isPair = true
                continue
            }
            if byte == double, before != backslash || isPair { quotes += 1 }
            (before, isPair) = (byte, false)
        }
        return quotes < 2
    }

    private static func escaped(_ byte: UInt8) -> UInt8? {
        switch byte {
        case double, backslash, dollar: byte
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): newline
        case UInt8(ascii: "r"): UInt8(ascii: "\r")
        case UInt8(ascii: "t"): UInt8(ascii: "\t")
        case UInt8(ascii: "v"): 0x0B
        default: nil
        }
    }

    /// The value with each `${NAME}` at one of the places replaced, where the name is known.
    private static func expanded(_ value: [UInt8], _ places: [Int], _ lookUp: LookUp) -> [UInt8] {
        guard !places.isEmpty else { return value }
        var text: [UInt8] = []
        var done = 0
        for place in places where place >= done {
            text += value[done..<place]
            done = place
            guard value.count > place + 1, value[place + 1] == UInt8(ascii: "{") else { continue }
            let name = value[(place + 2)...].prefix { EnvFile.isOfName($0) }
            guard !name.isEmpty, name.endIndex < value.count, value[name.endIndex] == UInt8(ascii: "}"),
                let meaning = lookUp(name.text)
            else { continue }
            text += meaning
            done = name.endIndex + 1
        }
        return text + value[done...]
    }

    /// What `env()` makes of a value, Laravel's or Bedrock's: `null` is none, and quotes within quotes fall.
    static func converted(_ value: [UInt8], isLaravel: Bool) -> [UInt8] {
        let word = value[...].text.lowercased()
        if word == "true" || isLaravel && word == "(true)" { return [UInt8(ascii: "1")] }
        if ["false", "null"].contains(word) { return [] }
        if isLaravel, ["(false)", "(null)", "empty", "(empty)"].contains(word) { return [] }
        guard value.count > 1, let quote = value.first, quote == single || quote == double, value.last == quote else {
            return value
        }
        return Array(value.dropFirst().dropLast())
    }

    // MARK: symfony/dotenv

    /// The value as symfony/dotenv reads it; `nil` when it refuses it, or would run a command.
    static func symfony(_ raw: ArraySlice<UInt8>, _ lookUp: LookUp) -> [UInt8]? {
        let blank = raw.drop { $0 == 0x20 || $0 == 0x09 }
        if blank.isEmpty || blank.first == hash || blank.first == newline { return [] }
        if blank.startIndex != raw.startIndex { return nil }
        var value: [UInt8] = []
        var rest = raw
        var before = UInt8(ascii: "=")
        while let first = rest.first, first != newline {
            if first == single {
                guard let end = rest.dropFirst().firstIndex(of: single) else { return nil }
                value += rest[(rest.startIndex + 1)..<end]
                rest = rest[(end + 1)...]
                before = single
            } else if first == double {
                guard let (text, end) = doubleQuoted(rest), let part = resolved(text, lookUp) else { return nil }
                value += part
                rest = rest[(end + 1)...]
                before = double
            } else {
                guard let (text, end) = unquoted(rest, before), let part = resolved(text, lookUp) else { return nil }
                // Spaces are for quotes, it says, unless something was replaced.
                if part == text, text.contains(where: \.isSpace) { return nil }
                value += part
                rest = rest[end...]
                if rest.first == hash { break }
                before = text.last ?? before
            }
        }
        return value
    }

    private static func doubleQuoted(_ text: ArraySlice<UInt8>) -> (text: [UInt8], end: Int)? {
        let start = text.startIndex + 1
        var end = start
        // A quote counts behind no backslash, or behind two.
        while end < text.endIndex, text[end] != double || text[end - 1] == backslash && text[end - 2] != backslash {
            end += 1
        }
        guard end < text.endIndex else { return nil }
        var inside = Array(text[start..<end])
        for (escape, byte) in [(double, double), (UInt8(ascii: "r"), UInt8(ascii: "\r")), (UInt8(ascii: "n"), newline)]
        {
            inside = replaced(inside, [backslash, escape], byte)
        }
        return (inside, end)
    }

    private static func unquoted(_ text: ArraySlice<UInt8>, _ before: UInt8) -> (text: [UInt8], end: Int)? {
        var value: [UInt8] = []
        var before = before
        var index = text.startIndex
        func next(_ offset: Int) -> UInt8? { index + offset < text.endIndex ? text[index + offset] : nil }
        while let byte = next(0), ![newline, double, single].contains(byte) {
            if byte == hash, before == 0x20 || before == 0x09 { break }
            if byte == backslash, next(1) == double || next(1) == single { index += 1 }
            before = text[index]
            value.append(before)
            // A command, which is never run.
            if before == dollar, next(1) == UInt8(ascii: "(") { return nil }
            index += 1
        }
        while let last = value.last, last.isSpace || last == 0 { value.removeLast() }
        return (value, index)
    }

    /// The text with its variables replaced; `nil` with a command in it, or a variable that is not closed.
    private static func resolved(_ text: [UInt8], _ lookUp: LookUp) -> [UInt8]? {
        guard let text = withoutEscapedCommands(text) else { return nil }
        var value: [UInt8] = []
        var rest = text[...]
        while let byte = rest.first {
            let slashes = rest.prefix { $0 == backslash }
            guard byte == dollar || byte == backslash && rest.dropFirst(slashes.count).first == dollar,
                rest.dropFirst(slashes.count + 1).first != UInt8(ascii: "(")
            else {
                value += byte == backslash ? slashes : [byte]
                rest = rest.dropFirst(byte == backslash ? slashes.count : 1)
                continue
            }
            guard let (part, end) = variable(rest, slashes.count, lookUp) else { return nil }
            value += part
            rest = rest[end...]
        }
        return replaced(value, [backslash, backslash], backslash)
    }

    /// What stands for a variable, with the backslashes before it: `$NAME`, `${NAME}`, `${NAME:-default}`.
    private static func variable(
        _ text: ArraySlice<UInt8>,
        _ slashes: Int,
        _ lookUp: LookUp
    ) -> (value: [UInt8], end: Int)? {
        var rest = text.dropFirst(slashes + 1)
        let isOpen = rest.first == UInt8(ascii: "{")
        if isOpen { rest = rest.dropFirst() }
        let name = variableName(rest)
        rest = rest[name.endIndex...]
        var standard: ArraySlice<UInt8>?
        if rest.begins(with: ":-") || rest.begins(with: ":=") {
            let whole = rest.prefix { $0 != UInt8(ascii: "}") }
            standard = whole.dropFirst(2)
            rest = rest[whole.endIndex...]
        }
        let isClosed = rest.first == UInt8(ascii: "}")
        if isClosed { rest = rest.dropFirst() }
        let matched = text[..<rest.startIndex]
        if slashes % 2 == 1 { return (Array(matched.dropFirst()), rest.startIndex) }
        guard !name.isEmpty || standard != nil || isClosed else { return (Array(matched), rest.startIndex) }
        if isOpen, !isClosed { return nil }
        var value = lookUp(name.text) ?? []
        if value.isEmpty, let standard {
            if standard.contains(where: { "'\"{$".utf8.contains($0) }) { return nil }
            value = Array(standard)
        }
        if !isOpen, isClosed { value.append(UInt8(ascii: "}")) }
        return (Array(text.prefix(slashes)) + value, rest.startIndex)
    }

    private static func variableName(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let first = text.first == UInt8(ascii: "_") ? text.dropFirst().first : text.first
        guard let first, (first | 0x20) >= UInt8(ascii: "a"), (first | 0x20) <= UInt8(ascii: "z") else {
            return text.prefix(0)
        }
        return text.prefix { EnvFile.isOfName($0) && $0 != UInt8(ascii: ".") }
    }

    /// The text where a backslash before `$(...)` makes it no command; `nil` where there is a command.
    private static func withoutEscapedCommands(_ text: [UInt8]) -> [UInt8]? {
        guard text.contains(dollar) else { return text }
        var left: [UInt8] = []
        for (index, byte) in text.enumerated() {
            if byte == dollar, isCommand(text[(index + 1)...]) {
                guard left.last == backslash else { return nil }
                left.removeLast()
            }
            left.append(byte)
        }
        return left
    }

    private static func isCommand(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: "(") else { return false }
        var depth = 0
        for (index, byte) in zip(text.indices, text) {
            if byte == UInt8(ascii: "(") { depth += 1 }
            guard byte == UInt8(ascii: ")") else { continue }
            if text[index - 1] == UInt8(ascii: "(") { return false }
            depth -= 1
            if depth == 0 { return true }
        }
        return false
    }

    private static func replaced(_ text: [UInt8], _ pair: [UInt8], _ byte: UInt8) -> [UInt8] {
        var left: [UInt8] = []
        var rest = text[...]
        while let first = rest.popFirst() {
            if first == pair[0], rest.first == pair[1] {
                rest = rest.dropFirst()
                left.append(byte)
            } else {
                left.append(first)
            }
        }
        return left
    }

    // MARK: Headroom's own

    /// The value as it stands, without quotes and a comment, and with each known `${NAME}`; `nil` when a quote is not closed.
    ///
    /// For names that no other tool reads, and where the others refuse a value.
    static func plain(_ raw: ArraySlice<UInt8>, _ lookUp: LookUp) -> [UInt8]? {
        let raw = raw.trimmed
        guard let first = raw.first, first != hash else { return [] }
        if first == single {
            let inside = raw.dropFirst()
            return inside.firstIndex(of: single).map { Array(inside[..<$0]) }
        }
        var value: [UInt8] = []
        var variables: [Int] = []
        guard first == double else {
            // "#" begins a comment only after a space: passwords hold it.
            let end = raw.indices.first { $0 > raw.startIndex && raw[$0] == hash && raw[$0 - 1].isSpace }
            value = Array(raw[..<(end ?? raw.endIndex)].trimmed)
            return expanded(value, value.indices.filter { value[$0] == dollar }, lookUp)
        }
        var rest = raw.dropFirst()
        while let byte = rest.popFirst() {
            if byte == double { return expanded(value, variables, lookUp) }
            if byte == dollar { variables.append(value.count) }
            guard byte == backslash, let next = rest.popFirst() else {
                value.append(byte)
                continue
            }
            value += escaped(next).map { [$0] } ?? [byte, next]
        }
        return nil
    }
}
