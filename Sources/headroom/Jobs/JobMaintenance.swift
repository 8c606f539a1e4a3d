import ArgumentParser
import CommandSupport
import Headroom
import HeadroomJobs
import MeterImport

/// `headroom jobs cancel ID`.
struct CancelJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Calls a job off; a worker that has it stops within the chunk in hand."
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The job's id.")
    var id: Int

    func run() async throws {
        try await runCommand {
            let queue = JobQueue(try connection.open(program: "headroom jobs"))
            guard try await queue.cancel(id) else {
                try await explain(id, queue, "neither waits nor is worked on, so it cannot be cancelled")
            }
            Console.print("job \(id): cancelled; what it has stored so far stays")
        }
    }
}

/// `headroom jobs retry ID`.
struct RetryJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Puts a job that failed or was cancelled back into the queue.",
        discussion:
            "It carries on behind the last row that was stored, or from the beginning when its file has changed."
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The job's id.")
    var id: Int

    @OptionGroup var queue: QueueOptions

    func run() async throws {
        try await runCommand {
            let loaded = try connection.loaded(program: "headroom jobs")
            let jobs = JobQueue(Database(loaded.database))
            guard try await jobs.retry(id) else {
                try await explain(id, jobs, "has neither failed nor been cancelled, so there is nothing to try again")
            }
            queue.ring(loaded)
            Console.print("job \(id): queued again")
        }
    }
}

/// `headroom jobs delete ID`.
struct DeleteJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Deletes a job, and on request the readings that it brought.",
        discussion: "Readings that were there before it stay; 'headroom jobs show ID' says how many are its own."
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The job's id.")
    var id: Int

    @Flag(help: "Delete the readings that it brought too; those of earlier jobs and meters stay.")
    var withReadings = false

    func run() async throws {
        try await runCommand {
            let loaded = try connection.loaded(program: "headroom jobs")
            let database = Database(loaded.database)
            let queue = JobQueue(database)
            let job = try await queue.existingJob(id)
            // First nobody must add to it any more: from here on every commit of its worker fails.
            _ = try await queue.cancel(id)
            let count = withReadings ? try await StoredReadings.count(of: job, database) : nil
            let readings = withReadings ? try await StoredReadings.delete(of: job, database) : 0
            _ = try await queue.delete(id)
            // A file that came through the dashboard is Headroom's own, and nothing else needs it.
            _ = try await queue.deleteFile(job.path, in: ImportFolders(loaded).ofUploads)
            Console.print("job \(id): deleted" + (withReadings ? ", with \(counted(readings, "reading"))" : ""))
            if let count, count.earlier > 0 {
                Console.print(
                    "  \(counted(count.earlier, "reading")) that an earlier job brought stay\(count.earlier == 1 ? "s" : ""), with the values of this one"
                )
            }
        }
    }
}

/// `headroom jobs prune`.
struct PruneJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Deletes jobs that ended long ago; their readings stay.",
        discussion: """
            Their files stay too, but for those that came through the dashboard. --files deletes them, where they lie in a \
            folder of HEADROOM_IMPORT_DIRS and no other job names them; what a job names elsewhere is never deleted.

            Example:
              HEADROOM_IMPORT_DIRS=/var/www/app/storage/uploads headroom jobs prune --days 90 --files
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "How many days ago they must have ended.")
    var days = 30

    @Flag(help: "Delete their files too, in the folders of HEADROOM_IMPORT_DIRS, but for those that a job still needs.")
    var files = false

    func validate() throws {
        guard (0...36_500).contains(days) else { throw ValidationError("--days must be from 0 to 36500.") }
    }

    func run() async throws {
        try await runCommand {
            let loaded = try connection.loaded(program: "headroom jobs")
            let folders = try ImportFolders(loaded)
            guard !files || folders.isConfigured else {
                // Before a job is gone, as nobody would know its file any more.
                Console.error("headroom: no setting says in which folders files may be deleted; nothing was")
                Console.error(
                    "  next: set HEADROOM_IMPORT_DIRS to the folder with the uploads, as in "
                        + "HEADROOM_IMPORT_DIRS=/var/www/app/storage/uploads, and run it again."
                )
                throw ExitCode(1)
            }
            let pruned = try await JobQueue(Database(loaded.database))
                .prune(olderThan: .seconds(days.asCount * 86_400), filesIn: files ? folders : folders.ofUploads)
            if files {
                for file in pruned.refused { Console.error("headroom: \(file.path) was not deleted: \(file.reason)") }
                let more = pruned.refusedCount - pruned.refused.count
                if more > 0 { Console.error("headroom: … and \(counted(more, "file")) more") }
            }
            let deleted = files || pruned.files > 0 ? ", \(counted(pruned.files, "file"))" : ""
            Console.print("\(counted(pruned.jobs, "job")) deleted\(deleted)")
        }
    }
}

/// Says why nothing was done about a job, and ends the command.
private func explain(_ id: Int, _ queue: JobQueue, _ why: String) async throws -> Never {
    let job = try await queue.existingJob(id)
    Console.error("headroom: job \(id) is \(job.status.rawValue): it \(why)")
    Console.error("  next: 'headroom jobs show \(id)' tells more of it.")
    throw ExitCode(1)
}
