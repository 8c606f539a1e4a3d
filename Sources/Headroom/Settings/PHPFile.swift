/// Reads what stands in a PHP file of settings as plain literals: strings, numbers, texts joined of them, and arrays.
///
/// No PHP is run. It finds `define('NAME', ...)`, `const NAME = ...`, `$name[...]... = ...`, properties of a class, and what the file
/// returns. What is worked out, such as by `getenv`, and what stands in a branch or a function, is known to be there and no more.
struct PHPFile {
    /// A value.
    indirect enum Value: Hashable {
        case text(String)
        case array([String: Place])
        /// Something that only PHP can tell.
        case unknown
    }

    /// A value with the line where it stands.
    struct Place: Hashable {
        var value: Value
        var line: Int
        /// Where the literal stands in the file's bytes, with its quotes; known of one that is the value of a `define`.
        var bytes: Range<Int>?
    }

    /// What is assigned, in order, by its place: `["const", "DB_NAME"]`, `["$databases", "default"]`, `["class", "host"]`, `["return"]`.
    private(set) var found: [(path: [String], place: Place)] = []

    /// Whether the file reads others whose settings are not seen here.
    private(set) var readsOthers = false

    /// Whether it defines constants whose names only PHP can tell.
    private(set) var hasUnknownNames = false

    private var constants: [String: Value] = [:]
    private var tokens: [(token: PHPToken, line: Int, bytes: Range<Int>)] = []
    private var next = 0
    private var nesting = 0

    /// What the braces around the next statement belong to.
    private struct Block {
        enum Kind { case plain, colon, classBody, function }
        var kind: Kind
        /// Whether its statements happen, whatever the file is read for.
        var isSure: Bool
        /// The variables that a function shares with the file.
        var shared: Set<String> = []
    }

    private var blocks: [Block] = []

    /// Whether no condition stands right before the next statement.
    private var isUnconditional = true

    /// Whether the file may have been left before the next statement.
    private var mayBeOver = false

    /// The deepest array within an array.
    private static let deepest = 20

    /// Whether the bytes are a PHP file.
    static func isOne(_ bytes: [UInt8]) -> Bool {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        return PHPLexer.isTag(start.drop(while: \.isSpace))
    }

    init(_ bytes: [UInt8]) {
        var lexer = PHPLexer(bytes)
        while let token = lexer.next() { tokens.append((token, lexer.line, lexer.start..<lexer.end)) }
        while next < tokens.count { statement() }
    }

    /// The value at a path, below whatever part of it was assigned; `nil` when there is none.
    ///
    /// - Parameter path: The path.
    /// - Returns: The value that holds in the end: a constant's first, a variable's last.
    func value(_ path: String...) -> Place? {
        var result: Place?
        for (start, place) in found where path.starts(with: start) {
            result = place
            for key in path.dropFirst(start.count) {
                if case .array(let values)? = result?.value {
                    result = values[key]
                } else if result?.value != .unknown {
                    result = nil
                }
            }
            if path[0] == "const" { break }
        }
        return result
    }

    // MARK: Tokens

    private var token: PHPToken? { next < tokens.count ? tokens[next].token : nil }

    private func sign(_ offset: Int = 0) -> UInt8? {
        guard next + offset < tokens.count, case .sign(let sign) = tokens[next + offset].token else { return nil }
        return sign
    }

    /// Takes signs that follow each other, if they come next.
    private mutating func take(_ signs: StaticString) -> Bool {
        let count = signs.utf8CodeUnitCount
        guard (0..<count).allSatisfy({ sign($0) == signs.utf8Start[$0] }) else { return false }
        next += count
        return true
    }

    private mutating func takeWord(_ word: String) -> Bool {
        guard case .word(let next)? = token, next.lowercased() == word else { return false }
        self.next += 1
        return true
    }

    // MARK: Statements

    private var isSure: Bool { isUnconditional && !mayBeOver && blocks.last?.isSure ?? true }

    private var function: Int? { blocks.lastIndex { $0.kind == .function } }

    private mutating func begin(_ kind: Block.Kind) {
        blocks.append(Block(kind: kind, isSure: isSure && kind != .function && kind != .colon))
        isUnconditional = true
    }

    private mutating func record(
        _ path: [String],
        _ value: Value,
        _ line: Int,
        isSure: Bool,
        at bytes: Range<Int>? = nil
    ) {
        // A function's own variables are none of the file's.
        if let function, path[0].hasPrefix("$"), !blocks[function].shared.contains(path[0]) { return }
        let value = isSure ? value : .unknown
        found.append((path, Place(value: value, line: line, bytes: bytes)))
        // The second definition of a constant is none.
        if path[0] == "const", constants[path[1]] == nil { constants[path[1]] = value }
    }

