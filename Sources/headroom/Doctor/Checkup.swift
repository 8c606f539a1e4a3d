import CommandSupport
import Glibc
import Headroom
import HeadroomJobs
import HeadroomWatch
import MeterImport
import Reporting

/// All that a bug report needs, in sections of names and values; no part of it fails another.
struct Checkup {
    /// A heading with its facts.
    struct Section {
        var title: String
        var facts: [(name: String, value: String)]
    }

    private(set) var sections: [Section] = []

    /// Gathers it all; the server is asked for 5 seconds at most.
    init(_ sources: SettingsSources) async {
        var sources = sources
        sources.isForgiving = true
        let found = sources.find()
        let redactor = Redactor(secrets: found.secrets)
        func add(_ title: String, _ facts: [(String, String)]) {
            let clean = facts.map {
                (name: printable(redactor.redacted($0.0)), value: printable(redactor.redacted($0.1)))
            }
            sections.append(Section(title: title, facts: clean))
        }
        add("headroom", [("version", headroomVersion), ("libmariadb", ClientLibrary.version)])
        add("host", HostCheckup.facts)
        add("settings", Self.settings(found))
        let folder = try? found.value(.stateFolder)
        let doubts = DatabaseSettings.stateFolderDoubt(folder).map { [("warning", $0)] } ?? []
        add("state folder", doubts + Self.state(DatabaseSettings.stateFolderPath(folder)))
        add("locks", Self.locks(folder))
        do {
            let loaded = try sources.load(programName: "headroom doctor")
            add("slots", Self.slots(loaded.database))
            add("server", await Self.server(loaded.database))
            add("tables", await Self.tables(loaded.database))
            add("last look", Self.snapshot(loaded.database))
        } catch {
            add("server", [("not asked", Self.text(error))])
        }
    }

    private static func text(_ error: any Error) -> String {
        (error as? DatabaseError).map { "\($0.code): \($0.message)" } ?? "\(error)"
    }

    private static func settings(_ found: FoundSettings) -> [(String, String)] {
        var facts = found.rows.filter { $0.origin != nil }
            .map { row in
                // A command may have a key among its arguments.
                let isCommand = row.setting == .alertCommand
                let value = row.value.map { isCommand ? "\($0.firstWord) ..." : $0 } ?? "[hidden]"
                let note = row.note.map { "; \($0)" } ?? ""
                return (row.setting.name, "\(value) (\(row.origin?.description ?? "")\(note))")
            }
        facts += found.warnings.map { ("warning", $0) }
        facts += (found.problems + found.rows.compactMap(\.problem)).map { ("problem", $0.message) }
        return facts.isEmpty ? [("none", "nothing is set")] : facts
    }

    private static func state(_ path: String) -> [(String, String)] {
        var facts = [(path, HostCheckup.folder(path))]
        for name in HostCheckup.entries(path) {
            facts.append((name, HostCheckup.folder("\(path)/\(name)")))
            for inner in HostCheckup.entries("\(path)/\(name)").prefix(20) {
                facts.append(("\(name)/\(inner)", HostCheckup.folder("\(path)/\(name)/\(inner)")))
            }
        }
        return facts
    }

    private static func slots(_ settings: DatabaseSettings) -> [(String, String)] {
        do {
            let report = try SlotReport(settings)
            return [
                ("limit", report.limit.map(String.init) ?? "not known"), ("budget", "\(report.budget)"),
                ("sessions without a slot", "\(report.foreignSessions)"),
            ]
                + report.held.map { ("slot \($0.slot)", "\($0.holder.state.words), \(holder($0.holder))") }
                + report.waiting.map { ("waiting", "\(counted($0.tasks, "task")), \(holder($0.holder))") }
        } catch {
            return [("not known", text(error))]
        }
    }

    private static func locks(_ folder: String?) -> [(String, String)] {
        let held = HostLockReport.held(stateFolder: folder).map { ($0.name, holder($0.holder)) }
        return held.isEmpty ? [("none", "no lock is held")] : held
    }

    /// Without labels and arguments: a command line may hold anything.
    private static func holder(_ holder: Holder) -> String {
        let program = holder.program.begins(with: "headroom ") ? holder.program : holder.program.firstWord
        if holder.state == .unknown { return holder.program }
        return "\(program), process \(holder.processID), for \(fixed(holder.age.seconds, 1)) s"
            + (holder.isHeldTooLong ? ", too long" : "")
    }

    private static func server(_ settings: DatabaseSettings) async -> [(String, String)] {
        var settings = settings
        settings.connectTimeout = min(settings.connectTimeout, .seconds(5))
        // Whether the database is there is not the question.
        settings.database = nil
        do {
            let report = try await AccountWatch(settings).report()
            var facts = [("level", report.level.rawValue)]
            if let refusal = report.refusal { facts.append(("refused", text(refusal))) }
            let limit = report.limit.value.map(String.init) ?? "not known"
            facts.append(("limit", "\(limit), \(report.limit.source.words)"))
            if let version = report.serverVersion {
                facts.append(("version", version))
                if let warning = ServerVersion(version)?.warning { facts.append(("warning", warning)) }
            }
            guard let used = report.used else { return facts }
            facts.append(("used", "\(used)"))
            if let server = report.server {
                let numbers = [server.connected, server.limit, server.peak, server.refused]
                    .map { $0.map(String.init) ?? "?" }
                facts.append(
                    ("whole server", "\(numbers[0]) of \(numbers[1]), peak \(numbers[2]), refused \(numbers[3])")
                )
            }
            let programs = report.groups { $0.program }.prefix(10)
            return facts + programs.map { ("sessions of \(($0.name ?? "-").firstWord)", "\($0.sessions)") }
        } catch {
            return [("not asked", text(error))]
        }
    }

    private static func tables(_ settings: DatabaseSettings) async -> [(String, String)] {
        guard settings.database != nil else { return [("not asked", "no database is set")] }
        var settings = settings
        settings.connectTimeout = min(settings.connectTimeout, .seconds(5))
        settings.waitTimeout = min(settings.waitTimeout, .seconds(5))
        do {
            let misfits = try await Database(settings, share: .reserve)
                .withBriefConnection { try await Migration(MeterSchema.tables + JobsSchema.tables).misfits($0) }
            return misfits.isEmpty
                ? [("fit", "what is there of Headroom's")] : misfits.map { ("warning", $0.description) }
        } catch {
            return [("not asked", text(error))]
        }
    }

    private static func snapshot(_ settings: DatabaseSettings) -> [(String, String)] {
        guard let snapshot = AccountSnapshot.last(settings) else { return [("none", "no look was kept")] }
        return [
            ("taken", "\(fixed(snapshot.age.seconds, 0)) s ago"), ("version", snapshot.serverVersion),
            ("used", "\(snapshot.used) of \(snapshot.limit.map(String.init) ?? "?"), \(snapshot.limitSource)"),
        ]
    }
}

extension String {
    /// The first word of a command line, without what it was told.
    fileprivate var firstWord: String { split(separator: " ").first.map(String.init) ?? "-" }
}
