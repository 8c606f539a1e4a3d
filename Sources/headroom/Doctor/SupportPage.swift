import CommandSupport
import Headroom
import HeadroomWatch

/// What a hosting's support has to know, on a page that can be pasted into a ticket: no secrets, and nothing of Headroom's own words.
struct SupportPage {
    private let report: RescueReport
    private let settings: DatabaseSettings

    /// Looks, and ends nothing.
    init(_ loaded: LoadedSettings) async throws {
        settings = loaded.database
        report = try await Rescue(loaded).run(RescueOptions())
    }

    var lines: [String] { account + sessions + programs + request }

    private var account: [String] {
        var lines = [
            "For the support of the hosting, \(LogLine.time().prefix(19).pieces(separator: "T").joined(separator: " ")) UTC",
            "",
        ]
        if let refusal = report.refusal {
            lines.append("The database server does not let us in: \(printable(refusal.message))")
        } else {
            lines.append("The database server lets us in at this moment.")
        }
        let limit = report.limit.value.map(String.init) ?? "not known"
        let account = report.kills?.account
        var facts = [
            ["account", "\(settings.username) at \(settings.endpoint)"], ["its limit", limit],
        ]
        if let used = account?.used { facts.append(["in use now", "\(used)"]) }
        if let version = account?.serverVersion ?? report.snapshot?.serverVersion { facts.append(["server", version]) }
        if let snapshot = report.snapshot, report.refusal != nil {
            facts.append(["last seen", "\(snapshot.used) in use, \(snapshot.age.inWords) ago"])
        }
        return lines + table(facts)
    }

    private var sessions: [String] {
        guard let account = report.kills?.account else { return [] }
        let rows = account.sessions.filter { $0.isOfAccount && !$0.isOwn }.prefix(20)
            .map { session in
                [
                    "\(session.id)", printable(session.host), printable(session.command),
                    "\(fixed(session.duration.seconds, 0)) s",
                ]
            }
        return rows.isEmpty ? [] : ["", "Its sessions"] + table([["id", "from", "doing", "for"]] + rows)
    }

    private var programs: [String] {
        let seen = report.host.processes.filter { !$0.isOurs }
        guard !seen.isEmpty || !report.host.hidden.isEmpty else { return [] }
        let rows = seen.prefix(20)
            .map { process in
                [
                    "\(process.id)", process.userName ?? "\(process.user)", "\(process.sockets.count)",
                    process.role ?? printable(process.commandLine.pieces(separator: " ").first.map(String.init) ?? "-"),
                ]
            }
        let hidden = report.host.hidden.map { hidden in
            ["-", hidden.userName ?? hidden.user.map { "\($0)" } ?? "-", "\(hidden.count)", "cannot be seen by us"]
        }
        return ["", "Who holds connections on the web server, as far as we may see"]
            + table([["pid", "user", "connections", "program"]] + rows + hidden)
    }

    private var request: [String] {
        var lines = ["", "What we ask for"]
        let name = Escaping.sql(settings.username)
        switch report.refusal {
        case nil:
            lines.append(
                "  Nothing at this moment. Should it come back: which programs hold the connections of this account?"
            )
        case let refusal? where refusal.code == .serverLimitReached:
            lines.append(
                "  The whole server is full (error 1040, max_connections), not our account. Please see who fills it."
            )
        case let refusal? where refusal.isConnectionLimit:
            lines.append("  1. Please end what has slept for long (as an administrator, who is let in):")
            lines.append(
                "       SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE USER = \(name) AND COMMAND = "
                    + "'Sleep' AND TIME > 60"
            )
            lines.append("  2. Please restart PHP for our site, if its processes hold them.")
            lines.append("  3. What is max_user_connections of this account, and can it be raised?")
        case let refusal? where refusal.code == .hourlyLimitReached:
            lines.append(
                "  The account's logins or statements of this hour are used up. Please give us its limits an hour."
            )
        case let refusal? where refusal.code == .hostBlocked:
            lines.append("  The server has blocked our host after broken connections. Please lift that: FLUSH HOSTS")
        case let refusal?:
            lines.append("  \(printable(refusal.advice))")
        }
        return lines
    }
}
