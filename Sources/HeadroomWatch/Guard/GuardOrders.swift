/// Says how the guard goes about it.
public struct GuardOrders: Sendable, Hashable {
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

    /// Creates orders with the defaults.
    public init() {}

    /// How long one look may take: less than the interval, and 10 s at most.
    var lookTimeout: Duration { max(.seconds(1), min(.seconds(10), interval * 4 / 5)) }
}
