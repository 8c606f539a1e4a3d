/// Decides whether a drill may use connections of an account that others live on.
public struct DrillRoom: Sendable, Hashable {
    /// How many connections of the limit are free; `nil` where there is no limit that anybody knows.
    public var free: Int?

    /// What somebody says to a drill that needs much.
    public enum Answer: Sendable, Hashable {
        /// Go on.
        case yes
        /// Leave it.
        case no
        /// There is nobody to ask: no terminal.
        case nobody
    }

    /// What is to be done with a drill.
    public enum Decision: Sendable, Hashable {
        /// Run it.
        case run
        /// Ask first, with this question.
        case ask(String)
        /// Leave it, for this reason.
        case skip(String)
    }

    /// Creates room.
    public init(free: Int?) {
        self.free = free
    }

    /// Decides about a drill.
    ///
    /// - Parameters:
    ///   - drill: What it is, in words.
    ///   - needed: How many connections it holds at the same time.
    /// - Returns: To run it when it uses at most half of what is free, to ask when more, to leave it when there is no room.
    public func decision(_ drill: String, needing needed: Int) -> Decision {
        guard let free else { return .run }
        guard needed <= free else { return .skip("it takes \(needed) connections, and \(max(0, free)) are free") }
        guard needed * 2 > free else { return .run }
        return .ask("\(drill) uses \(needed) of the \(free) free connections of this account. Go on?")
    }
}
