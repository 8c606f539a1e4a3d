/// A zone's clock: turns instants into what it shows and back.
///
/// It remembers the stretch of time that it was asked for last, as a file's rows follow one another in time.
struct ZoneClock {
    /// The zone.
    let rules: TimeZoneRules

    private var span = TimeZoneRules.Span(start: 0, end: 0, offset: 0)

    init(_ rules: TimeZoneRules) {
        self.rules = rules
    }

    /// Seconds east of UTC at an instant.
    mutating func offset(at instant: Int) -> Int {
        if instant < span.start || instant >= span.end { span = rules.span(at: instant) }
        return span.offset
    }

    /// Whether the offset is the same over a stretch of time.
    mutating func isSteady(from start: Int, to end: Int) -> Bool {
        _ = offset(at: start)
        return end <= span.end
    }

    /// The instants at which the clock shows a time: one, none where it is put forward, two where it is put back.
    ///
    /// - Parameter clockSeconds: What it shows, in seconds since 1970 as if it were UTC.
    /// - Returns: The instants, the earlier first, or `nil` when the clock never shows it.
    mutating func instants(showing clockSeconds: Int) -> (first: Int, second: Int?)? {
        let before = offset(at: clockSeconds - 86_400)
        let after = offset(at: clockSeconds + 86_400)
        let early = clockSeconds - max(before, after)
        let late = clockSeconds - min(before, after)
        let isEarly = offset(at: early) == max(before, after)
        if before == after { return isEarly ? (early, nil) : nil }
        let isLate = offset(at: late) == min(before, after)
        switch (isEarly, isLate) {
        case (true, true): return (early, late)
        case (true, false): return (early, nil)
        case (false, true): return (late, nil)
        case (false, false): return nil
        }
    }
}
