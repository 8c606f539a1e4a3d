import CommandSupport
import Headroom
import HeadroomJobs
import MeterImport

/// A job as one line says it, and as a bar.
struct JobLine: Sendable {
    var id: String
    var filename: String
    var status: String
    var statusText: String
    var bar: String?
    var line: String
    var error: String?

    init(_ job: ImportJob) {
        id = "\(job.id)"
        filename = printable(job.filename)
        // What lost rows is no plain success.
        let lost = job.status == .completed ? job.counts.failed : 0
        status = lost > 0 ? "partly" : job.status.rawValue
        statusText =
            job.status == .queued && job.retryAt != nil
            ? "waits to try again"
            : lost > 0 ? "completed, \(counted(lost, "row")) rejected" : job.status.rawValue
        let progress = JobProgress(job)
        bar = job.status == .processing ? progress.percent.map { "\($0)" } : nil
        line = progress.words
        error = job.status == .completed ? nil : job.errorMessage.map { printable($0) }
    }
}

/// How far a job is, how fast it goes, and how long it takes.
struct JobProgress: Sendable, Equatable {
    /// How much of the file is done, from 0 to 100; `nil` when that is not known.
    var percent: Int?

    /// The rows a second; `nil` when that is not known.
    var perSecond: Int?

    /// How long it will take; `nil` when that is not known.
    var left: Duration?

    /// All of it in a line.
    var words = ""

    init(_ job: ImportJob) {
        let done = job.counts.processed
        let seconds = job.elapsed.map { Int($0.components.seconds) }
        if let seconds, seconds > 0, done > 0 { perSecond = done / seconds }
        if let total = job.totalRows, total > 0 {
            percent = min(100, done * 100 / total)
            if let perSecond, perSecond > 0, job.status == .processing {
                left = .seconds(max(0, total - done) / perSecond)
            }
        }
        let rejected = job.counts.failed > 0 ? ", \(grouped(job.counts.failed)) rejected" : ""
        let attempt = job.retries > 0 ? ", attempt \(job.retries + 1) of \(job.maxRetries + 1)" : ""
        switch job.status {
        case .queued:
            words = job.retryAt.map { "tried again at \($0)\(attempt)" } ?? "queued \(job.queuedAt)\(attempt)"
        case .processing:
            words = "\(percent.map { "\($0) %, " } ?? "")\(counted(done, "row"))\(rejected)"
            if let perSecond { words += ", \(grouped(perSecond)) a second" }
            if let left { words += ", about \(ClockText.length(left)) left" }
            words += attempt
        case .completed:
            words =
                "\(counted(done, "row"))\(rejected)" + (seconds.map { ", in \($0 < 1 ? "under 1" : "\($0)") s" } ?? "")
                + (job.isDryRun ? "; only looked at, nothing was stored" : "") + ", \(job.completedAt ?? "")"
        case .failed, .cancelled:
            words = "\(counted(done, "row"))\(rejected), \(job.completedAt ?? "")\(attempt)"
        }
    }
}

/// The page of the queue.
struct JobsView: Sendable {
    var jobs: [JobLine]
    var hasJobs: Bool
    var isMoving: Bool
    var findings: [String]
    var emptyTitle = "Nothing was imported yet."
    var emptyText: String

    init(_ picture: JobsPicture, takesFiles: Bool) {
        jobs = picture.jobs.map(JobLine.init)
        hasJobs = !jobs.isEmpty
        isMoving = picture.failure != nil || picture.jobs.contains { $0.status == .queued || $0.status == .processing }
        findings = picture.findings
        emptyText =
            takesFiles
            ? "Upload a file of meter readings, or queue one with headroom jobs add."
            : "Queue a file with headroom jobs add."
        if let failure = picture.failure {
            emptyTitle =
                failure.code == .statementFailed
                ? "There is no queue in this database." : "The queue cannot be read now."
            emptyText = failure.code == .statementFailed ? "headroom migrate makes its tables." : failure.message
        }
    }
}
