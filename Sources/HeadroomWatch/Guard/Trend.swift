/// Foretells from recent samples when the account will be full.
public struct Trend: Sendable, Hashable, Codable {
    /// The samples that it goes by, as seconds and connections, the oldest first.
    private var points: [Point] = []
    private var limit: Int?

    private struct Point: Sendable, Hashable, Codable {
        var time: Double
        var used: Double
    }

    /// For how long a sample counts, in seconds: 10 minutes.
    static let window = 600.0

    /// The most samples that are kept; when they come more often, every other one goes.
    static let most = 120

    /// The fewest samples that make a trend, and for how long, in seconds, they must go back.
    static let fewest = (samples: 6, seconds: 60.0)

    /// Creates a trend that knows nothing.
    public init() {}

    /// Takes a sample.
    ///
    /// - Parameters:
    ///   - sample: The sample; one without numbers, after a gap, or with another limit begins anew.
    ///   - share: How many connections are set aside for a front door: up to there it comes and goes, and nothing rises.
    public mutating func take(_ sample: GuardSample, share: Int = 0) {
        if sample.gap != nil || sample.limit != limit || sample.used == nil { points = [] }
        limit = sample.limit
        guard let used = sample.used else { return }
        // A clock that was set back would turn the line around.
        if let last = points.last, last.time >= sample.time { points = [] }
        points.append(Point(time: sample.time, used: Double(max(used, share))))
        points.removeAll { $0.time < sample.time - Self.window }
        if points.count > Self.most {
            points = points.enumerated().filter { $0.offset % 2 == points.count % 2 }.map(\.element)
        }
    }

    /// In how many minutes the account is full if it goes on as in the line of least squares through the samples.
    ///
    /// `nil` when it does not fill, is full, or has not risen by more than chance: by 2 connections and a tenth of the limit. The
    /// rise must last: one that was over in a moment, or is over, foretells nothing.
    public var minutesUntilFull: Double? {
        guard let limit, points.count >= Self.fewest.samples, let first = points.first, let last = points.last,
            last.time - first.time >= Self.fewest.seconds, last.used < Double(limit)
        else { return nil }
        let count = Double(points.count)
        let meanTime = points.reduce(0) { $0 + ($1.time - first.time) } / count
        let meanUsed = points.reduce(0) { $0 + $1.used } / count
        var covariance = 0.0
        var variance = 0.0
        for point in points {
            let time = point.time - first.time - meanTime
            covariance += time * (point.used - meanUsed)
            variance += time * time
        }
        guard variance > 0 else { return nil }
        let slope = covariance / variance
        let rise = slope * (last.time - first.time)
        guard rise >= max(2, Double(limit) / 10), isLasting(from: first.time, to: last.time, rise) else { return nil }
        return (Double(limit) - last.used) / slope / 60
    }

    /// Whether each third of the time lies above the one before it, by a fair part of the rise.
    private func isLasting(from start: Double, to end: Double, _ rise: Double) -> Bool {
        let means = (0..<3)
            .map { third -> Double? in
                let (from, to) = (
                    start + (end - start) * Double(third) / 3, start + (end - start) * Double(third + 1) / 3
                )
                let part = points.filter { $0.time >= from && ($0.time < to || third == 2) }
                return part.isEmpty ? nil : part.reduce(0) { $0 + $1.used } / Double(part.count)
            }
        guard let first = means[0], let second = means[1], let third = means[2] else { return false }
        return second - first >= rise / 10 && third - second >= rise / 10
    }
}
