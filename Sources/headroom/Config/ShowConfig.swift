import ArgumentParser
import CommandSupport
import Headroom

/// `headroom config show`: each setting, its value, and where it comes from.
struct ShowConfig: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Prints each setting with its value and where that comes from; secrets are hidden.",
        discussion: """
            Connects to nothing. Exits with 1 when something cannot be used, and says what.

            Examples:
              headroom config show
              headroom config show --env-file /srv/app/.env --json
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await runCommand {
            let sources = connection.sources
            let found = sources.find()
            let rows = found.rows
            try Console.emit(ConfigReport(found: found, rows: rows), asJSON: json)
            for warning in found.warnings { Console.error("headroom: warning: \(warning)") }
            let problems = found.problems + rows.compactMap(\.problem)
            for problem in problems { Failure.print(problem) }
            if !problems.isEmpty { throw ExitCode(1) }
        }
    }
}

/// The settings in force.
private struct ConfigReport: Report {
    let found: FoundSettings
    let rows: [SettingRow]

    var json: JSONObject {
        [
            "settings": rows.map(\.json), "warnings": found.warnings,
            "problems": (found.problems + rows.compactMap(\.problem)).map(\.message),
        ]
    }

    var lines: [String] {
        var lines: [String] = []
        for group in Setting.Group.allCases {
            let rows = rows.filter { $0.setting.group == group }
            if rows.isEmpty { continue }
            if !lines.isEmpty { lines.append("") }
            lines.append(group.rawValue)
            lines += table(rows.map { [$0.setting.name, $0.valueText, $0.originText] })
        }
        return lines
    }
}

extension SettingRow {
    fileprivate var valueText: String { value ?? "(set, hidden)" }

    fileprivate var originText: String {
        let origin =
            switch self.origin {
            case nil: "default"
            case let origin? where origin.place == .flag: setting.flag.map { "flag \($0)" } ?? "flag"
            case let origin?: origin.description
            }
        let problem = problem == nil ? nil : "cannot be used: it must be \(setting.bounds)"
        return ([origin] + [note, problem].compactMap(\.self)).joined(separator: "; ")
    }
}

extension SettingRow {
    fileprivate var json: JSONObject {
        let (place, line): (String, Int?) =
            switch origin?.place {
            case nil: ("default", nil)
            case .flag?: ("flag", nil)
            case .environment?: ("environment", nil)
            case .credential?: ("credential", nil)
            case .file(let line)?: ("file", line)
            }
        return [
            "name": setting.name, "value": origin == nil && setting.isSecret ? nil : value, "is_set": origin != nil,
            "is_secret": setting.isSecret, "origin": place, "file": origin?.path, "line": line,
            "found_as": origin?.name, "note": note, "problem": problem?.advice,
        ]
    }
}
