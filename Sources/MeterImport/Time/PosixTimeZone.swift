import Headroom

/// The rule by which a zone's clocks change for ever after, such as `GMT0BST,M3.5.0/1,M10.5.0`.
///
/// It stands at the end of a zone file (POSIX, "Environment Variables", TZ). Files may hold few transitions and rely on it.
struct PosixTimeZone: Sendable {
    private let standard: Int
    private let summer: (offset: Int, begins: Change, ends: Change)?

    /// A yearly change of the clocks: a day and a local time.
    private struct Change: Sendable {
        enum Day: Sendable {
            /// The week (5 for the last) and weekday of a month.
            case weekday(month: Int, week: Int, weekday: Int)
            /// The day of the year from 1, the leap day never counted.
            case julian(Int)
            /// The day of the year from 0, the leap day counted.
            case ordinal(Int)
        }

        var day: Day
        var seconds: Int

        /// The second of the change, on a clock that does not change.
        func clockSeconds(in year: Int) -> Int? {
            guard let newYear = CalendarDate(year: year, month: 1, day: 1) else { return nil }
            let days: Int
            switch day {
            case .ordinal(let number):
                days = newYear.days + number
            case .julian(let number):
                days = newYear.days + number - 1 + (CalendarDate.isLeap(year) && number >= 60 ? 1 : 0)
            case .weekday(let month, let week, let weekday):
                guard let first = CalendarDate(year: year, month: month, day: 1) else { return nil }
                var date = first.days + (weekday - first.weekday + 7) % 7 + (week - 1) * 7
                while CalendarDate(days: date).components.month != month { date -= 7 }
                days = date
            }
            return days * 86_400 + seconds
        }
    }

    /// Reads the rule; `nil` when there is none or it cannot be read.
    init?(_ text: String) {
        var parser = Parser(rest: Substring(text))
        guard parser.skipName(), let west = parser.offset() else { return nil }
        standard = -west
        guard parser.skipName() else {
            summer = nil
            return
        }
        let offset = parser.offset().map { -$0 } ?? -west + 3600
        guard let begins = parser.change(), let ends = parser.change() else { return nil }
        summer = (offset, begins, ends)
    }

    /// The stretch of time that an instant is in.
    func span(at instant: Int, notBefore floor: Int) -> TimeZoneRules.Span {
        guard let summer else { return .init(start: floor, end: .max, offset: standard) }
        let year = CalendarDate(days: Int(clamped: (Double(instant) / 86_400).rounded(.down))).components.year
        var changes: [(at: Int, offset: Int)] = []
        for year in (year - 1)...(year + 1) {
            // Each change is given by the clock that is in force before it.
            if let begins = summer.begins.clockSeconds(in: year) { changes.append((begins - standard, summer.offset)) }
            if let ends = summer.ends.clockSeconds(in: year) { changes.append((ends - summer.offset, standard)) }
        }
        changes.sort { $0.at < $1.at }
        let next = changes.firstIndex { $0.at > instant } ?? changes.count
        let end = next < changes.count ? changes[next].at : .max
        guard next > 0 else { return .init(start: floor, end: end, offset: standard) }
        return .init(start: max(floor, changes[next - 1].at), end: end, offset: changes[next - 1].offset)
    }

    private struct Parser {
        var rest: Substring

        /// Skips the name of a zone: letters, or anything in angle brackets.
        mutating func skipName() -> Bool {
            if rest.begins(with: "<") {
                guard let close = rest.unicodeScalars.firstIndex(of: ">") else { return false }
                rest = rest[rest.unicodeScalars.index(after: close)...]
                return true
            }
            let name = rest.leading(\.isLatinLetter)
            rest = rest[name.endIndex...]
            return name.utf8.count >= 3
        }

        /// Reads `[+-]hh[:mm[:ss]]` in seconds.
        mutating func offset() -> Int? {
            var sign = 1
            if take("-") { sign = -1 } else { _ = take("+") }
            guard let hours = number() else { return nil }
            var seconds = hours * 3600
            for unit in [60, 1] where take(":") {
                guard let count = number() else { return nil }
                seconds += count * unit
            }
            return sign * seconds
        }

        /// Reads `,M3.5.0/1` and its like; the time is 02:00 unless given.
        mutating func change() -> Change? {
            guard take(",") else { return nil }
            let day: Change.Day
            if take("M") {
                guard let month = number(), take("."), let week = number(), take("."),
                    let weekday = number(), (1...12).contains(month), (1...5).contains(week), weekday < 7
                else { return nil }
                day = .weekday(month: month, week: week, weekday: weekday)
            } else if take("J") {
                guard let number = number() else { return nil }
                day = .julian(number)
            } else {
                guard let number = number() else { return nil }
                day = .ordinal(number)
            }
            guard take("/") else { return Change(day: day, seconds: 7200) }
            return offset().map { Change(day: day, seconds: $0) }
        }

        private mutating func number() -> Int? {
            // No number of a rule has more digits than that of a day.
            let digits = rest.leading(\.isDigit)
            rest = rest[digits.endIndex...]
            return digits.utf8.count <= 3 ? Int(digits) : nil
        }

        private mutating func take(_ sign: String) -> Bool {
            guard let after = rest.after(sign) else { return false }
            rest = after
            return true
        }
    }
}
