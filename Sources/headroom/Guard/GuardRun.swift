import Alerting
import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomWatch
import Synchronization

/// The guard at work: looks, writes down, tells.
struct GuardRun: Sendable {
    private let settings: DatabaseSettings
    private let guardOptions: GuardOptions
    private let channels: [any AlertChannel]
    private let isVerbose: Bool
    private let file: String
    private let days: Int

    init(
        _ loaded: LoadedSettings,
        _ watching: WatchingOptions,
        _ alerts: AlertOptions,
        _ keeping: HistoryOptions,
        _ file: String
    ) throws {
        settings = loaded.database
        guardOptions = try watching.guardOptions(loaded)
        channels = try alerts.channels(loaded)
        isVerbose = watching.verbose
        self.file = file
        days = keeping.keepDays
    }

    private var courier: AlertCourier {
        AlertCourier(channels) { channel, error in
            GuardLog.write(.error, "The alert could not be sent: \(error)", [("channel", channel)])
        }
    }

    /// Looks once, for cron: prints nothing when all is well, and exits with the level's code.
    ///
    /// - Throws: `ExitCode`, unless all is well.
    func once() async throws {
        var lock: HostLock?
        do {
            lock = try await GuardLock.acquire(settings)
        } catch let error as DatabaseError where error.code == .lockTaken {
            // A service does the writing and the telling.
        }
        defer { withExtendedLifetime(lock) {} }
        let history = lock.map { _ in HistoryKeeper(file, days: days) }
        var guardOptions = guardOptions
        // It closes what it opens.
        guardOptions.isReserving = false
        if lock == nil { guardOptions.kills = nil }
        let memory = await history?.memory() ?? GuardMemory()
        var watch = try AccountGuard(settings, options: guardOptions)
        watch.historyProblem = { history?.problem }
        let round = try await watch.once(memory: memory)
        if let history {
            await history.add(round)
            let courier = courier
            for event in round.events where event.isAlert {
                courier.post(Alert(event: event, sample: round.sample, account: settings.username))
            }
            await courier.finish(within: .seconds(60))
        }
        let level = round.sample.level
        // Each thing is said when it begins and when it is over, and cron sends one mail for it; to a person, and at the first
        // look of all, what is now.
        if Console.isTerminal || memory == GuardMemory(), level != .ok {
            let limit = round.sample.limit.map(String.init) ?? "?"
            let use = round.sample.used.map { "\($0) of \(limit) connections in use" }
            Console.print("\(level.rawValue)  \(use ?? round.sample.error ?? "not known")")
        }
        if lock != nil {
            for event in round.events {
                Console.print("\(event.kind.rawValue) \(event.change.rawValue): \(printable(event.message))")
                if !event.advice.isEmpty { Console.print("  next: \(event.advice)") }
            }
        }
        let code = max(level.exitCode, round.isAlarmed ? 1 : 0)
        if code != 0 { throw ExitCode(code) }
    }

    /// Runs as a service until the task is cancelled.
    ///
    /// - Throws: ``DatabaseError`` with `lockTaken` when another guard of the account runs on this host.
    func serve() async throws {
        let lock = try await GuardLock.acquire(settings)
        defer { withExtendedLifetime(lock) {} }
        let history = HistoryKeeper(file, days: days)
        var watch = try AccountGuard(settings, options: guardOptions)
        watch.historyProblem = { history.problem }
        watch.isAlive = Self.watchdog
        let account = settings.username
        let courier = courier
        let memory = await history.memory()
        ServiceNotifier.send("READY=1\nSTATUS=looks for the first time")
        do {
            try await watch.run(memory: memory) { round in
                for event in round.events {
                    GuardLog.write(event, account: account)
                    if event.isAlert { courier.post(Alert(event: event, sample: round.sample, account: account)) }
                }
                if isVerbose { GuardLog.write(round.sample) }
                await history.add(round)
                ServiceNotifier.send("STATUS=\(Self.status(round.sample))")
            }
        } catch is CancellationError {
            ServiceNotifier.send("STOPPING=1")
        }
        await courier.finish(within: .seconds(5))
    }

    /// The account's state in a line.
    private static func status(_ sample: GuardSample) -> String {
        let use = sample.used.map { "\($0) of \(sample.limit.map(String.init) ?? "?") connections in use" }
        return "\(sample.level.rawValue), \(use ?? sample.error ?? "not known")"
    }

    /// Twice as often as systemd wants it (sd_watchdog_enabled(3)); only the loop itself tells, so that a loop that hangs
    /// is seen to hang.
    private static var watchdog: (every: Duration, tell: @Sendable () -> Void)? {
        guard let microseconds = Variables.value("WATCHDOG_USEC").flatMap(Int64.init), microseconds > 0 else {
            return nil
        }
        return (.microseconds(microseconds / 2), { ServiceNotifier.send("WATCHDOG=1") })
    }
}

/// The lock that lets one guard of an account run on a host, so that nothing is said twice.
enum GuardLock {
    /// Takes the lock.
    ///
    /// - Throws: ``DatabaseError`` with `lockTaken`, which says who has it.
    static func acquire(_ settings: DatabaseSettings) async throws -> HostLock {
        try await HostLock.acquire(
            AccountNotes(settings, topic: "guard").topicName,
            stateFolder: settings.stateFolder,
            program: "headroom guard",
            timeout: .zero
        )
    }
}

/// Ends the service at the first signal, with its connection closed, and the program at the second.
final class Stopping: Sendable {
    private struct State {
        var task: Task<Void, any Error>?
        var isRequested = false
    }

    private let state = Mutex(State())

    /// Names what to end.
    func begin(_ task: Task<Void, any Error>) {
        let isRequested = state.withLock { state in
            state.task = task
            return state.isRequested
        }
        if isRequested { task.cancel() }
    }

    /// Takes a signal; returns whether that is all there is to do.
    func take(_ number: Int32) -> Bool {
        let (task, isFirst) = state.withLock { state in
            // Also before there is a task: it is not the child of the one that is cancelled then.
            defer { state.isRequested = true }
            return (state.task, !state.isRequested)
        }
        guard let task else { return false }
        guard isFirst else { _exit(128 + number) }
        task.cancel()
        return true
    }
}
