import Headroom

/// Finds what is wrong with how Headroom is run on a host: a decision over what was read.
package struct DeploymentCheck: Sendable {
    /// What is wrong, each thing once.
    package private(set) var findings: [DeploymentFinding] = []

    private let facts: DeploymentFacts
    private var starts: [Start] = []

    /// Somebody that starts a program of interest.
    private struct Start {
        var call: ProgramCall
        var place: String
        var user: String?
        var isCron: Bool
        var unit: String?
        var hasSettings: Bool
        var undo: String
    }

    /// Looks at the facts.
    package init(_ facts: DeploymentFacts) {
        self.facts = facts
        for table in facts.crontabs { readCron(table) }
        for unit in facts.units where unit.isEnabled || isRunning(unit) { readUnit(unit) }
        findDoubles()
        findOldWorkers()
        findProcesses()
        for start in starts { checkSettings(start) }
        for table in facts.ignoredCrontabs { readIgnored(table) }
    }

    private func isRunning(_ unit: UnitFile) -> Bool { facts.processes.contains { $0.unit == unit.name } }

    private mutating func readCron(_ table: CronTable) {
        let variables = table.variables.keys
        let hasSettings = variables.contains { $0 == "DATABASE_URL" || $0 == "DB_HOST" || $0 == "DB_SOCKET" }
        for entry in table.entries {
            guard let call = ProgramCall(entry.command, oldWorker: facts.oldWorker) else { continue }
            let place = "\(table.path), line \(entry.line)"
            starts.append(
                Start(
                    call: call,
                    place: place,
                    user: entry.user,
                    isCron: true,
                    hasSettings: hasSettings,
                    undo: "remove line \(entry.line) of \(table.path)"
                )
            )
            if table.isCutShort, entry == table.entries.last {
                add(
                    .cronIgnores,
                    "\(place), is the last one and does not end with a newline.",
                    "Cron leaves such a line out without a word.",
                    "Add a newline at the end of \(table.path)."
                )
            }
            guard call.kind != .oldWorker else { continue }
            if facts.users[entry.user] == nil, !facts.users.isEmpty {
                add(
                    .noSuchUser,
                    "\(place), runs as '\(entry.user)', and there is no such user.",
                    "Cron leaves the line out. (A crontab in /etc names the user before the command.)",
                    "Name a user that exists."
                )
            }
            if !call.program.holds("/"), let path = table.variables["PATH"] {
                let folders = path.pieces(separator: ":")
                if !folders.contains("/usr/bin"), !folders.contains("/usr/local/bin") {
                    add(
                        .cronPath,
                        "\(place), calls '\(call.program)', and PATH there is \(path).",
                        "Cron looks nowhere else, and says so only in a mail.",
                        "Give the whole path: /usr/bin/\(call.program)."
                    )
                }
            }
            if !call.isOnce, !entry.schedule.begins(with: "@reboot") {
                add(
                    .cronNoise,
                    "\(place), starts a program that stays, '\(entry.schedule)'.",
                    "Each further start only finds the first one at work, and that one ends with no one to start it again.",
                    "Add --once, or run it as a service: headroom deploy systemd."
                )
            } else if call.kind == .worker, call.isOnce, !call.isQuiet, !entry.command.holds(">") {
                add(
                    .cronNoise,
                    "\(place), prints at every round.",
                    "Cron mails what is printed, or logs that it cannot.",
                    "Add --quiet: then only what went wrong is printed."
                )
            }
        }
    }

    private mutating func readUnit(_ unit: UnitFile) {
        for command in unit.commands {
            guard let call = ProgramCall(command, oldWorker: facts.oldWorker) else { continue }
            let isTimed = call.isOnce
            starts.append(
                Start(
                    call: call,
                    place: "\(unit.name) (\(unit.path))",
                    user: unit.user,
                    isCron: false,
                    unit: unit.name,
                    hasSettings: unit.hasSettings,
                    undo:
                        "systemctl disable --now "
                        + Escaping.shell(isTimed ? unit.name.replaced(".service", with: ".timer") : unit.name)
                )
            )
            if call.isOnce, call.kind != .oldWorker, unit.restart == "always" {
                add(
                    .restartLoop,
                    "\(unit.name) starts a program that ends after a round, with Restart=always.",
                    "It is started again at once, round after round.",
                    "Remove Restart=always and give it a timer, or remove --once."
                )
            }
        }
    }

    /// More than one worker for one queue.
    private mutating func findDoubles() {
        for kind in [ProgramCall.Kind.worker, .watcher] {
            let name = kind == .worker ? "worker" : "guard"
            let same = Dictionary(grouping: starts.filter { $0.call.kind == kind }, by: \.call.identity)
            for (_, group) in same.sorted(by: { $0.key < $1.key }) {
                let (staying, timed) = (group.filter { !$0.call.isOnce }, group.filter(\.call.isOnce))
                let (first, second) = (group.first, group.dropFirst().first)
                if let stays = staying.first, let comes = timed.first {
                    add(
                        .serviceAndCron,
                        "One \(name) is started twice: it stays by \(stays.place), and comes by \(comes.place).",
                        "The one that comes finds the other at work and ends, every time; when the other is stopped on "
                            + "purpose, it works all the same.",
                        "Keep one. To keep the one that stays: \(comes.undo)."
                    )
                } else if let first, let second {
                    add(
                        .workerTwice,
                        "One \(name) is started twice: by \(first.place), and by \(second.place).",
                        "Only one of them can work at a time, and nobody knows which.",
                        "Keep one: \(second.undo)."
                    )
                }
            }
        }
    }

    private mutating func findOldWorkers() {
        for start in starts where start.call.kind == .oldWorker {
            add(
                .oldWorker,
                "\(start.place), starts the old worker: \(start.call.program).",
                "It takes jobs of the same queue without a lease, and holds a connection all the time.",
                "\(start.undo.prefix(1).uppercased() + start.undo.dropFirst()), once the job in its hand is done."
            )
        }
    }

    /// What runs now although nothing that was read starts it.
    private mutating func findProcesses() {
        var workers: [String: [Int32]] = [:]
        for process in facts.processes {
            guard let call = ProgramCall(words: process.words, oldWorker: facts.oldWorker) else { continue }
            if call.kind == .oldWorker {
                add(
                    .oldWorker,
                    "Process \(process.id) is the old worker: \(call.program)"
                        + (process.unit.map { " (\($0))." } ?? "."),
                    "It takes jobs of the same queue without a lease, and holds a connection all the time.",
                    "When the job in its hand is done: "
                        + (process.unit.map { "systemctl stop \(Escaping.shell($0))." } ?? "kill \(process.id).")
                )
            }
            // A worker by hand beside one that is started by the machine.
            guard call.kind == .worker, !call.isOnce, process.unit.map({ $0.ends(with: ".service") }) != true else {
                continue
            }
            var own = call
            own.folder = call.folder ?? process.folder
            workers[own.identity, default: []].append(process.id)
            if let other = starts.first(where: { $0.call.kind == .worker && $0.call.identity == own.identity }) {
                add(
                    .serviceAndCron,
                    "Process \(process.id) is a worker that was started by hand, beside \(other.place).",
                    "The one that came first keeps the other from working.",
                    "End it: kill \(process.id). It stores the chunk in hand."
                )
            }
        }
    }

    private mutating func checkSettings(_ start: Start) {
        guard start.call.kind != .oldWorker else { return }
        let user = start.user.flatMap { facts.users[$0] }
        if let file = start.call.settingsFile {
            guard let rights = facts.files[file] else {
                add(
                    .settingsMissing,
                    "\(start.place), reads its settings from \(file), which is not there.",
                    "It ends at once, each time it is started.",
                    "Make the file, or name the right one with --env-file."
                )
                return
            }
            if let name = start.user, let user, !rights.isReadable(by: user) {
                add(
                    .settingsUnreadable,
                    "\(start.place), runs as '\(name)', who may not read \(file).",
                    "It ends at once, each time it is started.",
                    "chgrp it to a group of \(name) and chmod 640, or run it as another user."
                )
            }
            if rights.mode & 0o004 != 0 {
                add(
                    .settingsOpen,
                    "Every user of this host may read \(file).",
                    "It is where the password is.",
                    "chmod 640 \(Escaping.shell(file)), once all who must read it are in its group."
                )
            }
        } else if !start.hasSettings, !start.call.hasPlace, start.call.folder == nil {
            add(
                .noSettings,
                "\(start.place), does not say where settings come from.",
                "Cron and systemd hand on nothing of a login's environment, and the working directory is another one.",
                "Add --env-file with the whole path of the file."
            )
        }
        if let name = start.user, let user, let group = facts.stateGroup, user.id != 0, !user.groups.contains(group) {
            add(
                .ownBudget,
                "\(start.place), runs as '\(name)', who may not write to \(facts.stateFolder).",
                "It is where all users of the account share its budget.",
                "usermod --append --groups headroom \(name) (the folder's group)"
            )
        }
    }

    private mutating func readIgnored(_ table: CronTable) {
        guard table.entries.contains(where: { ProgramCall($0.command, oldWorker: facts.oldWorker) != nil }) else {
            return
        }
        let name = table.path.pieces(separator: "/").last.map(String.init) ?? ""
        add(
            .cronIgnores,
            "\(table.path) has a name that cron leaves out.",
            "In /etc/cron.d only names of letters, digits, '_' and '-' count: no dot.",
            "Rename it: mv \(Escaping.shell(table.path)) \(Escaping.shell("/etc/cron.d/\(name.replaced(".", with: "-"))"))"
        )
    }

    private mutating func add(_ code: DeploymentFinding.Code, _ what: String, _ why: String, _ next: String) {
        let finding = DeploymentFinding(code: code, what: what, why: why, next: next)
        if !findings.contains(finding) { findings.append(finding) }
    }
}
