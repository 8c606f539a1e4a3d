import Glibc
import TestSupport
import Testing

@testable import MeterImport

/// Python's `csv` and `zoneinfo` come to the same results.
@Suite(.enabled(if: Python.isThere, "python3 with zoneinfo is not installed: nothing to compare with"))
struct OracleTests {
    private let folder = TemporaryFolder()

    /// Well-formed files, each written by Python and read by both.
    @Test func `Python's csv module reads the same fields from thousands of well-formed files`() throws {
        let script = """
            import csv, io, random, sys
            random.seed(20)
            dialects = [(d, e, q) for d in ',;\\t|' for e in ('\\n', '\\r\\n') for q in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)]
            with open(sys.argv[1], 'wb') as out:
                for number in range(5000):
                    d, e, q = random.choice(dialects)
                    width = random.randint(2, 6)
                    rows = [['h%d' % i for i in range(width)]]
                    for _ in range(random.randint(0, 8)):
                        rows.append([''.join(random.choice('ab1 ,;|\\t"\\n\\r\\u00e9') for _ in range(random.randint(0, 7)))
                                     for _ in range(width)])
                    text = io.StringIO()
                    csv.writer(text, delimiter=d, lineterminator=e, quoting=q).writerows(rows)
                    data = text.getvalue().encode()
                    found = list(csv.reader(io.StringIO(text.getvalue(), newline=''), delimiter=d))
                    # Python leaves a lone \\r without quotes when lines end with \\n: such a file is not well-formed.
                    if found != rows: continue
                    fields = [f.encode() for row in found for f in row + ['\\x1e']]
                    result = b'\\x1f'.join(fields)
                    out.write(b'%d %d ' % (len(data), len(result)) + data + result)
            """
        let path = "\(folder.path)/files"
        try Python.run(script, [path], folder)
        var rest = try Python.read(path)[...]
        var files = 0
        while !rest.isEmpty {
            let lengths = rest.split(separator: 32, maxSplits: 2).prefix(2)
            let numbers = lengths.compactMap { Int(String(decoding: $0, as: UTF8.self)) }
            let (size, resultSize) = (try #require(numbers.first), try #require(numbers.last))
            rest = rest.dropFirst(lengths.reduce(2) { $0 + $1.count })
            let data = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            let expected = Array(rest.prefix(resultSize))
            rest = rest.dropFirst(resultSize)
            #expect(fields(data) == expected, "\(String(decoding: data, as: UTF8.self))")
            files += 1
        }
        #expect(files > 3000)
    }

    /// The fields of a file, as the script above writes them.
    private func fields(_ data: [UInt8]) -> [UInt8] {
        let delimiter = Delimiter.sniff(data)
        var scanner = CSVScanner(delimiter: delimiter)
        var rest = data[...]
        var fields: [[UInt8]] = []
        while true {
            switch scanner.next() {
            case .record(let record):
                if record.flaw != nil { fields.append(Array("flaw".utf8)) }
                fields += (0..<record.count).map { Array(record.fields[$0].buffer) } + [[0x1E]]
            case .needsMore:
                scanner.feed { room in
                    let piece = rest.prefix(13)
                    room.copyBytes(from: piece)
                    rest = rest.dropFirst(piece.count)
                    return piece.count
                }
            case .end:
                return Array(fields.joined(separator: [0x1F]))
            }
        }
    }

    @Test(arguments: ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Dublin"])
    func `Python's zoneinfo turns the same instants into the same local times`(zone: String) throws {
        let script = """
            import sys
            from datetime import datetime, timezone
            from zoneinfo import ZoneInfo
            zone = ZoneInfo(sys.argv[2])
            with open(sys.argv[1], 'w') as out:
                # Every half-hour around each change of the clocks, and a step of some hours through a century.
                instants = set(range(0, 4102444800, 3600 * 17))
                last = None
                for t in range(0, 4102444800, 86400):
                    offset = datetime.fromtimestamp(t, zone).utcoffset()
                    if last is not None and offset != last: instants.update(range(t - 86400 * 2, t + 86400, 1800))
                    last = offset
                for t in sorted(instants):
                    local = datetime.fromtimestamp(t, zone)
                    out.write('%d %d %d\\n' % (t, local.utcoffset().total_seconds(), local.fold))
            """
        let path = "\(folder.path)/instants"
        try Python.run(script, [path, zone], folder)
        let rules = try TimeZoneRules.named(zone)
        var clock = ZoneClock(rules)
        var days = HalfHours(rules)
        var compared = 0
        var wrong: [Int] = []
        for line in try Python.read(path).split(separator: .newline) {
            let numbers = String(decoding: line, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
            let (instant, offset, fold) = (numbers[0], numbers[1], numbers[2])
            if clock.offset(at: instant) != offset { wrong.append(instant) }
            if let halfHour = days.halfHour(at: instant), halfHour.isSecondRun != (fold == 1) { wrong.append(instant) }
            compared += 1
        }
        #expect(compared > 60_000)
        #expect(wrong.isEmpty)
    }
}

/// Runs Python.
private enum Python {
    static let isThere = system("python3 -c 'import zoneinfo; zoneinfo.ZoneInfo(\"Europe/London\")' 2> /dev/null") == 0

    static func run(_ script: String, _ arguments: [String], _ folder: TemporaryFolder) throws {
        let path = folder.write(script, to: "script.py")
        let status = system((["python3", path] + arguments).joined(separator: " "))
        try #require(status == 0)
    }

    static func read(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { return bytes }
            bytes += block[..<count]
        }
    }
}
