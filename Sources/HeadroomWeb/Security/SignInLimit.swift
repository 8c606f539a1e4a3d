import Headroom

/// Limits how often somebody may try to sign in: 5 times at once, then once in 12 s; and everybody together 30 times.
///
/// A browser with which the same user has signed in before has tries of its own, so that nobody locks the owner out by
/// trying in vain. The token is compared without a limit: it is too long to be guessed, and its comparison costs nothing.
struct SignInLimit: Sendable {
    private struct Bucket: Sendable {
        var tokens: Double
        var time: Double
    }

    private var buckets: [String: Bucket] = [:]
    private var everybody: Bucket?

    static let burst = 5.0
    static let perSecond = 1.0 / 12
    static let burstOfAll = 30.0
    static let perSecondOfAll = 1.0

    /// The most addresses that are remembered; the one that tried longest ago goes first.
    static let most = 2000

    init() {}

    /// The tries that were refused, with those that were not looked at.
    private(set) var refused = 0

    private var passedOver = 0
    private var lastLine = -Double.infinity

    /// Counts a try that was refused.
    mutating func countRefused() { refused += 1 }

    /// Counts a try that was not looked at.
    ///
    /// - Returns: How many there were since the last line in the log; `nil` when the next one, in a minute, has them.
    mutating func countPassedOver(at now: Double) -> Int? {
        refused += 1
        passedOver += 1
        guard now - lastLine >= 60 else { return nil }
        defer { (passedOver, lastLine) = (0, now) }
        return passedOver
    }

    /// Takes note of a try.
    ///
    /// - Parameters:
    ///   - address: Who tries.
    ///   - isOwn: Whether it is a browser that is known: then what others try is not held against it.
    ///   - now: When, in seconds.
    /// - Returns: How many seconds to wait first; `nil` when the try is allowed.
    mutating func take(_ address: String, isOwn: Bool = false, at now: Double) -> Int? {
        var own = Self.filled(buckets[address], now, Self.burst, Self.perSecond)
        var all = Self.filled(everybody, now, Self.burstOfAll, Self.perSecondOfAll)
        defer {
            buckets[address] = own
            everybody = all
            if buckets.count > Self.most, let oldest = buckets.min(by: { $0.value.time < $1.value.time })?.key {
                buckets[oldest] = nil
            }
        }
        guard own.tokens > Self.nearlyOne else { return Self.wait(own.tokens, Self.perSecond) }
        if isOwn {
            own.tokens -= 1
            return nil
        }
        guard all.tokens > Self.nearlyOne else { return Self.wait(all.tokens, Self.perSecondOfAll) }
        own.tokens -= 1
        all.tokens -= 1
        return nil
    }

    /// Twelfths do not add up to one exactly.
    private static let nearlyOne = 1 - 1e-9

    private static func wait(_ tokens: Double, _ rate: Double) -> Int {
        Int(clamped: ((nearlyOne - tokens) / rate).rounded(.up))
    }

    /// Forgets the tries of somebody who has signed in.
    mutating func forgive(_ address: String) { buckets[address] = nil }

    private static func filled(_ bucket: Bucket?, _ now: Double, _ burst: Double, _ rate: Double) -> Bucket {
        guard let bucket else { return Bucket(tokens: burst, time: now) }
        return Bucket(tokens: min(burst, bucket.tokens + max(0, now - bucket.time) * rate), time: now)
    }
}
