import ArgumentParser
import CommandSupport
import Headroom
package import HeadroomJobs
import MeterImport
import Reporting

/// `headroom jobs show ID`.
struct ShowJob: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows a job and what became of it."
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The job's id.")
    var id: Int

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await runCommand {
            let database = try connection.open(program: "headroom jobs")
            let job = try await JobQueue(database).existingJob(id)
            try Console.emit(job, asJSON: json)
            guard !json, job.type != ImportType.sites.rawValue, !job.isDryRun, job.counts.imported > 0 else { return }
            let count = try await StoredReadings.count(of: job, database)
            Console.print(
                "deletion with --with-readings takes \(counted(count.own, "reading"))"
                    + (count.earlier > 0 ? ", and leaves \(grouped(count.earlier)) that an earlier job brought" : "")
            )
        }
    }
}

extension ImportJob: Report {
    package var lines: [String] {
        var facts = [
            ["job", "\(id), \(status.rawValue)\(isDryRun ? ", dry run" : "")"],
            ["file", path],
            ["batch", batchID],
            ["queued", queuedAt],
        ]
        if let started = startedAt { facts.append(["started", started]) }
        if let completed = completedAt { facts.append(["ended", completed]) }
        if let error = errorMessage { facts.append(["error", error]) }
        var lines = table(facts, indent: "")
        if let summary = summary.flatMap(ImportSummary.init(json:)) { lines += summary.lines }
        return lines
    }
}

extension ImportSummary {
    /// What an import found, a fact a line.
    var lines: [String] {
        var facts = [(rowsRead, "row", " read"), (rowsRejected, "row", " rejected")]
        if dryRun {
            facts.append((0, "reading", " stored: this was a dry run"))
        } else {
            facts.append((readingsStored, "reading", " stored"))
            facts.append(
                (
                    duplicates, "repeat",
                    " of readings that were there: the last counts, but no estimate before an actual"
                )
            )
        }
        if rowsLeftOut > 0 { facts.append((rowsLeftOut, "row", " of another quantity left out")) }
        if metersCreated > 0 { facts.append((metersCreated, "meter", " created")) }
        let width = facts.map { grouped($0.0).count }.max() ?? 0
        return facts.map { number, noun, rest in
            let indent = String(repeating: " ", count: 2 + width - grouped(number).count)
            return indent + counted(number, noun) + rest
        }
            + (understood.isEmpty ? [] : ["understood:"]) + understood.map { "  \($0)" }
            + warnings.map { "  warning: \($0)" } + firstRejections.map { "  \($0)" }
    }
}
