import ArgumentParser
import CommandSupport
import Headroom

extension HeadroomCommand {
    /// Runs the command that the arguments name.
    static func main() {
        ResidentMemory.keepHeapSmall()
        OpenSSLConfiguration.deferUntilNeeded()
        Console.reportLostOutput()
        refuseUnknownCommand(CommandLine.arguments.dropFirst())
        FirstThread.sleep { await main(nil) }
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
