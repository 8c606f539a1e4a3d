public import Headroom

/// What a person can do next, with the names that are real on this host.
public struct RescueAdvice: Sendable {
    /// The steps, the mildest first.
    public var steps: [Step] = []

    /// A step.
    public struct Step: Sendable, Hashable {
        /// What it is, in a sentence.
        public var text: String
        /// The commands or statements to give.
        public var commands: [String]
    }

    /// Creates the advice that fits a report.
    ///
    /// - Parameters:
    ///   - report: What was found and done.
    ///   - settings: The account.
    ///   - user: The user that asks.
    ///   - idle: From when on a connection counts as idle.
    public init(_ report: RescueReport, settings: DatabaseSettings, user: UInt32, idle: Duration) {
        let seconds = idle.components.seconds
        guard let refusal = report.refusal else {
            if report.isDryRun, let kills = report.kills, kills.count(.wouldKill) > 0 {
                add("End what is idle:", "headroom kill-idle --max-idle \(seconds)")
            }
            if report.isNearlyFull { keepFree(report) }
            return
        }
        switch refusal.code {
        case _ where refusal.isConnectionLimit:
            if report.isFree {
                keepFree(report)
            } else {
                freePlaces(report, settings: settings, user: user, seconds: seconds)
            }
            if refusal.code == .serverLimitReached {
                add(
                    "For the next time an administrator can give the server a second port in its configuration:",
                    report.isOfMySQL == true ? "admin_address = 127.0.0.1" : "extra_port = 3307"
                )
            } else {
                add(
                    "For the next time, a second account that can look and help (HEADROOM_ADMIN_USERNAME and "
                        + "HEADROOM_ADMIN_PASSWORD), made by an administrator:",
                    "CREATE USER headroom_mon@localhost IDENTIFIED BY '...' WITH MAX_USER_CONNECTIONS 2",
                    "GRANT PROCESS, \(report.isOfMySQL == true ? "CONNECTION_ADMIN" : "CONNECTION ADMIN") ON *.* "
                        + "TO headroom_mon@localhost"
                )
            }
        case .hourlyLimitReached:
            add(
                "Wait for the end of the hour, or have an administrator end it; freeing places does not help:",
                "FLUSH USER_RESOURCES"
            )
        case .hostBlocked:
            add(
                "An administrator lifts the block:",
                "FLUSH HOSTS",
                "TRUNCATE TABLE performance_schema.host_cache  -- MySQL"
            )
        case .serverUnreachable, .socketNotFound, .connectTimedOut:
            if report.host.isListening == false {
                add(
                    "Nothing listens there: the server does not run. See why, and start it:",
                    "systemctl status \(Escaping.shell(report.serverUnit))",
                    "systemctl start \(Escaping.shell(report.serverUnit))"
                )
            } else if !refusal.advice.isEmpty {
                add(refusal.advice)
            }
        default:
            if !refusal.advice.isEmpty { add(refusal.advice) }
        }
    }

    private mutating func freePlaces(
        _ report: RescueReport,
        settings: DatabaseSettings,
        user: UInt32,
        seconds: Int64
    ) {
        let host = report.hostAfter ?? report.host
        hangUp(report, host, user: user, seconds: seconds)
        endCopies(host)
        for hidden in host.hidden {
            // A signal takes the same user, or root.
            let reachable = hidden.suspects.filter { user == 0 || $0.user == user }
            guard !reachable.isEmpty else { continue }
            let few = reachable.sorted { ($1.age, $0.id) < ($0.age, $1.id) }.prefix(3)
            add(
                "One or more of these processes hold connections and may be asked to end "
                    + "(one of PHP-FPM ends after its page, and its master starts another):",
                commands: few.map { "headroom rescue --terminate \($0.id) --yes   # \(Escaping.line($0.commandLine))" }
            )
        }
        others(report, host, user: user, seconds: seconds)
        let units = Set((host.processes.filter { !$0.isOurs } + host.hidden.flatMap(\.suspects)).compactMap(\.unit))
            .filter { $0.ends(with: ".service") }
        if units.isEmpty {
            add("Restart what manages the application's processes, for example:", "systemctl restart php8.2-fpm")
        } else {
            add(
                "Restart what manages the application's processes:",
                commands: units.sorted().map { "systemctl restart \(Escaping.shell($0))" }
            )
        }
        let name = Escaping.sql(settings.username)
        add(
            "As the database's administrator, see the sessions and end the idle ones:",
            "SELECT ID, HOST, COMMAND, TIME, INFO FROM information_schema.PROCESSLIST WHERE USER = \(name) "
                + "ORDER BY TIME DESC",
            "SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE USER = \(name) "
                + "AND COMMAND = 'Sleep' AND TIME > \(seconds) AND ID NOT IN "
                + "(SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX)"
        )
        add(
            "As the last resort, restart the server; every account loses its sessions and open transactions:",
            "systemctl restart \(Escaping.shell(report.serverUnit))"
        )
    }