    private mutating func statement() {
        guard let token else { return }
        let line = tokens[next].line
        switch token {
        case .sign(UInt8(ascii: "{")):
            next += 1
            begin(.plain)
        case .sign(UInt8(ascii: "}")):
            next += 1
            _ = blocks.popLast()
            isUnconditional = true
        case .sign(UInt8(ascii: "@")), .sign(UInt8(ascii: "\\")):
            next += 1
        case .sign(UInt8(ascii: "#")):
            // An attribute.
            next += 1
            if take("[") { passOver(until: "") }
            _ = take("]")
        case .sign(UInt8(ascii: "[")), .word("list"):
            // Taken apart into variables.
            while let token = self.token, sign() != UInt8(ascii: ";"), !isAssignment {
                if case .variable = token { record(variable().path, .unknown, line, isSure: false) } else { next += 1 }
            }
            rest()
        case .sign(UInt8(ascii: "!")):
            next += 1
            guard let name = definedName(), take("&&") || takeWord("and") else { return rest() }
            isUnconditional = isUnconditional && isUndefined(name)
        case .variable:
            let (path, isWhole) = variable()
            if sign() == UInt8(ascii: "="), isAssignment {
                next += 1
                let value = value(0)
                record(path, isWhole ? value : .unknown, line, isSure: isSure)
            } else if isAssignment {
                record(path, .unknown, line, isSure: false)
            }
            rest()
        case .word(let word):
            next += 1
            keyword(word.lowercased(), line)
        default:
            let start = next
            rest()
            if next == start { next += 1 }
        }
    }

    private mutating func keyword(_ word: String, _ line: Int) {
        switch word {
        case "if", "elseif", "while", "for", "foreach", "switch", "catch", "match", "declare":
            let start = next
            var isHeld = false
            if word == "if", take("(!"), let name = definedName(), take(")") {
                isHeld = isUndefined(name)
            } else {
                next = start
                if take("(") { passOver(until: "") }
                // What goes through an array by reference may change it.
                if word == "foreach", tokens[start..<next].contains(where: { $0.token == .sign(UInt8(ascii: "&")) }),
                    case .variable(let name) = tokens[start + 1].token
                {
                    record(["$\(name)"], .unknown, line, isSure: false)
                }
                _ = take(")")
            }
            if sign() == UInt8(ascii: ":"), sign(1) != UInt8(ascii: ":") {
                next += 1
                if word != "elseif" { begin(.colon) }
            } else if word != "declare" {
                isUnconditional = isUnconditional && isHeld
            }
        case "else", "do", "try", "finally":
            if !take(":") { isUnconditional = false }
        case "case", "default":
            // What stands behind the label is a statement of its own.
            repeat { passOver(until: ":;") } while take("::")
            _ = take(":")
        case "endif", "endwhile", "endfor", "endforeach", "endswitch":
            if blocks.last?.kind == .colon { blocks.removeLast() }
            rest()
        case "function", "class", "interface", "trait", "enum", "namespace", "use":
            passOver(until: "{;", seesAll: false)
            guard take("{") else { return rest() }
            if word == "use" { isUnconditional = false }
            begin(word == "function" ? .function : ["namespace", "use"].contains(word) ? .plain : .classBody)
        case "abstract", "final", "readonly", "public", "private", "protected", "var", "static":
            property()
        case "const":
            guard blocks.last?.kind != .classBody else { return rest() }
            while case .word(let name)? = token, sign(1) == UInt8(ascii: "=") {
                next += 2
                record(["const", name], value(0), line, isSure: isSure && !hasUnknownNames)
                if !take(",") { break }
            }
            rest()
        case "define":
            define(line, isSure: isSure)
            rest()
        case "defined":
            next -= 1
            guard let name = definedName(), take("||") || take("?:") || takeWord("or") else {
                next += 1
                return rest()
            }
            isUnconditional = isUnconditional && isUndefined(name)
        case "global":
            while case .variable(let name)? = token {
                if let function { blocks[function].shared.insert("$\(name)") }
                next += 1
                if !take(",") { break }
            }
            rest()
        case "return":
            let isLast = isSure
            if function != nil { return rest() }
            if sign() != UInt8(ascii: ";") { record(["return"], value(0), line, isSure: isLast) }
            rest()
            if isLast { next = tokens.count } else { mayBeOver = true }
        case "exit", "die", "throw", "__halt_compiler":
            // Under a condition it ends the application, and there are no settings then.
            if isSure || word.first == "_" { next = tokens.count }
            rest()
        default:
            next -= 1
            rest()
        }
    }

