public import ArgumentParser
import CommandSupport
import Headroom
public import HeadroomJobs
import MeterImport

/// `headroom jobs add FILE`.
struct AddJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Queues a file of meter readings or sites.",
        discussion: """
            The whole file is read first: one that is not understood is not queued, and of another it is shown how it is meant. \
            'headroom jobs cancel' calls it off where that is wrong. The file stays where it is and must still be there when a worker gets to it. A worker that waits on this host \
            begins at once.

            A worker reads only files in the folders of HEADROOM_IMPORT_DIRS, when that is set; a file elsewhere is refused \
            here. 'headroom import FILE' takes any.

            Examples:
              headroom jobs add readings.csv --type hh
              headroom jobs add export.csv --type hh --mpan 1200023305967 --timezone UTC
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The CSV file.")
    var file: String

    @Option(help: "What kind of file it is: hh, half-hourly, in rows or in columns HH01 to HH48; daily; or sites.")
    var type: ImportType

    @OptionGroup var facts: FileFacts

    @Option(help: "How urgent it is: low, normal or high.")
    var priority: ImportJob.Priority = .normal

    @Flag(help: "Read the file and report on it, but store nothing.")
    var dryRun = false

    @OptionGroup var queue: QueueOptions

    func run() async throws {
        try await runCommand {
            let options = try facts.options()
            let file = NamedFile(file)
            // What is wrong with the file is said now, to the one who queues it, not later in a log.
            try await FileCheck.open(path: file.path, type: type, options: options)
            let loaded = try connection.loaded(program: "headroom jobs")
            let report = try await FileCheck.run(
                path: file.path,
                in: ImportFolders(loaded),
                type: type,
                options: options,
                problems: 3
            )
            try facts.keepLayout()
            let job = NewJob(
                filename: file.name,
                path: file.path,
                type: type.rawValue,
                priority: priority,
                isDryRun: dryRun,
                metadata: options.metadata
            )
            let id = try await JobQueue(Database(loaded.database)).add(job)
            queue.ring(loaded)
            Console.print("queued job \(id): \(job.filename)")
            for line in report.findings { Console.print("  \(line)") }
        }
    }
}

extension ImportJob.Priority: ExpressibleByArgument {}
