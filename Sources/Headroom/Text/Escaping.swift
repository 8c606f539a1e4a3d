/// Text from outside as a part of another language: the one way into each.
///
/// All of them go by unicode scalar (see ``ScalarText``): a special sign is one whatever mark stands beside it. JSON is
/// written by `JSONEncoder`, a line of a log by `LogLine`, what a person reads goes through `printable`.
package enum Escaping {
    /// Text of an HTML page, between tags or in an attribute in quotes.
    package static func html(_ text: String) -> String {
        mapped(text) { scalar in
            switch scalar {
            case "<": "&lt;"
            case ">": "&gt;"
            case "&": "&amp;"
            case "\"": "&quot;"
            case "'": "&#39;"
            default: nil
            }
        }
    }

    /// A cell of a CSV file (RFC 4180), in quotes only where it must be.
    ///
    /// What a spreadsheet would run gets a `'` in front, by which it is text there; the importer takes it off again. A number
    /// with a sign stays a number.
    ///
    /// - Parameters:
    ///   - text: The cell.
    ///   - delimiter: What stands between the file's cells.
    /// - Returns: The cell as it stands in the file.
    package static func csv(_ text: String, delimiter: UInt8 = UInt8(ascii: ",")) -> String {
        let cell = isFormula(text.utf8) ? "'" + text : text
        // A blank at the end is for readers that take it off, and a lone quote for those that count quotes.
        let needsQuotes = cell.utf8.contains { byte in
            byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == delimiter
        }
        return needsQuotes ? "\"" + mapped(cell) { $0 == "\"" ? "\"\"" : nil } + "\"" : cell
    }

    /// Whether a spreadsheet would take a cell for a formula: it begins with a sign of one and is no number.
    package static func isFormula(_ cell: some Collection<UInt8>) -> Bool {
        // Blanks before it do not save it.
        let cell = cell.drop { $0 == UInt8(ascii: " ") }
        switch cell.first {
        case UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): return true
        case UInt8(ascii: "+"), UInt8(ascii: "-"): return !isNumber(cell.dropFirst())
        default: return false
        }
    }

    /// Whether it is digits with at most one point or comma among them, and an exponent.
    private static func isNumber(_ text: some Collection<UInt8>) -> Bool {
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        var digits = 0
        var rest = text[...]
        func takeDigits() {
            while let byte = rest.first, isDigit(byte) {
                digits += 1
                rest = rest.dropFirst()
            }
        }
        takeDigits()
        if rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ",") { rest = rest.dropFirst() }
        takeDigits()
        guard digits > 0 else { return false }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard rest.first.map(isDigit) == true else { return false }
            takeDigits()
        }
        return rest.isEmpty
    }

    /// A value in quotes of curl's configuration.
    package static func curl(_ text: String) -> String {
        mapped(text) { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\r": "\\r"
            case "\t": "\\t"
            // It would end curl's own string.
            case "\0": "?"
            default: nil
            }
        }
    }

    /// The value of a header of HTTP or of a mail: visible ASCII and blanks, so that nothing begins another line.
    package static func header(_ text: String) -> String {
        mapped(text) { (0x20..<0x7F).contains($0.value) ? nil : "?" }
    }

    /// A line of a mail's body, or a value of an alert, which has no other line in it.
    package static func line(_ text: String) -> String { mapped(text) { $0.steers && $0 != "\t" ? " " : nil } }

    /// JSON as its encoder writes it, without what could steer the terminal of who looks at it: there is text only in strings,
    /// which take `\u`.
    package static func json(_ text: String) -> String {
        mapped(text) { scalar in
            guard scalar.steers, scalar.value >= 0x7F else { return nil }
            return scalar.utf16
                .map { unit in
                    let digits = String(unit, radix: 16)
                    return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
                }
                .joined()
        }
    }

    /// The value of a label in Prometheus' text format, in its quotes.
    package static func prometheusLabel(_ text: String) -> String {
        mapped(text) { $0 == "\"" ? "\\\"" : $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : nil }
    }

    /// The help of a metric in Prometheus' text format.
    package static func prometheusHelp(_ text: String) -> String {
        mapped(text) { $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : nil }
    }

    /// The text of a monitoring plugin, one line without the bar behind which its performance data stand.
    package static func nagios(_ text: String) -> String {
        mapped(text) { $0 == "|" ? "/" : $0.steers ? " " : nil }
    }

    /// A word of a command that a person copies into a shell.
    package static func shell(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.isAll { $0.isNameSign || "/:=@%+,".unicodeScalars.contains($0) }
        return isPlain ? word : "'" + mapped(word) { $0 == "'" ? #"'\''"# : nil } + "'"
    }

    /// A word of a command line in a unit of systemd, whose quotes and signs are not a shell's.
    package static func systemd(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.isAll { $0.isNameSign || "/:=@+,".unicodeScalars.contains($0) }
        guard !isPlain else { return word }
        let text = mapped(word) { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "$": "$$"
            case "%": "%%"
            case "\n": "\\n"
            case "\r": "\\r"
            case "\t": "\\t"
            default: nil
            }
        }
        return "\"\(text)\""
    }

    /// A text in quotes of a statement that a person copies; what Headroom sends itself is bound instead.
    package static func sql(_ text: String) -> String {
        "'" + mapped(text) { $0 == "'" ? "''" : $0 == "\\" ? "\\\\" : nil } + "'"
    }

    /// The lines of an event of a stream (`text/event-stream`): a lone carriage return ends one there too.
    package static func eventData(_ text: String) -> String {
        text.pieces(where: \.endsLine).map { "data: \($0)\n" }.joined()
    }

    /// The text with another in the place of some scalars.
    private static func mapped(_ text: String, _ other: (Unicode.Scalar) -> String?) -> String {
        var result = String.UnicodeScalarView()
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if let other = other(scalar) {
                result.append(contentsOf: other.unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// Writes text that others have chosen, such as a program's name, without what could steer a terminal or turn its lines round.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - kept: Control characters that may stay.
    ///   - most: The most scalars to show.
    /// - Returns: The text with a `?` for each of the others, or `\u{202e}` for what is no control character: which one it is says
    ///   what was meant to be hidden; and `…` where it is cut off.
    package static func printable(_ text: some StringProtocol, keeping kept: String = "", most: Int = .max) -> String {
        let scalars = text.unicodeScalars
        var shown = ""
        var count = 0
        for scalar in scalars {
            guard count < most else { return shown + "…" }
            count += 1
            if !scalar.steers || kept.unicodeScalars.contains(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += scalar.value < 0xA0 ? "?" : "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return shown
    }
}
