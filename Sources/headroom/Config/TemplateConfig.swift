import ArgumentParser
import CommandSupport
import Headroom

/// `headroom config template`: a file with every setting, commented out.
struct TemplateConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template",
        abstract: "Prints an env file with every setting, explained and commented out.",
        discussion: """
            Example:
              (umask 027; headroom config template > headroom.env)
            """
    )

    func run() {
        for line in SettingsTemplate.lines { Console.print(line) }
    }
}

/// An env file with every setting, for `--env-file` and for systemd's `EnvironmentFile=` alike.
enum SettingsTemplate {
    static var lines: [String] {
        var lines = [
            "# Settings of Headroom: NAME=value, a line each. 'headroom config show' says what is in force.",
            "# A user who can read this file knows the passwords in it: keep it at 0640 or less.",
        ]
        for group in Setting.Group.allCases {
            // The sandbox reads the environment only.
            let settings = Setting.all.filter { $0.group == group && $0 != .cache }
            if settings.isEmpty { continue }
            lines += ["", "# \(group.rawValue)"]
            for setting in settings {
                lines.append("")
                lines += wrapped("\(setting.meaning) \(setting.facts)", width: 98).map { "# \($0)" }
                lines.append("#\(setting.name)=\(setting.example)")
            }
        }
        return lines
    }
}
