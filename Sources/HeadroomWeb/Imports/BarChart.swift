import CommandSupport
import Headroom
import MeterImport

/// A small chart of bars, in a drawing whose bars are 10 wide and at most 100 high.
struct BarChart: Sendable, Equatable {
    struct Bar: Sendable, Equatable {
        var x: String
        var y: String
        var w: String
        var h: String
        var text: String
    }

    var title: String
    var summary: String
    var most: String
    var width: String
    var bars: [Bar]
    var labels: [String]

    /// The energy over a day; `nil` when no day has a curve.
    init?(day stored: StoredDays) {
        guard let day = stored.day, stored.times.count > 1 else { return nil }
        let meters = stored.meters > 1 ? ", \(counted(stored.meters, "meter")) together" : ""
        self.init("The day \(day)", stored.times, of: "over the day\(meters)")
    }

    /// The energy of a month's days; `nil` when there are none.
    init?(month stored: StoredDays) {
        guard let first = stored.days.first else { return nil }
        self.init(
            "The days of \(first.label.prefix(7))",
            stored.days.map { StoredDays.Sum(label: String($0.label.suffix(2)), value: $0.value) },
            of: "in these \(counted(stored.days.count, "day"))"
        )
    }

    private init(_ title: String, _ sums: [StoredDays.Sum], of what: String) {
        self.title = title
        let highest = sums.map(\.value).max() ?? 0
        let scale = highest > 0 ? 100 / highest : 0
        bars = sums.enumerated()
            .map { index, sum in
                let height = max(0, sum.value * scale)
                return Bar(
                    x: "\(index * 10 + 1)",
                    y: fixed(100 - height, 2),
                    w: "8",
                    h: fixed(height, 2),
                    text: "\(sum.label): \(Self.energy(sum.value))"
                )
            }
        width = "\(max(1, sums.count) * 10)"
        most = Self.energy(highest)
        let total = sums.reduce(0) { $0 + $1.value }
        summary =
            "\(Self.energy(total)) \(what); the most is \(Self.energy(highest)), at \(sums.max { $0.value < $1.value }?.label ?? "")."
        let places = sums.count < 3 ? Array(sums.indices) : [0, sums.count / 2, sums.count - 1]
        labels = places.map { sums[$0].label }
    }

    private static func energy(_ value: Double) -> String {
        value >= 100 ? "\(grouped(Int(clamped: value.rounded()))) kWh" : "\(fixed(value, value >= 10 ? 1 : 3)) kWh"
    }
}
