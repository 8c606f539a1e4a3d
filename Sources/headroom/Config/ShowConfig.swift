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
            if json {
                try Console.json(ConfigJSON(rows: rows, found: found))
            } else {
                for line in ConfigText(rows: rows).lines { Console.print(line) }
            }
            for warning in found.warnings { Console.error("headroom: warning: \(warning)") }
            let problems = found.problems + rows.compactMap(\.problem)
            for problem in problems { Failure.print(problem) }
            if !problems.isEmpty { throw ExitCode(1) }
        }
    }
}

/// The settings in force as text.
private struct ConfigText {
    let rows: [SettingRow]

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

/// The settings in force as JSON.
private struct ConfigJSON: Encodable {
    struct Value: Encodable {
        var name: String
        @Nullable var value: String?
        var isSet: Bool
        var isSecret: Bool
        /// `flag`, `environment`, `credential`, `file` or `default`.
        var origin: String
        @Nullable var file: String?
        @Nullable var line: Int?
        @Nullable var foundAs: String?
        @Nullable var note: String?
        @Nullable var problem: String?
    }

    var settings: [Value]
    var warnings: [String]
    var problems: [String]

    init(rows: [SettingRow], found: FoundSettings) {
        settings = rows.map { row in
            var value = Value(
                name: row.setting.name,
                value: row.value,
                isSet: row.origin != nil,
                isSecret: row.setting.isSecret,
                origin: "default",
                note: row.note,
                problem: row.problem?.advice
            )
            if row.origin == nil, row.setting.isSecret { value.value = nil }
            value.file = row.origin?.path
            value.foundAs = row.origin?.name
            switch row.origin?.place {
            case nil: break
            case .flag?: value.origin = "flag"
            case .environment?: value.origin = "environment"
            case .credential?: value.origin = "credential"
            case .file(let line)?: (value.origin, value.line) = ("file", line)
            }
            return value
        }
        warnings = found.warnings
        problems = (found.problems + rows.compactMap(\.problem)).map(\.message)
    }
}
