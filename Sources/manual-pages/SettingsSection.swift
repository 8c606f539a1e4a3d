/// The settings as a section of a manual page, made from the file that the package installs: each setting
/// below the comment that says what it is.
enum SettingsSection {
    static func lines(_ file: String) -> [String] {
        var lines = [
            ".SH ENVIRONMENT",
            "Settings come from the flags, then from these variables, then from a file named with \\fB\\-\\-env\\-file\\fR or"
                + " \\fB\\-\\-defaults\\-file\\fR, then from \\fI.env\\fR in the working directory.",
        ]
        var comment: [Substring] = []
        var names: [String] = []
        func endParagraph() {
            if !names.isEmpty {
                for (index, name) in names.enumerated() { lines += [index == 0 ? ".TP" : ".TQ", name] }
                lines.append(Roff.escaped(comment.joined(separator: " ")))
            }
            comment = []
            names = []
        }
        for line in file.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("# ") {
                comment.append(line.dropFirst(2))
            } else if line.hasPrefix("#"), let equals = line.firstIndex(of: "=") {
                // The value is an example, or the default, which the comment names.
                names.append(Roff.bold(line.dropFirst()[..<equals]))
            } else if line.isEmpty {
                endParagraph()
            }
        }
        endParagraph()
        return lines
    }
}
