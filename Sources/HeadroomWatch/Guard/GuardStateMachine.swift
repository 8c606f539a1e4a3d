import Headroom

/// Decides what the guard says: takes samples and facts with their times, and knows no server, no clock and no task.
public struct GuardStateMachine: Sendable, Hashable {
    /// What it watches for.
    public let rules: GuardRules

    /// What it has said and seen.
    public private(set) var memory: GuardMemory

    /// The most holders that are remembered as holding too long.
    private static let mostHolders = 200

    /// Creates a machine.
    ///
    /// - Parameters:
    ///   - rules: What it watches for.
    ///   - memory: What an earlier run has said and seen.
    public init(_ rules: GuardRules = GuardRules(), memory: GuardMemory = GuardMemory()) {
        self.rules = rules
        self.memory = memory
        self.memory.apply(rules)
    }

    /// Whether something has been raised that is not over.
    public var isAlarmed: Bool {
        memory.level.announced != .ok || !memory.heldTooLong.isEmpty
            || memory.missing.values.contains(where: \.isRaised)
            || [memory.unreachable, memory.serverRefuses, memory.filling, memory.doubled, memory.queue, memory.history]
                .contains(where: \.isRaised)
    }

    /// Marks a sample that comes later than it should have.
    ///
    /// - Parameters:
    ///   - sample: The sample.
    ///   - pause: How many seconds after the last one it should have come.
    /// - Returns: The sample; its gap is set when more than one and a half pauses went by.
    public func marked(_ sample: GuardSample, pause: Double) -> GuardSample {
        var sample = sample
        if let last = memory.lastTime, sample.time - last > pause * 1.5 + 1 { sample.gap = sample.time - last }
        return sample
    }

    /// Takes what was seen and returns what is to be said.
    ///
    /// - Parameters:
    ///   - sample: The sample.
    ///   - facts: What is known beside it.
    /// - Returns: The events, none when nothing has changed.
    public mutating func take(_ sample: GuardSample, _ facts: GuardFacts) -> [GuardEvent] {
        memory.lastTime = sample.time
        var events: [GuardEvent] = []
        func say(
            _ kind: GuardEvent.Kind,
            _ change: GuardEvent.Change,
            _ subject: String,
            _ message: String,
            _ advice: String
        ) {
            events.append(
                GuardEvent(
                    time: sample.time,
                    kind: kind,
                    change: change,
                    level: sample.level,
                    subject: subject,
                    message: message,
                    advice: change == .recovered ? "" : advice
                )
            )
        }
        if let gap = sample.gap { say(.gap, .noted, "", "No sample was taken for \(Self.time(gap)).", "") }
        takeReachability(sample, facts, say)
        takeLevel(sample, facts, say)
        takeTrend(sample, say)
        takeHolders(facts, say)
        takeWorkers(facts, say)
        takeServer(facts, say)
        if let change = memory.queue.take(facts.queueProblem != nil) {
            say(.queue, change, "", facts.queueProblem ?? "The queue is well again.", "See headroom jobs health.")
        }
        if let change = memory.history.take(facts.historyProblem != nil) {
            let problem = "The history cannot be written: \(facts.historyProblem ?? "")"
            say(
                .history,
                change,
                "",
                change == .raised ? problem : "The history is written again.",
                "Is the disk full?"
            )
        }
        return events
    }

    /// How many idle sessions may be ended now.
    ///
    /// - Parameters:
    ///   - sample: What was seen.
    ///   - percent: The share of the limit up to which none is ended.
    /// - Returns: The number.
    public func killsAllowed(_ sample: GuardSample, above percent: Double) -> Int {
        // Of what can be had: the reserve is nobody's, and at a limit of 2 one session is all.
        let share = sample.used.flatMap { used in
            sample.limit.map { Double(used) * 100 / Double(max(1, $0 - rules.reserve)) }
        }
        guard (share ?? 0) > percent || sample.level == .exhausted || sample.waiting != nil else { return 0 }
        return memory.kills.left(at: sample.time)
    }

    /// Forgets when it last looked: who looks now and then, from cron, leaves no gap for a service to tell of.
    mutating func forgetTime() { memory.lastTime = nil }

    /// Notes that sessions were ended.
    public mutating func noteKills(_ count: Int, at time: Double) {
        if count > 0 { memory.kills.note(count, at: time) }
    }
}

// What is said of each matter.
extension GuardStateMachine {
    /// Says it: what it is about, what became of it, which of several, what happened, what to do next.
    private typealias Say = (GuardEvent.Kind, GuardEvent.Change, String, String, String) -> Void

    private mutating func takeReachability(
        _ sample: GuardSample,
        _ facts: GuardFacts,
        _ say: Say
    ) {
        let isAway = sample.error != nil && !sample.isRefused
        if isAway, memory.unreachableSince == nil { memory.unreachableSince = sample.time }
        let since = memory.unreachableSince ?? sample.time
        if let change = memory.unreachable.take(isAway) {
            let text =
                change == .raised
                ? "The account cannot be seen: \(facts.failure)"
                : "The account can be seen again after \(Self.time(sample.time - since))."
            say(.unreachable, change, "", text, facts.advice)
        }
        if !isAway { memory.unreachableSince = nil }
    }

