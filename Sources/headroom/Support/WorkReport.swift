import CommandSupport
import Headroom
import HeadroomJobs
import MeterImport
import Synchronization

/// Prints what a worker does: for people, or a line per event for a log.
final class WorkReport: Sendable {
    private struct State: ~Copyable {
        var bar = ProgressBar()
        var start = ContinuousClock.now
        var failures = 0
        var hasYielded = false
        var hasGivenBack = false
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

    /// Whether a job was given back to the queue.
    var hasGivenBack: Bool { state.withLock { $0.hasGivenBack } }

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
            let left = share > 0 ? Int(clamped: (seconds / share * (1 - share)).rounded(.up)) : 0
            state.bar.show(
                share,
                "\(grouped(rows)) rows, \(grouped(Int(clamped: Double(rows) / seconds))) a second, \(left) s left"
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
            for line in ImportSummary(json: summary)?.lines ?? [] { Console.print(line) }
        case .failed(let reason, let summary):
            state.failures += 1
            Console.error("headroom: job \(job.id) (\(job.filename)) failed: \(reason)")
            for line in summary.flatMap(ImportSummary.init(json:))?.lines ?? [] { Console.error(line) }
        case .retried(let reason, let delay):
            Console.error("headroom: job \(job.id) is tried again in \(Int(clamped: delay.seconds)) s: \(reason)")
        case .cancelled:
            if !isQuiet { Console.print("job \(job.id): cancelled by its user after \(seconds) s") }
        case .givenBack:
            state.hasGivenBack = true
            Console.error("headroom: stopped; job \(job.id) is back in the queue")
        case .lost:
            Console.error("headroom: job \(job.id) was taken over by another worker")
        }
    }
}

extension ServiceNotifier {
    /// Tells what a worker does; each event is progress, so the watchdog is content.
    static func note(_ event: Worker.Event) {
        guard Variables.value("NOTIFY_SOCKET") != nil else { return }
        let status =
            switch event {
            case .started(let job): "job \(job.id): \(job.filename)"
            case .progressed(let job, let progress): "job \(job.id): \(progress.counts.processed) rows"
            case .interrupted(let job, _): "job \(job.id): interrupted, goes on"
            case .waiting(let error): "waiting: \(error.message)"
            case .yielded(let reason): "waiting: \(reason)"
            case .idle, .ended: "waiting for jobs"
            }
        send("WATCHDOG=1\nSTATUS=\(Escaping.line(status))")
    }
}
