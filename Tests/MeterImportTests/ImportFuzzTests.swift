import Foundation
import Headroom
import TestSupport
import Testing

@testable import MeterImport

/// Whatever stands in a meter file, in the texts of a job's row and in a zone file.
@Suite struct ImportFuzzTests {
    private let folder = TemporaryFolder()

    @Test func `meter files: each is read to its end, or refused in words`() async throws {
        var random = Seeded(5)
        let samples = (0..<40).map { _ in RandomFile.make(&random).0 }
        try await Fuzz.run(.meterFile, samples, count: 150) { input, random in
            let path = folder.write(input, to: "file.csv")
            let options = ImportOptions(mpan: "M0", timezone: random.pick([nil, "UTC", "Europe/London"]))
            do {
                let reader = try RowReader(path: path, type: random.pick([.hh, .daily, .sites]), options: options)
                while let chunk = try reader.next() {
                    for row in chunk.rejected { _ = reader.rejects.line(row.content, reason: row.reason) }
                }
            } catch {
                #expect(error is ImportError)
            }
        }
    }

    @Test func `jobs' texts: metadata, summaries and checkpoints of anybody`() async throws {
        var position = FilePosition()
        (position.offset, position.rows, position.repeatedHours) = (700, 20, "00000000000000ff")
        let checkpoint = ImportCheckpoint(
            batch: "b",
            file: try RowReader(
                path: folder.write("mpan,date,kwh\nM1,2024-01-01,1\n", to: "a.csv"),
                type: .daily,
                options: ImportOptions()
            )
            .identity,
            position: position,
            summary: ImportSummary(),
            before: position
        )
        let samples = [
            checkpoint.json, ImportSummary().json, Lane().json,
            RejectsCSV(header: "a,b", delimiter: 44, columns: 2).json,
            #"{"mpan":1200023305967,"timezone":"Europe/London","date_order":"dmy","default_site_id":4,"x":1e300}"#,
        ]
        let path = folder.write("mpan,date,kwh\nM1,2024-01-01,1\nM1,2024-01-02,1\n", to: "b.csv")
        try await Fuzz.run(.jobTexts, texts: samples) { input, _ in
            if let read = ImportCheckpoint(json: input) {
                let reader = try? RowReader(path: path, type: .daily, options: ImportOptions(), from: read.position)
                while let chunk = try reader?.next() { _ = chunk.position.rows }
                _ = ImportCheckpoint(json: read.json)
            }
            _ = ImportSummary(json: input).map { $0.rowsRead + $0.rowsRejected + $0.duplicates }
            _ = Lane(json: input).map { $0.new + $0.duplicates }
            _ = RejectsCSV(json: input)?.line("a,b", reason: "c")
            _ = try? ImportOptions(metadata: input)
        }
    }

    @Test func `rejected rows: what is written can be read, with its reason in its place`() async throws {
        let samples = ["a,b,c", "\"a\"\"b\",c", "=1+1,2", "'=1,-1.5", "\"two\nlines\",x", "a\"b,c", ""]
        try await Fuzz.run(.rejects, texts: samples) { input, random in
            let rejects = RejectsCSV(header: input, delimiter: random.pick([44, 59, 9]), columns: 3)
            let lines = [rejects.headerLine, rejects.line(input, reason: HostileText.make(&random))]
            for line in lines {
                // Without the end of the line, which is no part of the last cell.
                for cell in line.utf8.dropLast().split(separator: rejects.delimiter)
                where !line.utf8.contains(UInt8(ascii: "\"")) {
                    #expect(!Escaping.isFormula(cell))
                }
            }
        }
    }

    @Test func `zones: a file and a rule of any bytes`() async throws {
        let zone = try [UInt8](Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/London")))
        try await Fuzz.run(.timeZone, [zone, Array("GMT0BST,M3.5.0/1,M10.5.0".utf8)]) { input, random in
            let instant = random.pick([0, 1_764_000_000, -9_000_000_000, 253_402_300_799])
            _ = PosixTimeZone(String(decoding: input.prefix(100), as: UTF8.self))?.span(at: instant, notBefore: .min)
            guard let rules = TimeZoneRules(name: "fuzz", bytes: input) else { return }
            _ = rules.span(at: instant)
        }
    }
}
