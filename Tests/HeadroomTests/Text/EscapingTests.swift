import CLibrary
import Foundation
import TestSupport
import Testing

@testable import Headroom

/// What goes into another language comes out of it as it was, whatever marks stand beside its signs.
///
/// Each output is taken apart by a reader of its own here, byte by byte, that knows nothing of ``Escaping``.
@Suite struct EscapingTests {
    /// Texts with marks around signs, the cases of the review among them.
    private static func texts(_ salt: UInt64) -> [String] {
        var random = Seeded(salt)
        return [
            "a\u{600}<form method=post action=delete \u{600}>.csv", "x\"\u{301},\"y\u{301}\"", "\u{600}\"",
            "\"\u{20DD}",
            "\r\n\u{301}", "a\u{200D}|\u{200D}b", "'\u{338}; rm -rf /", "$(x)\u{301}", "\u{600}\\\u{301}n", "",
        ] + (0..<2_000).map { _ in HostileText.make(&random) }
    }

    /// Puts entities back, and fails on a sign that stands bare.
    private func readHTML(_ text: String) -> String? {
        let names: [([UInt8], UInt8)] = [
            ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\""), ("&#39;", "'"),
        ]
        .map { (Array($0.0.utf8), $0.1.utf8.first ?? 0) }
        var bytes = Array(text.utf8)[...]
        var result: [UInt8] = []
        while let byte = bytes.first {
            if byte == UInt8(ascii: "&") {
                guard let name = names.first(where: { bytes.starts(with: $0.0) }) else { return nil }
                result.append(name.1)
                bytes = bytes.dropFirst(name.0.count)
            } else {
                if "<>\"'".utf8.contains(byte) { return nil }
                result.append(byte)
                bytes = bytes.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    @Test func `HTML: no tag and no end of an attribute comes out of a text`() {
        for text in Self.texts(1) {
            #expect(
                readHTML(Escaping.html(text)).map { $0.utf8.elementsEqual(text.utf8) } == true,
                "\(Array(text.utf8))"
            )
        }
    }

    /// Splits a line of RFC 4180 into cells; `nil` when it is none, or goes on behind its end.
    private func readCSV(_ line: String, _ delimiter: UInt8) -> [String]? {
        var cells: [[UInt8]] = [[]]
        var isQuoted = false
        var bytes = Array(line.utf8)[...]
        while let byte = bytes.popFirst() {
            if isQuoted {
                guard byte == UInt8(ascii: "\"") else {
                    cells[cells.count - 1].append(byte)
                    continue
                }
                if bytes.first == UInt8(ascii: "\"") {
                    cells[cells.count - 1].append(byte)
                    bytes = bytes.dropFirst()
                } else {
                    isQuoted = false
                    guard bytes.isEmpty || bytes.first == delimiter else { return nil }
                }
            } else if byte == UInt8(ascii: "\"") {
                guard cells[cells.count - 1].isEmpty else { return nil }
                isQuoted = true
            } else if byte == delimiter {
                cells.append([])
            } else if byte == 10 || byte == 13 {
                return nil
            } else {
                cells[cells.count - 1].append(byte)
            }
        }
        return isQuoted ? nil : cells.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [UInt8(ascii: ","), UInt8(ascii: ";"), 9])
    func `CSV: a cell stays one cell, and no spreadsheet runs it`(delimiter: UInt8) throws {
        for text in Self.texts(2) {
            let line = Escaping.csv(text, delimiter: delimiter) + String(UnicodeScalar(delimiter)) + "end"
            let cells = try #require(readCSV(line, delimiter), "\(Array(text.utf8))")
            #expect(cells.count == 2 && cells[1] == "end", "\(Array(text.utf8))")
            #expect(cells[0].utf8.elementsEqual(text.utf8) || cells[0].utf8.elementsEqual("'\(text)".utf8))
            let first = cells[0].utf8.drop { $0 == 32 }.first
            if let first, "=@\t\r".utf8.contains(first) { Issue.record("\(cells[0]) begins as a formula") }
        }
    }

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("+cmd|x", "'+cmd|x"), ("-2+3", "'-2+3"), ("\tx", "'\tx"),
        ("-1.5", "-1.5"), ("+44", "+44"), ("-1,5e-3", "\"-1,5e-3\""), ("-", "'-"), ("'=1", "'=1"), ("  =1", "'  =1"),
        ("=\u{301}1", "'=\u{301}1"), ("a=1", "a=1"), ("-1.5.2", "'-1.5.2"), ("-1e", "'-1e"),
    ])
    func `CSV: what begins like a formula is marked as text, and a number stays one`(cell: String, written: String) {
        #expect(Escaping.csv(cell).utf8.elementsEqual(written.utf8))
    }

    /// Reads a text with backslashes before signs; `nil` when `end` stands bare.
    private func readBackslashed(_ text: String, end: UInt8?, _ names: [UInt8: UInt8] = [:]) -> String? {
        var bytes = Array(text.utf8)[...]
        var result: [UInt8] = []
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "\\") {
                guard let next = bytes.popFirst() else { return nil }
                result.append(names[next] ?? next)
            } else {
                if byte == end || byte == 10 { return nil }
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let letters: [UInt8: UInt8] = [
        UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
    ]

    @Test func `curl: a value ends with its quote, and nothing else ends it`() {
        for text in Self.texts(3) {
            let read = readBackslashed(Escaping.curl(text), end: UInt8(ascii: "\""), Self.letters)
            let expected = text.unicodeScalars.map { $0 == "\0" ? "?" : "\($0)" }.joined()
            #expect(read.map { $0.utf8.elementsEqual(expected.utf8) } == true, "\(Array(text.utf8))")
        }
    }

    @Test func `JSON as it is sent by curl is the JSON that was written`() throws {
        for text in Self.texts(4) {
            let body = String(decoding: try JSONEncoder().encode(["message": text]), as: UTF8.self)
            let sent = try #require(readBackslashed(Escaping.curl(body), end: UInt8(ascii: "\""), Self.letters))
            let read = try JSONDecoder().decode([String: String].self, from: Data(sent.utf8))
            #expect(read["message"]?.utf8.elementsEqual(text.utf8) == true, "\(Array(text.utf8))")
        }
    }

    @Test func `Prometheus: a label ends with its quote, help with its line`() {
        for text in Self.texts(5) {
            let label = readBackslashed(
                Escaping.prometheusLabel(text),
                end: UInt8(ascii: "\""),
                [UInt8(ascii: "n"): 10]
            )
            #expect(label.map { $0.utf8.elementsEqual(text.utf8) } == true, "\(Array(text.utf8))")
            let help = readBackslashed(Escaping.prometheusHelp(text), end: nil, [UInt8(ascii: "n"): 10])
            #expect(help.map { $0.utf8.elementsEqual(text.utf8) } == true, "\(Array(text.utf8))")
        }
    }

    @Test func `headers, lines and plugin texts have one line, and no bar`() {
        for text in Self.texts(6) {
            #expect(Escaping.header(text).utf8.allSatisfy { (0x20..<0x7F).contains($0) })
            for line in [Escaping.line(text), Escaping.nagios(text)] {
                #expect(!line.unicodeScalars.contains { $0.steers && $0 != "\t" }, "\(Array(text.utf8))")
            }
            #expect(!Escaping.nagios(text).utf8.contains { $0 == UInt8(ascii: "|") || $0 < 0x20 })
        }
    }

    @Test func `events: no text ends its line or begins a field`() {
        for text in Self.texts(7) {
            let lines = Escaping.eventData(text).utf8.split { $0 == 10 || $0 == 13 }
            #expect(lines.allSatisfy { $0.starts(with: "data: ".utf8) }, "\(Array(text.utf8))")
        }
    }

    /// Reads a statement's text in quotes.
    private func readSQL(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count > 1, bytes.first == 39, bytes.last == 39 else { return nil }
        var rest = bytes[1..<(bytes.count - 1)]
        var result: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == 39 || byte == 92 { guard rest.popFirst() == byte else { return nil } }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }

    @Test func `SQL: a text ends with its quote`() {
        for text in Self.texts(8) {
            #expect(readSQL(Escaping.sql(text)).map { $0.utf8.elementsEqual(text.utf8) } == true, "\(Array(text.utf8))")
        }
    }

    @Test func `shell: a word is one word to the shell itself`() throws {
        let texts = Self.texts(9).prefix(300).map { $0.unicodeScalars.filter { $0 != "\0" }.map { "\($0)" }.joined() }
        let script = texts.map { "printf '%s\\0' \(Escaping.shell($0))\n" }.joined()
        let folder = TemporaryFolder()
        let path = folder.write(script, to: "script")
        #expect(system("/bin/sh \(path) > \(path).output") == 0)
        let words = try Data(contentsOf: URL(filePath: "\(path).output"))
            .split(separator: 0, omittingEmptySubsequences: false).dropLast()
        #expect(words.count == texts.count)
        for (text, word) in zip(texts, words) { #expect(word.elementsEqual(text.utf8), "\(Array(text.utf8))") }
    }

    /// Reads a word in double quotes as systemd.service(5) has it.
    private func readSystemd(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.first == 34 else {
            return bytes.contains { "\"'\\$% \t\n\r;".utf8.contains($0) } || bytes.isEmpty ? nil : text
        }
        guard bytes.count > 1, bytes.last == 34 else { return nil }
        var rest = bytes[1..<(bytes.count - 1)]
        var result: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return nil }
                result.append(Self.letters[next] ?? next)
            case UInt8(ascii: "$"), UInt8(ascii: "%"):
                guard rest.popFirst() == byte else { return nil }
                result.append(byte)
            case 34, 10: return nil
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    @Test func `systemd: a word is one word, in which nothing is looked up`() {
        for text in Self.texts(10) {
            #expect(
                readSystemd(Escaping.systemd(text)).map { $0.utf8.elementsEqual(text.utf8) } == true,
                "\(Array(text.utf8))"
            )
        }
    }
}
