import ArgumentParser
import CommandSupport
import Headroom
import HeadroomJobs
import MeterImport

/// `headroom jobs rejects ID`.
struct JobRejects: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejects",
        abstract: "Shows the rows of a job that were rejected, and why.",
        discussion: """
            With --csv it gives them back as a file, with the reason in a last column: correct it and import it again.

            Example:
              headroom jobs rejects 12 --csv > to-correct.csv
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The job's id.")
    var id: Int

    @Flag(help: "Print a CSV file with the rows as they stand in the original.")
    var csv = false

    func run() async throws {
        try await runCommand {
            let loaded = try connection.loaded(program: "headroom jobs")
            let queue = JobQueue(Database(loaded.database))
            let job = try await queue.existingJob(id)
            guard csv else {
                try await queue.rejectedRows(of: id) { line, _, reason in Console.print("line \(line): \(reason)") }
                return
            }
            let rejects = try await rejects(of: job, queue, ImportFolders(loaded))
            Console.csv(rejects.headerLine)
            try await queue.rejectedRows(of: id) { _, content, reason in
                Console.csv(rejects.line(content, reason: reason))
            }
        }
    }

    /// The header was kept with the rows; the file's own stands in when none was rejected.
    private func rejects(
        of job: ImportJob,
        _ queue: JobQueue,
        _ folders: ImportFolders
    ) async throws -> RejectsCSV {
        if let kept = try await queue.rejectedHeader(of: job.id).flatMap(RejectsCSV.init(json:)) { return kept }
        return try await FileCheck.open(
            path: job.path,
            in: folders.alone,
            type: ImportType(rawValue: job.type) ?? .hh,
            options: try ImportOptions(metadata: job.metadata)
        )
    }
}
