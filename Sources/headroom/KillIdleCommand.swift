import ArgumentParser
package import CommandSupport
import Headroom
package import HeadroomWatch

/// `headroom kill-idle`: ends sessions that have slept for too long, never one in a transaction.
struct KillIdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill-idle",
        _superCommandName: "headroom",
        abstract: "Ends the account's sessions that have slept for too long.",
        discussion: """
            Never its own session, never those of replication or of the server itself, and never one in a transaction \
            unless told. Which sessions are in a transaction takes the PROCESS privilege to know; without it idle time \
            alone decides, and the output says so. Right before each KILL the server looks again: a session that has woken \
            up is left alone. --user, --database, --host and --program say which sessions are meant, not who logs in. (On MariaDB any statement since shows; on MySQL, whose clock for this counts whole seconds, \
            one that worked and fell asleep within the same second does not.)

            Exits with 0 when all is as asked for, also when there was nothing to do, and with 1 when places that were to \
            be free are not.

            Examples:
              headroom kill-idle --dry-run
              headroom kill-idle --max-idle 10m --log /var/log/headroom-kills.log
              headroom kill-idle --max-idle 60 --until-free 3 --program php-fpm
            """
    )

    @OptionGroup var login: LoginOptions

    @Option(help: ArgumentHelp("For how long a session must have slept, more than that.", valueName: "duration"))
    var maxIdle: DurationArgument = DurationArgument(.seconds(300))

    @Option(help: ArgumentHelp("Stop when this many places of the account are free.", valueName: "count"))
    var untilFree: Int?

    @Option(help: ArgumentHelp("Leave at least this many sleeping sessions alive, the least idle.", valueName: "count"))
    var keep = 0

    @Option(help: ArgumentHelp("Only sessions of this user (others' take CONNECTION ADMIN).", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("Only sessions in this database.", valueName: "name"))
    var database: String?

    @Option(help: ArgumentHelp("Only sessions from this host, without a port.", valueName: "name"))
    var host: String?

    @Option(help: ArgumentHelp("Only sessions of this program (needs the performance schema).", valueName: "name"))
    var program: String?

    @Flag(help: "End sessions in a transaction too.")
    var includeTransactions = false

    @Flag(help: "Spare sessions of which it is not known whether they are in a transaction or hold a lock.")
    var knownOnly = false

    @Flag(help: "End nothing; say what would be.")
    var dryRun = false

    @Option(help: ArgumentHelp("Add a line for each action to this file; a link is not followed.", valueName: "file"))
    var log: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard untilFree ?? 0 >= 0, keep >= 0 else {
            throw ValidationError("--until-free and --keep count sessions: 0 or more.")
        }
    }

    func run() async throws {
        try await runCommand {
            let settings = try login.settings(program: "headroom kill-idle")
            let policy = policy
            let log = try log.map { try KillLog($0) }
            // From the reserve: who frees places must not wait for one.
            let report = try await Database(settings, share: .reserve)
                .withBriefConnection { connection in
                    try await IdleKill(policy)
                        .run(on: connection, isDryRun: dryRun) { outcome in
                            guard outcome.result != .skipped || outcome.reason == .inTransaction else { return }
                            try log?.write(outcome, account: settings.username, policy: policy)
                        }
                }
            try Console.emit(report, asJSON: json)
            if report.freed < report.count(.killed) || report.count(.notPermitted) > 0 { throw ExitCode(1) }
        }
    }

    private var policy: KillPolicy {
        var policy = KillPolicy()
        policy.maxIdle = maxIdle.value
        policy.untilFree = untilFree
        policy.keep = keep
        policy.user = user
        policy.database = database
        policy.host = host
        policy.program = program
        policy.includesTransactions = includeTransactions
        (policy.knownOnly, policy.knownLocksOnly) = (knownOnly, knownOnly)
        return policy
    }
}

extension KillReport: Report {
    package var json: JSONObject {
        [
            "account": account.account, "dry_run": isDryRun, "transactions": account.transactions.rawValue,
            "caveat": caveat, "killed": count(.killed), "gone": count(.gone), "woke_up": count(.wokeUp),
            "skipped": count(.skipped), "not_permitted": count(.notPermitted), "freed": freed,
            "freeing_seconds": (freeing.seconds * 1e6).rounded() / 1e6, "ending": ending,
            "sessions": outcomes.map { outcome -> JSONObject in
                let session = outcome.session
                return [
                    "id": session.id, "user": session.user, "host": session.host, "database": session.database,
                    "program": session.program, "pid": session.processID, "command": session.command,
                    "seconds": session.duration.roundedSeconds, "in_transaction": session.inTransaction,
                    "result": outcome.result.rawValue, "reason": outcome.reason?.rawValue,
                ]
            },
        ]
    }

    package var lines: [String] {
        (caveat.map { [$0] } ?? []) + table(outcomes.filter { $0.reason != .own }.map(row), indent: "") + [summary]
    }

    private func row(_ outcome: Outcome) -> [String] {
        let session = outcome.session
        return [
            outcome.result.words,
            "\(session.id)",
            printable(session.program ?? "-"),
            printable(session.host),
            printable(session.database ?? "-"),
            "\(session.isSleeping ? "idle" : printable(session.command)) \(fixed(session.duration.seconds, 1)) s",
            outcome.reason?.words ?? "",
        ]
    }

    private var summary: String {
        let killed = count(.killed)
        if isDryRun {
            return "dry run: \(counted(count(.wouldKill), "session")) would be killed"
        }
        guard killed > 0 else {
            return
                "nothing to free: no session is idle for over \(Int(clamped: account.maxIdle.seconds)) s and may be killed"
        }
        let took = fixed(freeing.seconds * 1000, 0)
        var text = "freed \(freed) of \(killed) slots in \(took) ms"
        if !ending.isEmpty {
            text += "; still ending: \(ending.map(String.init).joined(separator: ", "))"
        }
        return text
    }
}
