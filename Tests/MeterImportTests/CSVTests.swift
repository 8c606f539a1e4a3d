import Testing

@testable import MeterImport

/// Records come out the same, whatever the pieces in which the bytes come.
@Suite struct CSVTests {
    /// The fields of all records, fed in pieces of a size; a record with a flaw is one field that says so.
    private func parse(_ text: String, pieces: Int = 1 << 20) -> [[String]] {
        var records: [[String]] = []
        scan(Array(text.utf8), pieces: pieces) { record, _ in
            switch record.flaw {
            case .brokenQuote: records.append(["broken quote at \(record.line): \(record.text)"])
            case .tooLong: records.append(["too long at \(record.line)"])
            case nil: records.append((0..<record.count).map { record.fields[$0].text })
            }
        }
        return records
    }

    /// Scans bytes in pieces of a size; hands on each record with the place behind it.
    private func scan(_ bytes: [UInt8], pieces: Int = 1 << 20, _ body: (CSVRecord, Int) -> Void) {
        var scanner = CSVScanner(delimiter: Delimiter.sniff(bytes))
        var rest = bytes[...]
        while true {
            switch scanner.next() {
            case .record(let record): body(record, scanner.offset)
            case .needsMore:
                scanner.feed { room in
                    let piece = rest.prefix(min(pieces, room.count))
                    room.copyBytes(from: piece)
                    rest = rest.dropFirst(piece.count)
                    return piece.count
                }
            case .end: return
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

    @Test func `a record knows its line and the scanner its place in the file`() {
        var lines: [Int] = []
        var offsets: [Int] = []
        scan(Array("a,b\n\"x\ny\",1\n\nz,2\n".utf8)) { record, offset in
            lines.append(record.line)
            offsets.append(offset)
        }
        #expect(lines == [1, 2, 5])
        #expect(offsets == [4, 12, 17])
    }

    @Test(arguments: [
        ("a,b\n1,\"open\n2,x\n3,\"y\"\n", [["a", "b"], ["broken quote at 2: 1,\"open"], ["2", "x"], ["3", "y"]]),
        (
            "a,b\n1,\"two\nlines\",\"open\n2,x\n",
            [["a", "b"], ["broken quote at 2: 1,\"two\nlines\",\"open"], ["2", "x"]]
        ),
        ("a,b\n1,\"a\" b\r\n2,x\r\n", [["a", "b"], ["broken quote at 2: 1,\"a\" b"], ["2", "x"]]),
        ("a,b\n1,\"open", [["a", "b"], ["broken quote at 2: 1,\"open"]]),
        ("a,b\n\"\n\"\n1,2", [["a", "b"], ["\n"], ["1", "2"]]),
    ])
    func `a broken quote takes its own line with it and no other`(text: String, records: [[String]]) {
        for pieces in [1, 2, 3, 5, 1000] { #expect(parse(text, pieces: pieces) == records, "in pieces of \(pieces)") }
    }

    @Test func `a quote that is not closed costs one row of a long file`() {
        let text = "a,b\n1,2\n\"open,3\n" + String(repeating: "5,6\n", count: 20_000)
        let records = parse(text, pieces: 100_000)
        #expect(records.count == 20_003)
        #expect(records[2] == ["broken quote at 3: \"open,3"])
        #expect(records.last == ["5", "6"])
    }

    @Test(arguments: [1000, 65_536, 1 << 20])
    func `a record that is too long is skipped to the end of its line`(pieces: Int) {
        let long = String(repeating: "x", count: 100_000)
        for start in ["", "1,", "\"\n\",", "\""] {
            let records = parse("a,b\n\(start)\(long)\n5,6\n", pieces: pieces)
            #expect(records.count == 3)
            #expect(records[1] == ["too long at 2"])
            #expect(records.last == ["5", "6"])
        }
    }

    @Test func `the line is right after every kind of record`() {
        let text = "a,b\r\n\"1\n1\",2\n\"open\n\n" + String(repeating: "x", count: 70_000) + "\n7,8\n"
        for pieces in [7, 1 << 20] {
            var lines: [Int] = []
            scan(Array(text.utf8), pieces: pieces) { record, _ in lines.append(record.line) }
            #expect(lines == [1, 2, 4, 6, 7])
        }
    }

    @Test(arguments: [("a,b", ","), ("a;b;c,d", ";"), ("a\tb", "\t"), ("a|b", "|"), ("one", ","), ("\"a;b;c\",d", ",")])
    func `the delimiter is the one that the header has most of`(header: String, delimiter: String) {
        #expect(Delimiter.sniff(header.utf8) == delimiter.utf8.first)
    }
}
