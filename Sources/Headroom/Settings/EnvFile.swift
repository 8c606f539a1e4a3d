/// Reads a `.env` file as the frameworks do that write one.
///
/// `NAME=value`, with `export` in front if you like; `#` begins a comment, in an unquoted value after a space. A value in
/// double quotes may hold `\n`, `\"`, `\\` and `\$`; one in single quotes is taken as it stands. A later line wins.
enum EnvFile {
    static func parse(_ bytes: [UInt8], path: String) throws -> [String: SettingsLayer.Entry] {
        var values: [String: SettingsLayer.Entry] = [:]
        for (index, line) in SettingsLines(bytes).enumerated() {
            let line = line.trimmed
            if line.isEmpty || line.begins(with: "#") { continue }
            let assignment = line.begins(with: "export ") ? line.dropFirst(7) : line
            guard let equals = assignment.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = assignment[..<equals].trimmed
            guard name.allSatisfy(isOfName) else { continue }
            guard let value = Self.value(assignment[(equals + 1)...].trimmed) else {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "Line \(index + 1) of \(path) has a quote that is not closed.",
                    advice: "Close it, or write \\\" for a quote inside double quotes."
                )
            }
            let origin = SettingOrigin(place: .file(line: index + 1), path: path)
            values[name.text] = SettingsLayer.Entry(value: value, origin: origin)
        }
        return values
    }

    /// Whether a name may hold the byte.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// The value without its quotes and its comment, or `nil` when a quote is not closed.
    private static func value(_ raw: ArraySlice<UInt8>) -> String? {
        switch raw.first {
        case UInt8(ascii: "'"):
            let inside = raw.dropFirst()
            return inside.firstIndex(of: UInt8(ascii: "'")).map { inside[..<$0].text }
        case UInt8(ascii: "\""):
            var value: [UInt8] = []
            var rest = raw.dropFirst()
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") { return value[...].text }
                guard byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                    value.append(byte)
                    continue
                }
                switch escaped {
                case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "r"): value.append(UInt8(ascii: "\r"))
                case UInt8(ascii: "t"): value.append(UInt8(ascii: "\t"))
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"): value.append(escaped)
                default: value += [byte, escaped]
                }
            }
            return nil
        case UInt8(ascii: "#"):
            return ""
        default:
            // "#" begins a comment only after a space: passwords hold it.
            let end = raw.indices.first { $0 > raw.startIndex && raw[$0] == UInt8(ascii: "#") && raw[$0 - 1].isSpace }
            return raw[..<(end ?? raw.endIndex)].trimmed.text
        }
    }
}
