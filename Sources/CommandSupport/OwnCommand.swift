import Headroom
import Synchronization

/// The program as it was started, for commands that people copy: by the same path, with the same files of settings.
package enum OwnCommand {
    private static let files = Mutex<[String]>([])

    /// Notes the flags that name files of settings.
    static func note(_ flags: [(name: String, value: String?)]) {
        files.withLock { $0 = flags.flatMap { name, value in value.map { [name, $0] } ?? [] } }
    }

    /// The commands that read the database's settings; of some of them a second word is the command.
    private static let commands: Set<String> = [
        "status", "rescue", "slots", "verify", "kill-idle", "doctor", "guard", "work", "import", "migrate", "run",
        "serve", "up", "door", "trust",
    ]

    /// A line of advice whose commands can be copied as they stand.
    static func completed(_ line: String) -> String {
        guard line.begins(with: "  next: ") else { return line }
        return completed(line, program: CommandLine.arguments.first ?? "", files: files.withLock(\.self))
    }

    static func completed(_ line: String, program: String, files: [String]) -> String {
        // Without a slash it was found by the shell, as the copy will be.
        let isByPath = program.holds("/")
        guard isByPath || !files.isEmpty else { return line }
        let flags = files.map { " \(Escaping.shell($0))" }.joined()
        var text = ""
        var rest = line[...]
        while let place = rest.place(of: "headroom ") {
            let before = rest[..<place.lowerBound].unicodeScalars.last
            let words = rest[place.upperBound...].leading { $0.isLatinLetter || $0 == "-" || $0 == " " }
                .pieces(separator: " ")
            text += rest[..<place.lowerBound]
            rest = rest[place.lowerBound...]
            guard let first = words.first.map(String.init), before.map({ $0 == " " || $0 == "'" || $0 == "(" }) ?? true,
                commands.contains(first)
                    || words.count > 1 && (first == "jobs" || first == "config" && words[1] == "show")
            else {
                text += "headroom "
                rest = rest.after("headroom ") ?? ""
                continue
            }
            let command = commands.contains(first) ? first : "\(first) \(words[1])"
            text += "\(isByPath ? Escaping.shell(program) : "headroom") \(command)\(flags)"
            rest = rest.after("headroom \(command)") ?? ""
        }
        return text + rest
    }
}
