import Alerting
import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomHistory
import HeadroomWatch

/// `headroom guard`.
struct GuardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Watches the account: history, alerts, and idle sessions ended in time.",
        discussion: """
            Looks at the account every --interval, through a connection that it opens and closes, and tells of what has \
            changed: the level (CAUTION over 60 %, WARNING over 80 %, EXHAUSTED when refused), a server that is away, scopes \
            held for too long, workers missing or doubled, and an account that will soon be full. Each thing is said once \
            when it begins and once when it is over, also across restarts of the guard. At most one attempt to connect in \
            each interval, however long the server is away.

            --reserve keeps one connection, so that the guard can look and act when the account is full. It is the one that \
            the budget leaves free (HEADROOM_RESERVE); at a limit of 1 none is kept.

            --alert-command is run by /bin/sh with HEADROOM_LEVEL, HEADROOM_ALERT (what it is about), HEADROOM_CHANGE \
            (raised or recovered), HEADROOM_SUBJECT, HEADROOM_MESSAGE, HEADROOM_ADVICE, HEADROOM_USED, HEADROOM_LIMIT, \
            HEADROOM_ACCOUNT, HEADROOM_HOSTNAME and HEADROOM_TIME. A webhook gets the same as JSON.

            As a service: Type=notify, with WatchdogSec of 60 s or more. From cron: --once prints nothing when all is well. \
            SIGTERM ends it with no connection left.

            Examples:
              headroom guard --reserve --auto-kill-idle 300 --mail-to ops@example.org
              headroom guard --alert-command 'logger -t headroom "$HEADROOM_LEVEL: $HEADROOM_MESSAGE"'
              * * * * * headroom guard --once --env-file /srv/app/.env
              headroom guard --history --hours 24
            """
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup(title: "Watching") var watching: WatchingOptions
    @OptionGroup(title: "Alerts") var alerts: AlertOptions
    @OptionGroup(title: "History") var keeping: HistoryOptions

    @Flag(help: "Look once and exit with the level's code, as status does; 1 when another alert is open.")
    var once = false

    @Flag(help: "Send an alert by each way that is set, say what became of it, and exit with 1 if one failed.")
    var testAlert = false

    @Flag(help: "Print the past.")
    var history = false

    @Option(help: ArgumentHelp("With --history: how many hours of it.", valueName: "count"))
    var hours = 24

    @Flag(help: "With --history: print one JSON object.")
    var json = false

    func validate() throws {
        guard [once, history, testAlert].count(where: \.self) <= 1 else {
            throw ValidationError("Choose one of --once, --history and --test-alert.")
        }
        guard (1...87_600).contains(hours) else { throw ValidationError("--hours must be from 1 to 87600.") }
        guard history || !json else { throw ValidationError("--json goes with --history.") }
    }

    func run() async throws {
        Console.flushLines()
        let stopping = Stopping()
        try await runCommand(failureCode: history ? 1 : Level.unknown.exitCode, takeSignal: stopping.take) {
            let loaded = try connection.loaded(program: "headroom guard")
            let file = try keeping.path(loaded.database)
            if testAlert {
                try await Self.test(try alerts.channels(loaded), account: loaded.database.username)
            } else if history {
                try await PastReport(file, hours: hours).print(isJSON: json)
            } else if once {
                try await GuardRun(loaded, watching, alerts, keeping, file).once()
            } else {
                let service = try GuardRun(loaded, watching, alerts, keeping, file)
                let task = Task { try await service.serve() }
                stopping.begin(task)
                try await task.value
            }
        }
    }

    /// Sends an alert by each way, and says what became of it.
    private static func test(_ channels: [any AlertChannel], account: String) async throws {
        guard !channels.isEmpty else {
            Console.error("headroom: nothing says who is to be told")
            Console.error("  next: set HEADROOM_WEBHOOK, HEADROOM_MAIL_TO or HEADROOM_ALERT_COMMAND.")
            throw ExitCode(1)
        }
        let event = GuardEvent(
            time: Double(time(nil)),
            kind: .level,
            change: .noted,
            level: .ok,
            subject: "test",
            message: "This is a test: alerts of this account arrive here.",
            advice: ""
        )
        let alert = Alert(event: event, sample: GuardSample(time: event.time), account: account)
        var hasFailed = false
        for channel in channels {
            do {
                try await channel.send(alert)
                Console.print("\(channel.name): sent")
            } catch {
                hasFailed = true
                Console.error("headroom: \(channel.name): \(error)")
            }
        }
        if hasFailed { throw ExitCode(1) }
    }
}

/// The flags that say where the history is.
struct HistoryOptions: ParsableArguments {
    @Option(
        name: .customLong("history-file"),
        help: ArgumentHelp("Keep the history in this file instead of the state folder's.", valueName: "file")
    )
    var file: String?

    @Option(help: ArgumentHelp("How many days of it are kept.", valueName: "count"))
    var keepDays = 14

    func validate() throws {
        guard (1...3650).contains(keepDays) else { throw ValidationError("--keep-days must be from 1 to 3650.") }
    }

    /// The file's path.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    func path(_ settings: DatabaseSettings) throws -> String {
        try file ?? AccountNotes(settings, topic: "history").path(ending: ".sqlite")
    }
}
