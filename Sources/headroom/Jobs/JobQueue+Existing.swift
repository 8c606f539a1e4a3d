import ArgumentParser
import CommandSupport
import HeadroomJobs

extension JobQueue {
    /// The job with an id that somebody typed; ends the command, saying so, when there is none.
    func existingJob(_ id: Int) async throws -> ImportJob {
        if let job = try await job(id) { return job }
        Console.error("headroom: there is no job \(id)")
        Console.error("  next: 'headroom jobs list' shows those there are.")
        throw ExitCode(1)
    }
}
