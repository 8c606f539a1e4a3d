import ArgumentParser
import CommandSupport
import Headroom

/// `headroom config list`: every setting there is.
struct ListConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists every setting: what it means, what it may be, and its default."
    )

    @Flag(help: "Print the page docs/settings.md.")
    var markdown = false

    func run() {
        if markdown {
            Console.result(SettingsPage.text)
        } else {
            for line in SettingsListing.lines { Console.print(line) }
        }
    }
}

/// The settings as a listing for a terminal of 80 columns.
enum SettingsListing {
    static var lines: [String] {
        var lines: [String] = []
        for group in Setting.Group.allCases {
            if !lines.isEmpty { lines.append("") }
            lines.append(group.rawValue)
            for setting in Setting.all where setting.group == group {
                lines.append("  \(setting.name)\(setting.flag.map { ", \($0)" } ?? "")")
                lines += wrapped(setting.meaning, width: 74).map { "      \($0)" }
                lines += wrapped(setting.facts, width: 74).map { "      \($0)" }
            }
        }
        return lines
    }
}

extension Setting {
    /// What it may be, its default and who reads it, in a sentence.
    var facts: String {
        var facts = [bounds, "default: \(standardText)"]
        if let fileName { facts.append("also as \(fileName)") }
        facts.append("from a found .env: \(trust.words)")
        if !readBy.isEmpty { facts.append("read by \(readBy.joined(separator: ", "))") }
        let text = facts.joined(separator: "; ")
        return text.prefix(1).uppercased() + text.dropFirst() + "."
    }
}

/// `headroom config`: the settings, where each comes from, and what there is to set.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Shows the settings in force, and lists those there are.",
        subcommands: [ShowConfig.self, ListConfig.self, TemplateConfig.self],
        defaultSubcommand: ShowConfig.self
    )
}
