public import Headroom

/// Decides when the guard looks next: at most once an interval, and less often where asking makes it worse.
public struct GuardPace: Sendable, Hashable {
    /// The time between two looks.
    public let interval: Duration

    /// The longest time between two looks.
    public static let longest = Duration.seconds(600)

    private var intervals: Int64 = 1

    /// Creates a pace.
    ///
    /// - Parameter interval: The time between two looks.
    public init(interval: Duration) {
        self.interval = interval
    }

    /// Takes the outcome of a look.
    ///
    /// What stays as it is at a login (a wrong password, a locked account, a blocked host, an hourly limit, no TLS) is not
    /// asked again at the same pace: servers count such attempts. Twice the time each time, 10 minutes at most.
    ///
    /// - Parameter error: Why the look failed; `nil` when it did not.
    /// - Returns: How long to wait from the beginning of that look until the next.
    public mutating func next(after error: DatabaseError?) -> Duration {
        guard let error, error.isRefusal || error.isConnectFailure, error.retry == .never else {
            intervals = 1
            return interval
        }
        intervals = min(intervals * 2, 1 << 20)
        return max(interval, min(interval * Int(intervals), Self.longest))
    }
}
