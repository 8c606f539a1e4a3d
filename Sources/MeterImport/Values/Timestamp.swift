import Headroom

/// Which number comes first in dates such as `05/11/2025`.
public enum DateOrder: String, Sendable, Hashable, CaseIterable {
    /// The day, as in Britain and most of the world.
    case dayFirst = "dmy"
    /// The month, as in the United States; only when the job says so.
    case monthFirst = "mdy"
}

/// A date and a time as a file gives them, with its offset from UTC if it has one.
struct Timestamp: Equatable {
    var date: CalendarDate
    /// Seconds since midnight, below 86,400.
    var seconds: Int
    /// Seconds east of UTC, when the file says so.
    var offset: Int?

    /// Reads a cell with both date and time, such as `2012-01-03 00:30:00`, `3/1/2012 0:30` or RFC 3339.
    init(_ text: Bytes, order: DateOrder) throws(CellProblem) {
        guard let gap = Self.gap(in: text) else {
            if text.isEmpty { throw CellProblem("there is no date and time") }
            // Reads the date for the better message: "impossible date" rather than "no time".
            _ = try CalendarDate(text, order: order)
            throw CellProblem("it has no time")
        }
        try self.init(date: text.prefix(gap), time: text.dropFirst(gap + 1).trimmed, order: order)
    }

    /// Reads a date and a time from two cells.
    init(date dateText: Bytes, time timeText: Bytes, order: DateOrder) throws(CellProblem) {
        date = try CalendarDate(dateText, order: order)
        let (clock, offset) = try Self.splitOffset(timeText)
        seconds = try Self.seconds(clock)
        if seconds == 86_400 {
            seconds = 0
            date.days += 1
        }
        self.offset = offset
    }

    /// The seconds since 1970 that the clock shows, as if it were UTC.
    var clockSeconds: Int { date.days * 86_400 + seconds }

    /// Where the date ends and the time begins.
    static func gap(in text: Bytes) -> Int? {
        // Ten characters is the length of nearly all dates.
        if text.count > 10, text[10] == 32 || text[10] == UInt8(ascii: "T") { return 10 }
        return text.buffer.firstIndex { $0 == 32 || $0 == UInt8(ascii: "T") || $0 == UInt8(ascii: "t") }
    }

    /// Cuts `Z`, `+01:00`, `+0100` or `+01` off a time.
    private static func splitOffset(_ text: Bytes) throws(CellProblem) -> (Bytes, Int?) {
        guard let last = text.last else { return (text, nil) }
        if last == UInt8(ascii: "Z") || last == UInt8(ascii: "z") { return (text.dropLast().trimmed, 0) }
        var sign = text.count - 1
        while sign >= 0, text[sign] != UInt8(ascii: "+"), text[sign] != UInt8(ascii: "-") { sign -= 1 }
        guard sign >= 0 else { return (text, nil) }
        let digits = text.dropFirst(sign + 1)
        let hasColon = digits.count == 5 && digits[2] == UInt8(ascii: ":")
        let minuteDigits = hasColon ? digits.dropFirst(3) : digits.dropFirst(2)
        guard let hours = digits.prefix(2).number(digits: 2...2),
            let minutes = minuteDigits.isEmpty ? 0 : minuteDigits.number(digits: 2...2)
        else { throw CellProblem("its offset from UTC cannot be read; write +01:00") }
        guard hours <= 15, minutes < 60 else { throw CellProblem("its offset from UTC is impossible") }
        let offset = hours * 3600 + minutes * 60
        return (text.prefix(sign).trimmed, text[sign] == UInt8(ascii: "-") ? -offset : offset)
    }

