import ArgumentParser
import Headroom
import HeadroomWatch

/// `headroom status`: how near the account is to its limit, and who holds its connections.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how near the account is to its limit, and who holds its connections.",
        discussion: """
            Exits with 0 for OK, 1 for CAUTION (over 60 %), 2 for WARNING (over 80 %) and EXHAUSTED (refused), and 3 when \
            it cannot tell. The connection that looks is marked and not counted.

            Examples:
              headroom status
              headroom status --json | jq .level
              headroom status | grep -q 'CAUTION\\|WARNING' && mail -s 'connections' ops@example.org
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: ArgumentHelp("From when on a sleeping session counts as idle.", valueName: "duration"))
    var maxIdle: DurationArgument = DurationArgument(.seconds(300))

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await runCommand(failureCode: Level.unknown.exitCode) {
            let settings = try connection.settings(program: "headroom status")
            let report = try await AccountWatch(settings).report(maxIdle: maxIdle.value)
            if json {
                try Console.json(StatusJSON(report))
            } else {
                for line in StatusText(report, settings: settings).lines { Console.print(line) }
                for line in SlotsText.heldTooLong(try? SlotReport(settings)) { Console.print(line) }
            }
            if let refusal = report.refusal {
                Console.error("headroom: \(refusal.message)")
                Console.error("  next: \(refusal.advice)")
            }
            throw ExitCode(report.level.exitCode)
        }
    }
}

/// A status report as text.
struct StatusText {
    private let report: AccountReport
    private let settings: DatabaseSettings

    init(_ report: AccountReport, settings: DatabaseSettings) {
        self.report = report
        self.settings = settings
    }

    var lines: [String] {
        let used = report.used.map(String.init) ?? "?"
        let limit = report.limit.value.map(String.init) ?? "?"
        let percent = report.percent.map { " (\(fixed($0, 1)) %)" } ?? ""
        var lines = ["\(report.level.rawValue)  \(used) of \(limit) connections in use\(percent)"]
        var facts = [
            ["account", "\(report.account ?? settings.username) at \(settings.endpoint)"],
            ["limit", "\(limit), \(report.limit.source.words)"],
        ]
        if let version = report.serverVersion { facts.append(["server", version]) }
        guard report.refusal == nil else { return lines + table(facts) }
        facts.append([
            "sessions",
            "\(report.active) active, \(report.sleeping) sleeping, \(report.idle) of them idle for over "
                + "\(Int(report.maxIdle.seconds)) s",
        ])
        lines += table(facts)
        if !report.sessions.isEmpty {
            lines.append("")
            lines += table([["id", "program", "pid", "host", "database", "doing", "for", "transaction", ""]] + rows)
        }
        return lines
    }

    private var rows: [[String]] {
        report.sessions.map { session in
            [
                "\(session.id)",
                session.program ?? "-",
                session.processID.map(String.init) ?? "-",
                session.host,
                session.database ?? "-",
                session.command,
                "\(fixed(session.duration.seconds, 1)) s",
                session.inTransaction.map { $0 ? "yes" : "no" } ?? "unknown",
                session.isOwn ? "this look, not counted" : "",
            ]
        }
    }
}

/// A status report as JSON.
struct StatusJSON: Encodable {
    struct Limit: Encodable {
        @Nullable var value: Int?
        var source: String
    }

    struct SessionJSON: Encodable {
        var id: UInt64
        var user: String
        var host: String
        @Nullable var database: String?
        var command: String
        var seconds: Double
        @Nullable var inTransaction: Bool?
        @Nullable var program: String?
        @Nullable var pid: Int?
        var own: Bool
    }

    struct ErrorJSON: Encodable {
        var code: String
        var message: String
        var advice: String
        @Nullable var serverCode: Int?
    }

    var header = JSONHeader()
    var level: String
    @Nullable var account: String?
    @Nullable var serverVersion: String?
    var limit: Limit
    @Nullable var used: Int?
    @Nullable var percent: Double?
    var active: Int
    var sleeping: Int
    var idle: Int
    var maxIdleSeconds: Double
    var sessions: [SessionJSON]
    @Nullable var error: ErrorJSON?

    init(_ report: AccountReport) {
        level = report.level.rawValue
        account = report.account
        serverVersion = report.serverVersion
        limit = Limit(value: report.limit.value, source: report.limit.source.rawValue)
        used = report.used
        percent = report.percent.map { ($0 * 10).rounded() / 10 }
        active = report.active
        sleeping = report.sleeping
        idle = report.idle
        maxIdleSeconds = report.maxIdle.seconds
        sessions = report.sessions.map { session in
            SessionJSON(
                id: session.id,
                user: session.user,
                host: session.host,
                database: session.database,
                command: session.command,
                seconds: (session.duration.seconds * 1000).rounded() / 1000,
                inTransaction: session.inTransaction,
                program: session.program,
                pid: session.processID,
                own: session.isOwn
            )
        }
        error = report.refusal.map {
            ErrorJSON(code: "\($0.code)", message: $0.message, advice: $0.advice, serverCode: $0.serverCode)
        }
    }

    func encode(to encoder: any Encoder) throws {
        try header.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(level, forKey: .level)
        try container.encode(_account, forKey: .account)
        try container.encode(_serverVersion, forKey: .serverVersion)
        try container.encode(limit, forKey: .limit)
        try container.encode(_used, forKey: .used)
        try container.encode(_percent, forKey: .percent)
        try container.encode(active, forKey: .active)
        try container.encode(sleeping, forKey: .sleeping)
        try container.encode(idle, forKey: .idle)
        try container.encode(maxIdleSeconds, forKey: .maxIdleSeconds)
        try container.encode(sessions, forKey: .sessions)
        try container.encode(_error, forKey: .error)
    }

    private enum CodingKeys: String, CodingKey {
        case level
        case account
        case serverVersion
        case limit
        case used
        case percent
        case active
        case sleeping
        case idle
        case maxIdleSeconds
        case sessions
        case error
    }
}
