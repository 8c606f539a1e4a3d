/// Bounds how many sessions the guard ends by itself: in one round, and in any hour.
public struct KillAllowance: Sendable, Hashable, Codable {
    /// The most in one round; 5 by default.
    public var perRound: Int

    /// The most in any 60 minutes; 60 by default.
    public var perHour: Int

    private var times: [Double] = []

    /// Creates an allowance of which nothing has been used.
    public init(perRound: Int = 5, perHour: Int = 60) {
        self.perRound = perRound
        self.perHour = perHour
    }

    /// How many sessions may be ended now.
    ///
    /// - Parameter time: The time, in seconds since 1970.
    /// - Returns: The number, 0 when the hour's are used up.
    public func left(at time: Double) -> Int {
        // A time in the future is from before the clock was set back: it counts.
        max(0, min(perRound, perHour - times.count { $0 > time - 3600 }))
    }

    /// Notes that sessions were ended.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - time: When, in seconds since 1970.
    public mutating func note(_ count: Int, at time: Double) {
        times.removeAll { $0 <= time - 3600 }
        times.append(contentsOf: repeatElement(time, count: count))
    }
}