    /// A property of a class, behind the first of its words.
    private mutating func property() {
        guard blocks.last?.kind == .classBody else { return }
        while let token, !(sign().map { ";{}=".utf8.contains($0) } ?? false) {
            if case .word(let word) = token, ["function", "const", "class"].contains(word.lowercased()) { return }
            let line = tokens[next].line
            next += 1
            guard case .variable(let name) = token else { continue }
            if take("=") { record(["class", name], value(0), line, isSure: isSure) }
            return rest()
        }
        rest()
    }

    /// The name in `defined('NAME')`, if that comes next.
    private mutating func definedName() -> String? {
        _ = take("\\")
        let start = next
        if takeWord("defined"), take("("), case .text(let name)? = token {
            next += 1
            if take(")") { return name }
        }
        next = start
        return nil
    }

    /// Whether it is sure that a constant of the database is not defined yet; others may be by whatever reads the file.
    private func isUndefined(_ name: String) -> Bool {
        name.hasPrefix("DB_") && !readsOthers && !hasUnknownNames && constants[name] == nil
    }

    /// The arguments of `define`, in order or by their names.
    private mutating func define(_ line: Int, isSure: Bool) {
        guard take("(") else { return }
        let names = ["constant_name", "value", "case_insensitive"]
        var arguments: [String: Value] = [:]
        var literal: Range<Int>?
        while token != nil, sign() != UInt8(ascii: ")") {
            var name = names[min(arguments.count, 2)]
            if case .word(let word)? = token, sign(1) == UInt8(ascii: ":"), sign(2) != UInt8(ascii: ":") {
                name = word
                next += 2
            }
            let start = next
            arguments[name] = value(0)
            if name == names[1], next == start + 1, case .text = tokens[start].token { literal = tokens[start].bytes }
            if !take(",") { break }
        }
        _ = take(")")
        guard case .text(let name)? = arguments[names[0]] else {
            hasUnknownNames = true
            return
        }
        let value = arguments[names[1]] ?? .unknown
        record(["const", name], value, line, isSure: isSure && !hasUnknownNames, at: literal)
        // Before PHP 8 it is any spelling's.
        if let anyCase = arguments[names[2]], anyCase != .text(""), name != name.uppercased() {
            record(["const", name.uppercased()], .unknown, line, isSure: false)
        }
    }

    /// Passes over what is left of a statement.
    private mutating func rest() {
        passOver(until: ";")
        _ = take(";")
        isUnconditional = true
    }

    /// Passes over what is no literal, up to one of the signs or a bracket that was opened before.
    ///
    /// - Parameters:
    ///   - signs: The signs.
    ///   - seesAll: Whether what is assigned there is noted.
    /// - Returns: Whether a `=>` stands in it.
    @discardableResult
    private mutating func passOver(until signs: StaticString, seesAll: Bool = true) -> Bool {
        let ends = UnsafeBufferPointer(start: signs.utf8Start, count: signs.utf8CodeUnitCount)
        var (open, hasArrow) = (0, false)
        while token != nil {
            if let sign = sign() {
                if open == 0, ends.contains(sign) { break }
                if "([{".utf8.contains(sign) { open += 1 }
                if ")]}".utf8.contains(sign) {
                    if open == 0 { break }
                    open -= 1
                }
                if open == 0, sign == UInt8(ascii: "="), self.sign(1) == UInt8(ascii: ">") { hasArrow = true }
            }
            if seesAll { note() } else { next += 1 }
        }
        return hasArrow
    }

    /// Passes over a token at least, and notes what changes a setting in the middle of an expression.
    private mutating func note() {
        let line = tokens[next].line
        switch tokens[next].token {
        case .word(let word):
            next += 1
            switch word.lowercased() {
            case "define" where nesting < Self.deepest:
                nesting += 1
                define(line, isSure: false)
                nesting -= 1
            case "include", "include_once", "require", "require_once": include()
            case "unset" where take("("):
                while token != nil, !take(")"), sign() != UInt8(ascii: ";") {
                    guard case .variable? = token else {
                        next += 1
                        continue
                    }
                    record(variable().path, .unknown, line, isSure: false)
                }
            default: break
            }
        case .variable:
            let isReference =
                next > 0 && tokens[next - 1].token == .sign(UInt8(ascii: "&"))
                && !(next > 1 && tokens[next - 2].token == .sign(UInt8(ascii: "&")))
            let path = variable().path
            if isAssignment || isReference { record(path, .unknown, line, isSure: false) }
        default:
            next += 1
        }
    }

