import Testing

@testable import MeterImport

/// Records come out the same, whatever the pieces in which the bytes come.
@Suite struct CSVTests {
    /// The fields of all records, fed in pieces of a size.
    private func parse(_ text: String, pieces: Int = 1 << 20) -> [[String]] {
        var parser = CSVParser(delimiter: Delimiter.sniff(text.utf8))
        var record = CSVRecord()
        var bytes = Array(text.utf8)[...]
        var records: [[String]] = []
        while true {
            switch parser.next(into: &record) {
            case .record: records.append(record.fields.map { record.bytes[$0].text })
            case .needsMore:
                parser.feed(bytes.prefix(pieces))
                bytes = bytes.dropFirst(pieces)
            case .end: return records
            case .tooLong(let line): return records + [["too long at \(line)"]]
            }
        }
    }

    @Test(arguments: [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
        ("a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
        ("\u{FEFF}a;b\n1;2\n", [["a", "b"], ["1", "2"]]),
        ("a\tb\n1\t\n", [["a", "b"], ["1", ""]]),
        ("a|b\n\n\n1|2\n\n", [["a", "b"], ["1", "2"]]),
        ("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", [["a", "b"], ["x,y", "say \"hi\""]]),
        ("a,b\n\"two\nlines\",2\n3,4\n", [["a", "b"], ["two\nlines", "2"], ["3", "4"]]),
        ("a,b\n5\" pipe,2\n", [["a", "b"], ["5\" pipe", "2"]]),
        ("a,b\n\"\",\"\"\n", [["a", "b"], ["", ""]]),
        ("a,b\n,\n", [["a", "b"], ["", ""]]),
        ("", []),
    ])
    func `a file is cut into its fields`(text: String, records: [[String]]) {
        for pieces in [1, 2, 3, 7, 1000] { #expect(parse(text, pieces: pieces) == records, "in pieces of \(pieces)") }
    }

    @Test func `random fields come back as they were written`() {
        var random = SystemRandomNumberGenerator()
        let characters = Array("ab,;\"\n\r\t é")
        for _ in 0..<300 {
            let width = Int.random(in: 2...5, using: &random)
            let records = (0..<Int.random(in: 1...8, using: &random))
                .map { _ in
                    (0..<width)
                        .map { _ in
                            String(
                                (0..<Int.random(in: 0...6, using: &random))
                                    .map { _ in characters.randomElement(using: &random) ?? "a" }
                            )
                        }
                }
            // A header without anything special decides on the delimiter.
            let header = (0..<width).map { "h\($0)" }
            let text = ([header] + records)
                .map { record in
                    record.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",")
                }
                .joined(separator: "\r\n")
            #expect(parse(text, pieces: Int.random(in: 1...9, using: &random)) == [header] + records)
        }
    }

    @Test func `a record knows its line and the parser its place in the file`() {
        let text = "a,b\n\"x\ny\",1\n\nz,2\n"
        var parser = CSVParser()
        var record = CSVRecord()
        parser.feed(Array(text.utf8))
        var seen: [(line: Int, offset: Int)] = []
        while parser.next(into: &record) == .record { seen.append((record.line, parser.offset)) }
        #expect(seen.map(\.line) == [1, 2, 5])
        #expect(seen.map(\.offset) == [4, 12, 17])
    }

    @Test func `reading can begin again at a record's end`() {
        let text = "a,b\n1,2\n3,4\n"
        var parser = CSVParser(offset: 8, line: 3)
        var record = CSVRecord()
        parser.feed(Array(text.utf8)[8...])
        #expect(parser.next(into: &record) == .record)
        #expect(record[0].text == "3")
        #expect(record.line == 3)
        #expect(parser.offset == 12)
    }

    @Test func `a quote that is not closed does not take in the whole file`() {
        let text = "a,b\n1,2\n\"open,3\n" + String(repeating: "5,6\n", count: 400_000)
        #expect(parse(text, pieces: 100_000).last == ["too long at 3"])
    }

    @Test(arguments: [("a,b", ","), ("a;b;c,d", ";"), ("a\tb", "\t"), ("a|b", "|"), ("one", ","), ("\"a;b;c\",d", ",")])
    func `the delimiter is the one that the header has most of`(header: String, delimiter: String) {
        #expect(Delimiter.sniff(header.utf8) == delimiter.utf8.first)
    }
}
