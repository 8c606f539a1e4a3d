import ArgumentParser
import Glibc
import Headroom
import HeadroomJobs
import HeadroomWatch
import MeterImport
import Synchronization

/// `headroom work`: imports the files that wait in the queue.
struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract: "Imports the files that wait in the queue.",
        discussion: """
            Holds one connection while it imports, and none otherwise. Alone for its queue on this host: a second start says \
            who is at work and exits with 0. The first SIGTERM or Ctrl-C lets it store the chunk in hand, gives the job \
            back to the queue, and ends it; a second one ends it at once, and nothing is lost either.

            Without --once it stays, wakes up when a job is queued on this host, and looks every --poll for jobs that were \
            queued elsewhere. As a service: Type=notify, with WatchdogSec of 60 s or more.

            Example, every minute from cron:
              * * * * * headroom work --once --quiet --env-file /srv/app/.env
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Work on the jobs that wait, then exit.")
    var once = false

    @Option(help: "With --once: the most jobs to work on.")
    var limit = 10

    @Option(help: "How long to sleep at most when the queue is empty.")
    var poll: DurationArgument = DurationArgument(.seconds(30))

    @Option(help: "End after this time, once the job in hand is done.")
    var maxTime: DurationArgument?

    @Option(help: "End after this many jobs.")
    var maxJobs: Int?

    @Option(
        help: "Start no job while more than this share of the account's limit is in use, in percent; 100 for never."
    )
    var yieldAbove = 80

    @OptionGroup var queue: QueueOptions

    @Option(help: "Run this by the shell when a job has failed for good (HEADROOM_ALERT_COMMAND).")
    var alertCommand: String?

    @Flag(help: "Print nothing when all is well.")
    var quiet = false

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1.") }
        guard maxJobs ?? 1 >= 1 else { throw ValidationError("--max-jobs must be at least 1.") }
        guard poll.value >= .seconds(1) else { throw ValidationError("--poll must be at least 1 s.") }
        guard (1...100).contains(yieldAbove) else { throw ValidationError("--yield-above must be from 1 to 100.") }
    }

    func run() async throws {
        let stopping = Stopping()
        try await runCommand(takeSignal: stopping.take) {
            let settings = try connection.settings(program: "headroom work")
            let lock: HostLock
            do {
                lock = try await queue.lock(settings)
            } catch let error as DatabaseError where error.code == .lockTaken {
                if !quiet { Console.print("Not needed: \(error.message)") }
                return
            }
            let database = Database(settings)
            var worker = Worker(database, handler: MeterImportHandler())
            if yieldAbove < 100 {
                let share = yieldAbove
                worker.yields = { try await AccountUse.reasonToYield(above: share, $0) }
            }
            let report = WorkReport(isQuiet: quiet, isLog: !once)
            let alert = JobAlert(command: alertCommand ?? Variables.value("HEADROOM_ALERT_COMMAND"), database)
            let notify: @Sendable (Worker.Event) -> Void = { event in
                report.note(event)
                ServiceNotifier.note(event)
                alert.note(event)
            }
            stopping.begin(worker.stop)
            do {
                defer { withExtendedLifetime(lock) {} }
                if once {
                    let worked = try await worker.runOnce(limit: limit, report: notify)
                    if worked == 0, !quiet, !report.hasYielded { Console.print("The queue is empty.") }
                } else {
                    var schedule = WorkerSchedule()
                    schedule.poll = poll.value
                    schedule.maxTime = maxTime?.value
                    schedule.maxJobs = maxJobs
                    schedule.bell = try queue.bell(settings)
                    ServiceNotifier.send("READY=1\nSTATUS=waiting for jobs")
                    try await worker.run(schedule, report: notify)
                    ServiceNotifier.send("STOPPING=1")
                }
            }
            await alert.finish()
            if once, report.failures > 0 { throw ExitCode(1) }
        }
    }
}

/// Ends a worker in steps: the first signal lets it store what it has in hand, for at most 1.5 s, the second ends it at once.
private final class Stopping: Sendable {
    private struct State {
        var stop: WorkerStop?
        var isRequested = false
    }

    private let state = Mutex(State())

    /// Names what to stop.
    func begin(_ stop: WorkerStop) {
        let isRequested = state.withLock { state in
            state.stop = stop
            return state.isRequested
        }
        if isRequested { stop.request() }
    }

    /// Takes a signal; returns whether that is all there is to do.
    func take(_ number: Int32) -> Bool {
        let (stop, isFirst) = state.withLock { state in
            defer { state.isRequested = true }
            return (state.stop, !state.isRequested)
        }
        guard let stop else { return false }
        guard isFirst else { _exit(128 + number) }
        stop.request()
        Task {
            // A chunk takes milliseconds; whatever takes longer is given up, and the kernel and the server clean up.
            try? await Task.sleep(for: .milliseconds(1500))
            _exit(128 + number)
        }
        return true
    }
}

/// Prints what a worker does: for people, or a line per event for a log.
private final class WorkReport: Sendable {
    private struct State: ~Copyable {
        var bar = ProgressBar()
        var start = ContinuousClock.now
        var failures = 0
        var hasYielded = false
        var isWaiting = false
    }

    private let isQuiet: Bool
    private let isLog: Bool
    private let state = Mutex(State())

    init(isQuiet: Bool, isLog: Bool) {
        self.isQuiet = isQuiet
        self.isLog = isLog
    }

    /// The number of jobs that failed.
    var failures: Int { state.withLock { $0.failures } }

    /// Whether the account was left to others.
    var hasYielded: Bool { state.withLock { $0.hasYielded } }

    func note(_ event: Worker.Event) {
        state.withLock { note(event, &$0) }
    }

    private func note(_ event: Worker.Event, _ state: inout State) {
        switch event {
        case .started(let job):
            state.start = .now
            state.isWaiting = false
            state.bar = ProgressBar()
            if !isQuiet { Console.print("job \(job.id): \(job.filename)") }
        case .progressed(_, let progress):
            guard !isQuiet, !isLog else { return }
            let seconds = max(0.001, (ContinuousClock.now - state.start).seconds)
            let share = Double(progress.bytesDone) / Double(max(1, progress.bytesTotal))
            let rows = progress.counts.processed
            let left = share > 0 ? Int((seconds / share * (1 - share)).rounded(.up)) : 0
            state.bar.show(
                share,
                "\(grouped(rows)) rows, \(grouped(Int(Double(rows) / seconds))) a second, \(left) s left"
            )
        case .interrupted(let job, let error):
            Console.error("headroom: job \(job.id) was interrupted and goes on: \(error.message)")
        case .waiting(let error):
            // Once for each time that it begins.
            if !state.isWaiting { Console.error("headroom: waiting: \(error.message)") }
            state.isWaiting = true
        case .yielded(let reason):
            state.hasYielded = true
            if !isQuiet, !state.isWaiting { Console.print("Waiting: \(reason)") }
            state.isWaiting = true
        case .idle:
            break
        case .ended(let job, let outcome):
            if !isQuiet, !isLog { state.bar.finish() }
            ended(job, outcome, &state)
        }
    }

    private func ended(_ job: ImportJob, _ outcome: JobOutcome, _ state: inout State) {
        let seconds = fixed((ContinuousClock.now - state.start).seconds, 2)
        switch outcome {
        case .completed(let summary):
            guard !isQuiet else { return }
            Console.print("job \(job.id): completed in \(seconds) s")
            for line in ImportSummary(json: summary).map(JobText.lines) ?? [] { Console.print(line) }
        case .failed(let reason, let summary):
            state.failures += 1
            Console.error("headroom: job \(job.id) (\(job.filename)) failed: \(reason)")
            for line in summary.flatMap(ImportSummary.init(json:)).map(JobText.lines) ?? [] { Console.error(line) }
        case .retried(let reason, let delay):
            Console.error("headroom: job \(job.id) is tried again in \(Int(delay.seconds)) s: \(reason)")
        case .cancelled:
            if !isQuiet { Console.print("job \(job.id): cancelled by its user after \(seconds) s") }
        case .givenBack:
            Console.error("headroom: stopped; job \(job.id) is back in the queue")
        case .lost:
            Console.error("headroom: job \(job.id) was taken over by another worker")
        }
    }
}
