import FoundationEssentials

/// Writes the manual pages of the package: one for each command, from what the programs say of themselves.
///
/// `manual-pages VERSION DATE SETTINGS SECTIONS FOLDER HELP...`: the settings are the package's commented file, the sections
/// are what the first page has besides, and each HELP is what a program printed for `--experimental-dump-help`.
@main enum ManualPages {
    static func main() throws {
        let words = Array(CommandLine.arguments.dropFirst())
        guard words.count >= 6 else { throw Misuse() }
        let (version, date, folder) = (words[0], words[1], words[4])
        let settings = SettingsSection.lines(try text(of: words[2]))
        let sections = try text(of: words[3]).split(separator: "\n").map(String.init)
        var pages: [String: String] = [:]
        // The programs in order: what a later one says of itself replaces what the first one says of it.
        for file in words[5...] {
            for command in try CommandHelp(file: file).all {
                let page = ManualPage(command, version: version, date: date)
                pages[page.name] = page.text(more: command.words.count == 1 ? sections + settings : [])
            }
        }
        for (name, text) in pages {
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name).1"))
        }
    }

    private static func text(of path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    private struct Misuse: Error, CustomStringConvertible {
        var description: String { "usage: manual-pages VERSION DATE SETTINGS SECTIONS FOLDER HELP..." }
    }
}

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
