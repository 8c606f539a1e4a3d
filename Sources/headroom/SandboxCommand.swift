import ArgumentParser
import CommandSupport
import HeadroomSandbox

/// `headroom sandbox`: a private MariaDB server to try things on.
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Runs a private MariaDB server to try things on.",
        discussion: "It has its own folder, socket and data, and never touches the system's server.",
        subcommands: [RunSandbox.self, StartSandbox.self, StopSandbox.self]
    )

    /// What the server and its account are like.
    struct ServerOptions: ParsableArguments {
        @Option(help: "The most connections that the account may have; 0 for no limit.")
        var limit = 0

        @Option(help: "The most logins that the account may have in an hour; 0 for no limit.")
        var connectionsPerHour = 0

        @Option(help: "The most connections that the whole server may have.")
        var maxConnections = 151

        @Flag(help: "Also listen on a free TCP port of 127.0.0.1.")
        var tcp = false

        @Flag(help: "Offer TLS, with a certificate made for it.")
        var tls = false

        @Flag(help: "Turn the performance schema on.")
        var performanceSchema = false

        @Option(
            help: ArgumentHelp(
                "Run the MySQL in this folder, as scripts/setup-server makes one, in the place of MariaDB.",
                valueName: "dir"
            )
        )
        var mysql: String?

        func options(directory: String?) -> SandboxOptions {
            var options = SandboxOptions(limit: limit)
            options.connectionsPerHour = connectionsPerHour
            options.serverLimit = maxConnections
            options.tcp = tcp
            options.tls = tls
            options.performanceSchema = performanceSchema
            options.directory = directory
            if let mysql { options.server = .mySQL(root: mysql) }
            return options
        }
    }

    /// `headroom sandbox run -- COMMAND`.
    struct RunSandbox: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: "Runs a command with a private server, which goes when the command ends.",
            discussion: """
                The command finds the account in DB_SOCKET, DB_DATABASE, DB_USERNAME and DB_PASSWORD (with --tcp also \
                DB_HOST and DB_PORT), and the administrator 'root', who has no password, at HEADROOM_SANDBOX_ADMIN_SOCKET. \
                Its exit status is passed on.

                Examples:
                  headroom sandbox run --limit 5 -- headroom status
                  headroom sandbox run --limit 10 --keep ./data -- bash
                """
        )

        @OptionGroup var server: ServerOptions

        @Option(help: ArgumentHelp("Use this folder and keep it.", valueName: "dir"))
        var keep: String?

        @Argument(parsing: .postTerminator, help: "The command to run.")
        var command: [String] = []

        func validate() throws {
            guard !command.isEmpty else { throw ValidationError("Say what to run: headroom sandbox run -- COMMAND") }
        }

        func run() async throws {
            let child = Child()
            try await runCommand(mayDumpCore: true, takeSignal: child.signal) {
                let status = try await Sandbox.with(server.options(directory: keep)) { sandbox in
                    try await child.run(command, environment: sandbox.environment)
                }
                guard status == 0 else { throw ExitCode(status) }
            }
        }
    }

    /// `headroom sandbox start --dir DIR`.
    struct StartSandbox: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "start",
            abstract: "Starts a private server that goes on until 'headroom sandbox stop'.",
            discussion: """
                Prints the settings; they are also in the folder's file 'env', for --env-file or the shell.

                Example:
                  headroom sandbox start --dir ./try --limit 5
                  headroom status --env-file ./try/env
                """
        )

        @OptionGroup var server: ServerOptions

        @Option(help: ArgumentHelp("The folder, new, empty or from an earlier start.", valueName: "dir"))
        var dir: String

        func run() async throws {
            try await runCommand {
                let sandbox = try await Sandbox.startDetached(server.options(directory: dir))
                for (name, value) in sandbox.environment.sorted(by: { $0.key < $1.key }) {
                    Console.print("export \(name)='\(value)'")
                }
            }
        }
    }

    /// `headroom sandbox stop --dir DIR`.
    struct StopSandbox: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stop",
            abstract: "Stops a server that 'headroom sandbox start' has started; its data stays."
        )

        @Option(help: ArgumentHelp("The server's folder.", valueName: "dir"))
        var dir: String

        func run() async throws {
            try await runCommand {
                try await Sandbox.stopDetached(directory: dir)
                Console.print("stopped the server in \(dir)")
            }
        }
    }
}
