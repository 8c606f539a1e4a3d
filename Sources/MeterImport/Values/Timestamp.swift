import Headroom

/// Which number comes first in dates such as `05/11/2025`.
public enum DateOrder: String, Sendable, Hashable, CaseIterable, Codable {
    /// The day, as in Britain and most of the world.
    case dayFirst = "dmy"
    /// The month, as in the United States.
    case monthFirst = "mdy"
    /// The year, where it has two digits, such as `25/11/05`; with four digits it is known anyway.
    case yearFirst = "ymd"
}

/// A date as a file writes it: a day, or numbers of which it must be known which is the day's.
enum DateText: Equatable {
    case day(CalendarDate)
    /// The third has four digits, and is the year, or two: then the first may be the year too.
    case numbers(first: Int, second: Int, third: Int)

    /// The day.
    ///
    /// - Throws: ``CellProblem`` when the calendar has no such day.
    func day(_ order: DateOrder) throws(CellProblem) -> CalendarDate {
        guard case .numbers(let first, let second, _) = self else {
            guard case .day(let date) = self else { throw CellProblem("there is no such date") }
            return date
        }
        guard let date = date(order) else {
            if order == .dayFirst, second > 12, first <= 12 {
                throw CellProblem(
                    "there is no such date; if the month comes first, say so when the file is queued (--date-order mdy)"
                )
            }
            throw CellProblem("there is no such date")
        }
        return date
    }

    /// The orders in which it may be read.
    var orders: [DateOrder] {
        if case .numbers(_, _, let third) = self, third < 100 { DateOrder.allCases } else { [.dayFirst, .monthFirst] }
    }

    /// The day, or `nil` when the calendar has no such day.
    func date(_ order: DateOrder) -> CalendarDate? {
        switch (self, order) {
        case (.day(let date), _): date
        case (.numbers(let first, let second, let third), .dayFirst):
            CalendarDate(year: Self.year(third), month: second, day: first)
        case (.numbers(let first, let second, let third), .monthFirst):
            CalendarDate(year: Self.year(third), month: first, day: second)
        case (.numbers(let first, let second, let third), .yearFirst):
            third < 100 ? CalendarDate(year: Self.year(first), month: second, day: third) : nil
        }
    }

    private static func year(_ number: Int) -> Int { number < 100 ? 2000 + number : number }

    private static let unreadable = CellProblem("it is not a date that can be read; write 2012-01-31 or 31/01/2012")

