import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomWatch

/// `headroom rescue`: for when the account lets nobody in.
struct RescueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescue",
        _superCommandName: "headroom",
        abstract: "Says who holds the connections when nobody gets in, and can free some.",
        discussion: """
            Finds out which limit refuses, tries the other doors (the account of HEADROOM_ADMIN_USERNAME, the server's \
            extra_port or admin_port as it was seen in good times), tries again for --enter-for with --yes, and shows which processes of \
            this host hold connections to the server: how many, since when, for how long silent, of which unit.

            Nothing is ended without --yes. With it, sessions that have slept for over --max-idle are ended once there is a \
            way in, as kill-idle does. --hang-up-idle also makes one: it closes from outside the one connection that has \
            been silent for longest, takes its place at once, and from then on goes by what the server knows. A TCP \
            connection tells its silence; a unix socket does not, so it comes last, and may be in a transaction.

            Exits with 0 when the account can be used again, and with 1 when it still cannot.

            Examples:
              headroom rescue
              headroom rescue --hang-up-idle 60
              headroom rescue --hang-up-idle 60 --yes
              headroom rescue --hang-up 4312:7 --yes
              headroom rescue --terminate 4312 --yes
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: ArgumentHelp("From when on a sleeping session may be ended.", valueName: "duration"))
    var maxIdle: DurationArgument = DurationArgument(.seconds(300))

    @Option(help: ArgumentHelp("Stop when this many places of the account are free.", valueName: "count"))
    var untilFree: Int?

    @Flag(help: "Spare sessions of which it is not known whether they are in a transaction.")
    var knownOnly = false

    @Option(
        help: ArgumentHelp(
            "With no way in, hang up one connection that has been silent for so long, then end those idle for so long.",
            valueName: "duration"
        )
    )
    var hangUpIdle: DurationArgument?

    @Option(help: ArgumentHelp("Hang up this process's connections, or one of them.", valueName: "pid[:fd]"))
    var hangUp: SocketArgument?

    @Option(
        help: ArgumentHelp(
            "Ask this process to end, and wait until it has: SIGTERM, and SIGQUIT for PHP-FPM's, which end after their page.",
            valueName: "pid"
        )
    )
    var terminate: Int32?

    @Option(
        help: ArgumentHelp("With --yes: for how long to try to get in.", valueName: "duration")
    )
    var enterFor: DurationArgument = DurationArgument(.seconds(15))

    @Option(help: ArgumentHelp("How long to wait for the process's end.", valueName: "duration"))
    var wait: DurationArgument = DurationArgument(.seconds(10))

    @Flag(help: "Do it; without this nothing is ended.")
    var yes = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard hangUp == nil || hangUpIdle == nil else {
            throw ValidationError("Give either --hang-up or --hang-up-idle.")
        }
        guard untilFree ?? 0 >= 0 else { throw ValidationError("--until-free counts places: 0 or more.") }
    }

    func run() async throws {
        try await runCommand {
            let loaded = try connection.loaded(program: "headroom rescue", isForgiving: true)
            let options = options
            let report = try await Rescue(loaded).run(options)
            let advice = RescueAdvice(report, settings: loaded.database, user: geteuid(), idle: idle)
            try Console.emit(RescueOutput(report, advice, settings: loaded.database), asJSON: json)
            guard report.isFree else { throw ExitCode(1) }
        }
    }

    private var idle: Duration { (hangUpIdle ?? maxIdle).value }

    private var options: RescueOptions {
        var options = RescueOptions()
        options.maxIdle = maxIdle.value
        options.untilFree = untilFree
        options.knownOnly = knownOnly
        if let hangUp { options.hangUp = .process(hangUp.process, descriptor: hangUp.descriptor) }
        if let hangUpIdle { options.hangUp = .idle(hangUpIdle.value) }
        options.terminate = terminate
        options.terminationPatience = wait.value
        options.isDryRun = !yes
        // Whoever only looks waits for nothing.
        options.patience = yes ? enterFor.value : .zero
        return options
    }
}

/// A process, or one of its descriptors, on the command line: `4312`, `4312:7`.
struct SocketArgument: ExpressibleByArgument {
    var process: Int32
    var descriptor: Int32?

    init?(argument: String) {
        let parts = argument.pieces(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let process = Int32(parts[0]), process > 0 else { return nil }
        self.process = process
        if parts.count == 2 {
            guard let descriptor = Int32(parts[1]), descriptor >= 0 else { return nil }
            self.descriptor = descriptor
        }
    }
}
