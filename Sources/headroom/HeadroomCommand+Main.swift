import ArgumentParser
import CommandSupport
import Headroom

extension HeadroomCommand {
    /// Runs the command that the arguments name.
    static func main() {
        let arguments = HostLimits.check(need)
        ResidentMemory.keepHeapSmall()
        OpenSSLConfiguration.deferUntilNeeded()
        Console.reportLostOutput()
        FirstThread.wait {
            if var command = urgentCommand(arguments) {
                do { try await command.run() } catch { exit(withError: error) }
            } else {
                refuseUnknownCommand(arguments)
                await main(nil)
            }
        }
    }

    /// What a command needs of the host.
    private static func need(_ arguments: ArraySlice<String>) -> HostLimits.Need {
        switch arguments.first {
        // An import reads its file on a thread of Dispatch's.
        case "work", "import", "verify": HostLimits.Need(descriptors: 32, megabytes: 64, threads: 4)
        // It starts other programs.
        case "run", "sandbox": HostLimits.Need(descriptors: 32, megabytes: 48, threads: 4)
        default: HostLimits.Need(descriptors: 16, megabytes: 24)
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
        guard let word = arguments.first, !word.isEmpty, word.first != "-", !names.contains(word) else { return }
        let near = NearestName.to(word, in: names)
        Console.error("headroom: there is no command '\(word)'.")
        Console.error("  next: \(near.map { "did you mean '\($0)'? " } ?? "")'headroom help' lists them all.")
        exit(withError: ExitCode(64))
    }
}
