import FoundationEssentials

/// A command as it describes itself: what `--experimental-dump-help` prints.
struct CommandHelp: Decodable {
    var commandName: String
    var abstract: String?
    var discussion: String?
    var superCommands: [String]?
    var shouldDisplay: Bool?
    var arguments: [ArgumentHelp]?
    var subcommands: [CommandHelp]?

    /// An argument, flag or option of a command.
    struct ArgumentHelp: Decodable {
        var kind: Kind
        var names: [Name]?
        var valueName: String?
        var abstract: String?
        var discussion: String?
        var defaultValue: String?
        var sectionTitle: String?
        var isOptional: Bool
        var isRepeating: Bool
        var shouldDisplay: Bool

        enum Kind: String, Decodable { case positional, option, flag }

        struct Name: Decodable {
            var kind: String
            var name: String

            /// The name with its dashes.
            var text: String { (kind == "long" ? "--" : "-") + name }
        }
    }

    /// Reads what a program printed.
    init(file path: String) throws {
        struct Dump: Decodable { var command: CommandHelp }
        self = try JSONDecoder().decode(Dump.self, from: Data(contentsOf: URL(filePath: path))).command
    }

    /// The words that run it: `headroom jobs add`.
    var words: [Substring] {
        (superCommands ?? []).flatMap { $0.split(separator: " ") } + commandName.split(separator: " ")
    }

    /// What has a page of its own below it.
    var shownSubcommands: [CommandHelp] {
        (subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay != false }
    }

    /// Every command from this one down.
    var all: [CommandHelp] { [self] + shownSubcommands.flatMap(\.all) }
}
