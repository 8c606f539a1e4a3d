package import Glibc
import Headroom

/// A line of a log: words with values, as log readers take them apart (logfmt).
package enum LogLine {
    /// Writes the words that have a value.
    ///
    /// - Parameter words: The words and their values, in the order of the line.
    /// - Returns: The line, without an end.
    package static func text(_ words: [(String, String?)]) -> String {
        words.compactMap { name, value in value.map { "\(name)=\(quoted($0))" } }.joined(separator: " ")
    }

    /// A value as it is when it is plain; else in quotes, and never with the end of a line in it: clients name themselves.
    private static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C }
        if isPlain { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case _ where scalar.steers: text += "?"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// A time in UTC, to the millisecond, as RFC 3339 has it.
    ///
    /// - Parameter time: The time in seconds since 1970; `nil`, the default, is now.
    /// - Returns: The time.
    package static func time(_ time: Double? = nil) -> String {
        var now = timespec.now
        if let time {
            // A year has four digits: what lies beyond is a broken clock.
            let milliseconds = Int(clamped: (min(max(0, time), 253_402_300_799) * 1000).rounded())
            now = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        }
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = "\(number)"
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))T"
            + "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))."
            + "\(padded(now.tv_nsec / 1_000_000, 3))Z"
    }
}

extension timespec {
    /// This host's clock now.
    package static var now: timespec {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now
    }
}