    private mutating func endCopies(_ host: HostView) {
        let copies = host.processes.filter(\.isSecondCopy)
        guard copies.count > 1 else { return }
        add(
            "The same program runs more than once. If it is a worker, end the second copy:",
            "headroom rescue --terminate \(copies.map(\.id).max() ?? 0) --yes"
        )
    }

    /// What keeps it from filling again, which it does within a second where nothing changes.
    private mutating func keepFree(_ report: RescueReport) {
        endCopies(report.hostAfter ?? report.host)
        add("So that it stays free, have the pages of PHP wait in line instead of taking all:", "headroom setup")
        add(
            "Watch it, with one connection kept, and end what idles while it is nearly full:",
            "headroom guard --reserve --auto-kill-idle 60"
        )
    }

    /// The mildest command that frees a place here and now: what has been silent for longest, also when that is not for long.
    private mutating func hangUp(_ report: RescueReport, _ host: HostView, user: UInt32, seconds: Int64) {
        if report.hangUps.contains(where: { [.notPermitted, .unsupported].contains($0.result) }) { return }
        let silent = HangUpChoice(host, silentFor: .seconds(seconds), user: user)
        // What was done, and helped nobody, is not said again.
        let isDone = !report.isDryRun && report.choice != nil
        if !silent.candidates.isEmpty, !isDone {
            return add(
                "Hang up one connection that has been silent, and let the server's eyes decide about the others:",
                "headroom rescue --hang-up-idle \(seconds) --yes"
            )
        }
        let tried = Set(report.hangUps.filter { $0.result != .wouldHangUp }.map(\.candidate.socket.inode))
        let candidates = HangUpChoice(host, silentFor: .zero, user: user).candidates
        guard let one = candidates.first(where: { !tried.contains($0.socket.inode) }) else {
            let pages = host.processes.filter { $0.isPHPPool && !$0.isOurs && (user == 0 || $0.user == user) }
            guard let page = pages.max(by: { ($0.age, $1.id) < ($1.age, $0.id) }) else { return }
            return add(
                "Have one of PHP-FPM's processes end when its page is done; its master starts another:",
                "headroom rescue --terminate \(page.id) --yes"
            )
        }
        let what = one.process.role.map { " (\($0))" } ?? ""
        let silence = one.socket.silence.map { "silent for \($0.components.seconds) s" } ?? "not seen to be at work"
        add(
            "Hang up one connection of process \(one.process.id)\(what), \(silence); what it has not committed is undone:",
            "headroom rescue --hang-up \(one.process.id):\(one.socket.descriptor) --yes"
        )
    }

    /// What is left where the connections are another user's.
    private mutating func others(_ report: RescueReport, _ host: HostView, user: UInt32, seconds: Int64) {
        guard user != 0 else { return }
        let seen = host.processes.filter { !$0.isOurs && $0.user != user }
        let hidden = host.hidden.filter { $0.user != user }
        let count = seen.reduce(0) { $0 + $1.sockets.count } + hidden.reduce(0) { $0 + $1.count }
        let isRefused = report.hangUps.contains { $0.result == .notPermitted }
        guard count > 0 || isRefused || !host.hidden.isEmpty else { return }
        if count > 0 {
            let names = Set(
                seen.map { $0.userName ?? "\($0.user)" } + hidden.compactMap { $0.userName ?? $0.user.map { "\($0)" } }
            )
            let whose = names.isEmpty ? "another user" : names.sorted().joined(separator: ", ")
            add(
                "\(count) connections are of programs of \(whose), which this user may neither hang up nor end. Without root: "
                    + "restart PHP in the panel of your hosting; and send the pages through the door, which makes that needless:",
                "headroom setup"
            )
        }
        add(
            "Root can look into every process and hang up its connections:",
            "sudo headroom rescue --hang-up-idle \(seconds) --yes"
        )
    }

    private mutating func add(_ text: String, _ commands: String...) { add(text, commands: commands) }

    private mutating func add(_ text: String, commands: [String]) {
        steps.append(Step(text: text, commands: commands))
    }
}

extension RescueReport {
    /// Whether the server is a MySQL; `nil` when that is not known.
    var isOfMySQL: Bool? {
        let version = kills?.account.serverVersion ?? snapshot?.serverVersion
        return version.map { !$0.lowercased().holds("mariadb") }
    }

    /// The unit of the server: this host's own when it can be seen, else the usual name.
    var serverUnit: String {
        host.serverUnit ?? (isOfMySQL == true ? "mysql.service" : "mariadb.service")
    }
}
