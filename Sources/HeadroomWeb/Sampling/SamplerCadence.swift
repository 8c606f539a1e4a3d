import Headroom
import HeadroomWatch

/// Decides when the database is looked at: at most once an interval, and only while somebody wants to know.
struct SamplerCadence: Sendable {
    /// What is to be done now.
    enum Decision: Sendable, Equatable {
        /// Look.
        case look
        /// Wait until then.
        case wait(until: ContinuousClock.Instant)
        /// Nothing, until somebody comes.
        case rest
    }

    private var pace: GuardPace
    private var due: ContinuousClock.Instant?
    private var isLooking = false

    /// How many watch.
    private(set) var viewers = 0

    init(interval: Duration) {
        pace = GuardPace(interval: interval)
    }

    /// Whether what was last seen is too old to be shown as it is.
    func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard !isLooking else { return false }
        return due.map { $0 <= now } ?? true
    }

    /// What those who watch need.
    func decision(at now: ContinuousClock.Instant) -> Decision {
        guard viewers > 0 else { return .rest }
        guard let due, due > now else { return .look }
        return .wait(until: due)
    }

    mutating func viewerCame() { viewers += 1 }

    mutating func viewerLeft() { viewers -= 1 }

    mutating func lookBegan(at now: ContinuousClock.Instant) {
        isLooking = true
        due = now + pace.interval
    }

    /// - Parameters:
    ///   - now: When the look ended.
    ///   - error: Why nothing was seen; what trying again makes worse is left alone for longer each time.
    mutating func lookEnded(at now: ContinuousClock.Instant, error: DatabaseError?) {
        isLooking = false
        let pause = pace.next(after: error)
        if error != nil, pause > pace.interval { due = now + pause }
    }
}
