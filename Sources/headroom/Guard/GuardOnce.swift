import Alerting
import ArgumentParser
import CommandSupport
import Headroom
import HeadroomWatch

/// The guard's one look, for cron: prints nothing when all is well.
struct GuardOnce: Sendable {
    private let settings: DatabaseSettings
    private let orders: GuardOrders
    private let channels: [any AlertChannel]
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
        self.file = file
        days = keeping.keepDays
    }

    /// Looks, and exits with the level's code.
    ///
    /// - Throws: `ExitCode`, unless all is well.
    func run() async throws {
        var lock: HostLock?
        do {
            lock = try await GuardLock.acquire(settings)
        } catch let error as DatabaseError where error.code == .lockTaken {
            // A service does the writing and the telling.
        }
        defer { withExtendedLifetime(lock) {} }
        let history = lock.map { _ in HistoryKeeper(file, days: days) }
        var orders = orders
        // It closes what it opens.
        orders.isReserving = false
        if lock == nil { orders.kills = nil }
        let memory = await history?.memory() ?? GuardMemory()
        var watch = try AccountGuard(settings, orders: orders)
        watch.historyProblem = { history?.problem }
        let round = try await watch.once(memory: memory)
        if let history {
            await history.add(round)
            let courier = AlertCourier(channels) { channel, error in
                GuardLog.write(.error, "The alert could not be sent: \(error)", [("channel", channel)])
            }
            for event in round.events where event.isAlert {
                courier.post(Alert(event: event, sample: round.sample, account: settings.username))
            }
            await courier.finish(within: .seconds(60))
        }
        let level = round.sample.level
        // Each thing is said when it begins and when it is over, and cron sends one mail for it; to a person, what is now.
        if Console.isTerminal, level != .ok {
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
}
