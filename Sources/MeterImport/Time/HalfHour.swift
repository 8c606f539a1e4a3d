/// A half-hour of a local day.
struct HalfHour: Equatable {
    /// The local day.
    var date: CalendarDate

    /// What the clock shows at its start, in seconds since midnight.
    var seconds: Int

    /// Its number in the day from 1: to 48, to 46 on the short day, to 50 on the long one.
    var period: Int

    /// The length of a half-hour in seconds.
    static let length = 1800

    /// The start as SQL reads it, such as `00:30:00`.
    var time: String {
        let hour = seconds / 3600
        let minute = seconds % 3600 / 60
        return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute):00"
    }
}

/// The half-hours of local days in one zone.
struct HalfHours {
    private var clock: ZoneClock
    private var day: (date: CalendarDate, start: Int, end: Int)?

    init(_ rules: TimeZoneRules) {
        clock = ZoneClock(rules)
    }

    /// The half-hour that begins at an instant.
    mutating func halfHour(at instant: Int) -> HalfHour {
        let shown = instant + clock.offset(at: instant)
        let date = CalendarDate(days: (shown - (shown % 86_400 + 86_400) % 86_400) / 86_400)
        return HalfHour(
            date: date,
            seconds: shown - date.days * 86_400,
            period: (instant - bounds(of: date).start) / HalfHour.length + 1
        )
    }

    /// The instant at which the period of a day begins; the period must exist.
    mutating func start(of period: Int, on date: CalendarDate) -> Int {
        bounds(of: date).start + (period - 1) * HalfHour.length
    }

    /// The number of half-hours that a day has.
    mutating func count(on date: CalendarDate) -> Int {
        let (start, end) = bounds(of: date)
        return (end - start) / HalfHour.length
    }

    private mutating func bounds(of date: CalendarDate) -> (start: Int, end: Int) {
        if let day, day.date == date { return (day.start, day.end) }
        let start = midnight(of: date)
        let end = midnight(of: CalendarDate(days: date.days + 1))
        day = (date, start, end)
        return (start, end)
    }

    /// The first instant of a day; where the clocks are put forward at midnight, the first after that.
    private mutating func midnight(of date: CalendarDate) -> Int {
        let shown = date.days * 86_400
        if let instants = clock.instants(showing: shown) { return instants.first }
        return shown - clock.offset(at: shown - 86_400)
    }
}
