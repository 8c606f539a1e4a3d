/// Says what the guard watches for, and how soon it speaks.
public struct GuardRules: Sendable, Hashable {
    /// The locks of the workers that should run, such as `work.localhost.shop`; none by default.
    public var expectedWorkers: [String] = []

    /// How many looks in a row must find the level better before that is said; 3 by default.
    public var recoverAfter = 3

    /// How many percent of the limit below a level's boundary are better at once; 10 by default.
    public var margin = 10.0

    /// How many looks in a row must fail, or miss a worker, before that is said; 2 by default.
    public var confirmAfter = 2

    /// How many minutes ahead a full account is foretold; 10 by default, 0 for never.
    public var foretell = 10.0

    /// How many connections are a front door's: up to there a rise is no news; 0 by default.
    public var frontDoor = 0

    /// The most sessions ended in one round.
    public var killsPerRound = 5

    /// The most sessions ended in any 60 minutes.
    public var killsPerHour = 60

    /// Creates the rules with the defaults.
    public init() {}
}
