import Headroom
import HeadroomJobs

/// The newest jobs, as one look at the queue saw them.
struct JobsPicture: Sendable {
    /// The jobs, the newest first.
    var jobs: [ImportJob] = []

    /// What is wrong with the queue, in sentences.
    var findings: [String] = []

    /// Why the queue could not be looked at; `nil` when it could.
    var failure: DatabaseError?

    /// The most jobs that are shown.
    static let most = 50

    static func taken(_ queue: JobQueue) async -> (picture: JobsPicture, error: DatabaseError?) {
        var picture = JobsPicture()
        do {
            picture.jobs = try await queue.list(limit: most)
            picture.findings = try await queue.health().findings
        } catch let error as DatabaseError {
            picture.failure = error
        } catch {
            picture.failure = DatabaseError(
                .connectionLost,
                message: "The look was broken off.",
                advice: "It is tried again."
            )
        }
        return (picture, picture.failure)
    }
}