    /// Reads a time of day in seconds, 86,400 for the day's end.
    ///
    /// `1:30`, `01:30:00`, `01:30:00.0`, `24:00`, and a spreadsheet's fraction of the day from 0 to 1.
    static func seconds(_ text: Bytes) throws(CellProblem) -> Int {
        guard !text.isEmpty else { throw CellProblem("there is no time") }
        let hourCount = text.digitCount
        guard hourCount < text.count, text[hourCount] == UInt8(ascii: ":") else { return try secondsOfFraction(text) }
        guard let hour = text.prefix(hourCount).number(digits: 1...2) else { throw CellProblem("it is not a time") }
        let rest = text.dropFirst(hourCount + 1)
        let minuteCount = rest.digitCount
        if minuteCount < rest.count, rest[minuteCount] == UInt8(ascii: ".") {
            throw CellProblem("it may mean minutes and seconds or hours and minutes; write 01:30:00")
        }
        guard let minute = rest.prefix(minuteCount).number(digits: 2...2) else {
            throw CellProblem("it is not a time")
        }
        var second = 0
        if minuteCount < rest.count {
            let tail = rest.dropFirst(3)
            let fraction = tail.dropFirst(3)
            guard rest[2] == UInt8(ascii: ":"), let number = tail.prefix(2).number(digits: 2...2), number < 60,
                tail.count == 2 || tail[2] == UInt8(ascii: ".") && fraction.digitCount == fraction.count
            else { throw CellProblem("it is not a time") }
            // A fraction of a second cannot begin a half-hour; it counts as one more second, which the caller refuses.
            second = number + (fraction.buffer.contains { $0 != 48 } ? 1 : 0)
        }
        let seconds = hour * 3600 + minute * 60 + second
        guard minute < 60, seconds <= 86_400 else { throw CellProblem("there is no such time") }
        return seconds
    }

    /// Reads a spreadsheet's time, a fraction of the day.
    private static func secondsOfFraction(_ text: Bytes) throws(CellProblem) -> Int {
        let whole = text.digitCount
        let fraction = text.dropFirst(whole + 1)
        guard whole > 0, whole <= 2, whole == text.count || text[whole] == UInt8(ascii: "."),
            fraction.digitCount == fraction.count, let day = text.prefix(whole).number(digits: 1...2)
        else { throw CellProblem("it is not a time") }
        // Fifteen decimals of a day are less than a nanosecond.
        var value = 0.0
        var scale = 1.0
        for byte in fraction.prefix(15).buffer {
            value = value * 10 + Double(byte.digit)
            scale *= 10
        }
        let days = Double(day) + value / scale
        guard days <= 1 else { throw CellProblem("it is not a time") }
        return Int(clamped: (days * 86_400).rounded())
    }
}

extension CalendarDate {
    /// Reads a date: `2012-01-03`, `3/1/2012`, `3-1-2012`, `3.1.2012`, `20120103`, `3/1/12`.
    ///
    /// - Throws: ``CellProblem`` for a date that does not exist, has no year, or is not a date.
    init(_ text: Bytes, order: DateOrder) throws(CellProblem) {
        guard !text.isEmpty else { throw CellProblem("there is no date") }
        let count = text.digitCount
        guard let (year, month, day) = try Self.parts(text, firstCount: count, order: order) else {
            throw CellProblem("it is not a date that can be read; write 2012-01-31 or 31/01/2012")
        }
        guard let date = CalendarDate(year: year, month: month, day: day) else {
            if order == .dayFirst, month > 12, day <= 12 {
                throw CellProblem(
                    "there is no such date; if the month comes first, say so when the file is queued (--date-order mdy)"
                )
            }
            throw CellProblem("there is no such date")
        }
        self = date
    }

    private static func parts(
        _ text: Bytes,
        firstCount count: Int,
        order: DateOrder
    ) throws(CellProblem) -> (year: Int, month: Int, day: Int)? {
        if count == text.count {
            guard count == 8, let number = text.number(digits: 8...8) else { return nil }
            return (number / 10_000, number / 100 % 100, number % 100)
        }
        let separator = text[count]
        guard separator == UInt8(ascii: "-") || separator == UInt8(ascii: "/") || separator == UInt8(ascii: ".") else {
            return nil
        }
        let rest = text.dropFirst(count + 1)
        guard let second = rest.firstIndex(of: separator) else { throw CellProblem("it is not a date with a year") }
        let first = text.prefix(count)
        let middle = rest.prefix(second)
        let last = rest.dropFirst(second + 1)
        if count == 4, separator == UInt8(ascii: "-") {
            guard let year = first.number(digits: 4...4), let month = middle.number(digits: 1...2),
                let day = last.number(digits: 1...2)
            else { return nil }
            return (year, month, day)
        }
        guard let one = first.number(digits: 1...2), let two = middle.number(digits: 1...2) else { return nil }
        var year = last.number(digits: 4...4)
        if year == nil, separator == UInt8(ascii: "/") { year = last.number(digits: 2...2).map { 2000 + $0 } }
        guard let year else { return nil }
        return order == .dayFirst ? (year, two, one) : (year, one, two)
    }
}
