/// Decides when a change of the account's level is worth a word.
///
/// Worse is said at once. Better is said when it has been better for some looks in a row, or when it is better by a margin:
/// an account that swings around a boundary is no news each time.
public struct LevelRule: Sendable, Hashable, Codable {
    /// How many looks in a row must be better; 3 by default.
    public var recoverAfter: Int

    /// How many percent of the limit below the level's boundary are better at once; 10 by default.
    public var margin: Double

    /// The level that was said last.
    public private(set) var announced = Level.ok

    private var streak = 0
    private var worst = Level.ok

    /// Whether the level that was said was one of those who wait: how few places are in use says nothing of that.
    private var isOfWaiting: Bool?

    /// Creates a rule for an account of which nothing has been said.
    public init(recoverAfter: Int = 3, margin: Double = 10) {
        self.recoverAfter = recoverAfter
        self.margin = margin
    }

    /// Takes one look.
    ///
    /// - Parameters:
    ///   - level: The level; ``Level/unknown`` tells nothing and changes nothing.
    ///   - percent: The share of the limit in use.
    ///   - isOfWaiting: Whether somebody waits for a place.
    /// - Returns: The level to announce; `nil` when there is nothing new to say.
    public mutating func take(_ level: Level, percent: Double?, isOfWaiting: Bool = false) -> Level? {
        guard level != .unknown else { return nil }
        guard level.severity < announced.severity else {
            streak = 0
            worst = .ok
            if isOfWaiting { self.isOfWaiting = true }
            return level == announced ? nil : announce(level)
        }
        streak += 1
        if level.severity > worst.severity { worst = level }
        if self.isOfWaiting != true, let percent, percent <= announced.begins - margin { return announce(level) }
        guard streak >= recoverAfter else { return nil }
        return announce(worst)
    }

    private mutating func announce(_ level: Level) -> Level {
        announced = level
        if level == .ok { isOfWaiting = nil }
        streak = 0
        worst = .ok
        return level
    }
}

extension Level {
    /// How bad it is, for comparing two known levels.
    var severity: Int {
        switch self {
        case .ok, .unknown: 0
        case .caution: 1
        case .warning: 2
        case .exhausted: 3
        }
    }

    /// The share of the limit above which it begins, in percent.
    var begins: Double {
        switch self {
        case .ok, .unknown: 0
        case .caution: 60
        case .warning: 80
        case .exhausted: 100
        }
    }
}

/// Decides when a condition that comes and goes is worth a word: once when it begins, once when it is over.
public struct AlertRule: Sendable, Hashable, Codable {
    /// How many looks in a row must see it before it has begun.
    public var raiseAfter: Int

    /// How many looks in a row must not see it before it is over.
    public var recoverAfter: Int

    /// Whether it has begun and is not over.
    public private(set) var isRaised = false

    private var streak = 0

    /// Creates a rule for a condition that has not begun.
    public init(raiseAfter: Int = 1, recoverAfter: Int = 1) {
        self.raiseAfter = raiseAfter
        self.recoverAfter = recoverAfter
    }

    /// Takes one look.
    ///
    /// - Parameter holds: Whether the condition was seen; a look that could not tell is not to be handed in.
    /// - Returns: `raised` or `recovered` when that is so from now on; `nil` when nothing has changed.
    public mutating func take(_ holds: Bool) -> GuardEvent.Change? {
        guard holds != isRaised else {
            streak = 0
            return nil
        }
        streak += 1
        guard streak >= (holds ? raiseAfter : recoverAfter) else { return nil }
        streak = 0
        isRaised = holds
        return holds ? .raised : .recovered
    }
}
