/// A command's manual page.
struct ManualPage {
    private let command: CommandHelp
    private let version: String
    private let date: String

    init(_ command: CommandHelp, version: String, date: String) {
        self.command = command
        self.version = version
        self.date = date
    }

    /// The page's name: `headroom-jobs-add`.
    var name: String { command.words.joined(separator: "-") }

    /// The page's text.
    ///
    /// - Parameter more: Sections to be put before the last one.
    /// - Returns: The text, in the language of man(7).
    func text(more: [String] = []) -> String {
        let title = name.uppercased()
        let heading = [
            ".\\\" Made by scripts/package from what the program says of itself.",
            ".TH \"\(title)\" 1 \"\(date)\" \"headroom \(version)\" \"Headroom\"",
            ".SH NAME", "\(Roff.escaped(name)) \\- \(Roff.escaped(abstract))",
        ]
        let lines = heading + synopsis + description + options + subcommands + more + seeAlso
        return lines.joined(separator: "\n") + "\n"
    }

    /// What it does, as the index of all pages shows it: without a full stop.
    private var abstract: String {
        var text = command.abstract ?? ""
        if text.hasSuffix(".") { text.removeLast() }
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    private var arguments: [CommandHelp.ArgumentHelp] { (command.arguments ?? []).filter(\.shouldDisplay) }

    private var synopsis: [String] {
        let name = Roff.bold(command.words.joined(separator: " "))
        if !command.shownSubcommands.isEmpty {
            return [".SH SYNOPSIS", "\(name) \(Roff.italic("command")) [\(Roff.italic("options"))]"]
        }
        let positional = arguments.filter { $0.kind == .positional }
            .map { argument in
                let text = Roff.italic(argument.valueName ?? "argument") + (argument.isRepeating ? " ..." : "")
                return argument.isOptional ? "[\(text)]" : text
            }
        return [".SH SYNOPSIS", ([name, "[\(Roff.italic("options"))]"] + positional).joined(separator: " ")]
    }

    private var description: [String] {
        [".SH DESCRIPTION", Roff.escaped(command.abstract ?? "")]
            + (command.discussion.map { [".PP"] + Roff.paragraphs($0) } ?? [])
    }

    private var options: [String] {
        // Those with a title come last, under it.
        var sections: [(title: String?, arguments: [CommandHelp.ArgumentHelp])] = []
        for argument in arguments {
            if let index = sections.firstIndex(where: { $0.title == argument.sectionTitle }) {
                sections[index].arguments.append(argument)
            } else {
                sections.append((argument.sectionTitle, [argument]))
            }
        }
        guard !sections.isEmpty else { return [] }
        return [".SH OPTIONS"]
            + sections.flatMap { section in
                (section.title.map { [".SS \(Roff.escaped($0))"] } ?? []) + section.arguments.flatMap(option)
            }
    }

    private func option(_ argument: CommandHelp.ArgumentHelp) -> [String] {
        let value = Roff.italic(argument.valueName ?? "value")
        let names = (argument.names ?? []).sorted { $0.text.count < $1.text.count }.map { Roff.bold($0.text) }
        let heading =
            switch argument.kind {
            case .positional: value
            case .flag: names.joined(separator: ", ")
            case .option: "\(names.joined(separator: ", ")) \(value)"
            }
        var text = argument.abstract ?? ""
        if let value = argument.defaultValue, argument.kind != .flag { text += " The default is \(value)." }
        return [".TP", heading, Roff.escaped(text.isEmpty ? "No description." : text)]
            + (argument.discussion.map { [".IP", Roff.escaped($0)] } ?? [])
    }

    private var subcommands: [String] {
        guard !command.shownSubcommands.isEmpty else { return [] }
        return [".SH COMMANDS"]
            + command.shownSubcommands.flatMap { subcommand in
                let page = (command.words + [Substring(subcommand.commandName)]).joined(separator: "-")
                return [".TP", "\(Roff.bold(page))(1)", Roff.escaped(subcommand.abstract ?? "")]
            }
    }

    private var seeAlso: [String] {
        guard command.words.count > 1 else { return [] }
        let above = command.words.dropLast().joined(separator: "-")
        let pages = (above == "headroom" ? [] : ["headroom"]) + [above]
        return [".SH SEE ALSO", pages.map { "\(Roff.bold($0))(1)" }.joined(separator: ", ")]
    }
}
