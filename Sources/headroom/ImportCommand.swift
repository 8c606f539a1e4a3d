public import ArgumentParser
public import MeterImport
import Synchronization

/// `headroom import`: imports a file, or looks at it.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Checks a file of meter readings or sites, without a database.",
        discussion: """
            Exit code 0 when every row would be imported, 1 when some would be rejected or the file cannot be used.

            Examples:
              headroom import --check readings.csv --type hh
              headroom import --check export.csv --mpan 1200023305967 --timezone UTC --json
            """
    )

    @Argument(help: "The CSV file.")
    var file: String

    @Flag(help: "Read the file and report on it; nothing is stored, and no database is needed.")
    var check = false

    @Option(help: "What kind of file it is: hh, half-hourly, in rows or in columns HH01 to HH48; daily; or sites.")
    var type: ImportType = .hh

    @OptionGroup var facts: FileFacts

    @Option(help: "The most problems to show.")
    var problems = 20

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        guard check else {
            Console.error("headroom: this version imports files through the queue only")
            Console.error("  next: headroom jobs add \(file) --type \(type.rawValue), or --check to look at the file")
            throw ExitCode(1)
        }
        try await runCommand {
            let progress = CheckProgress(isShown: Console.isTerminal)
            let report: FileReport
            do {
                defer { progress.finish() }
                report = try await FileCheck.run(
                    path: file,
                    type: type,
                    options: facts.options,
                    problems: max(0, problems),
                    progress: progress.show
                )
            }
            if json {
                try Console.json(CheckJSON(report))
            } else {
                for line in Self.lines(report) { Console.print(line) }
            }
            guard report.rowsRejected == 0 else { throw ExitCode(1) }
        }
    }

    private static func lines(_ report: FileReport) -> [String] {
        let noun = report.layout == "sites" ? "site" : "reading"
        var facts = [
            ["file", report.path],
            ["layout", report.layout],
            ["rows", "\(grouped(report.rows)), \(grouped(report.rowsRejected)) of them rejected"],
            [
                "\(noun)s",
                grouped(report.values) + (report.estimates > 0 ? ", \(grouped(report.estimates)) estimated" : ""),
            ],
        ]
        if report.meters > 0 {
            let more = report.meters > report.firstMeters.count ? ", …" : ""
            facts.append(["meters", "\(grouped(report.meters)): \(report.firstMeters.joined(separator: ", "))\(more)"])
        }
        if let first = report.firstDate, let last = report.lastDate { facts.append(["days", "\(first) to \(last)"]) }
        return table(facts, indent: "")
            + report.warnings.map { "warning: \($0)" }
            + report.problems.map { "line \($0.line): \($0.reason)" }
            + (report.problemsNotShown > 0 ? ["… and \(counted(report.problemsNotShown, "row")) more"] : [])
    }
}

/// What the user knows of a file that does not stand in it.
struct FileFacts: ParsableArguments {
    @Option(help: "The meter, when the file has no column for it.")
    var mpan: String?

    @Option(help: "The zone of the file's times, such as UTC; by default the local time of the meter's zone.")
    var timezone: String?

    @Option(help: "The meter's zone, in whose days the readings are stored (default: \(ImportOptions.defaultZone)).")
    var zone: String?

    @Option(help: "Which comes first in dates such as 05/11/2025: dmy or mdy.")
    var dateOrder: DateOrder = .dayFirst

    var options: ImportOptions {
        ImportOptions(
            mpan: mpan,
            timezone: timezone,
            zone: zone,
            dateOrder: dateOrder == .dayFirst ? nil : dateOrder
        )
    }
}

/// A report as JSON.
private struct CheckJSON: Encodable {
    var schemaVersion = 1
    var tool = "headroom"
    var version = headroomVersion
    var file: String
    var type: String
    var layout: String
    var bytes: Int
    var rows: Int
    var rowsRejected: Int
    var values: Int
    var estimates: Int
    var meters: Int
    var firstMeters: [String]
    @Nullable var firstDate: String?
    @Nullable var lastDate: String?
    var warnings: [String]
    var problems: [Problem]
    var problemsNotShown: Int

    struct Problem: Encodable {
        var line: Int
        @Nullable var column: String?
        var reason: String
    }

    init(_ report: FileReport) {
        file = report.path
        type = report.type
        layout = report.layout
        bytes = report.bytes
        rows = report.rows
        rowsRejected = report.rowsRejected
        values = report.values
        estimates = report.estimates
        meters = report.meters
        firstMeters = report.firstMeters
        firstDate = report.firstDate
        lastDate = report.lastDate
        warnings = report.warnings
        problems = report.problems.map { Problem(line: $0.line, column: $0.column, reason: $0.reason) }
        problemsNotShown = report.problemsNotShown
    }
}

/// A bar with rate and time left, on a terminal only: a check's output elsewhere is for programs.
private final class CheckProgress: Sendable {
    private let isShown: Bool
    private let bar = Mutex(ProgressBar())
    private let start = ContinuousClock.now

    init(isShown: Bool) {
        self.isShown = isShown
    }

    func show(_ progress: FileCheck.Progress) {
        guard isShown else { return }
        let fraction = Double(progress.bytesDone) / Double(max(1, progress.bytesTotal))
        bar.withLock { $0.show(fraction, detail(progress, fraction)) }
    }

    private func detail(_ progress: FileCheck.Progress, _ fraction: Double) -> String {
        let seconds = (ContinuousClock.now - start).seconds
        let rate = Int(Double(progress.rows) / max(0.001, seconds))
        let left = max(0, seconds / max(0.001, fraction) - seconds)
        return "\(counted(progress.rows, "row")), \(grouped(rate)) a second, \(fixed(left, 0)) s left"
    }

    func finish() {
        if isShown { bar.withLock { $0.finish() } }
    }
}

extension ImportType: ExpressibleByArgument {}

extension DateOrder: ExpressibleByArgument {}
