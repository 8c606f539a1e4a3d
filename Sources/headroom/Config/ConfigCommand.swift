import ArgumentParser

/// `headroom config`: the settings, where each comes from, and what there is to set.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Shows the settings in force, and lists those there are.",
        subcommands: [ShowConfig.self, ListConfig.self, TemplateConfig.self],
        defaultSubcommand: ShowConfig.self
    )
}
