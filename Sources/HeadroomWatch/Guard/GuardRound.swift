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
