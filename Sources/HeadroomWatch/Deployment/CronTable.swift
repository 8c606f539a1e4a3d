import Headroom

/// A crontab, read line by line.
package struct CronTable: Sendable, Hashable {
    /// Where it is.
    package var path: String

    /// Its entries.
    package var entries: [Entry] = []

    /// The variables that are set in it.
    package var variables: [String: String] = [:]

    /// Whether the last line lacks its end: cron leaves such a line out.
    package var isCutShort: Bool

    /// A line that runs something.
    package struct Entry: Sendable, Hashable {
        /// The line's number, from 1.
        package var line: Int
        /// The five fields, or a word such as `@reboot`.
        package var schedule: String
        /// The user whose command it is.
        package var user: String
        /// The command.
        package var command: String
    }

    /// Reads a crontab.
    ///
    /// - Parameters:
    ///   - text: The file's text.
    ///   - path: Where it is.
    ///   - user: Whose it is; `nil` for one of the system's, in which each line names its user.
    package init(_ text: String, path: String, user: String?) {
        self.path = path
        isCutShort = !text.isEmpty && !text.ends(with: "\n")
        for (index, line) in text.pieces(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.dropping(\.isBlank)
            if line.isEmpty || line.begins(with: "#") { continue }
            if let (name, value) = Self.assignment(line) {
                variables[name] = value
                continue
            }
            var rest = line
            func field() -> String? {
                let word = rest.leading { !$0.isBlank }
                rest = rest[word.endIndex...].dropping(\.isBlank)
                return word.isEmpty ? nil : String(word)
            }
            var schedule: [String] = []
            for _ in 0..<(line.begins(with: "@") ? 1 : 5) { if let word = field() { schedule.append(word) } }
            guard let owner = user ?? field(), !rest.isEmpty else { continue }
            // What follows an unescaped % is the command's input.
            let command = rest.leading { $0 != "%" }
            entries.append(
                Entry(
                    line: index + 1,
                    schedule: schedule.joined(separator: " "),
                    user: owner,
                    command: String(command)
                )
            )
        }
    }

    private static func assignment(_ line: Substring) -> (String, String)? {
        guard let equals = line.unicodeScalars.firstIndex(of: "=") else { return nil }
        let name = line[..<equals].keeping { !$0.isBlank }
        guard let first = name.unicodeScalars.first, first.isLatinLetter || first == "_",
            name.isAll({ $0.isLatinLetter || $0.isDigit || $0 == "_" })
        else { return nil }
        return (name, line[line.unicodeScalars.index(after: equals)...].keeping { $0 != "\"" && $0 != "'" }.trimmed)
    }
}
