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
