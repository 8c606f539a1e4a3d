import ArgumentParser

/// `headroom serve`: becomes `headroom-web`, the dashboard's own program.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves the dashboard: the account live, imports, metrics and a JSON API."
    )

    @Argument(parsing: .captureForPassthrough, help: "See headroom serve --help.")
    var arguments: [String] = []

    func run() throws {
        try CompanionProgram.become("headroom-web", arguments)
    }
}
