import ArgumentParser
import CommandSupport
import Glibc
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
        abstract: "Deletes a job, and on request the readings that it has stored."
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The job's id.")
    var id: Int

    @Flag(help: "Delete the readings that it has stored too; meters stay.")
    var withReadings = false

    func run() async throws {
        try await runCommand {
            let database = try connection.open(program: "headroom jobs")
            let queue = JobQueue(database)
            let job = try await queue.existingJob(id)
            // First nobody must add to it any more: from here on every commit of its worker fails.
            _ = try await queue.cancel(id)
            var readings = 0
            if withReadings { readings = try await StoredReadings.delete(batch: job.batchID, database) }
            _ = try await queue.delete(id)
            Console.print("job \(id): deleted" + (withReadings ? ", with \(counted(readings, "reading"))" : ""))
        }
    }
}

/// `headroom jobs prune`.
struct PruneJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Deletes jobs that ended long ago; their readings stay."
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "How many days ago they must have ended.")
    var days = 30

    @Flag(help: "Delete their files too, but for those that a job still needs.")
    var files = false

    func validate() throws {
        guard days >= 0 else { throw ValidationError("--days must be at least 0.") }
    }

    func run() async throws {
        try await runCommand {
            let queue = JobQueue(try connection.open(program: "headroom jobs"))
            let pruned = try await queue.prune(olderThan: .seconds(days.asCount * 86_400))
            var deleted = 0
            if files {
                for path in pruned.files {
                    if unlink(path) == 0 {
                        deleted += 1
                    } else if errno != ENOENT {
                        Console.error("headroom: \(path) cannot be deleted: \(String(cString: strerror(errno)))")
                    }
                }
            }
            Console.print("\(counted(pruned.jobs, "job")) deleted" + (files ? ", \(counted(deleted, "file"))" : ""))
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
