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

/// `headroom jobs`: puts files into the queue, looks at it, and takes care of it.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Queues files for import, shows the queue, and takes care of it.",
        subcommands: [
            AddJob.self, ListJobs.self, ShowJob.self, JobRejects.self, CancelJob.self, RetryJob.self, DeleteJob.self,
            PruneJobs.self, JobsHealth.self,
        ]
    )
}

extension JobQueue {
    /// The job with an id that somebody typed; ends the command, saying so, when there is none.
    func existingJob(_ id: Int) async throws -> ImportJob {
        if let job = try await job(id) { return job }
        Console.error("headroom: there is no job \(id)")
        Console.error("  next: 'headroom jobs list' shows those there are.")
        throw ExitCode(1)
    }
}
