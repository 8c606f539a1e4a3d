public import ArgumentParser
import FoundationEssentials
import Headroom
public import HeadroomJobs
public import MeterImport

/// `headroom jobs`: puts files into the queue and looks at it.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Queues files for import and shows the queue.",
        subcommands: [AddJob.self, ListJobs.self, ShowJob.self]
    )

    /// `headroom jobs add FILE`.
    struct AddJob: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Queues a file of half-hourly meter readings.",
            discussion: """
                The file stays where it is and must still be there when a worker gets to it.

                Examples:
                  headroom jobs add readings.csv --type hh
                  headroom jobs add export.csv --type hh --mpan 1200023305967 --timezone UTC
                """
        )

        @OptionGroup var connection: ConnectionOptions

        @Argument(help: "The CSV file.")
        var file: String

        @Option(help: "What kind of file it is: hh, half-hourly, in rows or in columns HH01 to HH48.")
        var type: String

        @Option(help: "The meter, when the file has no column for it.")
        var mpan: String?

        @Option(help: "The zone of the file's times, such as UTC; by default the local time of the meter's zone.")
        var timezone: String?

        @Option(
            help: "The meter's zone, in whose days the readings are stored (default: \(ImportOptions.defaultZone))."
        )
        var zone: String?

        @Option(help: "Which comes first in dates such as 05/11/2025: dmy or mdy.")
        var dateOrder: DateOrder = .dayFirst

        @Option(help: "How urgent it is: low, normal or high.")
        var priority: ImportJob.Priority = .normal

        @Flag(help: "Read the file and report on it, but store nothing.")
        var dryRun = false

        func validate() throws {
            guard type == "hh" else {
                throw ValidationError("--type is '\(type)'. This version imports half-hourly files: hh.")
            }
        }

        func run() async throws {
            try await runCommand {
                let options = ImportOptions(
                    mpan: mpan,
                    timezone: timezone,
                    zone: zone,
                    dateOrder: dateOrder == .dayFirst ? nil : dateOrder
                )
                let path = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
                // What is wrong with the file is said now, to the one who queues it, not later in a log.
                try await MeterImportHandler.check(path: path, options: options)
                let database = try connection.open(program: "headroom jobs")
                let job = NewJob(
                    filename: String(path.split(separator: "/").last ?? ""),
                    path: path,
                    type: type,
                    priority: priority,
                    isDryRun: dryRun,
                    metadata: options.metadata
                )
                let id = try await JobQueue(database).add(job, batchID: UUID().uuidString.lowercased())
                Console.print("queued job \(id): \(job.filename)")
            }
        }
    }

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
                guard let job = try await JobQueue(database).job(id) else {
                    Console.error("headroom: there is no job \(id)")
                    Console.error("  next: headroom jobs list")
                    throw ExitCode(1)
                }
                if json {
                    try Console.json(JobJSON(job))
                } else {
                    for line in JobText.lines(job) { Console.print(line) }
                }
            }
        }
    }
}

extension DateOrder: ExpressibleByArgument {}
extension ImportJob.Priority: ExpressibleByArgument {}
extension ImportJob.Status: ExpressibleByArgument {}
