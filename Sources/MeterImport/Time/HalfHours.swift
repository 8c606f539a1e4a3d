/// The half-hours of local days in one zone.
struct HalfHours {
    private var clock: ZoneClock
    private var day: (date: CalendarDate, start: Int, end: Int)?

    init(_ rules: TimeZoneRules) {
        clock = ZoneClock(rules)
    }

    /// The half-hour that begins at an instant; `nil` when none does, as at 05:45 in Kathmandu.
    mutating func halfHour(at instant: Int) -> HalfHour? {
        let shown = instant + clock.offset(at: instant)
        let date = CalendarDate(days: (shown - (shown % 86_400 + 86_400) % 86_400) / 86_400)
        let (start, end) = bounds(of: date)
        guard (instant - start) % HalfHour.length == 0 else { return nil }
        var halfHour = HalfHour(
            date: date,
            seconds: shown - date.days * 86_400,
            period: (instant - start) / HalfHour.length + 1
        )
        if end - start > 86_400 { halfHour.isSecondRun = clock.instants(showing: shown)?.second == instant }
        return halfHour
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

    /// Whether the clocks stay as they are all day, so that the time alone tells the half-hour.
    mutating func isPlain(_ date: CalendarDate) -> Bool {
        let (start, end) = bounds(of: date)
        return end - start == 86_400 && clock.isSteady(from: start, to: end)
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