    /// Reads the date with which a text begins.
    ///
    /// `2012-01-03`, `2012/01/03`, `3/1/2012`, `3-1-2012`, `3.1.12`, `20120103`, `3 Jan 2012`, `03-Jan-12`, `Jan 3 2012`, and a
    /// spreadsheet's number of a day, such as `40911`.
    ///
    /// - Returns: The date, and what follows it.
    /// - Throws: ``CellProblem`` when there is none.
    static func read(_ text: Bytes) throws(CellProblem) -> (date: DateText, rest: Bytes) {
        guard !text.isEmpty else { throw CellProblem("there is no date") }
        var rest = text
        if !text[0].isDigit {
            var word = rest.letters
            if word.count >= 3, weekdays.contains(where: { word.prefix(3).isWord($0) }) {
                rest = rest.dropFirst(word.count).skipping([32, UInt8(ascii: ","), UInt8(ascii: ".")])
                word = rest.letters
            }
            if !word.isEmpty {
                guard let month = month(word) else { throw unreadable }
                rest = rest.dropFirst(word.count)
                    .skipping([32, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/")])
                guard let day = rest.prefix(rest.digitCount).number(digits: 1...2) else { throw unreadable }
                rest = rest.dropFirst(rest.digitCount)
                    .skipping([32, UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "/")])
                guard let year = rest.prefix(rest.digitCount).number(digits: 4...4) else {
                    throw CellProblem("it is not a date with a year")
                }
                return (try named(year, month, day), rest.dropFirst(4))
            }
        }
        let count = rest.digitCount
        if count == 8, let number = rest.prefix(8).number(digits: 8...8) {
            if (1900...2199).contains(number / 10_000) {
                return (try named(number / 10_000, number / 100 % 100, number % 100), rest.dropFirst(8))
            }
            let parts = (number / 1_000_000, number / 10_000 % 100, number % 10_000)
            guard (1900...2199).contains(parts.2) else { throw CellProblem("there is no such date") }
            return (.numbers(first: parts.0, second: parts.1, third: parts.2), rest.dropFirst(8))
        }
        if count == 6, rest.count == 6 || rest[6] == 32 || rest[6] | 32 == UInt8(ascii: "t"),
            let number = rest.prefix(6).number(digits: 6...6)
        {
            return (
                .numbers(first: number / 10_000, second: number / 100 % 100, third: number % 100), rest.dropFirst(6)
            )
        }
        if count == 5, rest.count == 5, let number = rest.number(digits: 5...5), (20_000...80_000).contains(number) {
            return (.day(CalendarDate(days: number - Self.spreadsheetEpoch)), rest.dropFirst(5))
        }
        guard count < rest.count, count == 4 || count == 1 || count == 2 else { throw unreadable }
        let separator = rest[count]
        guard [UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "."), 32].contains(separator) || separator.isLetter
        else { throw unreadable }
        guard let first = rest.prefix(count).number(digits: 1...4) else { throw unreadable }
        rest = rest.dropFirst(count + (separator.isLetter ? 0 : 1))
        let word = rest.letters
        let second: Int
        if word.isEmpty {
            guard let number = rest.prefix(rest.digitCount).number(digits: 1...2) else { throw unreadable }
            second = number
            rest = rest.dropFirst(rest.digitCount)
        } else {
            guard let month = month(word) else { throw unreadable }
            second = month
            rest = rest.dropFirst(word.count)
        }
        guard let next = rest.first, next == separator || !word.isEmpty else {
            throw CellProblem("it is not a date with a year")
        }
        if !next.isDigit { rest = rest.skipping([32, separator, UInt8(ascii: ","), UInt8(ascii: "-")]) }
        let lastCount = rest.digitCount
        guard let last = rest.prefix(lastCount).number(digits: 1...4) else {
            throw CellProblem("it is not a date with a year")
        }
        rest = rest.dropFirst(lastCount)
        if count == 4 {
            guard lastCount <= 2 else { throw unreadable }
            return (try named(first, second, last), rest)
        }
        guard lastCount == 4 || lastCount == 2 else { throw unreadable }
        guard word.isEmpty else { return (try named(year(last), second, first), rest) }
        guard lastCount == 2 || last >= 100 else { throw CellProblem("there is no such date") }
        return (.numbers(first: first, second: second, third: last), rest)
    }

    /// The days from a spreadsheet's day 0 to 1970.
    static let spreadsheetEpoch = 25_569

    private static func named(_ year: Int, _ month: Int, _ day: Int) throws(CellProblem) -> DateText {
        guard let date = CalendarDate(year: year, month: month, day: day) else {
            throw CellProblem("there is no such date")
        }
        return .day(date)
    }

    private static let weekdays: [StaticString] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    private static let months: [(short: StaticString, long: StaticString)] = [
        ("jan", "january"), ("feb", "february"), ("mar", "march"), ("apr", "april"), ("may", "may"), ("jun", "june"),
        ("jul", "july"), ("aug", "august"), ("sep", "september"), ("oct", "october"), ("nov", "november"),
        ("dec", "december"),
    ]

    static func month(_ word: Bytes) -> Int? {
        months.firstIndex { word.isWord($0.short) || word.isWord($0.long) || $0.short == "sep" && word.isWord("sept") }
            .map { $0 + 1 }
    }
}

extension StaticString {
    fileprivate static func == (left: StaticString, right: StaticString) -> Bool { left.utf8Start == right.utf8Start }
}

/// The columns of a date's year, month and day, where each has one.
struct DateParts: Codable, Hashable, Sendable {
    var year: Int
    var month: Int
    var day: Int

