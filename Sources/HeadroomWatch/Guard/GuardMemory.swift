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
