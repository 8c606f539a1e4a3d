/// Text in the language of manual pages, man(7).
enum Roff {
    /// The text with nothing in it that would be an instruction; a dash stays the dash that people copy.
    static func escaped(_ text: some StringProtocol) -> String {
        var escaped = ""
        // By scalar: a mark beside a sign does not hide it. A sign that begins a line begins an instruction.
        var isLineStart = true
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case ".", "'": escaped += isLineStart ? "\\&\(scalar)" : "\(scalar)"
            default: escaped.unicodeScalars.append(scalar)
            }
            isLineStart = scalar == "\n"
        }
        return escaped
    }

    static func bold(_ text: some StringProtocol) -> String { "\\fB\(escaped(text))\\fR" }

    static func italic(_ text: some StringProtocol) -> String { "\\fI\(escaped(text))\\fR" }

    /// Paragraphs, with the lines that are indented as they stand.
    ///
    /// A paragraph that says only "Examples:" becomes a section of that name.
    static func paragraphs(_ text: String) -> [String] {
        var lines: [String] = []
        var isExample = false
        func endExample() {
            if isExample { lines += [".EE", ".RE"] }
            isExample = false
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("  ") {
                if !isExample { lines += [".PP", ".RS 4", ".EX"] }
                isExample = true
                lines.append(escaped(line.drop { $0 == " " }))
            } else if line.allSatisfy(\.isWhitespace) {
                endExample()
                lines.append(".PP")
            } else {
                endExample()
                if line.hasPrefix("Example"), line.hasSuffix(":") {
                    lines.append(
                        line == "Example:" || line == "Examples:" ? ".SH EXAMPLES" : ".SH EXAMPLES\n\(escaped(line))"
                    )
                } else {
                    lines.append(escaped(line))
                }
            }
        }
        endExample()
        // A section or an example is a paragraph of itself.
        return lines.enumerated()
            .filter { index, line in
                guard line == ".PP" else { return true }
                let next = index + 1 < lines.count ? lines[index + 1] : ".PP"
                return next != ".PP" && !next.hasPrefix(".SH")
                    && !(index > 0 && lines[index - 1].hasPrefix(".SH"))
            }
            .map(\.element)
    }
}