    /// Reads the date of a row.
    func date(_ record: CSVRecord) throws(CellProblem) -> DateText {
        let word = record[month]
        guard let year = record[year].number(digits: 1...4), let day = record[day].number(digits: 1...2),
            let month = word.number(digits: 1...2) ?? DateText.month(word)
        else { throw CellProblem("it is not a date with a year") }
        guard let date = CalendarDate(year: year < 100 ? 2000 + year : year, month: month, day: day) else {
            throw CellProblem("there is no such date")
        }
        return .day(date)
    }
}

/// A date and a time as a file gives them, before it is known which number is the day's.
struct Stamp: Equatable {
    var date: DateText
    var time: Clock

    /// Seconds since midnight, to 86,400 for the day's end.
    var seconds: Int { time.seconds }
    /// Seconds east of UTC, when the file says so.
    var offset: Int? { time.offset }

    /// Reads a cell with both date and time, such as `2012-01-03 00:30:00`, `3/1/2012 0:30` or RFC 3339.
    init(_ text: Bytes) throws(CellProblem) {
        guard !text.isEmpty else { throw CellProblem("there is no date and time") }
        let count = text.digitCount
        if count == text.count, let stamp = try Self.digits(text) {
            self = stamp
            return
        }
        if count == 5, text.count > 5, text[5] == UInt8(ascii: "."), let day = text.prefix(5).number(digits: 5...5),
            (20_000...80_000).contains(day)
        {
            // A spreadsheet's number: the day, and the time as a fraction of it.
            let seconds = try Clock.secondsOfFraction(text.dropFirst(5), whole: 0)
            date = .day(CalendarDate(days: day - DateText.spreadsheetEpoch))
            time = Clock(seconds: seconds)
            return
        }
        let (day, rest) = try DateText.read(text)
        let clock = rest.skipping([32, UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: ","), UInt8(ascii: "_")])
        guard !clock.isEmpty else {
            // Reads the date for the better message: "impossible date" rather than "no time".
            _ = try day.day(.dayFirst)
            throw CellProblem("it has no time")
        }
        guard clock.count < rest.count || rest.first == UInt8(ascii: ":") else {
            throw CellProblem("it is not a date and a time")
        }
        (date, time) = (day, try Clock(clock))
    }

    /// Reads a date and a time from two cells.
    init(date dateText: Bytes, time timeText: Bytes) throws(CellProblem) {
        (date, time) = (try DateText.whole(dateText), try Clock(timeText))
    }

    /// Reads `201908260030`, `20190826003000` and seconds since 1970.
    private static func digits(_ text: Bytes) throws(CellProblem) -> Stamp? {
        if text.count == 10 || text.count == 13, let number = text.prefix(10).number(digits: 10...10) {
            // Ten digits may also be a date and an hour.
            let (month, day, hour) = (number / 10_000 % 100, number / 100 % 100, number % 100)
            let mayBeDate =
                (1990...2100).contains(number / 1_000_000) && (1...12).contains(month)
                && (1...31).contains(day) && hour <= 24 && text.count == 10
            guard !mayBeDate, (946_684_800...4_102_444_800).contains(number) else {
                throw CellProblem("it may mean a date and an hour, or seconds since 1970")
            }
            return Stamp(day: number / 86_400, seconds: number % 86_400, offset: 0)
        }
        guard text.count == 12 || text.count == 14, let number = text.prefix(8).number(digits: 8...8),
            let hour = text.dropFirst(8).prefix(2).number(digits: 2...2),
            let minute = text.dropFirst(10).prefix(2).number(digits: 2...2),
            let date = CalendarDate(year: number / 10_000, month: number / 100 % 100, day: number % 100)
        else { return nil }
        let second = text.count == 14 ? text.dropFirst(12).number(digits: 2...2) ?? 60 : 0
        let seconds = hour * 3600 + minute * 60 + second
        guard minute < 60, second < 60, seconds <= 86_400 else { throw CellProblem("there is no such time") }
        return Stamp(day: date.days, seconds: seconds, offset: nil)
    }

    private init(day: Int, seconds: Int, offset: Int?) {
        date = .day(CalendarDate(days: day))
        time = Clock(seconds: seconds, offset: offset)
    }
}

