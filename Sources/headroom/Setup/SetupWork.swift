import Alerting
import CKernel
import CommandSupport
import FoundationEssentials
import Glibc
import Headroom
import HeadroomDoor
import HeadroomWatch

/// Carries the steps of a setup out, notes each, and takes them back.
final class SetupWork {
    /// What was done, in its order; with the file's bytes before a change.
    private struct Journal: Codable {
        var steps: [SetupPlan.Step] = []
        var program = ""
    }

    private let notes: AccountNotes
    private let file: String
    private var journal: Journal

    /// Begins one.
    ///
    /// - Throws: ``DatabaseError`` where one was made already.
    init(_ found: SetupPlan.Found, _ file: String) throws {
        var settings = found.settings
        settings.stateFolder = found.stateFolder
        notes = AccountNotes(settings, topic: "setup")
        self.file = file
        journal = Journal(program: found.program)
        guard Self.read(try notes.path(ending: ".json")) == nil, access(file, F_OK) != 0 else {
            throw DatabaseError(
                .settingsInvalid,
                message: "It has been set up already: there is \(file), or what an earlier setup has noted.",
                advice: "Take that back first: headroom setup --undo"
            )
        }
    }

    /// Reads what was done.
    ///
    /// - Throws: ``DatabaseError`` where nothing was.
    init(reading file: String) throws {
        self.file = file
        let settings = try SettingsSources(environment: [:], envFile: file).load(programName: "headroom setup").database
        notes = AccountNotes(settings, topic: "setup")
        guard let journal = Self.read(try notes.path(ending: ".json")) else {
            throw DatabaseError(
                .settingsInvalid,
                message: "Nothing is noted of a setup with \(file).",
                advice: "Name the file with --settings if it is another one."
            )
        }
        self.journal = journal
    }

    private static func read(_ path: String) -> Journal? {
        guard let bytes = try? RegularFile.read(path, atMost: 1 << 22) else { return nil }
        return try? JSONDecoder().decode(Journal.self, from: Data(bytes))
    }

    private func note(_ step: SetupPlan.Step) throws {
        journal.steps.append(step)
        let text = String(decoding: try JSONEncoder().encode(journal), as: UTF8.self)
        let path = try notes.path(ending: ".json")
        do throws(RegularFile.Problem) {
            try RegularFile.write(path, text, mode: 0o600, isDurable: true)
        } catch {
            throw Self.failed("What was done cannot be noted: \(error)", "Check the disk.")
        }
    }

    private static func failed(_ message: String, _ advice: String = "") -> DatabaseError {
        DatabaseError(.settingsInvalid, message: "\(message).", advice: advice)
    }

    // MARK: Doing

    /// Carries a step out.
    ///
    /// It is noted before: what is half done is taken back too.
    func carryOut(_ step: SetupPlan.Step, _ found: SetupPlan.Found) async throws {
        try note(step)
        switch step {
        case .writeSettings(let path, let text): try writeSettings(path, text, found.settings)
        case .startUp(let program, let settings): try await start(program, settings)
        case .logIn: try await logIn(found.settings)
        case .addToCrontab(let lines):
            let old = try await crontab()
            let text = old.isEmpty || old.ends(with: "\n") ? old : "\(old)\n"
            try await Helper.run("crontab", ["-"], input: text + lines.map { "\($0)\n" }.joined())
        case .changeApplication(let edit): try await change(edit, found)
        }
    }

    private func writeSettings(_ path: String, _ text: String, _ settings: DatabaseSettings) throws {
        do throws(RegularFile.Problem) {
            try RegularFile.write(path, text, mode: 0o600, earlier: .kept, isDurable: true)
        } catch {
            throw Self.failed(
                "\(path) cannot be written: \(error)",
                error.advice ?? "Name another place with --settings."
            )
        }
        let read = try SettingsSources(environment: [:], envFile: path).load(programName: "headroom setup").database
        guard read.username == settings.username, read.password == settings.password,
            read.endpoint == settings.endpoint,
            read.database == settings.database
        else {
            throw Self.failed(
                "\(path) does not say what the application's settings say",
                "Report it: that is a mistake here."
            )
        }
    }

