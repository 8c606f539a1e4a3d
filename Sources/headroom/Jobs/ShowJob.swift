import ArgumentParser
import CommandSupport
import Headroom
import HeadroomJobs

/// `headroom jobs show ID`.
struct ShowJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows a job and what became of it."
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The job's id.")
    var id: Int

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await runCommand {
            let database = try connection.open(program: "headroom jobs")
            try Console.emit(try await JobQueue(database).existingJob(id), asJSON: json)
        }
    }
}
