import ArgumentParser
package import CommandSupport
package import Headroom
import HeadroomDoor
import Reporting

/// `headroom slots`: who of this host's programs holds a slot, and who waits for one.
struct SlotsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slots",
        abstract: "Lists who holds the account's slots on this host, and who waits.",
        discussion: """
            It reads what the programs of this host share and opens no connection, so it works when the account is full. \
            Connections that were opened without Headroom have no slot: 'headroom status' shows those.

            Examples:
              headroom slots
              headroom slots --watch
              headroom slots --hosts
              headroom slots --hosts --watch

            Where several hosts share the account (HEADROOM_HOSTS), --hosts asks the database which of them has how much.
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Show all hosts that share the account; opens a connection.")
    var hosts = false

    @Flag(help: "Show it again every second, until Ctrl-C.")
    var watch = false

    @Flag(help: "Print JSON; with --watch one object a line.")
    var json = false

    func run() async throws {
        try await runCommand {
            let settings = try connection.settings(program: "headroom slots")
            if hosts { return try await showHosts(settings) }
            // Of the other hosts nothing is known without asking the database.
            let others = settings.hosts.map { "  one of \($0) hosts: 'headroom slots --hosts' shows what each has" }
            repeat {
                let report = try SlotReport(settings)
                if watch, !json { Console.result("\u{1B}[H\u{1B}[2J") }
                try Console.emit(report, asJSON: json, isLine: watch)
                if !json {
                    for line in DoorText.lines(DoorReport.ask(settings)) { Console.print(line) }
                }
                if let others, !json { Console.print(others) }
                if watch { try await Task.sleep(for: .seconds(1)) }
            } while watch
        }
    }
}

extension SlotsCommand {
    private func showHosts(_ settings: DatabaseSettings) async throws {
        repeat {
            // From the reserve: who looks must see the hosts also while they have all of the account, and takes no share.
            let report = try await Database(settings, share: .reserve)
                .withBriefConnection { try await HostsReport.read($0) }
            guard let report else {
                throw DatabaseError(
                    .accountUnknown,
                    message: "No hosts share the account: there is no row for it in headroom_shares.",
                    advice: "Set HEADROOM_HOSTS to their number on each of them, and the same DB_DATABASE."
                )
            }
            if watch, !json { Console.result("\u{1B}[H\u{1B}[2J") }
            try Console.emit(report, asJSON: json, isLine: watch)
            if watch { try await Task.sleep(for: .seconds(2)) }
        } while watch
    }
}

extension SlotReport: Report {
    package var lines: [String] {
        let tasks = waiting.reduce(0) { $0 + $1.tasks }
        var lines = ["\(held.count) of \(budget) slots held, \(tasks) waiting"]
        let limitText = limit.map { "\($0)" } ?? "not known"
        lines += table([["account", account], ["limit", limitText], ["shared in", folder]])
        if isBudgetAnothers {
            lines.append("  warning: another program of this host has set this budget; the smallest of several holds")
        }
        if foreignSessions > 0 {
            lines.append(
                "  warning: \(counted(foreignSessions, "session")) of the account had no slot when the limit was last "
                    + "read: other programs, another host, or programs with another HEADROOM_STATE_DIR"
            )
        }
        if !held.isEmpty {
            let header = ["slot", "doing", "program", "pid", "session", "for", "label", "opened at"]
            lines.append("")
            lines += table([header] + held.map(row))
        }
        if !waiting.isEmpty {
            let rows = waiting.map { waiting in
                [
                    counted(waiting.tasks, "task"), waiting.holder.program, waiting.holder.pid,
                    "\(fixed(waiting.longest.seconds, 1)) s",
                ]
            }
            lines.append("")
            lines += table([["waiting", "program", "pid", "for"]] + rows)
        }
        return lines
    }

    /// The slots that are held for longer than their programs expected, a line each.
    var heldTooLong: [String] {
        held.filter(\.holder.isHeldTooLong)
            .map { held in
                "  held too long: slot \(held.slot), for \(fixed(held.holder.age.seconds, 0)) s by \(held.holder.words()), "
                    + "opened at \(held.holder.site)"
            }
    }

    private func row(_ held: Held) -> [String] {
        let holder = held.holder
        return [
            "\(held.slot)",
            holder.state.words + (holder.isHeldTooLong ? ", too long" : ""),
            holder.program,
            holder.pid,
            holder.sessionID == 0 ? "-" : "\(holder.sessionID)",
            holder.since == 0 ? "-" : "\(fixed(holder.age.seconds, 1)) s",
            holder.label.isEmpty ? "-" : holder.label,
            holder.site.isEmpty ? "-" : holder.site,
        ]
    }
}

extension Holder {
    fileprivate var pid: String { processID == 0 ? "-" : "\(processID)" }
}

extension HostsReport: Report {
    package var json: JSONObject { ["hosts": hosts.map(\.json)] }

    package var lines: [String] {
        let shares = hosts.reduce(0) { $0 + $1.share }
        let rows = hosts.map { host in
            [
                host.name, host.identity, "\(host.share)", "\(host.inUse)", "\(host.wanted)",
                "\(fixed(host.silence.seconds, 1)) s", "\(fixed(host.clockError.seconds, 1)) s",
            ]
        }
        var lines = ["\(counted(hosts.count, "host")) with \(counted(shares, "connection")) between them"]
        if !rows.isEmpty {
            lines += table([["host", "identity", "has", "uses", "wants", "wrote", "clock off by"]] + rows)
        }
        return lines + warnings
    }

    /// What somebody should look at, a line each.
    private var warnings: [String] {
        hosts.flatMap { host in
            (host.isSilent
                ? [
                    "  warning: \(host.name) has not written for \(fixed(host.silence.seconds, 0)) s: its share goes to others"
                ]
                : [])
                + (host.isClockWrong
                    ? ["  warning: the clock of \(host.name) is off by \(fixed(host.clockError.seconds, 1)) s"] : [])
        }
    }
}

/// The clients of the doors, as text.
enum DoorText {
    static func lines(_ report: DoorReport?) -> [String] {
        guard let report else { return [] }
        let names = ["waiting", "connected", "parked", "returning"]
        let counts = names.compactMap { name -> String? in
            let number = report.clients.count { $0.state == name }
            return number == 0 ? nil : "\(number) \(name)"
        }
        var lines = ["", "door: " + (counts.isEmpty ? "no clients" : counts.joined(separator: ", "))]
        // Those with a session stand among the slots.
        let rows = report.clients.filter { $0.state != "connected" }.sorted { $0.time > $1.time }.prefix(20)
            .map { [$0.state, "\(fixed($0.time.seconds, 1)) s", $0.label] }
        if !rows.isEmpty { lines += table([["client", "for", "label"]] + rows) }
        return lines
    }
}
