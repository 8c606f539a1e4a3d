import ArgumentParser
import CommandSupport
import Headroom

extension HeadroomCommand {
    /// Runs the command that the arguments name.
    static func main() {
        ResidentMemory.keepHeapSmall()
        OpenSSLConfiguration.deferUntilNeeded()
        Console.reportLostOutput()
        let arguments = CommandLine.arguments.dropFirst()
        FirstThread.sleep {
            if var command = urgentCommand(arguments) {
                do { try await command.run() } catch { exit(withError: error) }
            } else {
                refuseUnknownCommand(arguments)
                await main(nil)
            }
        }
    }

    /// Parses a command for an outage without asking the others; `nil` when it is another, or not as it should be.
    ///
    /// The parser first has all forty commands describe themselves, and looks whether a completion script is wanted: a tenth
    /// of the time until an idle session is ended. Help and errors are left to it, as they may speak of any command.
    private static func urgentCommand(_ arguments: ArraySlice<String>) -> (any AsyncParsableCommand)? {
        let urgent: [any AsyncParsableCommand.Type] = [StatusCommand.self, KillIdleCommand.self, RescueCommand.self]
        let type = urgent.first { $0.configuration.commandName == arguments.first }
        // A person who gives up at the question for the password is not to be asked again.
        guard let type, !arguments.contains("--ask-pass") else { return nil }
        return try? type.parse(Array(arguments.dropFirst()))
    }

    /// Says what was meant by a command that there is not; the parser would call it an unexpected argument.
    private static func refuseUnknownCommand(_ arguments: ArraySlice<String>) {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word = arguments.first, !word.isEmpty, !word.begins(with: "-"), !names.contains(word) else { return }
        let near = NearestName.to(word, in: names)
        Console.error("headroom: there is no command '\(word)'.")
        Console.error("  next: \(near.map { "did you mean '\($0)'? " } ?? "")'headroom help' lists them all.")
        exit(withError: ExitCode(64))
    }
}
