import ArgumentParser
import CommandSupport
import Headroom
import HeadroomWatch

extension HeadroomCommand {
    /// Runs the command that the arguments name.
    static func main() {
        LinkedLibraries.prepare()
        let (arguments, need) = HostLimits.check(Self.need)
        ResidentMemory.keepHeapSmall()
        Console.reportLostOutput()
        FirstThread.wait(need) {
            if Set(arguments) == ["--version", "--verbose"] {
                for line in LinkedLibraries.versions { Console.print(line) }
                return
            }
            refuseUnknownCommand(arguments)
            await main(nil)
        }
    }

    /// What a command needs of the host.
    private static func need(_ arguments: ArraySlice<String>) -> HostLimits.Need {
        switch arguments.first {
        // Its own threads, those that read a file and those that start a program for an alert.
        case "work", "import": HostLimits.Need(descriptors: 24, megabytes: 32, threads: 8)
        // Its own threads, Subprocess's three, which it waits for without end, and the program.
        case "run", "sandbox": HostLimits.Need(descriptors: 24, megabytes: 24, threads: 6)
        // Alerts go out by programs.
        case "guard":
            HostLimits.Need(
                descriptors: 32,
                megabytes: 32,
                threads: 8,
                failureCode: arguments.contains("--once") ? Level.unknown.exitCode : nil
            )
        // Two descriptors for each client.
        case "door": HostLimits.Need(descriptors: 64, megabytes: 24)
        case "verify": HostLimits.Need(descriptors: 24, megabytes: 24)
        case "status": HostLimits.Need(descriptors: 16, megabytes: 24, failureCode: Level.unknown.exitCode)
        default: HostLimits.Need(descriptors: 16, megabytes: 24)
        }
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
