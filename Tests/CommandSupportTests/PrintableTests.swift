import CommandSupport
import Headroom
import Testing

/// What others have named cannot steer the terminal of who looks.
@Suite struct PrintableTests {
    @Test(arguments: [
        ("plain äöü 漢字 😀", "plain äöü 漢字 😀"), ("\u{1B}[2Jgone", "?[2Jgone"), ("a\r\nb\tc", "a??b?c"),
        ("bell\u{7}", "bell?"), ("\u{9B}31m", "?31m"), ("\u{7F}", "?"), ("abc\u{202E}txt.exe", #"abc\u{202e}txt.exe"#),
        ("one\u{2028}two", #"one\u{2028}two"#),
        ("\u{2066}x\u{2069}", #"\u{2066}x\u{2069}"#), ("\u{600}1", #"\u{600}1"#), ("e\u{301}", "e\u{301}"),
    ])
    func `control characters and turns of direction are taken out, letters of all scripts stay`(
        text: String,
        printed: String
    ) {
        #expect(printable(text) == printed)
    }

    @Test func `no format character is printed or put in JSON as it is, and none that nobody sees`() {
        for scalar in (0...0x10FFFF).lazy.compactMap(Unicode.Scalar.init) {
            let isSeen =
                scalar.properties.generalCategory != .format && !scalar.properties.isDefaultIgnorableCodePoint
            guard !isSeen else { continue }
            #expect(printable("a\(scalar)b") == "a\\u{\(String(scalar.value, radix: 16))}b")
            #expect(Escaping.json("\"\(scalar)\"").utf8.allSatisfy { $0 < 0x80 })
        }
    }

    @Test func `a cell of a table is a part of its line, whatever it holds`() {
        let lines = table([["version", "8.4\r\nheadroom_up 1"], ["a\u{2028}b", "\n"]], indent: "")
        #expect(lines == ["version     8.4??headroom_up 1", #"a\u{2028}b  ?"#])
    }

    @Test func `whole lines may keep their ends, and nothing else`() {
        #expect(printable("a\n\tb\u{1B}c", keeping: "\n\t") == "a\n\tb?c")
    }
}
