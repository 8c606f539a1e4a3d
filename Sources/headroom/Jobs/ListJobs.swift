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
            try Console.emit(JobList(jobs: jobs), asJSON: json)
        }
    }
}

/// Jobs, a line each.
private struct JobList: Report {
    var jobs: [ImportJob]

    var json: JSONObject { ["jobs": jobs.map(\.json)] }

    var lines: [String] {
        if jobs.isEmpty { return ["No jobs."] }
        let rows = jobs.map { job in
            [
                "\(job.id)", job.status.rawValue, job.type, grouped(job.counts.processed), grouped(job.counts.imported),
                grouped(job.counts.failed), job.queuedAt, job.filename,
            ]
        }
        return table([["id", "status", "type", "rows", "imported", "rejected", "queued", "file"]] + rows, indent: "")
    }
}

extension ImportJob.Status: ExpressibleByArgument {}
