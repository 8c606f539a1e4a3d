import Glibc
public import Headroom

/// Watches an account: looks at it at an interval, says what has changed, and ends idle sessions if it may.
///
/// It opens a connection for each look and closes it again, or keeps one (``GuardOptions/isReserving``). Whatever happens, it
/// asks for a connection at most once an interval.
public struct AccountGuard: Sendable {
    private let settings: DatabaseSettings
    private let options: GuardOptions
    private let database: Database

    /// Says what is wrong with the queue of jobs, or `nil`; not asked by default.
    public var queueProblem: (@Sendable () async -> String?)?

    /// Says why the history cannot be written, or `nil`.
    public var historyProblem: (@Sendable () -> String?)?

    /// Is called before the guard sleeps, and while it does at least this often, as a sign that it is alive.
    public var isAlive: (every: Duration, tell: @Sendable () -> Void)?

    /// Creates a guard for the account that the settings lead to.
    ///
    /// - Parameters:
    ///   - settings: The settings.
    ///   - options: How it goes about it.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when it is to be the reserve and the budget leaves none.
    public init(_ settings: DatabaseSettings, options: GuardOptions = GuardOptions()) throws {
        guard !options.isReserving || settings.reserve >= 1 else {
            throw DatabaseError(
                .settingsInvalid,
                message: "The guard was told to keep the reserve's connection, but the reserve is \(settings.reserve).",
                advice: "Set HEADROOM_RESERVE to 1 or more, or start the guard without --reserve."
            )
        }
        var settings = settings
        // Whether the database exists is not the question.
        settings.database = nil
        settings.connectTimeout = min(settings.connectTimeout, options.lookTimeout)
        settings.closeTimeout = min(settings.closeTimeout, options.lookTimeout)
        settings.sessionIdleTimeout = max(settings.sessionIdleTimeout, options.interval * 3)
        self.settings = settings
        var options = options
        (options.rules.frontDoor, options.rules.reserve) = (settings.frontDoor, settings.reserve)
        self.options = options
        // No slot: it must not wait in line for what it watches, and what it keeps is what the budget leaves.
        database = Database(settings, share: .reserve)
    }

    /// Watches until the task is cancelled.
    ///
    /// - Parameters:
    ///   - memory: What an earlier run has said and seen.
    ///   - report: Is told what each look came to; the next one waits for it.
    /// - Throws: `CancellationError` when cancelled, with no connection left open.
    public func run(memory: GuardMemory = GuardMemory(), report: (GuardRound) async -> Void) async throws {
        var watch = Watch(options, memory)
        while true {
            try Task.checkCancellation()
            watch.begin()
            do {
                try await visit(&watch, report)
                await report(await finish(&watch))
            } catch let error as DatabaseError {
                try Task.checkCancellation()
                // What was kept may have been ended while nothing was asked of it: that alone is no news.
                if watch.looksOfConnection > 0, error.code == .connectionLost, !watch.hasReconnected {
                    watch.hasReconnected = true
                    watch.looksOfConnection = 0
                    continue
                }
                watch.failure = error
                await report(await finish(&watch))
            }
            try await pause(&watch)
        }
    }

    /// Looks once.
    ///
    /// - Parameter memory: What an earlier run has said and seen.
    /// - Returns: What the look came to.
    /// - Throws: `CancellationError` when cancelled.
    public func once(memory: GuardMemory = GuardMemory()) async throws -> GuardRound {
        var watch = Watch(options, memory)
        // Whoever runs it now and then says when; a gap is for the service to notice.
        watch.marksGaps = false
        watch.begin()
        do {
            try await database.withConnection(timeout: options.lookTimeout) { try await look($0, &watch) }
        } catch let error as DatabaseError {
            watch.failure = error
        }
        return await finish(&watch)
    }

    /// Looks through one connection: once, or until it is lost; the last look is left to be reported.
    private func visit(_ watch: inout Watch, _ report: (GuardRound) async -> Void) async throws {
        watch.looksOfConnection = 0
        guard options.isReserving else {
            return try await database.withConnection(timeout: options.lookTimeout) { try await look($0, &watch) }
        }
        try await database.withConnection { connection in
            while true {
                try await connection.within(options.lookTimeout) { try await look(connection, &watch) }
                // The only place of an account belongs to those who work.
                guard let limit = watch.report?.limit.value, limit > 1 else { return }
                watch.looksOfConnection += 1
                watch.hasReconnected = false
                await report(await finish(&watch, isHolding: true))
                try await pause(&watch)
                watch.begin()
            }
        }
    }

    /// Looks, and ends idle sessions where that is allowed and called for.
    private func look(_ connection: Connection, _ watch: inout Watch) async throws {
        var report = try await connection.accountReport(maxIdle: options.maxIdle, timeout: options.lookTimeout)
        report.waiting = WaitingLine(try? SlotReport(settings))
        watch.report = report
        try? await connection.keepSnapshot(report, settings)
        guard let policy = options.kills else { return }
        let sample = GuardSample(report, at: watch.time, isHolding: options.isReserving)
        let most = watch.machine.killsAllowed(sample, above: options.killsAbove)
        guard most > 0 else { return }
        var plan = policy.plan(report)
        plan.goal = min(plan.goal ?? .max, most)
        guard plan.expected > 0 else { return }
        let kill = IdleKill(policy, patience: min(.seconds(2), options.lookTimeout))
        var outcomes: [KillReport.Outcome] = []
        // What has been done is known also when the connection is lost on the way.
        defer {
            watch.kills = outcomes
            watch.machine.noteKills(outcomes.count { $0.result == .killed }, at: watch.time)
        }
        _ = try await kill.run(plan, of: report, on: connection, isDryRun: false) { outcome in
            if outcome.result != .skipped { outcomes.append(outcome) }
        }
    }

