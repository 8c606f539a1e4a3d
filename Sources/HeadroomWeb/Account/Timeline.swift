import CommandSupport
import Headroom
import HeadroomWatch

/// The use of an account over time, as lines in a drawing of 1000 by 220.
///
/// The upper 20 are for marks; 100 % of the limit lies at 20, nothing at 220.
struct Timeline: Sendable, Equatable {
    /// How far back it goes.
    enum Range: String, Sendable, CaseIterable {
        case hour
        case day
        case week

        /// In seconds.
        var seconds: Double {
            switch self {
            case .hour: 3600
            case .day: 86_400
            case .week: 7 * 86_400
            }
        }
    }

    /// A mark at a place.
    struct Mark: Sendable, Equatable {
        var x: Int
        var text: String
    }

    /// The outline of the use, as an SVG path; empty without samples.
    var line = ""

    /// The same, closed at the bottom.
    var area = ""

    /// Where connections were refused.
    var refusals: [Mark] = []

    /// Where sessions were ended.
    var kills: [Mark] = []

    /// The stretches of which nothing is known, from and to.
    var unseen: [ClosedRange<Int>] = []

    /// The most that was in use: how many, of how many, and when.
    var peak: (used: Int, limit: Int?, time: Double)?

    /// How many looks were refused.
    var refusedLooks = 0

    /// How many sessions were ended.
    var killCount = 0

    static let width = 1000
    private static let columns = 250
    private static let top = 20.0
    private static let height = 200.0

    /// - Parameters:
    ///   - samples: The samples, the oldest first.
    ///   - events: The events.
    ///   - from: Where it begins, in seconds since 1970.
    ///   - to: Where it ends.
    init(_ samples: [GuardSample], _ events: [GuardEvent], from: Double, to: Double) {
        let span = max(1, to - from)
        let step = Self.width / Self.columns
        func column(_ time: Double) -> Int? {
            guard time >= from, time <= to else { return nil }
            return min(Self.columns - 1, Int(clamped: (time - from) / span * Double(Self.columns)))
        }
        var values = [Double?](repeating: nil, count: Self.columns)
        var refused: Set<Int> = []
        for sample in samples {
            guard let column = column(sample.time) else { continue }
            if sample.isRefused {
                refused.insert(column)
                refusedLooks += 1
            }
            if let percent = sample.isRefused ? 100 : sample.percent {
                values[column] = max(values[column] ?? 0, min(percent, 100))
            }
            if let used = sample.used, used > peak?.used ?? -1 { peak = (used, sample.limit, sample.time) }
        }
        var kills: [Int: Int] = [:]
        for event in events where event.kind == .kill {
            guard let column = column(event.time) else { continue }
            kills[column, default: 0] += 1
            killCount += 1
        }
        refusals = refused.sorted().map { Mark(x: $0 * step + step / 2, text: "refused") }
        self.kills = kills.sorted { $0.key < $1.key }
            .map { Mark(x: $0.key * step + step / 2, text: counted($0.value, "session") + " ended") }
        draw(Self.bridged(values, patience: Self.patience(samples, span)), step)
    }

    /// Between two looks the last one holds, for as long as looks are usually apart.
    private static func patience(_ samples: [GuardSample], _ span: Double) -> Int {
        let gaps = zip(samples.dropFirst(), samples).map { $0.time - $1.time }.filter { $0 > 0 }.sorted()
        guard !gaps.isEmpty else { return 1 }
        return max(1, Int(clamped: (gaps[gaps.count / 2] * 2.5 / span * Double(columns)).rounded(.up)))
    }

    private static func bridged(_ values: [Double?], patience: Int) -> [Double?] {
        var bridged = values
        var last: (column: Int, value: Double)?
        for column in values.indices {
            if let value = values[column] {
                last = (column, value)
            } else if let last, column - last.column <= patience {
                bridged[column] = last.value
            }
        }
        return bridged
    }

    private mutating func draw(_ values: [Double?], _ step: Int) {
        var column = 0
        while column < values.count {
            let isKnown = values[column] != nil
            var end = column
            while end < values.count, (values[end] != nil) == isKnown { end += 1 }
            if isKnown {
                var path = ""
                for index in column..<end {
                    let y = Int(clamped: (Self.top + Self.height * (1 - (values[index] ?? 0) / 100)).rounded())
                    path += index == column ? "M\(index * step) \(y)" : "V\(y)"
                    path += "H\((index + 1) * step)"
                }
                line += path
                area += "\(path)V220H\(column * step)Z"
            } else {
                unseen.append(column * step...end * step)
            }
            column = end
        }
    }

    static func == (left: Timeline, right: Timeline) -> Bool {
        left.line == right.line && left.refusals == right.refusals && left.kills == right.kills
            && left.unseen == right.unseen
    }
}
