import ArgumentParser
import CommandSupport
import Headroom
import HeadroomWatch
import Reporting

/// `headroom status`: how near the account is to its limit, and who holds its connections.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        _superCommandName: "headroom",
        abstract: "Shows how near the account is to its limit, and who holds its connections.",
        discussion: """
            Exits with 0 for OK, 1 for CAUTION (over 60 %), 2 for WARNING (over 80 %) and EXHAUSTED (refused), and 3 when \
            it cannot tell. The connection that looks is marked and not counted. It needs no privilege, and says what more \
            rights would show.

            Examples:
              headroom status
              headroom status --line
              headroom status --watch
              headroom status --json | jq .level
              headroom status --nagios
              headroom status --prometheus > /var/lib/node_exporter/headroom.prom
              headroom status | grep -q 'CAUTION\\|WARNING' && mail -s 'connections' ops@example.org
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: ArgumentHelp("From when on a sleeping session counts as idle.", valueName: "duration"))
    var maxIdle: DurationArgument = Self.usualMaxIdle

    @Flag(help: "List the sessions of all accounts too (needs PROCESS).")
    var allAccounts = false

    @Flag(help: "Show it again and again, until Ctrl-C; with --json one object a line.")
    var watch = false

    @Option(help: ArgumentHelp("How often --watch looks.", valueName: "duration"))
    var interval: DurationArgument = Self.usualInterval

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Print one line for Nagios and its like, with performance data.")
    var nagios = false

    @Flag(help: "Print one line: how full, who holds, who waits, what to do.")
    var line = false

    @Flag(help: "Print metrics in Prometheus' text format.")
    var prometheus = false

    init() {}

    /// The command as cron, monitoring and people in an outage call it; `nil` where more is asked, for the parser to read.
    ///
    /// The parser takes a seventh of the time of `status`. It also gives options their defaults: each needs a value here.
    init?(plain arguments: ArraySlice<String>) {
        var (arguments, envFile, flags) = (arguments, String?.none, [String]())
        while let word = arguments.popFirst() {
            switch word {
            case "--env-file":
                guard let file = arguments.popFirst(), !file.begins(with: "-") else { return nil }
                envFile = file
            case "--json", "--nagios", "--prometheus", "--line": flags.append(word)
            default: return nil
            }
        }
        guard flags.count <= 1 else { return nil }
        connection = ConnectionOptions(envFile: envFile)
        maxIdle = Self.usualMaxIdle
        (allAccounts, watch, interval) = (false, false, Self.usualInterval)
        (json, nagios, prometheus) = (flags == ["--json"], flags == ["--nagios"], flags == ["--prometheus"])
        line = flags == ["--line"]
    }

    private static let usualMaxIdle = DurationArgument(.seconds(300))
    private static let usualInterval = DurationArgument(.seconds(2))

    func validate() throws {
        guard [json, nagios, prometheus, line].count(where: \.self) <= 1, !watch || !(nagios || prometheus || line)
        else {
            throw ValidationError(
                "Choose one of --json, --line, --nagios and --prometheus; --watch goes with --json only."
            )
        }
        guard interval.value >= .milliseconds(200) else { throw ValidationError("--interval must be at least 200ms.") }
    }

    func run() async throws {
        try await runCommand(failureCode: Level.unknown.exitCode) {
            let settings: DatabaseSettings
            do {
                settings = try connection.settings(program: "headroom status")
            } catch let error as DatabaseError {
                // Whoever reads the line, such as a monitor, is told as well.
                let words = Escaping.nagios(printable(error.message))
                if nagios {
                    Console.print("HEADROOM UNKNOWN - \(words)")
                } else if !json, !prometheus {
                    Console.print("UNKNOWN  \(printable(error.message))")
                }
                throw error
            }
            let account = AccountWatch(settings)
            func look() async throws -> StatusView {
                let report = try await account.report(maxIdle: maxIdle.value, isOfAllAccounts: allAccounts)
                return await StatusView(report, settings: settings)
            }
            if watch { try await StatusScreen(interval: interval.value, isJSON: json).run(look) }
            let view = try await look()
            if json {
                try Console.json(StatusJSON(view))
            } else if nagios {
                Console.print(StatusNagios(view).line)
            } else if line {
                Console.print(StatusText(view).line)
            } else if prometheus {
                for line in AccountMetrics.page(view).lines(.prometheus) { Console.print(line) }
            } else {
                for line in StatusText(view).lines { Console.print(line) }
            }
            if let refusal = view.report.refusal, !nagios, !line {
                Console.error("headroom: \(refusal.message)")
                Console.error("  next: \(refusal.advice)")
            }
            // Thrown only where it says something: the parser makes a message of each error.
            if view.report.level != .ok { throw ExitCode(view.report.level.exitCode) }
        }
    }
}