    /// Brings together what is known after a look, and decides what to say.
    private func finish(_ watch: inout Watch, isHolding: Bool = false) async -> GuardRound {
        var sample =
            watch.failure.map { GuardSample($0, at: watch.time) }
            ?? watch.report.map { GuardSample($0, at: watch.time, isHolding: isHolding) }
            ?? GuardSample(time: watch.time)
        if watch.marksGaps { sample = watch.machine.marked(sample, pause: watch.pause.asSeconds) }
        var facts = GuardFacts(watch.report, settings: settings, workerProgram: options.workerProgram)
        facts.queueProblem = await queueProblem?()
        facts.historyProblem = historyProblem?()
        if let failure = watch.failure {
            facts.failure = failure.message
            facts.advice =
                failure.isConnectionLimit ? "See who holds the connections: headroom rescue." : failure.advice
            // What it was when it could last be read: a refusal does not always name it.
            sample.limit = sample.limit ?? watch.lastLimit
            if failure.isConnectionLimit { sample.used = sample.used ?? sample.limit }
        }
        watch.lastLimit = sample.limit ?? watch.lastLimit
        var events = watch.machine.take(sample, facts)
        if !watch.marksGaps { watch.machine.forgetTime() }
        events += watch.kills.map { GuardEvent($0, sample) }
        watch.pause = watch.pace.next(after: watch.failure)
        // A refused password is read again, and sent when it has changed: that asks nothing of the server.
        if watch.failure?.code == .accessDenied, settings.passwordSource != nil { watch.pause = options.interval }
        let round = GuardRound(
            sample: sample,
            events: events,
            kills: watch.kills,
            memory: watch.machine.memory,
            isAlarmed: watch.machine.isAlarmed
        )
        return round
    }

    /// Sleeps until the next look is due, and tells now and then that it is alive.
    private func pause(_ watch: inout Watch) async throws {
        watch.due += watch.pause
        // What was missed is not made up for.
        if watch.due <= .now { watch.due = .now + watch.pause }
        while true {
            isAlive?.tell()
            let left = ContinuousClock.now.duration(to: watch.due)
            guard left > .zero else { return }
            try await Task.sleep(for: min(left, isAlive?.every ?? left))
        }
    }
}

/// What changes from look to look.
private struct Watch {
    var machine: GuardStateMachine
    var pace: GuardPace
    var pause: Duration
    var due = ContinuousClock.now
    var time = 0.0
    var report: AccountReport?
    var failure: DatabaseError?
    var kills: [KillReport.Outcome] = []
    var lastLimit: Int?
    var looksOfConnection = 0
    var hasReconnected = false
    var marksGaps = true

    init(_ options: GuardOptions, _ memory: GuardMemory) {
        machine = GuardStateMachine(options.rules, memory: memory)
        pace = GuardPace(interval: options.interval)
        pause = options.interval
    }

    mutating func begin() {
        let now = timespec.now
        time = Double(now.tv_sec) + Double(now.tv_nsec / 1_000_000) / 1e3
        report = nil
        failure = nil
        kills = []
    }
}

extension GuardEvent {
    /// What became of an idle session that the guard wanted to end.
    fileprivate init(_ outcome: KillReport.Outcome, _ sample: GuardSample) {
        let session = outcome.session
        let program = session.program.map { " of \($0)" } ?? ""
        self.init(
            time: sample.time,
            kind: .kill,
            change: .noted,
            level: sample.level,
            subject: "\(session.id)",
            message: "Session \(session.id)\(program) from \(session.host), idle for "
                + "\(session.duration.components.seconds) s: \(outcome.result.words)."
        )
    }
}

extension Duration {
    /// The duration in seconds.
    fileprivate var asSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

/// What one look of the guard came to.
public struct GuardRound: Sendable {
    /// What was seen.
    public var sample: GuardSample

    /// What is to be said.
    public var events: [GuardEvent]

    /// What became of each idle session that the guard wanted to end.
    public var kills: [KillReport.Outcome]

    /// What the guard will have said and seen then.
    public var memory: GuardMemory

    /// Whether something that was raised is not over.
    public var isAlarmed: Bool

    /// Creates a round.
    public init(
        sample: GuardSample,
        events: [GuardEvent] = [],
        kills: [KillReport.Outcome] = [],
        memory: GuardMemory = GuardMemory(),
        isAlarmed: Bool = false
    ) {
        self.sample = sample
        self.events = events
        self.kills = kills
        self.memory = memory
        self.isAlarmed = isAlarmed
    }
}

/// Decides when the guard looks next: at most once an interval, and less often where asking makes it worse.
public struct GuardPace: Sendable, Hashable {
    /// The time between two looks.
    public let interval: Duration

    /// The longest time between two looks.
    public static let longest = Duration.seconds(600)

    private var intervals: Int64 = 1

    /// Creates a pace.
    ///
    /// - Parameter interval: The time between two looks.
    public init(interval: Duration) {
        self.interval = interval
    }

    /// Takes the outcome of a look.
    ///
    /// What stays as it is at a login (a wrong password, a locked account, a blocked host, an hourly limit, no TLS) is not
    /// asked again at the same pace: servers count such attempts. Twice the time each time, 10 minutes at most.
    ///
    /// - Parameter error: Why the look failed; `nil` when it did not.
    /// - Returns: How long to wait from the beginning of that look until the next.
    public mutating func next(after error: DatabaseError?) -> Duration {
        guard let error, error.isRefusal || error.isConnectFailure, error.retry == .never else {
            intervals = 1
            return interval
        }
        intervals = min(intervals * 2, 1 << 20)
        return max(interval, min(interval * Int(intervals), Self.longest))
    }
}
