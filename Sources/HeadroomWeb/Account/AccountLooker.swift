import FoundationEssentials
import Headroom
import HeadroomHistory
import HeadroomJobs
import HeadroomWatch
import Reporting

/// Looks at the account for the dashboard, and remembers what it has seen.
actor AccountLooker {
    private let loaded: LoadedSettings
    private let watch: AccountWatch
    private let rescue: Rescue
    private let queue: JobQueue?
    private let historyFile: String?

    private var lastSeen: AccountPicture.LastSeen?
    private var lastRescue: (report: RescueReport, at: ContinuousClock.Instant)?
    private var lastQueue: (health: QueueHealth?, at: ContinuousClock.Instant)?
    private var trend = Trend()
    private var trendDue = 0.0
    private var samples: [GuardSample] = []
    private var refusals: [AccountPicture.Refusal: Int] = [:]
    private var history: GuardHistory?

    /// How often a look counts for the trend, in seconds.
    private static let trendEvery = 15.0

    /// How often the host is looked over while the account lets nobody in.
    private static let rescueEvery = Duration.seconds(10)

    /// How often the queue's health is asked for.
    private static let queueEvery = Duration.seconds(15)

    /// How much of what was seen is kept for when the guard keeps no history: an hour of one look in two seconds.
    private static let mostSamples = 1800

    init(_ loaded: LoadedSettings, historyFile: String?) {
        var settings = loaded.database
        settings.connectTimeout = min(settings.connectTimeout, .seconds(5))
        settings.closeTimeout = min(settings.closeTimeout, .seconds(5))
        self.loaded = loaded
        self.historyFile = historyFile
        watch = AccountWatch(settings)
        rescue = Rescue(loaded)
        // From the reserve, like the look: who watches a full account must not wait for it.
        queue = settings.database == nil ? nil : JobQueue(Database(settings, share: .reserve))
    }

    /// Looks once.
    func look() async -> (picture: AccountPicture, error: DatabaseError?) {
        let time = Date.now.timeIntervalSince1970
        let report = await report()
        var picture = AccountPicture(takenAt: time, view: await StatusView(report, settings: loaded.database))
        let sample = GuardSample(report, at: time, isHolding: false)
        // The line through what was seen is for minutes, not for the seconds between two looks.
        if time >= trendDue || sample.used == nil {
            trend.take(sample)
            trendDue = time + Self.trendEvery
        }
        samples.append(sample)
        if samples.count > Self.mostSamples { samples.removeFirst(samples.count - Self.mostSamples) }
        if let refusal = report.refusal {
            if refusal.isRefusal {
                let why = AccountPicture.Refusal(
                    code: refusal.serverCode ?? 0,
                    resource: refusal.resource ?? "\(refusal.code)"
                )
                refusals[why, default: 0] += 1
            }
            picture.rescue = lastRescue?.report
            lastQueue = nil
        } else {
            lastSeen = AccountPicture.LastSeen(report: report, at: time)
            lastRescue = nil
            picture.queue = await queueHealth()
        }
        picture.lastSeen = lastSeen
        picture.minutesUntilFull = trend.minutesUntilFull
        picture.refusals = refusals
        return (picture, report.refusal)
    }

    /// What was seen between two times, by the guard if it keeps a history, else by this program.
    func past(_ range: Timeline.Range, now: Double) async -> (samples: [GuardSample], events: [GuardEvent], isOwn: Bool)
    {
        let from = now - range.seconds
        if let historyFile {
            do {
                let open = try history ?? GuardHistory(reading: historyFile)
                history = open
                let past = (try await open.samples(since: from), try await open.events(since: from))
                if !past.0.isEmpty { return (past.0, past.1, false) }
            } catch {
                history = nil
            }
        }
        return (samples.filter { $0.time >= from }, [], true)
    }

    /// The account as it can be seen; while it lets nobody in, now and then with `rescue`'s eyes, which look at the host too.
    private func report() async -> AccountReport {
        do {
            let isRescueDue = lastRescue.map { ContinuousClock.now - $0.at > Self.rescueEvery } ?? true
            guard isLockedOut, isRescueDue else { return noted(try await watch.report()) }
            var orders = RescueOptions()
            orders.patience = .zero
            let found = try await rescue.run(orders)
            lastRescue = (found, .now)
            if found.opened == .account, let kills = found.kills { return noted(kills.account) }
            return noted(failed(found.refusal ?? Self.noAnswer))
        } catch let error as DatabaseError {
            return noted(failed(error))
        } catch {
            return noted(failed(Self.noAnswer))
        }
    }

    private var isLockedOut = false

    private func noted(_ report: AccountReport) -> AccountReport {
        isLockedOut = report.refusal != nil
        return report
    }

    private func failed(_ error: DatabaseError) -> AccountReport {
        AccountReport(
            account: nil,
            serverVersion: nil,
            limit: AccountLimit(value: error.limit ?? lastSeen?.report.limit.value, source: .refusal),
            sessions: [],
            maxIdle: .seconds(300),
            refusal: error
        )
    }

    private func queueHealth() async -> QueueHealth? {
        if let lastQueue, ContinuousClock.now - lastQueue.at < Self.queueEvery { return lastQueue.health }
        // Without the tables there is no queue to speak of.
        let health = try? await queue?.health()
        lastQueue = (health, .now)
        return health
    }

    private static let noAnswer = DatabaseError(
        .connectionLost,
        message: "The look at the account was broken off.",
        advice: "It is tried again."
    )
}
