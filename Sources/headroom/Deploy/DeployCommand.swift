import ArgumentParser

/// `headroom deploy`: writes the configuration of what runs beside Headroom.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Writes configuration for this host and these settings.",
        subcommands: [DeployHAProxy.self]
    )
}
