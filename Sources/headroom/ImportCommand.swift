public import ArgumentParser
package import CommandSupport
import Headroom
import HeadroomJobs
public import MeterImport
import Reporting
import Synchronization

/// `headroom import`: imports a file, or looks at it.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Imports a file of meter readings or sites at once, or checks it without a database.",
        discussion: """
            The file becomes a job of the queue like any other, only that this command works on it itself and waits for \
            nobody. When it is stopped the job is in the queue, and a worker carries on with it, where HEADROOM_IMPORT_DIRS \
            lets it read the file. This command reads any file that its user may.

            Exit code 0 when every row was imported (--check: would be), 1 when some were rejected or the file cannot be used.

            Examples:
              headroom import readings.csv --type hh --parallel 2
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

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Read the file and report on it as a job does, but store nothing.")
    var dryRun = false

    @Option(help: "With how many sessions to store readings, 1 or 2; the second only while the budget has room for it.")
    var parallel = 1

    @Option(help: "With --check: the most problems to show.")
    var problems = 20

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...2).contains(parallel) else { throw ValidationError("--parallel must be 1 or 2.") }
    }

    func run() async throws {
        if check { try await look() } else { try await store() }
    }

    /// Queues the file and works on it.
    private func store() async throws {
        Console.flushLines()
        let stopping = WorkerStopping()
        try await runCommand(takeSignal: stopping.take) {
            let memory = WorkMemory(staysIdle: false)
            let file = NamedFile(file)
            let options = try facts.options()
            try await FileCheck.open(path: file.path, type: type, options: options)
            try facts.keepLayout()
            let loaded = try connection.loaded(program: "headroom import")
            let database = Database(loaded.database)
            let queue = JobQueue(database)
            memory.turn()
            let id = try await queue.add(
                NewJob(
                    filename: file.name,
                    path: file.path,
                    type: type.rawValue,
                    isDryRun: dryRun,
                    metadata: options.metadata
                )
            )
            let handler = MeterImportHandler(
                helper: parallel == 2 ? database : nil,
                folders: try ImportFolders(loaded),
                namedPath: file.path
            )
            let worker = Worker(database, handler: handler)
            let report = WorkReport(isQuiet: json, isLog: false)
            let isOurs = try await stopping.run(worker.stop) {
                try await worker.run(job: id) { event in
                    stopping.note(event)
                    report.note(event)
                    memory.note(event)
                }
            }
            // It was told to stop, and the job is back in the queue.
            if report.hasGivenBack || isOurs == nil, let code = stopping.exitCode { throw code }
            guard isOurs == true else {
                Console.print("job \(id): a worker was faster and has it; see headroom jobs show \(id)")
                return
            }
            guard let job = try await queue.job(id) else { return }
            if json { try Console.json(job.json) }
            guard job.status == .completed, job.counts.failed == 0 else { throw ExitCode(1) }
        }
    }

    /// Looks at the file only.
    private func look() async throws {
        try await runCommand {
            let memory = WorkMemory(staysIdle: false)
            let progress = CheckProgress(isShown: Console.isTerminal)
            let report: FileReport
            do {
                defer { progress.finish() }
                report = try await FileCheck.run(
                    path: file,
                    type: type,
                    options: try facts.options(),
                    problems: max(0, problems),
                    progress: progress.show
                )
            }
            memory.turn()
            try facts.keepLayout()
            try Console.emit(report, asJSON: json)
            guard report.rowsRejected == 0 else { throw ExitCode(1) }
        }
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

    @Option(
        help:
            "Which comes first in dates such as 05/11/2025: dmy, mdy or (25/11/05) ymd; by default dmy, unless the file shows otherwise."
    )
    var dateOrder: DateOrder?

    @Option(help: "Which end of its half-hour a time names: start or end; by default what the file shows.")
    var times: TimeLabels?

    @Option(help: "What is imported: import, export, or COLUMN=WORD for the rows with that word in that column.")
    var quantity: String?

    @Option(help: "The column with the value; for half-hours in columns one of them.")
    var valueColumn: String?

    @Option(help: "The column with the meter.")
    var meterColumn: String?

    @Option(help: "A column to leave alone; may be given several times.")
    var ignoreColumn: [String] = []

    @Option(help: "The unit of values that have none: Wh, kWh, MWh, GWh, m3, ft3 or hcf.")
    var unit: String?

    @Option(help: "The energy of a cubic metre of gas in MJ, such as 39.5, with which volumes are converted.")
    var calorificValue: Double?

    @Option(help: "How many lines stand above the header; by default it is looked for.")
    var skipLines: Int?

    @Option(help: "How many minutes a reading is of: 15, 30 or 60; by default what the file shows.")
    var period: Int?

    @Option(help: "What becomes of the readings of hours: split stores half of each in both half-hours, as estimates.")
    var hourly: Hourly?

    @Option(help: "Which of several readings of one half-hour counts: last, however many there are.")
    var repeats: Repeats?

    @Option(
        help:
            "The words of flags that mean estimates, such as U,D or Quality=U,D; others that are not known mean actual readings."
    )
    var estimates: String?

    @Option(help: "The name of a layout that was saved: options that hold where the command does not say otherwise.")
    var layout: String?

    @Option(help: "Save the options under this name, once the file has been understood with them.")
    var saveLayout: String?

    enum Hourly: String, ExpressibleByArgument, CaseIterable { case split }

    enum Repeats: String, ExpressibleByArgument, CaseIterable { case last }

    /// What the command says, over what the named layout says.
    func options() throws -> ImportOptions {
        var options = try layout.map { try ImportLayouts().read($0) } ?? ImportOptions()
        options.mpan = mpan ?? options.mpan
        options.timezone = timezone ?? options.timezone
        options.zone = zone ?? options.zone
        options.dateOrder = dateOrder ?? options.dateOrder
        options.times = times ?? options.times
        options.quantity = quantity ?? options.quantity
        options.valueColumn = valueColumn ?? options.valueColumn
        options.meterColumn = meterColumn ?? options.meterColumn
        if !ignoreColumn.isEmpty { options.ignoredColumns = ignoreColumn }
        options.unit = unit ?? options.unit
        options.calorificValue = calorificValue ?? options.calorificValue
        options.skippedLines = skipLines ?? options.skippedLines
        options.period = period ?? options.period
        options.splitsHours = hourly == .split || options.splitsHours
        options.lastCounts = repeats == .last || options.lastCounts
        options.estimates = estimates ?? options.estimates
        return options
    }

    /// Keeps the options under a name, where that is asked for.
    func keepLayout() throws {
        guard let saveLayout else { return }
        try ImportLayouts().save(options(), as: saveLayout)
    }
}

extension FileReport: Report {
    package var json: JSONObject {
        [
            "file": path, "type": type, "layout": layout, "bytes": bytes, "rows": rows, "rows_rejected": rowsRejected,
            "rows_left_out": rowsLeftOut, "understood": understood, "values": values, "estimates": estimates,
            "meters": meters, "first_meters": firstMeters,
            "first_date": firstDate, "last_date": lastDate, "warnings": warnings,
            "problems": problems.map { ["line": $0.line, "column": $0.column, "reason": $0.reason] as JSONObject },
            "problems_not_shown": problemsNotShown,
        ]
    }

    package var lines: [String] {
        let noun = layout == "sites" ? "site" : "reading"
        var facts = [
            ["file", path],
            ["layout", layout],
            [
                "rows",
                "\(grouped(rows)), \(grouped(rowsRejected)) of them rejected"
                    + (rowsLeftOut > 0 ? ", \(grouped(rowsLeftOut)) left out" : ""),
            ],
            [
                "\(noun)s",
                grouped(values) + (estimates > 0 ? ", \(grouped(estimates)) estimated" : ""),
            ],
        ]
        if meters > 0 {
            let more = meters > firstMeters.count ? ", …" : ""
            facts.append(["meters", "\(grouped(meters)): \(firstMeters.joined(separator: ", "))\(more)"])
        }
        if let first = firstDate, let last = lastDate { facts.append(["days", "\(first) to \(last)"]) }
        return table(facts, indent: "") + findings
    }

    /// How the file is understood, and what is wrong with it.
    var findings: [String] {
        (understood.isEmpty ? [] : ["understood:"]) + understood.map { "  \($0)" }
            + warnings.map { "warning: \($0)" }
            + problems.map { "line \($0.line): \($0.reason)" }
            + (problemsNotShown > 0 ? ["… and \(counted(problemsNotShown, "row")) more"] : [])
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
        let rate = Int(clamped: Double(progress.rows) / max(0.001, seconds))
        let left = max(0, seconds / max(0.001, fraction) - seconds)
        return "\(counted(progress.rows, "row")), \(grouped(rate)) a second, \(fixed(left, 0)) s left"
    }

    func finish() {
        if isShown { bar.withLock { $0.finish() } }
    }
}

extension ImportType: ExpressibleByArgument {}

extension DateOrder: ExpressibleByArgument {}

extension TimeLabels: ExpressibleByArgument {}
