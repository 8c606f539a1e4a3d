import ArgumentParser

/// `headroom guard`: becomes `headroom-guard`, the guard's own program.
///
/// The guard's history needs SQLite, which would make every other command slower to start and larger.
struct GuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Watches the account: history, alerts, and idle sessions ended in time."
    )

    @Argument(parsing: .captureForPassthrough, help: "See headroom guard --help.")
    var arguments: [String] = []

    func run() throws {
        try CompanionProgram.become("headroom-guard", arguments)
    }
}