    private func start(_ program: String, _ settings: String) async throws {
        let words: [String] = [program, "up", "--quiet", "--env-file", settings]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let error = kernel_spawn(&process, &arguments, [], 0, 1)
        guard error == 0 else { throw DatabaseError.hostExhausted("process", error: error) }
        // One whose settings cannot be used ends at once, and has said why.
        for _ in 0..<20 {
            try await Task.sleep(for: .milliseconds(50))
            var status: Int32 = 0
            guard waitpid(process, &status, WNOHANG) == process, status != 0 else { continue }
            throw Self.failed("'headroom up' ended with status \(status >> 8 & 0xFF)", "It has said why above.")
        }
    }

    /// Logs in as the application will.
    private func logIn(_ settings: DatabaseSettings) async throws {
        let own = try SettingsSources(environment: [:], envFile: file).load(programName: "headroom setup")
        guard let place = try DoorSettings(own).places.first else { return }
        var settings = settings
        switch place {
        case .unix(let path): settings.endpoint = .socket(path: path)
        case .tcp(let host, let port): settings.endpoint = .tcp(host: host, port: Int(port))
        }
        (settings.otherEndpoints, settings.tls.mode, settings.waitTimeout) = ([], .disabled, .seconds(1))
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await Database(settings, share: .reserve)
                    .withBriefConnection { _ = try await $0.query("SELECT 1") }
            } catch let error as DatabaseError where ContinuousClock.now < deadline && error.retry != .never {
                try await Task.sleep(for: .milliseconds(100))
            } catch let error as DatabaseError where error.code == .budgetExhausted {
                // Those who go past it hold all, and will go through it in a moment.
                return Console.print("The door answers, and has no place yet: \(error.message)")
            } catch let error as DatabaseError
                where ContinuousClock.now < deadline && (error.isConnectFailure || error.isRefusal)
            {
                // The door is being started.
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func crontab() async throws -> String {
        do {
            return try await Helper.run("crontab", ["-l"])
        } catch let failure as Helper.Failure where failure.description.holds("no crontab") {
            return ""
        }
    }

    private func change(_ edit: ApplicationEdit, _ found: SetupPlan.Found) async throws {
        do throws(SetupPath.Obstacle) {
            let old = try SetupPath.read(edit.path, below: found.folder)
            guard let new = edit.applied(to: old) else { throw SetupPath.Obstacle.changed }
            try keep(old, ending: ".backup")
            try await check(new, edit.path)
            try SetupPath.write(new, to: edit.path, after: old)
        } catch {
            throw Self.failed("\(edit.path) was not changed: \(error.reason)")
        }
        var sources = SettingsSources(environment: [:])
        sources.application = found.folder
        let now = try sources.load(programName: "headroom setup").database
        guard now.endpoint != found.settings.endpoint else {
            throw Self.failed("\(edit.path) was changed, and the application's settings say what they said before")
        }
    }

    private func keep(_ bytes: [UInt8], ending: String) throws(SetupPath.Obstacle) {
        do {
            let path = try notes.path(ending: ending)
            try RegularFile.write(path, String(decoding: bytes, as: UTF8.self), mode: 0o600, isDurable: true)
        } catch {
            throw SetupPath.Obstacle(reason: "no copy of it can be kept: \(error)")
        }
    }

    /// Takes away what was kept; it is this user's alone if it stays.
    private func drop(_ ending: String) {
        if let path = try? notes.path(ending: ending) { try? RegularFile.remove(path) }
    }

    /// Has PHP, where there is one, look whether it can read the file.
    private func check(_ bytes: [UInt8], _ path: String) async throws(SetupPath.Obstacle) {
        guard path.ends(with: ".php"), HostCheckup.has("php") else { return }
        try keep(bytes, ending: ".php")
        defer { drop(".php") }
        do {
            try await Helper.run("php", ["-l", notes.path(ending: ".php")])
        } catch {
            throw SetupPath.Obstacle(reason: "PHP could not read it then: \(error)")
        }
    }

    // MARK: Taking back

    /// Takes all back, the last first.
    ///
    /// - Returns: What became of each.
    func undo() async throws -> [(text: String, isDone: Bool)] {
        var lines: [(text: String, isDone: Bool)] = []
        var isOver = true
        for step in journal.steps.reversed() {
            do {
                if let text = try await takeBack(step) { lines.append((text, true)) }
            } catch {
                let words = (error as? DatabaseError)?.message ?? (error as? SetupPath.Obstacle)?.reason ?? "\(error)"
                lines.append(("left as it is: \(words)", false))
                guard case .changeApplication(let edit) = step else {
                    isOver = false
                    continue
                }
                // Without the door the site would be down.
                guard !leadsToDoor(edit) else {
                    let cure = "put that line back, then run headroom setup --undo again"
                    lines.append(("the rest stays too, as the application still goes to the door: \(cure)", false))
                    return lines
                }
            }
        }
        if isOver { drop(".json") }
        if lines.allSatisfy(\.isDone) { drop(".backup") }
        return lines
    }

    /// Whether the application's file still names the door.
    private func leadsToDoor(_ edit: ApplicationEdit) -> Bool {
        guard let bytes = try? RegularFile.read(NamedFile(edit.path).path, atMost: 1 << 20, links: .followed) else {
            return false
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return journal.steps.contains { step in
            if case .logIn(let door) = step { text.holds(door) } else { false }
        }
    }

    private func takeBack(_ step: SetupPlan.Step) async throws -> String? {
        switch step {
        case .logIn: return nil
        case .changeApplication(let edit):
            guard let bytes = try? RegularFile.read(NamedFile(edit.path).path, atMost: 1 << 20, links: .followed) else {
                throw SetupPath.Obstacle(reason: "\(edit.path) cannot be read")
            }
            guard let old = edit.undone(in: bytes) else {
                if edit.applied(to: bytes) != nil { return "line \(edit.line) of \(edit.path) is as it was" }
                throw SetupPath.Obstacle(
                    reason: "line \(edit.line) of \(edit.path) has been changed since; how the file was stands in "
                        + ((try? notes.path(ending: ".backup")) ?? "the state folder")
                )
            }
            try SetupPath.write(old, to: edit.path, after: bytes)
            return "changed line \(edit.line) of \(edit.path) back"
        case .addToCrontab(let lines):
            let old = try await crontab()
            let own = lines.map { "\($0)\n" }.joined()
            guard old.holds(own) else {
                if old.pieces(separator: "\n").contains(where: { $0.holds("headroom up") && $0.holds(file) }) {
                    throw SetupPath.Obstacle(reason: "the crontab's line of 'headroom up' has been changed since")
                }
                return "nothing of it is in the crontab"
            }
            let rest = old.replaced(own, with: "")
            if rest.isEmpty {
                try await Helper.run("crontab", ["-r"])
            } else {
                try await Helper.run("crontab", ["-"], input: rest)
            }
            return "took the line out of the crontab"
        case .startUp(let program, let settings):
            // Where the settings cannot be read any more it was never started.
            guard access(settings, R_OK) == 0 else { return nil }
            try await Helper.run(program, ["up", "--stop", "--env-file", settings], within: .seconds(150))
            return "ended 'headroom up' and what it had started"
        case .writeSettings(let path, let text):
            guard let bytes = try? RegularFile.read(path, atMost: 1 << 20) else { return nil }
            guard String(decoding: bytes, as: UTF8.self) == text else {
                throw SetupPath.Obstacle(reason: "\(path) has been changed since; remove it when you need it no more")
            }
            try RegularFile.remove(path)
            return "removed \(path)"
        }
    }
}

extension SetupPath.Obstacle {
    /// It was changed by somebody else at that moment.
    static var changed: SetupPath.Obstacle { SetupPath.Obstacle(reason: "it has been changed meanwhile") }
}
