import ArgumentParser
import CommandSupport
import Headroom

/// `headroom help [TOPIC]`: a subject in a screen or two, or the options of a command.
struct HelpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "help",
        abstract: "Explains a topic, or shows a command's options.",
        discussion: "Topics: \(Topic.all.map(\.name).joined(separator: ", "))."
    )

    @Argument(help: "A topic, or a command.")
    var words: [String] = []

    @Flag(help: "Print the page docs/errors.md; with 'errors'.")
    var markdown = false

    func run() throws {
        guard let word = words.first else {
            Console.print(text: HeadroomCommand.helpMessage())
            Console.print("TOPICS (headroom help TOPIC):")
            for line in table(Topic.all.map { [$0.name, $0.about] }) { Console.print(line) }
            return
        }
        if markdown, word == "errors" { return Console.result(ErrorsPage.markdown) }
        if let topic = Topic.all.first(where: { $0.name == word }) {
            for line in topic.lines { Console.print(line) }
            return
        }
        var command: any ParsableCommand.Type = HeadroomCommand.self
        for word in words {
            let named = command.configuration.subcommands.first { $0.configuration.commandName == word }
            guard let named else {
                let near = NearestName.to(word, in: Self.names)
                Console.error("headroom: there is no topic or command '\(word)'.")
                Console.error(
                    "  next: \(near.map { "did you mean '\($0)'? " } ?? "")'headroom help' lists them all."
                )
                throw ExitCode(64)
            }
            command = named
        }
        Console.print(text: HeadroomCommand.helpMessage(for: command))
    }

    private static var names: [String] {
        Topic.all.map(\.name) + HeadroomCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
    }
}
