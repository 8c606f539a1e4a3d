import HTTPTypes
import Headroom
import HeadroomJobs
import Hummingbird
import MeterImport

/// Cancels, retries or deletes a job.
struct JobDeed: Sendable {
    private let dashboard: Dashboard

    init(_ dashboard: Dashboard) {
        self.dashboard = dashboard
    }

    /// - Throws: ``WebError`` when it cannot be done to a job in that state, ``DatabaseError``.
    func run(_ deed: ImportRoutes.Deed, _ id: Int, withReadings: Bool = false, _ context: WebContext) async throws {
        let job = try await dashboard.job(id)
        switch deed {
        case .cancel:
            guard try await dashboard.queue.cancel(id) else {
                throw refusal(job, "it neither waits nor is worked on, so it cannot be cancelled")
            }
        case .retry:
            guard try await dashboard.queue.retry(id) else {
                throw refusal(job, "it has neither failed nor been cancelled, so there is nothing to try again")
            }
            dashboard.options.ring()
        case .delete:
            // First nobody must add to it any more: from here on every commit of its worker fails.
            _ = try await dashboard.queue.cancel(id)
            if withReadings { _ = try await StoredReadings.delete(of: job, dashboard.queue.database) }
            _ = try await dashboard.queue.delete(id)
            _ = try await dashboard.queue.deleteFile(job.path, in: dashboard.options.importFolders.ofUploads)
        }
        await dashboard.jobs.expire()
        dashboard.note("job changed", context, ["web.job": "\(id)", "web.deed": "\(deed.rawValue)"])
    }

    private func refusal(_ job: ImportJob, _ why: String) -> WebError {
        WebError(.conflict, "Job \(job.id) is \(job.status.rawValue): \(why).", code: "job_state")
    }
}
