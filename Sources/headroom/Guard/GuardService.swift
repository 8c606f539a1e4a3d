import Alerting
import CommandSupport
import Glibc
import Headroom
import HeadroomWatch

/// The guard as a service: looks, writes down, tells, until it is told to stop.
struct GuardService: Sendable {
    private let settings: DatabaseSettings
    private let orders: GuardOrders
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
        orders = watching.orders
        channels = try alerts.channels(loaded)
        isVerbose = watching.verbose
        self.file = file
        days = keeping.keepDays
    }

    /// Runs until the task is cancelled.
    ///
    /// - Throws: ``DatabaseError`` with `lockTaken` when another guard of the account runs on this host.
    func run() async throws {
        let lock = try await GuardLock.acquire(settings)
        defer { withExtendedLifetime(lock) {} }
        let history = HistoryKeeper(file, days: days)
        var watch = try AccountGuard(settings, orders: orders)
        watch.historyProblem = { history.problem }
        watch.isAlive = Self.watchdog
        let account = settings.username
        let courier = AlertCourier(channels) { channel, error in
            GuardLog.write(.error, "The alert could not be sent: \(error)", [("channel", channel)])
        }
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
