import Headroom

/// A page with gaps that a view's values fill: names, sections and inverted sections of Mustache, which is all that the pages need.
///
/// A value is escaped scalar by scalar, but for `{{{name}}}`. What a view does not have is left empty.
struct Template: Sendable {
    private indirect enum Part: Sendable {
        case text(String)
        case value([String], isMarkup: Bool)
        case section([String], isInverted: Bool, [Part])
    }

    /// A template in which a section does not end, or ends that has not begun.
    struct Unbalanced: Error {
        var name: String
    }

    private let parts: [Part]

    /// Reads a template.
    init(_ source: String) throws(Unbalanced) {
        var open: [(name: String, isInverted: Bool, parts: [Part])] = []
        var parts: [Part] = []
        var rest = source[...]
        while let (before, tag, after) = Self.nextTag(rest) {
            let sign = tag.unicodeScalars.first.map { "#^/{".unicodeScalars.contains($0) ? $0 : " " } ?? " "
            let name = String(sign == " " ? tag : Substring(tag.unicodeScalars.dropFirst()))
            var (before, after) = (before, after)
            if "#^/".unicodeScalars.contains(sign), let line = Self.ownLine(before, after) { (before, after) = line }
            if !before.isEmpty { parts.append(.text(String(before))) }
            rest = after
            switch sign {
            case "#", "^":
                open.append((name, sign == "^", parts))
                parts = []
            case "/":
                guard let section = open.popLast(), section.name == name else { throw Unbalanced(name: name) }
                parts = section.parts + [.section(Self.path(name), isInverted: section.isInverted, parts)]
            default: parts.append(.value(Self.path(name), isMarkup: sign == "{"))
            }
        }
        if let section = open.last { throw Unbalanced(name: section.name) }
        self.parts = parts + [.text(String(rest))]
    }

    /// Fills the template in.
    func render(_ view: Any) -> String {
        var text = ""
        Self.render(parts, [Value(view)], into: &text)
        return text
    }

    private static func render(_ parts: [Part], _ views: [Value], into text: inout String) {
        for part in parts {
            switch part {
            case .text(let words): text += words
            case .value(let path, let isMarkup):
                guard case .text(let words) = find(path, views) else { continue }
                text += isMarkup ? words : Escaping.html(words)
            case .section(let path, let isInverted, let parts):
                let shown = find(path, views).shown
                if isInverted {
                    if shown.isEmpty { render(parts, views, into: &text) }
                } else {
                    for value in shown { render(parts, views + [value], into: &text) }
                }
            }
        }
    }

    /// The value of a name: in the innermost section whose view has it, or this section's own for `.`.
    private static func find(_ path: [String], _ views: [Value]) -> Value {
        guard let first = path.first else { return views.last ?? .nothing }
        for view in views.reversed() {
            guard case .fields(let fields) = view, let value = fields[first] else { continue }
            return path.dropFirst()
                .reduce(value) { value, name in
                    if case .fields(let fields) = value { fields[name] ?? .nothing } else { .nothing }
                }
        }
        return .nothing
    }

    // MARK: Reading

    /// What is before the next tag, the tag without its braces, and what is behind it.
    private static func nextTag(_ text: Substring) -> (Substring, Substring, Substring)? {
        guard let start = pair(UInt8(ascii: "{"), in: text),
            let end = pair(UInt8(ascii: "}"), in: text[start.upperBound...])
        else { return nil }
        let tag = text[start.upperBound..<end.lowerBound]
        let isMarkup = tag.utf8.first == UInt8(ascii: "{")
        let behind = isMarkup ? text.utf8.index(after: end.upperBound) : end.upperBound
        return (text[..<start.lowerBound], tag, text[behind...])
    }

    private static func pair(_ byte: UInt8, in text: Substring) -> Range<Substring.Index>? {
        let bytes = text.utf8
        let start = bytes.indices.first { bytes[$0] == byte && bytes[$0...].dropFirst().first == byte }
        return start.map { $0..<bytes.index($0, offsetBy: 2) }
    }

    /// The text around a tag without the rest of its line, where it stands alone in one.
    private static func ownLine(_ before: Substring, _ after: Substring) -> (Substring, Substring)? {
        let indent = before.utf8.reversed().prefix { $0 == UInt8(ascii: " ") }.count
        let kept = before.utf8.dropLast(indent)
        guard kept.isEmpty || kept.last == UInt8(ascii: "\n"), after.utf8.first == UInt8(ascii: "\n") else {
            return nil
        }
        return (before[..<kept.endIndex], after[after.utf8.index(after: after.startIndex)...])
    }

    private static func path(_ name: String) -> [String] {
        name == "." ? [] : name.pieces(separator: ".").map(String.init)
    }
}

/// A view's value, as a template sees it.
private enum Value {
    case nothing
    case flag(Bool)
    case text(String)
    case list([Value])
    case fields([String: Value])

    init(_ value: Any) {
        switch value {
        case let text as String: self = .text(text)
        case let flag as Bool: self = .flag(flag)
        case let number as any BinaryInteger: self = .text("\(number)")
        case let number as Double: self = .text("\(number)")
        default:
            let mirror = Mirror(reflecting: value)
            switch mirror.displayStyle {
            case .optional: self = mirror.children.first.map { Value($0.value) } ?? .nothing
            case .collection: self = .list(mirror.children.map { Value($0.value) })
            default:
                let fields = mirror.children.compactMap { child in child.label.map { ($0, Value(child.value)) } }
                self = .fields(Dictionary(fields) { $1 })
            }
        }
    }

    /// The views that a section of this value is shown with.
    var shown: [Value] {
        switch self {
        case .nothing, .flag(false): []
        case .list(let values): values
        default: [self]
        }
    }
}
