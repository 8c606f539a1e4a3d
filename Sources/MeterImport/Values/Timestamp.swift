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
    init(_ text: ArraySlice<UInt8>, order: DateOrder) throws(CellProblem) {
        guard let gap = text.firstIndex(where: { $0 == 32 || $0 == UInt8(ascii: "T") || $0 == UInt8(ascii: "t") })
        else {
            if text.isEmpty { throw CellProblem("there is no date and time") }
            // Reads the date for the better message: "impossible date" rather than "no time".
            _ = try CalendarDate(text, order: order)
            throw CellProblem("it has no time")
        }
        try self.init(date: text[..<gap], time: text[(gap + 1)...].trimmed, order: order)
    }

    /// Reads a date and a time from two cells.
    init(
        date dateText: ArraySlice<UInt8>,
        time timeText: ArraySlice<UInt8>,
        order: DateOrder
    ) throws(CellProblem) {
        var date = try CalendarDate(dateText, order: order)
        let (clock, offset) = try Self.splitOffset(timeText)
        var seconds = try Self.seconds(clock)
        if seconds == 86_400 {
            seconds = 0
            date.days += 1
        }
        self.date = date
        self.seconds = seconds
        self.offset = offset
    }

    /// The seconds since 1970 that the clock shows, as if it were UTC.
    var clockSeconds: Int { date.days * 86_400 + seconds }

    /// Cuts `Z`, `+01:00`, `+0100` or `+01` off a time.
    private static func splitOffset(
        _ text: ArraySlice<UInt8>
    ) throws(CellProblem) -> (ArraySlice<UInt8>, Int?) {
        if let last = text.last, last == UInt8(ascii: "Z") || last == UInt8(ascii: "z") {
            return (text.dropLast().trimmed, 0)
        }
        guard let sign = text.lastIndex(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }) else {
            return (text, nil)
        }
        let digits = text[(sign + 1)...].filter { $0 != UInt8(ascii: ":") }
        guard digits.allSatisfy(\.isDigit), digits.count == 2 || digits.count == 4 else {
            throw CellProblem("its offset from UTC cannot be read; write +01:00")
        }
        let hours = digits[0].digit * 10 + digits[1].digit
        let minutes = digits.count == 4 ? digits[2].digit * 10 + digits[3].digit : 0
        guard hours <= 15, minutes < 60 else { throw CellProblem("its offset from UTC is impossible") }
        let offset = hours * 3600 + minutes * 60
        return (text[..<sign].trimmed, text[sign] == UInt8(ascii: "-") ? -offset : offset)
    }

    /// Reads a time of day in seconds, 86,400 for the day's end.
    ///
    /// `1:30`, `01:30:00`, `01:30:00.0`, `24:00`, and a spreadsheet's fraction of the day from 0 to 1.
    static func seconds(_ text: ArraySlice<UInt8>) throws(CellProblem) -> Int {
        guard !text.isEmpty else { throw CellProblem("there is no time") }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count > 1 else { return try secondsOfFraction(text) }
        guard parts.count <= 3, let hour = number(parts[0], digits: 1...2) else {
            throw CellProblem("it is not a time")
        }
        if parts.count == 2, parts[1].contains(UInt8(ascii: ".")) {
            throw CellProblem("it may mean minutes and seconds or hours and minutes; write 01:30:00")
        }
        guard let minute = number(parts[1], digits: 2...2) else { throw CellProblem("it is not a time") }
        var second = 0
        if parts.count == 3 {
            let whole = parts[2].split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
            guard let number = number(whole[0], digits: 2...2), number < 60,
                whole.count == 1 || whole[1].allSatisfy(\.isDigit)
            else { throw CellProblem("it is not a time") }
            // A fraction of a second cannot begin a half-hour; it counts as one more second, which the caller refuses.
            second = number + (whole.count == 2 && whole[1].contains { $0 != 48 } ? 1 : 0)
        }
        let seconds = hour * 3600 + minute * 60 + second
        guard minute < 60, seconds <= 86_400 else {
            throw CellProblem("there is no such time")
        }
        return seconds
    }

    private static func secondsOfFraction(_ text: ArraySlice<UInt8>) throws(CellProblem) -> Int {
        guard text.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ".") }), text.first?.isDigit == true,
            let fraction = Double(text.text), fraction >= 0, fraction <= 1
        else { throw CellProblem("it is not a time") }
        return Int((fraction * 86_400).rounded())
    }

    fileprivate static func number(_ text: ArraySlice<UInt8>, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.count) else { return nil }
        var number = 0
        for byte in text {
            guard byte.isDigit else { return nil }
            number = number * 10 + byte.digit
        }
        return number
    }
}

extension CalendarDate {
    /// Reads a date: `2012-01-03`, `3/1/2012`, `3-1-2012`, `3.1.2012`, `20120103`, `3/1/12`.
    ///
    /// - Throws: ``CellProblem`` for a date that does not exist, has no year, or is not a date.
    init(_ text: ArraySlice<UInt8>, order: DateOrder) throws(CellProblem) {
        guard !text.isEmpty else { throw CellProblem("there is no date") }
        var year: Int?
        var month: Int?
        var day: Int?
        if text.count == 8, text.allSatisfy(\.isDigit) {
            year = Timestamp.number(text.prefix(4), digits: 4...4)
            month = Timestamp.number(text.dropFirst(4).prefix(2), digits: 2...2)
            day = Timestamp.number(text.suffix(2), digits: 2...2)
        } else if let separator = text.first(where: { !$0.isDigit }), [45, 46, 47].contains(separator) {
            let parts = text.split(separator: separator, omittingEmptySubsequences: false)
            guard parts.count == 3 else { throw CellProblem("it is not a date with a year") }
            if parts[0].count == 4, separator == 45 {
                year = Timestamp.number(parts[0], digits: 4...4)
                month = Timestamp.number(parts[1], digits: 1...2)
                day = Timestamp.number(parts[2], digits: 1...2)
            } else {
                let first = Timestamp.number(parts[0], digits: 1...2)
                let second = Timestamp.number(parts[1], digits: 1...2)
                (day, month) = order == .dayFirst ? (first, second) : (second, first)
                year = Timestamp.number(parts[2], digits: 4...4)
                if year == nil, separator == 47 {
                    year = Timestamp.number(parts[2], digits: 2...2).map { 2000 + $0 }
                }
            }
        }
        guard let year, let month, let day else {
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
}
