import ArgumentParser
import CommandSupport
import Headroom
import HeadroomWatch

extension HeadroomCommand {
    /// Runs the command that the arguments name.
    static func main() {
        let (arguments, need) = HostLimits.check(Self.need)
        ResidentMemory.keepHeapSmall()
        OpenSSLConfiguration.deferUntilNeeded()
        Console.reportLostOutput()
        FirstThread.wait(need) {
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
        // Its own threads, those that read a file and those that start a program for an alert.
        case "work", "import": HostLimits.Need(descriptors: 24, megabytes: 32, threads: 8)
        // Its own threads, Subprocess's three, which it waits for without end, and the program.
        case "run", "sandbox": HostLimits.Need(descriptors: 24, megabytes: 24, threads: 6)
        case "verify": HostLimits.Need(descriptors: 24, megabytes: 24)
        case "status": HostLimits.Need(descriptors: 16, megabytes: 24, failureCode: Level.unknown.exitCode)
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
        guard let word = arguments.first, !word.isEmpty, !word.begins(with: "-"), !names.contains(word) else { return }
        let near = NearestName.to(word, in: names)
        Console.error("headroom: there is no command '\(word)'.")
        Console.error("  next: \(near.map { "did you mean '\($0)'? " } ?? "")'headroom help' lists them all.")
        exit(withError: ExitCode(64))
    }
}
