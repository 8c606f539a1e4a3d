import TestSupport
import Testing

@testable import MeterImport

/// A file is read chunk by chunk, and can be read on from behind any of them.
@Suite struct RowReaderTests {
    private let folder = TemporaryFolder()

    /// Readings with their meters' names, and everything else that a file holds.
    private struct Contents: Equatable {
        var readings: [String] = []
        var sites: [Site] = []
        var rejected: [RejectedRow] = []
        var rows = 0
        var end = FilePosition()

        mutating func add(_ chunk: Chunk) {
            readings += chunk.readings.map {
                "\(chunk.meters[$0.meter]) \($0.date.text) \($0)".replacing(/meter: \d+/, with: "")
            }
            sites += chunk.sites
            rejected += chunk.rejected
            rows += chunk.rows
            end = chunk.position
        }
    }

    private func readAll(_ path: String, type: ImportType = .hh, chunkSize: Int = 1000) throws -> Contents {
        let reader = try RowReader(path: path, type: type, options: ImportOptions(mpan: "M0"), chunkSize: chunkSize)
        var contents = Contents()
        while let chunk = try reader.next() { contents.add(chunk) }
        return contents
    }

    /// Reads a file as an import does that is killed after every few chunks.
    private func readWithBreaks(_ path: String, type: ImportType, _ random: inout Seeded) throws -> Contents {
        var contents = Contents()
        var position: FilePosition?
        let identity = try FileIdentity(path: path)
        while true {
            let reader = try RowReader(
                path: path,
                type: type,
                options: ImportOptions(mpan: "M0"),
                from: position,
                of: identity,
                chunkSize: Int.random(in: 1...20, using: &random),
                longestRead: Int.random(in: 1...200, using: &random)
            )
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                guard let chunk = try reader.next() else { return contents }
                contents.add(chunk)
                // The position goes through the database as JSON.
                position = try chunk.position.throughJSON()
            }
        }
    }

    @Test(arguments: 0..<60)
    func `an import that is killed after any chunk carries on exactly`(seed: UInt64) throws {
        var random = Seeded(seed)
        let (bytes, type) = RandomFile.make(&random)
        let path = folder.write(bytes, to: "\(seed).csv")
        guard let whole = try? readAll(path, type: type) else { return }
        let pieces = try readWithBreaks(path, type: type, &random)
        #expect(pieces.readings == whole.readings)
        #expect(pieces.sites == whole.sites)
        #expect(pieces.rejected == whole.rejected)
        #expect(pieces.rows == whole.rows)
        #expect(pieces.end == whole.end)
        #expect(whole.end.rows == whole.rows)
        #expect(whole.end.rejected == whole.rejected.count)
    }

    @Test func `the repeated hour is told apart across a break, with few meters and with many`() throws {
        for meters in [3, 200] {
            let rows = ["01:00", "01:30", "01:00", "01:30"]
                .flatMap { time in (0..<meters).map { "M\($0),2012-10-28 \(time),1\n" } }
            let path = folder.write("mpan,start,value\n" + rows.joined(), to: "long\(meters).csv")
            let whole = try readAll(path, chunkSize: 10)
            // A position carries a few times; with more of them the file is read again from its beginning.
            #expect((whole.end.repeatedHours == nil) == (meters == 200))
            var random = Seeded(UInt64(meters))
            #expect(try readWithBreaks(path, type: .hh, &random).readings == whole.readings)
            #expect(whole.readings.filter { $0.contains("isSecondRun: true") }.count == 2 * meters)
        }
    }

    @Test func `a file that is not the one that was begun is not carried on with`() throws {
        let path = folder.write("start,value\n2024-01-01 00:00,1\n2024-01-01 00:30,1\n", to: "a.csv")
        let reader = try RowReader(path: path, type: .hh, options: ImportOptions(mpan: "M"), chunkSize: 1)
        let position = try #require(try reader.next()?.position)
        let identity = reader.identity
        _ = try RowReader(path: path, type: .hh, options: ImportOptions(mpan: "M"), from: position, of: identity)
        for text in ["start,value\n2024-01-01 00:00,2\n2024-01-01 00:30,1\n", "start,value\n2024-01-01 00:00,1\n"] {
            folder.write(text, to: "a.csv")
            #expect {
                try RowReader(path: path, type: .hh, options: ImportOptions(mpan: "M"), from: position, of: identity)
            } throws: { ($0 as? ImportError)?.code == .changed }
        }
    }

    @Test func `a chunk ends at about its size in readings, in whole rows`() throws {
        let header = "MPAN,Date," + (1...48).map { "HH\($0)" }.joined(separator: ",")
        let row = "\nM,2024-01-01," + (1...48).map { "\($0 * 7 % 11)" }.joined(separator: ",")
        let path = folder.write(header + String(repeating: row, count: 50), to: "m.csv")
        let reader = try RowReader(path: path, type: .hh, options: ImportOptions(), chunkSize: 1000)
        var counts: [Int] = []
        while let chunk = try reader.next() { counts.append(chunk.readings.count) }
        #expect(counts == [1008, 1008, 384])
    }

    @Test func `a rejected row brings no meter with it`() throws {
        let path = folder.write(
            "mpan,start,value\nA,2024-01-01 00:00,1\nB,x,1\nC,2024-01-01 00:00,1\nB,y,2\n",
            to: "r.csv"
        )
        let chunk = try #require(try RowReader(path: path, type: .hh, options: ImportOptions()).next())
        #expect(chunk.meters == ["A", "C"])
        #expect(chunk.readings.map(\.meter) == [0, 1])
    }

    @Test func `a meter of many, some with long names, is always itself`() throws {
        var random = Seeded(7)
        // Thirteen letters of two bytes each do not fit where short names are remembered.
        let long = String(repeating: "\u{E9}", count: 13)
        let names: [String] = (0..<20_000).map { number in number % 50 == 0 ? long + "\(number)" : "M\(number)" }
        let chosen: [String] = (0..<30_000).map { _ in random.pick(names) }
        let path = folder.write(
            "mpan,start,value\n" + chosen.map { $0 + ",2024-01-01 00:00,1\n" }.joined(),
            to: "n.csv"
        )
        let reader = try RowReader(path: path, type: .hh, options: ImportOptions(), chunkSize: 9_000)
        var found: [String] = []
        while let chunk = try reader.next() { found += chunk.readings.map { chunk.meters[$0.meter] } }
        #expect(found == chosen)
    }

    @Test(arguments: [
        ("/nowhere.csv", ImportError.Code.unreadable), ("/tmp", .unreadable), ("/dev/null", .unreadable),
    ])
    func `what is no readable file is refused at once`(path: String, code: ImportError.Code) {
        #expect { try RowReader(path: path, type: .hh, options: ImportOptions()) } throws: {
            ($0 as? ImportError)?.code == code
        }
    }

    @Test(arguments: [false, true])
    func `UTF-16 with its mark is read as its text, of either order of bytes`(isBig: Bool) throws {
        let text = "mpan,start,value,note\nM\u{E9}\u{1F600},2024-01-01 00:00,1,x\n"
        var bytes = text.inUTF16
        if isBig { for place in stride(from: 0, to: bytes.count, by: 2) { bytes.swapAt(place, place + 1) } }
        let reader = try RowReader(path: folder.write(bytes, to: "16.csv"), type: .hh, options: ImportOptions())
        let chunk = try #require(try reader.next())
        #expect(chunk.meters == ["M\u{E9}\u{1F600}"] && chunk.readings.count == 1)
        #expect(try reader.next() == nil)
        // A half of a character at the end is none.
        var decoder = UTF16File.Decoder(isLittle: true)
        for byte: UInt8 in [0x41, 0, 0x3D, 0xD8, 0x42, 0, 0x3D] { decoder.add(byte) }
        decoder.end()
        #expect(String(decoding: decoder.text, as: UTF8.self) == "A\u{FFFD}B\u{FFFD}")
    }

    @Test func `a broken header is refused`() {
        for (name, text) in [
            ("q", "\"open,value\n1,2\n"), ("l", String(repeating: "x,", count: 50_000) + "\n"), ("e", "\n\n"),
        ] {
            let path = folder.write(text, to: "\(name).csv")
            #expect { try RowReader(path: path, type: .hh, options: ImportOptions()) } throws: {
                ($0 as? ImportError)?.code == .notCSV
            }
        }
    }
}
