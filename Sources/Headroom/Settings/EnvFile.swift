/// Reads a `.env` file as the frameworks do that write one.
///
/// `NAME=value`, with `export` in front if you like; `#` begins a comment, in an unquoted value after a space. A value in
/// double quotes may hold `\n`, `\"`, `\\` and `\$`; one in single quotes is taken as it stands. A later line wins.
enum EnvFile {
    static func parse(_ text: String, path: String) throws -> [String: SettingsLayer.Entry] {
        var values: [String: SettingsLayer.Entry] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimming { $0.isWhitespace }
            if line.isEmpty || line.hasPrefix("#") { continue }
            let assignment = line.hasPrefix("export ") ? line.dropFirst(7) : line
            guard let equals = assignment.firstIndex(of: "=") else { continue }
            let name = assignment[..<equals].trimming { $0.isWhitespace }
            let raw = assignment[assignment.index(after: equals)...].trimming { $0.isWhitespace }
            guard let value = Self.value(raw) else {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "Line \(index + 1) of \(path) has a quote that is not closed.",
                    advice: "Close it, or write \\\" for a quote inside double quotes."
                )
            }
            let origin = SettingOrigin(place: .file(line: index + 1), path: path)
            values[String(name)] = SettingsLayer.Entry(value: value, origin: origin)
        }
        return values
    }

    /// The value without its quotes and its comment, or `nil` when a quote is not closed.
    private static func value(_ raw: Substring) -> String? {
        switch raw.first {
        case "'":
            let inside = raw.dropFirst()
            return inside.firstIndex(of: "'").map { String(inside[..<$0]) }
        case "\"":
            var value = ""
            var rest = raw.dropFirst()
            while let character = rest.popFirst() {
                if character == "\"" { return value }
                guard character == "\\", let escaped = rest.popFirst() else {
                    value.append(character)
                    continue
                }
                switch escaped {
                case "n": value.append("\n")
                case "r": value.append("\r")
                case "t": value.append("\t")
                case "\"", "\\", "$": value.append(escaped)
                default: value += "\\\(escaped)"
                }
            }
            return nil
        default:
            // "#" begins a comment only after a space: passwords hold it.
            let end = raw.indices.first { raw[$0] == "#" && $0 > raw.startIndex && raw[raw.index(before: $0)] == " " }
            if raw.first == "#" { return "" }
            return String(raw[..<(end ?? raw.endIndex)].trimming { $0.isWhitespace })
        }
    }
}

extension Substring {
    /// The text without such characters at both ends.
    func trimming(_ isUnwanted: (Character) -> Bool) -> Substring {
        var trimmed = drop(while: isUnwanted)
        while let last = trimmed.last, isUnwanted(last) { trimmed.removeLast() }
        return trimmed
    }
}
