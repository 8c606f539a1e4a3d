import ArgumentParser
import CommandSupport

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
            RunCommand.self, DoorCommand.self, ServeCommand.self,
            VerifyCommand.self, WorkCommand.self, ImportCommand.self, JobsCommand.self,
            MigrateCommand.self, ConfigCommand.self, TrustCommand.self, DeployCommand.self, DoctorCommand.self,
            HelpCommand.self,
            SandboxCommand.self,
        ]
    )
}
