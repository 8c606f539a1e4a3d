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
            try Console.emit(try await JobQueue(database).existingJob(id), asJSON: json)
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
