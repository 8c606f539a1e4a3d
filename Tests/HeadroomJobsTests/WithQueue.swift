import Headroom
import TestSupport

@testable import HeadroomJobs

/// Runs a test on a database of its own, with the tables in it.
func withQueue(_ name: String, _ body: (JobQueue, Database) async throws -> Void) async throws {
    let database = try await SuiteServer.newDatabase(name)
    _ = try await Migration(JobsSchema.tables).run(on: database)
    try await body(JobQueue(database), database)
}

/// A job; the space in its metadata is MySQL's, which writes JSON its own way.
func job(_ path: String, _ priority: ImportJob.Priority = .normal, type: String = "hh") -> NewJob {
    NewJob(filename: path, path: path, type: type, priority: priority, metadata: #"{"mpan": "1"}"#)
}

extension JobQueue {
    /// Claims the next job as a worker would.
    func claimed() async throws -> Claim? {
        try await database.withConnection { try await $0.claimNext(types: ["hh"], token: Lease.newToken()) }
    }

    /// Claims the next job; `nil` when there is none.
    func claim() async throws -> ImportJob? {
        if case .job(let job, _) = try await claimed() { job } else { nil }
    }

    /// Has the job be another's: a process of this host that is gone, or one of another host.
    func handOver(_ id: Int, host: String = ProcessIdentity.current.host, process: Int, start: Int = 1) async throws {
        try await database.withConnection { connection in
            _ = try await connection.query(
                """
                UPDATE headroom_leases SET host = \(host), process_id = \(process), process_start = \(start)
                WHERE job_id = \(id)
                """
            )
        }
    }
}
