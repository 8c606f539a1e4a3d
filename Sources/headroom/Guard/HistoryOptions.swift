import ArgumentParser
import CommandSupport
import Headroom

/// The flags that say where the history is.
struct HistoryOptions: ParsableArguments {
    @Option(
        name: .customLong("history-file"),
        help: ArgumentHelp("Keep the history in this file instead of the state folder's.", valueName: "file")
    )
    var file: String?

    @Option(help: ArgumentHelp("How many days of it are kept.", valueName: "count"))
    var keepDays = 14

    func validate() throws {
        guard (1...3650).contains(keepDays) else { throw ValidationError("--keep-days must be from 1 to 3650.") }
    }

    /// The file's path.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    func path(_ settings: DatabaseSettings) throws -> String {
        try file ?? AccountNotes(settings, topic: "history").path(ending: ".sqlite")
    }
}
