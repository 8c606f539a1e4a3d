import CommandSupport
import Headroom
import HeadroomDoor
import HeadroomWatch
import Reporting

/// A status report as text.
struct StatusText {
    private let view: StatusView
    private var report: AccountReport { view.report }

    /// How many sessions are listed; a person reads no thousands.
    private let most: Int

    init(_ view: StatusView, most: Int = 50) {
        self.view = view
        self.most = most
    }

    var lines: [String] {
        var lines = [headline]
        guard report.refusal == nil else { return lines + table(accountFacts + hostFacts) + tooLong + next }
        lines += table(accountFacts + sessionFacts + hostFacts)
        lines += tooLong
        lines += next
        for (title, groups) in [
            ("program", report.groups { $0.program }), ("host", report.groups { $0.hostName }),
            ("database", report.groups { $0.database }),
        ] where !groups.isEmpty {
            lines.append("")
            lines += table([[title, "sessions", "active", "idle", "oldest idle"]] + groups.prefix(10).map(row))
        }
        if !report.sessions.isEmpty {
            let header = [report.hasOthers ? "user" : nil, "id", "program", "pid", "host", "database", "doing", "for"]
            lines.append("")
            lines += table([header.compactMap(\.self) + ["transaction", ""]] + report.sessions.prefix(most).map(row))
            let more = report.sessions.count - most
            if more > 0 { lines.append("  and \(grouped(more)) more: --json lists them all") }
        }
        return lines
    }

    /// The level and the number, for one look.
    var headline: String {
        if let refusal = report.refusal, !refusal.isConnectionLimit || report.used == nil {
            return "\(report.level.rawValue)  \(printable(refusal.message))"
        }
        let used = report.used.map(String.init) ?? "?"
        let limit = report.limit.value.map(String.init) ?? "?"
        let percent = report.percent.map { " (\(fixed($0, 1)) %)" } ?? ""
        if report.isOverCounted {
            return
                "\(report.level.rawValue)  all of \(limit) connections in use, as far as can be told (\(used) are counted, which "
                + "cannot be right: some are ending, or were opened before the limit was lowered)"
        }
        let line = report.waiting.map { ", \($0.count) waiting" } ?? ""
        return "\(report.level.rawValue)  \(used) of \(limit) connections in use\(percent)\(line)"
    }

    /// All of it in one line: how full, who holds, who waits, what to do.
    var line: String {
        var text = printable(headline).replaced("  ", with: ": ")
        if !holders.isEmpty { text += "; held by \(holders)" }
        return "\(text)\(text.ends(with: ".") ? "" : ".") \(printable(view.advice))"
    }

