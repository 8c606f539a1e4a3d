import TestSupport
import Testing

@testable import Headroom

/// Text is taken apart at the bytes that are asked for, whatever stands beside them.
@Suite struct ScalarTextTests {
    @Test func `a sign is found beside every mark`() {
        for mark in HostileText.marks where mark != ":" {
            for text in ["a\(mark):b", "a:\(mark)b", "\(mark):\(mark)"] {
                #expect(text.pieces(separator: ":", omittingEmptySubsequences: false).count == 2)
                #expect(text.holds(":") && text.place(of: ":") != nil)
                #expect(text.replaced(":", with: "=").utf8.contains(UInt8(ascii: "=")))
                #expect(!text.replaced(":", with: "=").utf8.contains(UInt8(ascii: ":")))
            }
            #expect(":\(mark)x".begins(with: ":") && "x\(mark):".ends(with: ":"))
            #expect(":\(mark)x".after(":")?.unicodeScalars.first == mark)
        }
    }

    @Test func `every end of a line ends one, and what is the same to a reader is not the same bytes`() {
        #expect("a\r\nb\rc\n\u{301}d".pieces(where: \.endsLine).map(String.init) == ["a", "b", "c", "\u{301}d"])
        #expect(!"\u{212A}ey".begins(with: "Key") && !"a\u{37E}".ends(with: ";"))
        #expect(" \t a\u{301} b \r\n".trimmed == "a\u{301} b")
        #expect("12a".leading(\.isDigit) == "12" && "\u{663}".leading(\.isDigit).isEmpty)
    }

    @Test func `arithmetic with numbers from outside ends at a bound`() {
        #expect(Int64.min.subtracting(clamped: 1) == .min && Int64.max.subtracting(clamped: -1) == .max)
        #expect(Int64.max.adding(clamped: 1) == .max && Int64.min.adding(clamped: -1) == .min)
        #expect(Int.min.asCount == 0 && Int.max.asCount * 100 > 0)
        #expect(
            [Double.nan, .infinity, -.infinity, 1e300, 2.9, -2.9].map(Int.init(clamped:)) == [
                0, .max, .min, .max, 2, -2,
            ]
        )
        #expect(Duration.seconds(Int64.max).microseconds == .max && Duration.seconds(clamped: .nan) == .zero)
        #expect(Duration.seconds(clamped: .infinity).microseconds == .max)
        #expect(JSONBounds.holds(#"{"a":[1,-2.5e3],"9e999":"1e999\"","b":null}"#))
        #expect(!JSONBounds.holds(#"{"a":9223372036854775807}"#) && !JSONBounds.holds("[-1e17]"))
        #expect(JSONBounds.holds("[-1e17]", numbers: false))
        let open = String(repeating: "[", count: JSONBounds.mostDepth)
        #expect(JSONBounds.holds(open) && JSONBounds.holds("\(open)\"{[\""))
        #expect(!JSONBounds.holds("\(open){", numbers: false))
    }
}
