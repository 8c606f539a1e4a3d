import ArgumentParser

/// `headroom deploy`: how Headroom is run on this host.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Prints what runs Headroom on this host, and finds what is wrong with what does.",
        subcommands: [DeployCron.self, DeploySystemd.self, DeployHAProxy.self]
    )
}
