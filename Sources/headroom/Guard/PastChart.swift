import Headroom
import HeadroomWatch

/// A chart of the past: a column for each stretch of time, as high as the most that was in use in it.
struct PastChart: Sendable {
    private static let width = 60
    private static let heights: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    private let columns: [Column]
    private let from: Double
    private let to: Double

    private enum Column {
        case none
        case unseen
        case refused
        case used(percent: Double)
    }

    init(_ samples: [GuardSample], from: Double, to: Double) {
        self.from = from
        self.to = to
        var columns = [Column](repeating: .none, count: Self.width)
        for sample in samples {
            let place = Int(clamped: (sample.time - from) / max(1, to - from) * Double(Self.width))
            let index = min(Self.width - 1, max(0, place))
            if sample.isRefused {
                columns[index] = .refused
            } else if let percent = sample.percent {
                switch columns[index] {
                case .refused: break
                case .used(let other): columns[index] = .used(percent: max(other, percent))
                case .none, .unseen: columns[index] = .used(percent: percent)
                }
            } else if case .none = columns[index] {
                columns[index] = .unseen
            }
        }
        self.columns = columns
    }

    /// The chart, with what its signs mean.
    var lines: [String] {
        let bar = columns.map { column -> Character in
            switch column {
            case .none: " "
            case .unseen: "?"
            case .refused: "!"
            case .used(let percent): Self.heights[min(7, max(0, Int(clamped: percent / 100 * 8)))]
            }
        }
        let begin = "\(LogLine.time(from).dropFirst(5).prefix(11))"
        let end = "\(LogLine.time(to).dropFirst(5).prefix(11))"
        let space = String(repeating: " ", count: max(1, Self.width - begin.count - end.count))
        return [
            "|\(String(bar))|", " \(begin)\(space)\(end)",
            " ▁ to █ the most in use, ! refused, ? not seen, blank no sample",
        ]
    }
}
