import CommandSupport
import Headroom
import HeadroomWatch

/// What a rescue found and did.
struct RescueOutput: Report {
    let report: RescueReport
    let advice: RescueAdvice
    private let settings: DatabaseSettings

    init(_ report: RescueReport, _ advice: RescueAdvice, settings: DatabaseSettings) {
        self.report = report
        self.advice = advice
        self.settings = settings
    }

    var lines: [String] {
        refusal + doors + holders + deeds + sessions + snapshot + verdict + next
    }

    private var refusal: [String] {
        guard let refusal = report.refusal else {
            let use = report.kills.flatMap { kills in
                kills.account.used.flatMap { used in
                    kills.account.limit.value.map { "\(used) of \($0) connections in use" }
                }
            }
            return [
                report.isNearlyFull
                    ? "The account '\(settings.username)' lets us in at this moment: \(use ?? "it is nearly full")."
                    : "The account '\(settings.username)' lets us in: it is not locked out."
            ]
        }
        var lines = [refusal.message]
        if refusal.limit == nil, let value = report.limit.value {
            lines.append("  The limit was \(value) at the last look (\(report.limit.source.words)).")
        }
        return lines
    }

    private var doors: [String] {
        guard report.refusal?.isRefusal == true else { return [] }
        var lines = report.doors.map { attempt in
            "\(attempt.door.kind.words) (\(attempt.door.settings.username) at \(attempt.door.settings.endpoint)): "
                + (attempt.error?.message ?? "opened")
        }
        if report.doors.isEmpty {
            lines.append("no other door is known (HEADROOM_ADMIN_USERNAME, extra_port, admin_port)")
        }
        if let waited = report.waited {
            let time = "\(Int(clamped: (waited.seconds * 1000).rounded())) ms"
            lines.append(
                report.opened == .account && report.hangUps.isEmpty
                    ? "trying again: a place came free after \(time)" : "trying again for \(time): no place came free"
            )
        }
        return ["", "Ways in"] + lines.map { "  \($0)" }
    }

    private var holders: [String] {
        let host = report.host
        var lines = ["", "Connections to the server that this host can see: \(host.count)"]
        let seen = host.processes.filter { !$0.isOurs }
        if !seen.isEmpty {
            let heading = ["pid", "user", "unix", "tcp", "silent for", "running", "unit", "command"]
            lines += table([heading] + seen.map(row))
        }
        for process in seen where process.isSecondCopy {
            lines.append("  process \(process.id) is one of several with the same command line: is it a second copy?")
        }
        for hidden in host.hidden {
            let user = hidden.userName ?? hidden.user.map(String.init) ?? "unknown"
            lines.append(
                "  \(counted(hidden.count, "connection")) of user \(user), of a process that cannot be seen from here"
                    + (hidden.silences.isEmpty ? "" : "; TCP silent for \(silences(hidden.silences))")
            )
            for suspect in hidden.suspects.prefix(10) {
                lines.append("    maybe process \(suspect.id)  \(printable(suspect.commandLine))")
            }
        }
        for (address, count) in host.elsewhere.sorted(by: { $0.value > $1.value }) {
            lines.append("  \(counted(count, "connection")) from elsewhere, or of another container: \(address)")
        }
        if host.isListening == false { lines.append("  nothing listens where the server should") }
        return lines + host.blindSpots.map { "  note: \($0)" }
    }

    private func row(_ process: HostProcess) -> [String] {
        [
            "\(process.id)",
            process.userName ?? "\(process.user)",
            "\(process.sockets.count(where: \.isUnix))",
            "\(process.sockets.count { !$0.isUnix })",
            process.silences.isEmpty ? "unknown" : silences(process.silences),
            "\(Int(clamped: process.age.seconds)) s",
            printable(process.unit ?? "-"),
            (process.role.map { "\($0): " } ?? "") + printable(process.commandLine),
        ]
    }

    private func silences(_ silences: [Duration]) -> String {
        guard let longest = silences.first, let shortest = silences.last else { return "-" }
        let texts = [shortest, longest].map { fixed($0.seconds, 1) }
        return texts[0] == texts[1] ? "\(texts[0]) s" : "\(texts[0]) to \(texts[1]) s"
    }

    private var deeds: [String] {
        var lines: [String] = []
        for hangUp in report.hangUps {
            lines.append("  \(place(hangUp.candidate.process, hangUp.candidate.socket)): \(hangUp.result.words)")
        }
        if let choice = report.choice, report.hangUps.isEmpty || report.isDryRun {
            if choice.candidates.isEmpty { lines.append("  nothing that may be hung up") }
            for spared in choice.spared {
                lines.append("  \(place(spared.process, spared.socket)): left alone, \(spared.reason.words)")
            }
        }
        if let (process, result) = report.termination { lines.append("  process \(process) \(result.words)") }
        guard !lines.isEmpty else { return [] }
        let wouldAct =
            report.isDryRun
            && (report.hangUps.contains { $0.result == .wouldHangUp } || report.termination?.result == .wouldAsk)
        return ["", wouldAct ? "From outside (dry run; --yes does it)" : "From outside"] + lines
    }

    private func place(_ process: HostProcess, _ socket: HostSocket) -> String {
        let kind = socket.local.map { "TCP \($0)" } ?? "unix socket"
        let silence = socket.silence.map { ", silent for \(fixed($0.seconds, 1)) s" } ?? ""
        return "process \(process.id), descriptor \(socket.descriptor) (\(kind)\(silence))"
    }

    private var sessions: [String] {
        // One that was named was ended from outside.
        guard let kills = report.kills, !kills.outcomes.isEmpty || report.termination == nil && report.hangUps.isEmpty
        else {
            return []
        }
        return ["", "Through the server"] + kills.lines.map { "  \($0)" }
    }

    private var snapshot: [String] {
        guard report.refusal != nil else { return [] }
        guard let snapshot = report.snapshot else {
            return ["", "There is no earlier look at the account: 'headroom status' keeps one each time."]
        }
        let limit = snapshot.limit.map(String.init) ?? "?"
        var lines = ["", "The last look, \(snapshot.age.inWords) ago: \(snapshot.used) of \(limit) in use"]
        lines += table(
            snapshot.sessions.prefix(10)
                .map { session in
                    [
                        "\(session.id)", printable(session.program ?? "-"), session.pid.map(String.init) ?? "-",
                        printable(session.host), printable(session.command), "\(fixed(session.seconds, 1)) s",
                    ]
                }
        )
        return lines
    }

    private var verdict: [String] {
        guard report.refusal != nil else { return [] }
        return ["", report.isFree ? "The account can be used again." : "The account still lets nobody in."]
    }

    private var next: [String] {
        guard !advice.steps.isEmpty else { return [] }
        var lines = ["", "What to do next"]
        for (index, step) in advice.steps.enumerated() {
            lines.append("  \(index + 1). \(step.text)")
            lines += step.commands.map { "       \(printable($0))" }
        }
        return lines
    }
}

extension Door.Kind {
    /// The door in words.
    var words: String {
        switch self {
        case .account: "the account itself"
        case .monitorAccount: "the second account"
        case .extraPort: "the server's extra_port"
        case .adminPort: "the server's admin_port"
        case .socket: "the server's socket"
        }
    }
}
