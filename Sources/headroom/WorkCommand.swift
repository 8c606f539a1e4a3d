import ArgumentParser
import Headroom
import HeadroomJobs
import MeterImport

/// `headroom work`: imports the files that wait in the queue.
struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract: "Imports the files that wait in the queue.",
        discussion: """
            Holds one connection while it imports, and none otherwise. Ctrl-C stops after the chunk in hand; the job goes \
            back to the queue.

            Example, every minute from cron:
              * * * * * headroom work --once --quiet --env-file /srv/app/.env
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Work on the jobs that wait, then exit.")
    var once = false

    @Option(help: "The most jobs to work on.")
    var limit = 10

    @Flag(help: "Print nothing when all is well.")
    var quiet = false

    func validate() throws {
        guard once else {
            throw ValidationError("This version works through the queue and exits: use --once, from cron for instance.")
        }
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1.") }
    }

    func run() async throws {
        try await runCommand {
            let database = try connection.open(program: "headroom work")
            let worker = Worker(queue: JobQueue(database), handler: MeterImportHandler(database))
            let report = WorkReport(isQuiet: quiet)
            let worked = try await worker.runOnce(limit: limit) { report.note($0) }
            if worked == 0, !quiet { Console.print("The queue is empty.") }
            if report.failures > 0 { throw ExitCode(1) }
        }
    }
}

/// Prints what a worker does.
private final class WorkReport {
    private let isQuiet: Bool
    private var bar = ProgressBar()
    private var start = ContinuousClock.now

    /// The number of jobs that failed.
    private(set) var failures = 0

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
    }

    func note(_ event: Worker.Event) {
        switch event {
        case .started(let job):
            start = .now
            bar = ProgressBar()
            if !isQuiet { Console.print("job \(job.id): \(job.filename)") }
        case .progressed(_, let progress):
            guard !isQuiet else { return }
            let seconds = max(0.001, (ContinuousClock.now - start).seconds)
            let share = Double(progress.bytesDone) / Double(max(1, progress.bytesTotal))
            let rows = progress.counts.processed
            let left = share > 0 ? Int((seconds / share * (1 - share)).rounded(.up)) : 0
            bar.show(share, "\(grouped(rows)) rows, \(grouped(Int(Double(rows) / seconds))) a second, \(left) s left")
        case .ended(let job, let outcome):
            if !isQuiet { bar.finish() }
            ended(job, outcome)
        }
    }

    private func ended(_ job: ImportJob, _ outcome: JobOutcome) {
        let seconds = fixed((ContinuousClock.now - start).seconds, 2)
        switch outcome {
        case .completed(let summary):
            guard !isQuiet else { return }
            Console.print("job \(job.id): completed in \(seconds) s")
            for line in ImportSummary(json: summary).map(JobText.lines) ?? [] { Console.print(line) }
        case .failed(let reason, let summary):
            failures += 1
            Console.error("headroom: job \(job.id) (\(job.filename)) failed: \(reason)")
            for line in summary.flatMap(ImportSummary.init(json:)).map(JobText.lines) ?? [] { Console.error(line) }
        case .cancelled:
            if !isQuiet { Console.print("job \(job.id): cancelled by its user after \(seconds) s") }
        case .givenBack:
            Console.error("headroom: stopped; job \(job.id) is back in the queue")
        }
    }
}
