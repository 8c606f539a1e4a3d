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
            Nothing is ever dropped or rewritten, and what is there stays as it is. Safe to run again, and by two at once. Exits \
            with 1 when a column or a table that is there would change or lose what is stored in it, and says how to mend it.

            Example:
              headroom migrate
            """
    )

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await runCommand {
            let database = try connection.open(program: "headroom migrate")
            let migration = Migration(MeterSchema.tables + JobsSchema.tables)
            let added = try await migration.run(on: database)
            let misfits = try await database.withBriefConnection { try await migration.misfits($0) }
            for misfit in misfits { Console.error("headroom: \(misfit)") }
            if added.isEmpty, !misfits.isEmpty { throw ExitCode(1) }
            if added.isEmpty {
                Console.print("Nothing is missing: all tables are there.")
            } else {
                for what in added { Console.print("added \(what)") }
            }
            if !misfits.isEmpty { throw ExitCode(1) }
        }
    }
}
