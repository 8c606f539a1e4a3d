import CommandSupport
import HeadroomJobs
import MeterImport

/// A job as text.
enum JobText {
    static func lines(_ job: ImportJob) -> [String] {
        var facts = [
            ["job", "\(job.id), \(job.status.rawValue)\(job.isDryRun ? ", dry run" : "")"],
            ["file", job.path],
            ["batch", job.batchID],
            ["queued", job.queuedAt],
        ]
        if let started = job.startedAt { facts.append(["started", started]) }
        if let completed = job.completedAt { facts.append(["ended", completed]) }
        if let error = job.errorMessage { facts.append(["error", error]) }
        var lines = table(facts, indent: "")
        if let summary = job.summary.flatMap(ImportSummary.init(json:)) { lines += self.lines(summary) }
        return lines
    }

    /// What an import found, a fact a line.
    static func lines(_ summary: ImportSummary) -> [String] {
        var facts = [(summary.rowsRead, "row", " read"), (summary.rowsRejected, "row", " rejected")]
        if summary.dryRun {
            facts.append((0, "reading", " stored: this was a dry run"))
        } else {
            facts.append((summary.readingsStored, "reading", " stored"))
            facts.append(
                (
                    summary.duplicates, "repeat",
                    " of readings that were there: the last counts, but no estimate before an actual"
                )
            )
        }
        if summary.rowsLeftOut > 0 { facts.append((summary.rowsLeftOut, "row", " of another quantity left out")) }
        if summary.metersCreated > 0 { facts.append((summary.metersCreated, "meter", " created")) }
        let width = facts.map { grouped($0.0).count }.max() ?? 0
        return facts.map { number, noun, rest in
            let indent = String(repeating: " ", count: 2 + width - grouped(number).count)
            return indent + counted(number, noun) + rest
        }
            + (summary.understood.isEmpty ? [] : ["understood:"]) + summary.understood.map { "  \($0)" }
            + summary.warnings.map { "  warning: \($0)" } + summary.firstRejections.map { "  \($0)" }
    }
}
