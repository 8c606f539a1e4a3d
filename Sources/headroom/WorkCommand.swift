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
            who is at work and exits with 0 with --once, else with 75 (try again later); --wait-for-lock waits for its turn. The \
            first SIGTERM or Ctrl-C lets it store the chunk in hand, gives the job back to the queue, and ends it; a second one \
            ends it at once, and nothing is lost either. SIGHUP has a worker that stays read its settings again.

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

    @Flag(help: "Wait until no other worker of this host is at work for the queue: for a supervisor.")
    var waitForLock = false

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
        Console.flushLines()
        let stopping = WorkerStopping()
        let staysOn = !once
        let take: @Sendable (Int32) -> Bool = { stopping.take($0, canReload: staysOn) }
        try await runCommand(takeSignal: take) {
            var lock: HostLock?
            repeat {
                let loaded = try connection.loaded(program: "headroom work")
                if try lock?.name != QueueName.of(loaded, named: queue.name) {
                    lock = nil
                    lock = try await takeLock(loaded)
                }
                try await work(loaded, stopping)
            } while stopping.takeReload()
            withExtendedLifetime(lock) {}
        }
    }

    /// Takes the lock that lets it work alone.
    private func takeLock(_ loaded: LoadedSettings) async throws -> HostLock {
        var isTold = quiet
        do {
            guard waitForLock else { return try await queue.lock(loaded) }
            ServiceNotifier.send("READY=1")
            return try await queue.lock(loaded) { error in
                if !isTold { Console.print("Waiting: \(error.message)") }
                isTold = true
                ServiceNotifier.send("WATCHDOG=1\nSTATUS=waiting for the lock")
            }
        } catch let error as DatabaseError where error.code == .lockTaken {
            if !quiet { Console.print("Not needed: \(error.message)") }
            // One that is to stay is started again, so that there is a worker when the other has ended.
            throw ExitCode(once ? 0 : HostLimits.tryAgainLater)
        }
    }

    /// The ways on which alerts go out: that there is none is no reason not to import.
    private func channels(_ loaded: LoadedSettings) -> [any AlertChannel] {
        do {
            return try alerts.channels(loaded)
        } catch {
            Console.error("headroom: nobody will be told of jobs that fail: \(error)")
            return []
        }
    }

    /// Works with the settings as they are now.
    private func work(_ loaded: LoadedSettings, _ stopping: WorkerStopping) async throws {
        let memory = WorkMemory(staysIdle: !once)
        let settings = loaded.database
        let database = Database(settings)
        let handler = MeterImportHandler(
            helper: parallel == 2 && settings.givenSlots != 1 ? database : nil,
            folders: try ImportFolders(loaded)
        )
        var worker = Worker(database, handler: handler)
        if yieldAbove < 100 {
            let share = yieldAbove
            worker.yields = { try await AccountUse.reasonToYield(above: share, $0) }
        }
        let report = WorkReport(isQuiet: quiet, isLog: !once)
        memory.turn()
        let alert = JobAlert(channels(loaded), JobQueue(database), account: settings.username)
        let notify: @Sendable (Worker.Event) -> Void = { event in
            stopping.note(event)
            report.note(event)
            ServiceNotifier.note(event)
            alert.note(event)
            memory.note(event)
        }
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
        // A stop that was asked for does not wait a minute.
        await alert.finish(within: worker.stop.isRequested ? .seconds(1) : .seconds(60))
        if once, report.failures > 0 { throw ExitCode(1) }
    }
}