extension DateText {
    /// Reads a cell that holds a date and nothing else, or a date at midnight.
    static func whole(_ text: Bytes) throws(CellProblem) -> DateText {
        let count = text.digitCount
        if count == 5, text.count > 5, text[5] == UInt8(ascii: ".") {
            guard text.dropFirst(6).buffer.allSatisfy({ $0 == 48 }) else { throw CellProblem("it is more than a date") }
            return try whole(text.prefix(5))
        }
        let (date, rest) = try read(text)
        guard !rest.isEmpty else { return date }
        let time = rest.skipping([32, UInt8(ascii: "T"), UInt8(ascii: "t")])
        guard !time.isEmpty, time.count < rest.count, let clock = try? Clock(time), clock.seconds == 0,
            clock.offset == nil
        else {
            throw CellProblem("it is more than a date")
        }
        return date
    }
}

/// A time of day as a file gives it.
struct Clock: Equatable {
    /// Seconds since midnight, to 86,400 for the day's end.
    var seconds = 0
    /// Seconds east of UTC, when the file says so.
    var offset: Int?
    /// How it is written, where it can be read in more than one way.
    var form = Form()

    /// What the whole file must be seen for to know how a time is meant.
    struct Form: Equatable {
        /// The seconds from a range's start to its end, such as of `00:00 - 00:30`; a second or a minute less counts as whole.
        var range: Int?
        /// What is behind the dash of `04:00-04:30` as an offset from UTC.
        var offset: Int?
        /// Whether it is the last second of a quarter of an hour, such as `00:29:59`.
        var isLastSecond = false
    }

    /// Reads `1:30`, `01:30:00`, `1:30 AM`, `24:00`, `0130`, a spreadsheet's fraction of the day from 0 to 1, and a range; behind
    /// it an offset from UTC or `GMT`, `UTC`, `BST`.
    init(_ text: Bytes) throws(CellProblem) {
        guard !text.isEmpty else { throw CellProblem("there is no time") }
        if let (start, end, isPlainDash) = Self.range(text) {
            let (from, to) = (try Clock(start), try Clock(end))
            // To the minute or the second before the next begins.
            let length = ((to.seconds - from.seconds + 86_400) % 86_400 + 60) / 900 * 900
            if [900, 1800, 3600].contains(length), from.offset == nil, to.offset == nil {
                seconds = from.seconds % 900 == 60 ? from.seconds - 60 : from.seconds
                form.range = length
                if isPlainDash { form.offset = (try? Self.splitOffset(text))?.1 }
                return
            }
            guard isPlainDash, (try? Self.splitOffset(text))?.1 != nil else {
                throw CellProblem("it is not a quarter of an hour, a half-hour or an hour")
            }
        }
        var clock = text
        var half: Int?
        if let last = text.last, last.isLetter {
            var start = text.count
            while start > 0, text[start - 1].isLetter || text[start - 1] == UInt8(ascii: "/") { start -= 1 }
            let word = text.dropFirst(start)
            clock = text.prefix(start).trimmed
            if word.isWord("z") || word.isWord("gmt") || word.isWord("utc") {
                offset = 0
            } else if word.isWord("bst") {
                offset = 3600
            } else if word.isWord("am") || word.isWord("pm") {
                half = word.isWord("pm") ? 12 : 0
            } else if !word.isWord("europe/london") {
                throw CellProblem("it is not a time")
            }
        } else {
            (clock, offset) = try Self.splitOffset(text)
        }
        seconds = try Self.seconds(clock)
        if let half {
            // Also `13:30 PM` and `00:30 AM`, as some write a clock of 24 hours.
            let hour = seconds / 3600
            guard hour < 24, half == 12 || hour <= 12 else { throw CellProblem("there is no such time") }
            if half == 12, hour < 12 { seconds += 12 * 3600 }
            if half == 0, hour == 12 { seconds -= 12 * 3600 }
        }
        form.isLastSecond = (seconds + 1) % 900 == 0
    }

    init(seconds: Int, offset: Int? = nil) {
        (self.seconds, self.offset) = (seconds, offset)
        form.isLastSecond = (seconds + 1) % 900 == 0
    }

