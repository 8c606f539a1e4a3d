import Headroom

/// Limits how often somebody may try to sign in: 5 times at once, then once in 12 s; and everybody together 30 times.
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

    /// Takes note of a try.
    ///
    /// - Parameters:
    ///   - address: Who tries.
    ///   - now: When, in seconds.
    /// - Returns: How many seconds to wait first; `nil` when the try is allowed.
    mutating func take(_ address: String, at now: Double) -> Int? {
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
