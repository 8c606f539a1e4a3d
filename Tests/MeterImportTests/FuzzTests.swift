import TestSupport
import Testing

@testable import MeterImport

/// Broken files neither crash the reader nor bring it to a wrong reading.
@Suite struct FuzzTests {
    private let folder = TemporaryFolder()

    @Test(arguments: 0..<20)
    func `thousands of broken files: no crash, and what holds of every file holds`(round: UInt64) throws {
        for number in 0..<(isFullRun ? 2_000 : 150) {
            let seed = 1_000_000 + round * 100_000 + UInt64(number)
            var random = Seeded(seed)
            let (bytes, type) = RandomFile.make(&random)
            let path = folder.write(bytes, to: "\(round).csv")
            let zone = random.pick([nil, "UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"])
            let order = random.pick([nil, DateOrder.monthFirst])
            let options = ImportOptions(mpan: "M0", timezone: zone, dateOrder: order)
            let whole: RowReader
            do {
                whole = try RowReader(path: path, type: type, options: options)
            } catch {
                #expect(error is ImportError, "seed \(seed)")
                continue
            }
            try check(whole, bytes, "seed \(seed)")
        }
    }

    /// What holds of every file.
    private func check(_ reader: RowReader, _ bytes: [UInt8], _ seed: Comment) throws {
        var last = reader.position
        let lines = bytes.count { $0 == .newline || $0 == .carriageReturn } + 1
        while let chunk = try reader.next() {
            let matrix = if case .columns = reader.shape { true } else { false }
            let isSplit = [15, 60].contains(reader.study.understanding?.minutes)
            let accepted = matrix || isSplit ? nil : chunk.readings.count + chunk.sites.count
            #expect(accepted == nil || accepted == chunk.rows - chunk.rejected.count - chunk.leftOut, seed)
            #expect(chunk.position.offset > last.offset && chunk.position.offset <= bytes.count, seed)
            #expect(chunk.position.line > last.line && chunk.position.line <= lines + 1, seed)
            last = chunk.position
            for reading in chunk.readings {
                #expect(reading.meter >= 0 && reading.meter < chunk.meters.count, seed)
                #expect(reading.energy.thousandths.magnitude <= Energy.most, seed)
                let year = reading.date.components.year
                #expect((999...10_000).contains(year), seed)
                if let period = reading.period {
                    #expect((1...50).contains(period) && (0..<86_400).contains(reading.seconds), seed)
                } else {
                    #expect(reading.seconds == 0 && reading.time == nil, seed)
                }
            }
            for meter in chunk.meters { #expect(!meter.isEmpty && meter.unicodeScalars.count <= 21, seed) }
            for row in chunk.rejected {
                #expect(row.line >= 1 && row.line <= lines, seed)
                #expect(!row.reason.isEmpty && row.reason.count <= 500, seed)
                #expect(row.content.utf8.count <= 3 * CSVScanner.longestRecord, seed)
            }
        }
        #expect(last.offset <= bytes.count, seed)
    }

    @Test(arguments: 0..<10)
    func `bytes of any kind, in pieces of any size, come to the same records`(round: UInt64) {
        for number in 0..<300 {
            var random = Seeded(round * 1000 + UInt64(number))
            let alphabet = Array("\"\"\n\r,a1".utf8) + [0xC3]
            let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in random.pick(alphabet) }
            let whole = records(bytes, pieces: 1000)
            #expect(records(bytes, pieces: Int.random(in: 1...5, using: &random)) == whole, "\(bytes)")
            // Nothing is lost: every byte is in a record, or ends a line.
            let kept = whole.reduce(0) { $0 + $1.bytes }
            #expect(kept + bytes.count { $0 == .newline || $0 == .carriageReturn } >= bytes.count, "\(bytes)")
        }
    }

    private struct Found: Equatable {
        var line: Int
        var bytes: Int
        var fields: [String]
        var flaw: CSVRecord.Flaw?
        var end: Int
    }

    private func records(_ bytes: [UInt8], pieces: Int) -> [Found] {
        var scanner = CSVScanner(delimiter: UInt8(ascii: ","))
        var rest = bytes[...]
        var found: [Found] = []
        while true {
            switch scanner.next() {
            case .record(let record):
                let fields = (0..<record.count).map { record.fields[$0].text }
                let end = scanner.offset
                found.append(
                    Found(line: record.line, bytes: record.raw.count, fields: fields, flaw: record.flaw, end: end)
                )
            case .needsMore:
                scanner.feed { room in
                    let piece = rest.prefix(pieces)
                    room.copyBytes(from: piece)
                    rest = rest.dropFirst(piece.count)
                    return piece.count
                }
            case .end:
                return found
            }
        }
    }
}
