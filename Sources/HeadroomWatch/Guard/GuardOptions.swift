/// Says how the guard goes about it.
public struct GuardOptions: Sendable, Hashable {
    /// The time between two looks; 30 s by default.
    public var interval: Duration = .seconds(30)

    /// From when on a sleeping session counts as idle; 300 s by default.
    public var maxIdle: Duration = .seconds(300)

    /// Whether one connection is kept open, which then is the budget's reserve; false by default.
    ///
    /// It is the one place that the budget leaves free, so that the guard can look and act when the account is full. Not kept
    /// where the limit is 1. While it is kept, a session that is given up in the middle of a statement cannot be ended from
    /// there, and drains instead, unless the reserve is larger.
    public var isReserving = false

    /// Which idle sessions the guard may end by itself; `nil`, the default, none.
    public var kills: KillPolicy?

    /// The share of the limit, in percent, up to which no session is ended; 60 by default.
    public var killsAbove = 60.0

    /// What it watches for.
    public var rules = GuardRules()

    /// The name that workers give the server.
    public var workerProgram = "headroom work"

    /// Creates options with the defaults.
    public init() {}

    /// How long one look may take: less than the interval, and 10 s at most.
    var lookTimeout: Duration { max(.seconds(1), min(.seconds(10), interval * 4 / 5)) }
}

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

    /// How many connections of the limit the budget leaves free: up to there nobody can have one; 0 by default.
    public var reserve = 0

    /// The most sessions ended in one round.
    public var killsPerRound = 5

    /// The most sessions ended in any 60 minutes.
    public var killsPerHour = 60

    /// Creates the rules with the defaults.
    public init() {}
}
