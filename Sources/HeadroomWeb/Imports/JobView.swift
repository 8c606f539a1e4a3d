import CommandSupport
import Headroom
import HeadroomJobs
import MeterImport

/// The page of a job.
struct JobView: Sendable {
    struct Fact: Sendable {
        var name: String
        var value: String
    }

    struct Action: Sendable {
        var job: String
        var name: String
        var text: String
    }

    struct Reject: Sendable {
        var line: String
        var reason: String
        var content: String
    }

    struct Rejects: Sendable {
        var job: String
        var rows: [Reject]
        var more: String?
    }

    struct Charts: Sendable {
        var items: [BarChart]
    }

    var id: String
    var filename: String
    var status: String
    var statusText: String
    var bar: String?
    var line: String
    var error: String?
    var processed: String
    var imported: String
    var failed: String
    var attempts: String
    var facts: [Fact]
    var warnings: [String]
    var actions: [Action]
    var charts: Charts?
    var rejects: Rejects?
    var isMoving: Bool

    /// The most rejected rows on the page; the file has all.
    private static let mostRejects = 100

    init(_ job: ImportJob, queue: JobQueue) async throws {
        let short = JobLine(job)
        id = short.id
        filename = short.filename
        status = short.status
        statusText = short.statusText
        bar = short.bar
        line = short.line
        error = short.error
        processed = grouped(job.counts.processed)
        imported = grouped(job.counts.imported)
        failed = grouped(job.counts.failed)
        attempts = "\(job.retries + 1) of \(job.maxRetries + 1)"
        isMoving = job.status == .queued || job.status == .processing
        let summary = job.summary.flatMap(ImportSummary.init(json:))
        warnings = (summary?.warnings ?? []).map { printable($0) }
        facts = Self.facts(job, summary)
        actions =
            switch job.status {
            case .queued where job.retryAt != nil: Self.actions(id, [("retry", "Try again now"), ("cancel", "Cancel")])
            case .queued, .processing: Self.actions(id, [("cancel", "Cancel")])
            case .failed, .cancelled: Self.actions(id, [("retry", "Try again"), ("delete", "Delete")])
            case .completed: Self.actions(id, [("delete", "Delete")])
            }
        if job.counts.failed > 0 { rejects = try await Self.rejects(job, queue) }
        if job.status == .completed, !job.isDryRun, job.type != "sites" {
            let stored = try await StoredDays.read(batch: job.batchID, queue.database)
            let charts = [BarChart(day: stored), BarChart(month: stored)].compactMap(\.self)
            if !charts.isEmpty { self.charts = Charts(items: charts) }
        }
    }

    private static func facts(_ job: ImportJob, _ summary: ImportSummary?) -> [Fact] {
        var facts = [Fact(name: "Job", value: "\(job.id), \(job.type)\(job.isDryRun ? ", only looked at" : "")")]
        facts.append(Fact(name: "Queued", value: job.queuedAt))
        if let started = job.startedAt { facts.append(Fact(name: "Started", value: started)) }
        if let ended = job.completedAt { facts.append(Fact(name: "Ended", value: ended)) }
        if let summary, !summary.dryRun {
            facts.append(Fact(name: "Readings stored", value: grouped(summary.readingsStored)))
            facts.append(
                Fact(
                    name: "Repeats",
                    value: "\(grouped(summary.duplicates)), of which the last counts, but no estimate"
                )
            )
            if summary.rowsLeftOut > 0 {
                facts.append(Fact(name: "Rows left out", value: "\(grouped(summary.rowsLeftOut)), of another quantity"))
            }
            if summary.metersCreated > 0 {
                facts.append(Fact(name: "Meters created", value: grouped(summary.metersCreated)))
            }
        }
        for line in summary?.understood ?? [] { facts.append(Fact(name: "Understood", value: printable(line))) }
        if let options = try? ImportOptions(metadata: job.metadata) {
            if let mpan = options.mpan { facts.append(Fact(name: "Meter", value: printable(mpan))) }
            if let zone = options.timezone { facts.append(Fact(name: "Times in", value: printable(zone))) }
        }
        return facts
    }

    private static func actions(_ job: String, _ actions: [(String, String)]) -> [Action] {
        actions.map { Action(job: job, name: $0.0, text: $0.1) }
    }

    private static func rejects(_ job: ImportJob, _ queue: JobQueue) async throws -> Rejects {
        var rows: [Reject] = []
        try await queue.rejectedRows(of: job.id, limit: mostRejects) { line, content, reason in
            rows.append(
                Reject(line: "\(line)", reason: printable(reason), content: printable(String(content.prefix(200))))
            )
        }
        let more = job.counts.failed - rows.count
        return Rejects(
            job: "\(job.id)",
            rows: rows,
            more: more > 0 ? "and \(grouped(more)) more: the file has all" : nil
        )
    }
}
