public import ArgumentParser
import CommandSupport
import Headroom
public import HeadroomJobs
import Reporting

/// `headroom jobs list`.
struct ListJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the newest jobs."
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "The most jobs to list.")
    var limit = 20

    @Option(help: "Only jobs that are queued, processing, completed, failed or cancelled.")
    var status: ImportJob.Status?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await runCommand {
            let database = try connection.open(program: "headroom jobs")
            let jobs = try await JobQueue(database).list(limit: max(1, limit), status: status)
            if json {
                try Console.json(["jobs": jobs.map(JobJSON.init)])
            } else if jobs.isEmpty {
                Console.print("No jobs.")
            } else {
                let rows = jobs.map { job in
                    [
                        "\(job.id)", job.status.rawValue, job.type, grouped(job.counts.processed),
                        grouped(job.counts.imported), grouped(job.counts.failed), job.queuedAt, job.filename,
                    ]
                }
                let header = ["id", "status", "type", "rows", "imported", "rejected", "queued", "file"]
                for line in table([header] + rows, indent: "") { Console.print(line) }
            }
        }
    }
}

extension ImportJob.Status: ExpressibleByArgument {}
