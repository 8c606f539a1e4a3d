public import Headroom

/// What the guard saw of an account at one moment, as its history keeps it.
public struct GuardSample: Sendable, Hashable {
    /// When it was taken, in seconds since 1970.
    public var time: Double

    /// The account's limit; `nil` when it is not known.
    public var limit: Int?

    /// The connections in use, without the guard's own; `nil` when it could not be seen.
    public var used: Int?

    /// The sessions at work; `nil` when it could not be seen.
    public var active: Int?

    /// The sessions that wait for their client; `nil` when it could not be seen.
    public var sleeping: Int?

    /// The sessions that have waited for long; `nil` when it could not be seen.
    public var idle: Int?

    /// How near the account is to its limit.
    public var level: Level

    /// The error's kind when the guard got no answer, such as `account_limit_reached`; `nil` when it did.
    public var error: String?

    /// The server's number for that error, such as 1226.
    public var serverCode: Int?

    /// Whether a limit refused the guard's connection.
    public var isRefused = false

    /// For how many seconds before it there should have been samples and were none; `nil` when none are missing.
    public var gap: Double?

    /// Who of this host waited for a place; no part of the history.
    public var waiting: WaitingLine?

    /// Creates a sample of which only the level is known.
    ///
    /// - Parameters:
    ///   - time: When it was taken, in seconds since 1970.
    ///   - level: The level.
    public init(time: Double, level: Level = .unknown) {
        self.time = time
        self.level = level
    }

    /// Creates the sample of a look at the account.
    ///
    /// - Parameters:
    ///   - report: What was seen, or why nothing was.
    ///   - time: When, in seconds since 1970.
    ///   - isHolding: Whether the guard keeps its connection: then the account is full for all others one connection
    ///     earlier, and nothing refuses the guard that would show it.
    public init(_ report: AccountReport, at time: Double, isHolding: Bool) {
        self.init(time: time, level: report.level)
        limit = report.limit.value
        used = report.used
        waiting = report.waiting
        if let refusal = report.refusal {
            note(refusal)
        } else {
            active = report.active
            sleeping = report.sleeping
            idle = report.idle
            if isHolding, let limit, let used, limit > 0, used + 1 >= limit { level = .exhausted }
        }
    }

    /// Creates the sample of a look that failed.
    ///
    /// - Parameters:
    ///   - error: Why it failed.
    ///   - time: When, in seconds since 1970.
    public init(_ error: DatabaseError, at time: Double) {
        self.init(time: time, level: error.isRefusal ? .exhausted : .unknown)
        // The number of an hourly limit is not one of connections at a time.
        limit = error.isConnectionLimit ? error.limit : nil
        used = limit
        note(error)
    }

    private mutating func note(_ failure: DatabaseError) {
        error = failure.code.description
        serverCode = failure.serverCode
        isRefused = failure.isRefusal
    }

    /// The share of the limit in use, in percent; `nil` when either is not known.
    public var percent: Double? {
        guard let used, let limit, limit > 0 else { return nil }
        return Double(used) * 100 / Double(limit)
    }
}

extension Level: Codable {}