    private mutating func takeLevel(
        _ sample: GuardSample,
        _ facts: GuardFacts,
        _ say: Say
    ) {
        let before = memory.level.announced
        let isOtherLimit = sample.isRefused && before == .exhausted && memory.refusal != sample.error
        if sample.isRefused { memory.refusal = sample.error }
        let new = memory.level.take(sample.level, percent: sample.percent, isOfWaiting: sample.waiting != nil)
        guard let level = new ?? (isOtherLimit ? .exhausted : nil) else { return }
        let isWorse = level.severity > before.severity || isOtherLimit
        var text = Self.use(sample)
        if sample.isRefused {
            text =
                "New connections are refused (\(sample.serverCode.map { "\($0), " } ?? "")\(sample.error ?? "")): \(text)"
        }
        say(
            .level,
            isWorse ? .raised : .recovered,
            "",
            "\(level.rawValue), was \(before.rawValue): \(text)",
            facts.advice
        )
        if level != .exhausted { memory.refusal = nil }
    }

    private mutating func takeTrend(
        _ sample: GuardSample,
        _ say: Say
    ) {
        memory.trend.take(sample, share: rules.frontDoor)
        guard rules.foretell > 0, sample.used != nil else { return }
        let minutes = memory.trend.minutesUntilFull
        // What was foretold within 10 minutes is over when it is 20 away.
        let horizon = memory.filling.isRaised ? rules.foretell * 2 : rules.foretell
        if let change = memory.filling.take(minutes.map { $0 <= horizon } ?? false) {
            let text =
                change == .raised
                ? "The account is full in about \(max(1, Int(clamped: (minutes ?? 0).rounded()))) min if it goes on like this: "
                    + Self.use(sample)
                : "The account no longer fills: \(Self.use(sample))"
            say(.filling, change, "", text, "See who opens connections: headroom status --watch.")
        }
    }

    private mutating func takeHolders(
        _ facts: GuardFacts,
        _ say: Say
    ) {
        var now: [String: String] = [:]
        for holder in facts.heldTooLong.prefix(Self.mostHolders) {
            let label = holder.label.isEmpty ? "" : " for \(holder.label)"
            now["\(holder.processID)/\(holder.since)"] =
                "\(holder.program) (process \(holder.processID))\(label), opened at \(holder.site)"
        }
        for (key, text) in now.sorted(by: { $0.key < $1.key }) where memory.heldTooLong[key] == nil {
            say(
                .heldTooLong,
                .raised,
                key,
                "Held for longer than expected: \(text).",
                "Look there for what it waits for."
            )
        }
        for (key, text) in memory.heldTooLong.sorted(by: { $0.key < $1.key }) where now[key] == nil {
            say(.heldTooLong, .recovered, key, "No longer held: \(text).", "")
        }
        memory.heldTooLong = now
    }

    private mutating func takeWorkers(
        _ facts: GuardFacts,
        _ say: Say
    ) {
        for name in rules.expectedWorkers {
            if let change = memory.missing[name, default: AlertRule()].take(!facts.locks.contains(name)) {
                let text = change == .raised ? "No worker holds \(name)." : "A worker holds \(name) again."
                say(.workerMissing, change, name, text, "Start it: headroom work, or its unit.")
            }
        }
        guard !rules.expectedWorkers.isEmpty, let workers = facts.workers else { return }
        if let change = memory.doubled.take(workers.count > rules.expectedWorkers.count) {
            let text =
                "\(workers.count) workers are connected, \(rules.expectedWorkers.count) expected: "
                + workers.sorted().joined(separator: ", ")
            say(
                .workerDoubled,
                change,
                "",
                text,
                "End one; two hosts, or two state folders, know nothing of each other."
            )
        }
    }

    private mutating func takeServer(
        _ facts: GuardFacts,
        _ say: Say
    ) {
        guard let refused = facts.serverRefused else { return }
        let news = max(0, refused - (memory.serverRefused ?? refused))
        if let change = memory.serverRefuses.take(news > 0) {
            let text =
                change == .raised
                ? "The whole server was full and has refused \(news) connections since the last look."
                : "The server has refused nobody for some looks."
            say(.serverRefuses, change, "", text, "See all accounts: headroom status --all-accounts.")
        }
        memory.serverRefused = refused
    }

    private static func use(_ sample: GuardSample) -> String {
        let line = sample.waiting.map { "; \($0.words)" } ?? ""
        guard let used = sample.used else { return "the use is not known\(line)." }
        guard let limit = sample.limit, let percent = sample.percent else {
            return "\(used) connections are in use\(line)."
        }
        let tenths = Int(clamped: (percent * 10).rounded())
        return "\(used) of \(limit) connections are in use (\(tenths / 10).\(tenths % 10) %)\(line)."
    }

    private static func time(_ seconds: Double) -> String { Duration.seconds(clamped: seconds.rounded()).inWords }
}

/// What the guard has said and seen, kept between its runs so that it does not say it again.
public struct GuardMemory: Sendable, Hashable, Codable {
    var level = LevelRule()
    var refusal: String?
    var unreachable = AlertRule()
    var unreachableSince: Double?
    var filling = AlertRule(recoverAfter: 3)
    var doubled = AlertRule()
    var queue = AlertRule()
    var history = AlertRule()
    var missing: [String: AlertRule] = [:]
    var heldTooLong: [String: String] = [:]
    var serverRefused: Int?
    var serverRefuses = AlertRule(recoverAfter: 3)
    var trend = Trend()
    var kills = KillAllowance()
    var lastTime: Double?

    /// Creates a memory of nothing.
    public init() {}

    /// Has the rules hold from now on, whatever held when it was kept.
    mutating func apply(_ rules: GuardRules) {
        level.recoverAfter = rules.recoverAfter
        level.margin = rules.margin
        unreachable.raiseAfter = rules.confirmAfter
        doubled.raiseAfter = rules.confirmAfter
        kills.perRound = rules.killsPerRound
        kills.perHour = rules.killsPerHour
        missing = missing.filter { rules.expectedWorkers.contains($0.key) }
        for name in rules.expectedWorkers {
            missing[name, default: AlertRule()].raiseAfter = rules.confirmAfter
        }
    }
}