    /// Who holds how many, by the clients of the door and the programs of this host where they are known.
    private var holders: String {
        var counts: [String: Int] = [:]
        for held in view.slots?.held ?? [] {
            // A client of the door stands there as "php-fpm8.2 (process 12)".
            let label = held.holder.label.leading { $0 != "(" }.trimmed
            let isDoors = held.holder.program == "headroom door" && !label.isEmpty
            counts[isDoors ? label : held.holder.program, default: 0] += 1
        }
        if counts.isEmpty {
            for group in report.groups(by: { $0.program }) { counts[group.name ?? "-"] = group.sessions }
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(4)
            .map { "\(printable($0.key)) \($0.value)" }.joined(separator: ", ")
    }

    private var next: [String] { ["  next: \(printable(view.advice))"] }

    private var accountFacts: [[String]] {
        let limit = report.limit.value.map(String.init) ?? "?"
        var facts = [
            ["account", "\(report.account ?? view.settings.username) at \(report.node ?? view.settings.endpoint)"],
            ["limit", "\(limit), \(report.limit.source.words)"],
        ]
        if let version = report.serverVersion {
            facts.append(["server", version])
            if let warning = ServerVersion(version)?.warning { facts.append(["warning", warning]) }
        }
        if let server = report.server, let connected = server.connected {
            var text = "\(connected)\(server.limit.map { " of \($0)" } ?? "") connections of all accounts"
            if let peak = server.peak {
                let uptime = server.uptime.map { ", up for \($0.inWords)" } ?? ""
                text += ", \(peak) at the most since it was started\(uptime)"
            }
            facts.append(["whole server", text])
        }
        return facts
    }

    private var sessionFacts: [[String]] {
        var sessions =
            "\(report.active) active, \(report.sleeping) sleeping, \(report.idle) of them idle for over "
            + "\(Int(clamped: report.maxIdle.seconds)) s"
        if report.unclear > 0 {
            sessions += ", \(report.unclear) of the same user that may be another account's and are not counted"
        }
        if report.dying > 0 { sessions += ", \(report.dying) dying and not counted" }
        var facts = [["sessions", sessions]]
        if let oldest = report.oldestIdle {
            let program = oldest.program.map { " (\(printable($0)))" } ?? ""
            facts.append(["oldest idle", "\(fixed(oldest.duration.seconds, 1)) s, session \(oldest.id)\(program)"])
        }
        let known = report.idleInTransaction.map { "\($0) idle in a transaction" }
        facts.append(["transactions", known ?? "not known: \(report.transactions.reason ?? "")"])
        if !report.hidden.isEmpty { facts.append(["hidden", report.hidden.joined(separator: "; ")]) }
        return facts
    }

    private var hostFacts: [[String]] {
        var facts: [[String]] = []
        if let slots = view.slots {
            let waiting = slots.waiting.reduce(0) { $0 + $1.tasks }
            var holders = slots.held.prefix(3)
                .map { held in
                    held.holder.words(held.holder.sessionID == 0 ? "" : "session \(held.holder.sessionID)")
                }
            if slots.held.count > 3 { holders.append("and \(slots.held.count - 3) more") }
            let by = holders.isEmpty ? "" : ": " + holders.joined(separator: ", ")
            facts.append(["slots", "\(slots.held.count) of \(slots.budget) held, \(waiting) waiting\(printable(by))"])
        }
        if let clients = DoorText.counts(DoorReport.ask(view.settings)) { facts.append(["door", clients]) }
        if let frontDoor { facts.append(["front door", printable(frontDoor)]) }
        if let number = view.settings.hosts, view.hosts == nil {
            facts.append(["hosts", "which of \(number) has how much is not known: the database could not be asked"])
        }
        for host in view.hosts?.hosts ?? [] {
            let state =
                host.isSilent
                ? "silent for \(host.silence.inWords), its share goes to others"
                : "has \(host.share), uses \(host.inUse), wants \(host.wanted)"
            let clock = host.isClockWrong ? ", its clock is off by \(fixed(host.clockError.seconds, 1)) s" : ""
            facts.append(["host \(printable(host.name))", "\(state)\(clock)"])
        }
        for lock in view.locks {
            let holder = "\(lock.holder.words()), for \(lock.holder.age.inWords)"
            facts.append(["lock \(lock.name)", printable(holder)])
        }
        return facts
    }

    /// What goes through the front door, and whether the slots know how much.
    private var frontDoor: String? {
        let places = view.settings.frontDoor
        switch view.frontDoor {
        case nil:
            return places > 0 ? "\(places) places, taken out of the budget; HEADROOM_FRONT_DOOR_STATS is not set" : nil
        case .failure(let error):
            return "\(places) places; \(error.message)"
        case .success(let report):
            let own = report.places ?? places
            let warning = own == places ? "" : "; warning: HEADROOM_FRONT_DOOR says \(places)"
            return
                "\(report.used) of \(own) places in use, \(report.waiting) waiting, \(report.mostWaiting) at the most"
                + warning
        }
    }

    private var tooLong: [String] { view.slots?.heldTooLong ?? [] }

    private func row(_ group: SessionGroup) -> [String] {
        [
            printable(group.name ?? "-"), "\(group.sessions)", "\(group.active)", "\(group.idle)",
            group.oldestIdle.map { "\(fixed($0.seconds, 1)) s" } ?? "-",
        ]
    }

    private func row(_ session: Session) -> [String] {
        let cells = [
            report.hasOthers ? printable(session.user) : nil,
            "\(session.id)",
            printable(session.program ?? "-"),
            session.processID.map(String.init) ?? "-",
            printable(session.host),
            printable(session.database ?? "-"),
            printable(session.command),
            "\(fixed(session.duration.seconds, 1)) s",
            session.inTransaction.map { $0 ? "yes" : "no" } ?? "unknown",
            session.isOwn ? "this look, not counted" : Self.words(session.owner),
        ]
        return cells.compactMap(\.self)
    }

    private static func words(_ owner: Session.Owner) -> String {
        switch owner {
        case .account: ""
        case .another: "another account, not counted"
        case .unclear: "may be another account, not counted"
        }
    }
}

extension AccountReport {
    /// Whether sessions of other accounts are in the list.
    fileprivate var hasOthers: Bool { sessions.contains { !$0.isOfAccount } }
}
