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
        MainThread.wait(need) {
            if Set(arguments) == ["--version", "--verbose"] {
                for line in LinkedLibraries.versions { Console.print(line) }
                return
            }
            Supervised.begin(isDoor: arguments.first == "door")
            if await runUrgent(arguments) { return }
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
        // It asks crontab and php.
        case "setup": HostLimits.Need(descriptors: 32, megabytes: 32, threads: 8)
        // Alerts go out by programs.
        case "guard":
            HostLimits.Need(
                descriptors: 32,
                megabytes: 32,
                threads: 8,
                failureCode: arguments.contains("--once") ? Level.unknown.exitCode : nil
            )
        // It hears of children by signals, of which several may come at once.
        case "up": HostLimits.Need(descriptors: 32, megabytes: 24, threads: 2)
        // Two descriptors for each client.
        case "door": HostLimits.Need(descriptors: 64, megabytes: 24)
        case "verify": HostLimits.Need(descriptors: 24, megabytes: 24)
        case "status": HostLimits.Need(descriptors: 16, megabytes: 24, failureCode: Level.unknown.exitCode)
        default: HostLimits.Need(descriptors: 16, megabytes: 24)
        }
    }

    /// Runs a command for an outage, read by itself; `false` for others, and where there is something to explain.
    ///
    /// The parser takes a fifth of the time of `status` to read it as one of all commands.
    private static func runUrgent(_ arguments: ArraySlice<String>) async -> Bool {
        let rest = Array(arguments.dropFirst())
        // It would be asked twice where something has to be explained.
        guard !rest.contains("--ask-pass") else { return false }
        let parsed: (any AsyncParsableCommand)? =
            switch arguments.first {
            case "status": StatusCommand(plain: arguments.dropFirst()) ?? (try? StatusCommand.parse(rest))
            case "kill-idle": try? KillIdleCommand.parse(rest)
            case "rescue": try? RescueCommand.parse(rest)
            // Cron starts it each minute, most often for nothing.
            case "up": try? UpCommand.parse(rest)
            default: nil
            }
        guard var command = parsed else { return false }
        do { try await command.run() } catch { exit(withError: error) }
        return true
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

/// The command: one subcommand a file, each of which parses, calls one module and prints.
@main
struct HeadroomCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headroom",
        abstract: "Keeps a MySQL or MariaDB account under its connection limit.",
        discussion: """
            Settings come from the flags, the environment (DB_HOST, DB_PORT, DB_SOCKET, DB_DATABASE, DB_USERNAME, \
            DB_PASSWORD, or DATABASE_URL), a file named with --env-file or --defaults-file, and the .env file in the \
            working directory, in this order. A password is never a flag: other users of the machine could read it. \
            'headroom config show' says what is in force, 'headroom help TOPIC' explains \
            \(Topic.all.map(\.name).joined(separator: ", ")).
            """,
        version: headroomVersion,
        subcommands: [
            StatusCommand.self, KillIdleCommand.self, RescueCommand.self, GuardCommand.self, SlotsCommand.self,
            RunCommand.self, SetupCommand.self, UpCommand.self, DoorCommand.self, ServeCommand.self,
            VerifyCommand.self, WorkCommand.self, ImportCommand.self, JobsCommand.self,
            MigrateCommand.self, ConfigCommand.self, TrustCommand.self, DeployCommand.self, DoctorCommand.self,
            HelpCommand.self,
            SandboxCommand.self,
        ]
    )
}
