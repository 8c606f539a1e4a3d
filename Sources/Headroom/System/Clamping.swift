/// Numbers from outside: a file, a row, an answer or a flag may name any, and arithmetic with them ends at a bound, never the
/// process.
extension FixedWidthInteger {
    /// The sum, or the bound of the type that it would pass.
    package func adding(clamped other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the bound of the type that it would pass.
    package func subtracting(clamped other: Self) -> Self {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}

extension Int {
    /// The most that a count of anything is believed to be; a hundred times it is still a number.
    package static let mostCounted = 10_000_000_000_000_000

    /// The number as a count: not below 0, and not above ``mostCounted``.
    package var asCount: Int { Swift.min(Swift.max(0, self), Self.mostCounted) }

    /// The whole number next to zero, or the bound that it would pass; 0 for what is no number.
    package init(clamped number: Double) {
        if let exact = Int(exactly: number.rounded(.towardZero)) {
            self = exact
        } else {
            self = number.isNaN ? 0 : number < 0 ? .min : .max
        }
    }
}

extension Duration {
    /// A duration of seconds that may be no number or any; at most 10^15 s either way.
    package static func seconds(clamped seconds: Double) -> Duration {
        .seconds(seconds.isNaN ? 0 : Swift.min(Swift.max(-1e15, seconds), 1e15))
    }

    /// The duration for a person: in seconds, minutes, hours with their minutes, or days.
    package var inWords: String {
        let seconds = Swift.max(0, Int(components.seconds))
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7_200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3_600) h" + (seconds % 3_600 < 60 ? "" : " \(seconds % 3_600 / 60) min")
        default: return "\(seconds / 86_400) days"
        }
    }

    /// The duration in whole microseconds, at most what an Int64 holds.
    package var microseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product.adding(clamped: attoseconds / 1_000_000_000_000)
    }
}

/// JSON that was kept in a file or a row, before it is read.
package enum JSONBounds {
    /// Values lie in one another no more deeply in anything that Headroom or a host's page writes.
    package static let mostDepth = 32

    /// Whether it can be read without harm: no more than ``mostDepth`` arrays and objects are open at once, and every number is
    /// one that arithmetic may be done with, below ``Swift/Int/mostCounted`` either way.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - numbers: Whether the numbers count.
    /// - Returns: Whether it can.
    package static func holds(_ text: String, numbers: Bool = true) -> Bool {
        var depth = 0
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                while let next = rest.popFirst(), next != UInt8(ascii: "\"") {
                    if next == UInt8(ascii: "\\") { rest = rest.dropFirst() }
                }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= mostDepth else { return false }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "0")...UInt8(ascii: "9") where numbers:
                let more = rest.prefix { byte in
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
                }
                rest = rest[more.endIndex...]
                let digits = "\(UnicodeScalar(byte))\(Substring(more))"
                guard let number = Double(digits), number <= Double(Int.mostCounted) else { return false }
            default: break
            }
        }
        return true
    }
}

extension Duration {
    /// The duration in whole nanoseconds, at most what an Int64 holds.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product.adding(clamped: attoseconds / 1_000_000_000)
    }
}

extension ContinuousClock.Instant {
    /// The moment after a time that comes from outside: now when it is negative, and a hundred years from now at most.
    static func after(_ time: Duration) -> Self {
        .now + min(max(time, .zero), .seconds(3_200_000_000))
    }
}
