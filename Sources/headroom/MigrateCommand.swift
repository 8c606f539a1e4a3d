import ArgumentParser
import CommandSupport
import Headroom
import HeadroomJobs
import MeterImport

/// `headroom migrate`: creates the tables that are missing.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Creates the tables, columns and indexes that are missing.",
        discussion: """
            Nothing is ever dropped or rewritten, and what is there stays as it is. Safe to run again, and by two at once.

            Example:
              headroom migrate
            """
    )

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await runCommand {
            let database = try connection.open(program: "headroom migrate")
            let added = try await Migration(MeterSchema.tables + JobsSchema.tables).run(on: database)
            if added.isEmpty {
                Console.print("Nothing is missing: all tables are there.")
            } else {
                for what in added { Console.print("added \(what)") }
            }
        }
    }
}