    private mutating func include() {
        var (name, open) = ("", 0)
        while let token, token != .sign(UInt8(ascii: ";")) {
            if case .text(let text) = token { name = text }
            if let sign = sign() {
                if "([{".utf8.contains(sign) { open += 1 }
                if ")]}".utf8.contains(sign) {
                    if open == 0 { break }
                    open -= 1
                }
            }
            next += 1
        }
        // But for what WordPress itself reads in the end, and the libraries.
        if !name.ends(with: "wp-settings.php"), !name.ends(with: "vendor/autoload.php") { readsOthers = true }
    }

    /// A variable with its keys; not the whole of it where only PHP can tell a key.
    private mutating func variable() -> (path: [String], isWhole: Bool) {
        guard case .variable(let name)? = token else { return ([""], false) }
        next += 1
        var (path, isWhole) = (["$\(name)"], true)
        while true {
            let start = next
            if take("[") {
                if case .text(let key)? = plainKey(), take("]") {
                    if isWhole { path.append(key) }
                } else {
                    next = start + 1
                    passOver(until: "", seesAll: false)
                    _ = take("]")
                    isWhole = false
                }
            } else if take("->") || take("?->"), case .word(let key)? = token {
                next += 1
                if isWhole { path.append(key) }
            } else {
                next = start
                break
            }
        }
        if path.count > 1, path[0] == "$GLOBALS" { path = ["$\(path[1])"] + path.dropFirst(2) }
        if path.count > 1, path[0] == "$this" { path[0] = "class" }
        return (path, isWhole)
    }

    private mutating func plainKey() -> Value? { operand(Self.deepest - 1) }

    /// Whether a sign of assignment comes next, such as `=` or `.=`.
    private var isAssignment: Bool {
        let signs = (0..<3).map { sign($0) ?? 0 }
        let equals = UInt8(ascii: "=")
        if signs[0] == equals { return signs[1] != equals && signs[1] != UInt8(ascii: ">") }
        if "+-*/.%&|^".utf8.contains(signs[0]), signs[1] == equals { return true }
        return "?*<>".utf8.contains(signs[0]) && signs[1] == signs[0] && signs[2] == equals
    }

    // MARK: Values

    /// The value that begins here; what is no literal is passed over up to the end of the expression.
    private mutating func value(_ depth: Int) -> Value { element(depth).value }

    private mutating func element(_ depth: Int) -> (value: Value, hasArrow: Bool) {
        let start = next
        if let value = expression(depth), let sign = sign(), ",;)]".utf8.contains(sign) { return (value, false) }
        next = start
        return (.unknown, passOver(until: ",;"))
    }

    /// Literals with a dot between.
    private mutating func expression(_ depth: Int) -> Value? {
        guard var value = operand(depth) else { return nil }
        while sign() == UInt8(ascii: "."), sign(1) == nil {
            next += 1
            guard case .text(let left) = value, case .text(let right)? = operand(depth) else { return nil }
            value = .text(left + right)
        }
        return value
    }

    private mutating func operand(_ depth: Int) -> Value? {
        guard let token, depth < Self.deepest else { return nil }
        next += 1
        switch token {
        case .text(let text): return .text(text)
        case .word(let word):
            switch word.lowercased() {
            case "null", "false": return .text("")
            case "true": return .text("1")
            case "array": return take("(") ? array(until: ")", depth) : nil
            default:
                // A function, or a constant of a class.
                if sign() == UInt8(ascii: "(") || sign() == UInt8(ascii: ":") || sign() == UInt8(ascii: "\\") {
                    return nil
                }
                return constants[word]
            }
        case .sign(UInt8(ascii: "[")): return array(until: "]", depth)
        case .sign(UInt8(ascii: "(")):
            let value = expression(depth + 1)
            return take(")") ? value : nil
        default: return nil
        }
    }

    private mutating func array(until end: StaticString, _ depth: Int) -> Value {
        var values: [String: Place] = [:]
        var (count, isPlain) = (0, true)
        while token != nil, !take(end) {
            let line = tokens[next].line
            var key: String?
            switch token {
            case .text(let text)? where sign(1) == UInt8(ascii: "=") && sign(2) == UInt8(ascii: ">"): key = text
            case .word(let word)? where sign(1) == UInt8(ascii: "=") && sign(2) == UInt8(ascii: ">"):
                if case .text(let text)? = constants[word] { key = text }
            case .sign(UInt8(ascii: "."))?: isPlain = false
            default: break
            }
            if key != nil { next += 3 }
            let (value, hasArrow) = element(depth + 1)
            // A key that only PHP can tell may be any.
            if hasArrow, key == nil { isPlain = false }
            values[key ?? "\(count)"] = Place(value: value, line: line)
            if key == nil { count += 1 }
            if !take(","), sign() != end.utf8Start.pointee { break }
        }
        return isPlain ? .array(values) : .unknown
    }
}