    /// The two times of `00:00 - 00:30`, `00:00-00:30`, `00:00 to 00:30` or `0000-0030`, and whether nothing but a dash is between
    /// them, behind which an offset from UTC may stand as well.
    private static func range(_ text: Bytes) -> (start: Bytes, end: Bytes, isPlainDash: Bool)? {
        guard text.count >= 9 else { return nil }
        var place = 4
        while place < text.count - 4 {
            let byte = text[place]
            var length = 0
            if byte == UInt8(ascii: "-") {
                length = 1
            } else if byte == 0xE2, text[place + 1] == 0x80, text[place + 2] == 0x93 || text[place + 2] == 0x94 {
                // A longer dash, as word processors set it.
                length = 3
            } else if byte == 32, text.dropFirst(place + 1).prefix(3).isWord("to ") {
                length = 4
            }
            if length > 0 {
                let (start, end) = (text.prefix(place), text.dropFirst(place + length))
                guard start.first?.isDigit == true, end.trimmed.first?.isDigit == true else { return nil }
                // `00:00:00-05:00` has seconds on one side: an offset.
                let isSame = start.trimmed.count == end.trimmed.count || length > 1
                let isPlain = length == 1 && start.trimmed.count == start.count && end.trimmed.count == end.count
                guard isSame || !isPlain else { return nil }
                return (start.trimmed, end.trimmed, isPlain && start.count <= 5)
            }
            place += 1
        }
        return nil
    }

    /// Cuts `+01:00`, `+0100` or `+01` off a time.
    private static func splitOffset(_ text: Bytes) throws(CellProblem) -> (Bytes, Int?) {
        var sign = text.count - 1
        while sign >= 0, text[sign] != UInt8(ascii: "+"), text[sign] != UInt8(ascii: "-") { sign -= 1 }
        guard sign > 0 else { return (text, nil) }
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
    private static func seconds(_ text: Bytes) throws(CellProblem) -> Int {
        guard !text.isEmpty else { throw CellProblem("there is no time") }
        let hourCount = text.digitCount
        guard hourCount < text.count, text[hourCount] == UInt8(ascii: ":") else {
            if hourCount == 4, text.count == 4, let number = text.number(digits: 4...4) {
                guard number % 100 < 60, number <= 2400 else { throw CellProblem("there is no such time") }
                return number / 100 * 3600 + number % 100 * 60
            }
            guard hourCount > 0, hourCount <= 2, let whole = text.prefix(hourCount).number(digits: 1...2) else {
                throw CellProblem("it is not a time")
            }
            return try secondsOfFraction(text.dropFirst(hourCount), whole: whole)
        }
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

    /// Reads the fraction of a day behind a whole number.
    static func secondsOfFraction(_ text: Bytes, whole: Int) throws(CellProblem) -> Int {
        let fraction = text.dropFirst()
        guard text.isEmpty || text[0] == UInt8(ascii: "."), fraction.digitCount == fraction.count else {
            throw CellProblem("it is not a time")
        }
        // Fifteen decimals of a day are less than a nanosecond.
        var value = 0.0
        var scale = 1.0
        for byte in fraction.prefix(15).buffer {
            value = value * 10 + Double(byte.digit)
            scale *= 10
        }
        let days = Double(whole) + value / scale
        guard days <= 1 else { throw CellProblem("it is not a time") }
        // As a spreadsheet shows it: to the second, and to the minute where it is a second off.
        let seconds = Int(clamped: (days * 86_400).rounded())
        return (seconds + 1) % 60 <= 2 ? (seconds + 1) / 60 * 60 : seconds
    }
}

extension Bytes {
    /// The letters with which the bytes begin.
    var letters: Bytes {
        var index = 0
        while index < count, start[index].isLetter { index += 1 }
        return prefix(index)
    }

    /// The bytes without those at the beginning that are among these.
    func skipping(_ bytes: [UInt8]) -> Bytes {
        var index = 0
        while index < count, bytes.contains(start[index]) { index += 1 }
        return dropFirst(index)
    }
}

extension UInt8 {
    /// Whether the byte is a letter of ASCII.
    var isLetter: Bool { self | 32 >= 97 && self | 32 <= 122 }
}
