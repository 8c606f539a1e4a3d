// DATE, DATETIME and TIMESTAMP, as the session's time zone has them; the servers' zeros too (0000-00-00, 2024-02-00).

/// A day of the calendar, as a DATE has it.
public struct SQLDate: Sendable, Hashable, Comparable, SQLDecodable, SQLEncodable, CustomStringConvertible {
    /// The year, 0 to 9999.
    public var year: Int
    /// The month, 1 to 12; 0 where the server has none.
    public var month: Int
    /// The day of the month, 1 to 31; 0 where the server has none.
    public var day: Int

    /// Creates a day.
    public init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Creates a day from a DATE, or its text, or from a DATETIME at midnight.
    public init?(cell: Cell) {
        guard let moment = SQLDateTime(cell: cell), moment == SQLDateTime(moment.date) else { return nil }
        self = moment.date
    }

    /// The text of the day; `unstorable` where a part is none of a calendar's.
    public var sqlValue: SQLValue { isPossible ? .text(description) : .unstorable("This is no day of the calendar.") }

    /// Whether the day may stand in a column: the days of each month are the server's to check.
    var isPossible: Bool { 0...9999 ~= year && 0...12 ~= month && 0...31 ~= day }

    /// The day as `2024-02-29`.
    public var description: String {
        var text = ""
        text.append(number: year, digits: 4)
        text.append("-")
        text.append(number: month, digits: 2)
        text.append("-")
        text.append(number: day, digits: 2)
        return text
    }

    /// Compares days by time.
    public static func < (left: SQLDate, right: SQLDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}

/// A day with a time, as a DATETIME has it, and a TIMESTAMP in the session's time zone.
public struct SQLDateTime: Sendable, Hashable, Comparable, SQLDecodable, SQLEncodable, CustomStringConvertible {
    /// The day.
    public var date: SQLDate
    /// The hour, 0 to 23.
    public var hour: Int
    /// The minute, 0 to 59.
    public var minute: Int
    /// The second, 0 to 59.
    public var second: Int
    /// The microseconds after the second, 0 to 999,999.
    public var microsecond: Int

    /// Creates a time of a day; midnight where nothing is said.
    public init(_ date: SQLDate, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0) {
        self.date = date
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
    }

    /// Creates a time of a day from a DATETIME, a TIMESTAMP, a DATE or the text of one.
    public init?(cell: Cell) {
        switch cell.type {
        case .date, .dateTime, .timestamp: break
        case let type where type.isText: break
        default: return nil
        }
        guard let bytes = cell.bytes else { return nil }
        var scanner = DigitScanner(bytes)
        guard let year = scanner.number(digits: 4...4), scanner.skip("-"),
            let month = scanner.number(digits: 2...2), scanner.skip("-"),
            let day = scanner.number(digits: 2...2)
        else { return nil }
        self.init(SQLDate(year: year, month: month, day: day))
        if !scanner.isAtEnd {
            guard scanner.skip(" ") || scanner.skip("T"), let hour = scanner.number(digits: 2...2), scanner.skip(":"),
                let minute = scanner.number(digits: 2...2), scanner.skip(":"),
                let second = scanner.number(digits: 2...2), let microsecond = scanner.microseconds(), scanner.isAtEnd
            else { return nil }
            (self.hour, self.minute, self.second, self.microsecond) = (hour, minute, second, microsecond)
        }
        guard isPossible else { return nil }
    }

    /// The text of the time; `unstorable` where a part is none of a calendar's or a clock's.
    public var sqlValue: SQLValue {
        isPossible ? .text(description) : .unstorable("This is no time of a day of the calendar.")
    }

    private var isPossible: Bool {
        date.isPossible && 0...23 ~= hour && 0...59 ~= minute && 0...59 ~= second && 0...999_999 ~= microsecond
    }

    /// The time as `2024-02-29 01:02:03.000000`.
    public var description: String {
        var text = date.description
        for (separator, part) in zip([" ", ":", ":"], [hour, minute, second]) {
            text.append(separator)
            text.append(number: part, digits: 2)
        }
        text.append(".")
        text.append(number: microsecond, digits: 6)
        return text
    }

    /// Compares by time.
    public static func < (left: SQLDateTime, right: SQLDateTime) -> Bool {
        (left.date, left.hour, left.minute, left.second, left.microsecond)
            < (right.date, right.hour, right.minute, right.second, right.microsecond)
    }
}

/// Reads numbers of few digits and what stands between them.
struct DigitScanner {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// Skips a character, and returns whether it was there.
    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    /// Reads a number of so many digits.
    mutating func number(digits: ClosedRange<Int>) -> Int? {
        var (number, count) = (0, 0)
        while count < digits.upperBound, let byte = rest.first, byte >= 0x30, byte <= 0x39 {
            number = number * 10 + Int(byte - 0x30)
            count += 1
            rest.removeFirst()
        }
        return count >= digits.lowerBound ? number : nil
    }

    /// Reads a fraction of 1 to 6 digits, if there is one, in millionths.
    mutating func microseconds() -> Int? {
        guard skip(".") else { return 0 }
        let before = rest.count
        guard var number = number(digits: 1...6) else { return nil }
        for _ in (before - rest.count)..<6 { number *= 10 }
        return number
    }
}

extension String {
    /// Appends a number with zeros before it.
    mutating func append(number: Int, digits: Int) {
        let text = String(number)
        append(String(repeating: "0", count: max(0, digits - text.utf8.count)))
        append(text)
    }
}
