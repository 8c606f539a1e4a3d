import Testing

@testable import CommandSupport

/// A line without the terminal's help is edited as with it.
@Suite struct TypedLineTests {
    @Test(arguments: [
        ("ab\r", "ab"), ("a\u{7F}b\n", "b"), ("\u{7F}\u{8}x\r", "x"), ("ö\u{7F}e\r", "e"), ("bad\u{15}good\r", "good"),
        ("\r", ""), (" a b \r", " a b "),
    ])
    func `it holds what was typed and not taken back`(keys: String, line: String) {
        var typed = TypedLine()
        let steps = keys.utf8.map { typed.take($0) }
        #expect(steps.last == .complete)
        #expect(String(decoding: typed.bytes, as: UTF8.self) == line)
    }

    @Test(arguments: [3, 4, 28] as [UInt8])
    func `Ctrl-C, Ctrl-D and Ctrl-backslash give up`(key: UInt8) {
        var typed = TypedLine()
        #expect(typed.take(UInt8(ascii: "a")) == .goesOn)
        #expect(typed.take(key) == .givenUp)
    }
}
