import Alerting
import ArgumentParser
import CommandSupport
import Headroom
import HeadroomJobs
import HeadroomWatch
import MeterImport

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
            queued elsewhere. It reads only files in the folders of HEADROOM_IMPORT_DIRS; where that is not set, files named \
            .csv, .tsv or .txt. As a service: Type=notify, with WatchdogSec of 60 s or more.

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

    @Option(help: "With how many sessions to store readings, 1 or 2; the second only while the budget has room for it.")
    var parallel = 1

    @Option(
        help: "Start no job while more than this share of the account's limit is in use, in percent; 100 for never."
    )
    var yieldAbove = 80

    @OptionGroup var queue: QueueOptions

    @OptionGroup(title: "Alerts, when a job has failed for good") var alerts: AlertOptions

    @Flag(help: "Print nothing when all is well.")
    var quiet = false

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1.") }
        guard maxJobs ?? 1 >= 1 else { throw ValidationError("--max-jobs must be at least 1.") }
        guard (1...2).contains(parallel) else { throw ValidationError("--parallel must be 1 or 2.") }
        guard poll.value >= .seconds(1) else { throw ValidationError("--poll must be at least 1 s.") }
        guard (1...100).contains(yieldAbove) else { throw ValidationError("--yield-above must be from 1 to 100.") }
    }

    func run() async throws {
        let stopping = WorkerStopping()
        try await runCommand(takeSignal: stopping.take) {
            let memory = WorkMemory(staysIdle: !once)
            let loaded = try connection.loaded(program: "headroom work")
            let settings = loaded.database
            let lock: HostLock
            do {
                lock = try await queue.lock(loaded)
            } catch let error as DatabaseError where error.code == .lockTaken {
                if !quiet { Console.print("Not needed: \(error.message)") }
                return
            }
            let database = Database(settings)
            let handler = MeterImportHandler(
                helper: parallel == 2 ? database : nil,
                folders: try ImportFolders(loaded)
            )
            var worker = Worker(database, handler: handler)
            if yieldAbove < 100 {
                let share = yieldAbove
                worker.yields = { try await AccountUse.reasonToYield(above: share, $0) }
            }
            let report = WorkReport(isQuiet: quiet, isLog: !once)
            memory.turn()
            let alert = JobAlert(try alerts.channels(loaded), JobQueue(database), account: settings.username)
            let notify: @Sendable (Worker.Event) -> Void = { event in
                stopping.note(event)
                report.note(event)
                ServiceNotifier.note(event)
                alert.note(event)
                memory.note(event)
            }
            do {
                defer { withExtendedLifetime(lock) {} }
                if once {
                    let worked = try await stopping.run(worker.stop) { [worker] in
                        try await worker.runOnce(limit: limit, report: notify)
                    }
                    if worked == 0, !quiet, !report.hasYielded { Console.print("The queue is empty.") }
                } else {
                    var schedule = WorkerSchedule()
                    schedule.poll = poll.value
                    schedule.maxTime = maxTime?.value
                    schedule.maxJobs = maxJobs
                    schedule.notification = try queue.notification(loaded)
                    ServiceNotifier.send("READY=1\nSTATUS=waiting for jobs")
                    _ = try await stopping.run(worker.stop) { [worker, schedule] in
                        try await worker.run(schedule, report: notify)
                    }
                    ServiceNotifier.send("STOPPING=1")
                }
            }
            // Whoever asked it to stop does not wait a minute.
            await alert.finish(within: worker.stop.isRequested ? .seconds(1) : .seconds(60))
            if once, report.failures > 0 { throw ExitCode(1) }
        }
    }
}
