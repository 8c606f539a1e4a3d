public import Headroom

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Date: SQLDecodable, SQLEncodable {
    /// Creates a moment from a DATETIME or TIMESTAMP in UTC, or midnight of a DATE; `nil` for the servers' zeros.
    ///
    /// The server gives a TIMESTAMP in the session's time zone: `SET time_zone = '+00:00'` makes that UTC.
    public init?(cell: Cell) {
        guard let time = SQLDateTime(cell: cell), let days = Self.days(time.date) else { return nil }
        let seconds = ((days * 24 + time.hour) * 60 + time.minute) * 60 + time.second
        self.init(timeIntervalSince1970: Double(seconds) + Double(time.microsecond) / 1_000_000)
    }

    /// The moment in UTC, to the nearest microsecond; `unstorable` outside the years 0 to 9999.
    public var sqlValue: SQLValue {
        let microseconds = (timeIntervalSince1970 * 1_000_000).rounded()
        guard microseconds >= -62_167_219_200_000_000, microseconds < 253_402_300_800_000_000 else {
            return .unstorable("A date must be in the years 0 to 9999.")
        }
        let (days, ofDay) = Self.divide(Int(microseconds), by: 86_400_000_000)
        let seconds = ofDay / 1_000_000
        return SQLDateTime(
            Self.date(days),
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            microsecond: ofDay % 1_000_000
        )
        .sqlValue
    }

    /// The days from 1970-01-01 to a day; `nil` where there is no such day.
    private static func days(_ date: SQLDate) -> Int? {
        let isLeap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard 1...12 ~= date.month, 1...lengths[date.month - 1] ~= date.day else { return nil }
        // Years that begin in March end with the leap day.
        let year = date.month > 2 ? date.year : date.year - 1
        let (era, ofEra) = divide(year, by: 400)
        let ofYear = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    /// The day that lies so many days after 1970-01-01.
    private static func date(_ days: Int) -> SQLDate {
        let (era, ofEra) = divide(days + 719_468, by: 146_097)
        let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        return SQLDate(
            year: era * 400 + year + (month < 10 ? 0 : 1),
            month: month < 10 ? month + 3 : month - 9,
            day: ofYear - (153 * month + 2) / 5 + 1
        )
    }

    /// Divides downwards, so that what is left is never negative.
    private static func divide(_ number: Int, by divisor: Int) -> (Int, Int) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
