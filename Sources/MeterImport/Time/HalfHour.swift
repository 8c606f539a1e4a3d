/// A half-hour of a local day.
struct HalfHour: Hashable, Sendable {
    /// The local day.
    var date: CalendarDate

    /// What the clock shows at its start, in seconds since midnight.
    var seconds: Int

    /// Its number in the day from 1: to 48, to 46 on the short day, to 50 on the long one.
    var period: Int

    /// Whether the clock shows its time for the second time, as it does after being put back.
    var isSecondRun = false

    /// The length of a half-hour in seconds.
    static let length = 1800

    /// The start as SQL reads it, such as `00:30:00`.
    var time: String { Self.text(seconds: seconds) }

    static func text(seconds: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(seconds / 3600)):\(two(seconds % 3600 / 60)):\(two(seconds % 60))"
    }
}
