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
        isCutShort = text.last.map { !$0.isNewline } ?? false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.drop(while: \.isWhitespace)
            if line.isEmpty || line.hasPrefix("#") { continue }
            if let (name, value) = Self.assignment(line) {
                variables[name] = value
                continue
            }
            var rest = line
            func field() -> String? {
                let word = rest.prefix { !$0.isWhitespace }
                rest = rest[word.endIndex...].drop(while: \.isWhitespace)
                return word.isEmpty ? nil : String(word)
            }
            var schedule: [String] = []
            for _ in 0..<(line.hasPrefix("@") ? 1 : 5) { if let word = field() { schedule.append(word) } }
            guard let owner = user ?? field(), !rest.isEmpty else { continue }
            // What follows an unescaped % is the command's input.
            let command = rest.prefix { $0 != "%" }
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
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let name = line[..<equals].filter { !$0.isWhitespace }
        guard let first = name.first, first.isLetter || first == "_",
            name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
        else { return nil }
        return (name, line[line.index(after: equals)...].filter { $0 != "\"" && $0 != "'" }.trimmed)
    }
}

extension String {
    /// The text without blanks at its ends.
    var trimmed: String {
        var text = Substring(self).drop(while: \.isWhitespace)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
