import FoundationEssentials
import TestSupport

@testable import MeterImport

extension FilePosition {
    /// The position as the next run gets it.
    func throughJSON() throws -> FilePosition {
        try JSONDecoder().decode(FilePosition.self, from: JSONEncoder().encode(self))
    }
}

/// Makes files of every type, most of them broken somewhere.
enum RandomFile {
    private static let headers: [(ImportType, [String])] = [
        (.hh, ["mpan", "datetime", "value"]), (.hh, ["start", "value", "type", "unit"]),
        (.hh, ["note", "meter serial", "Date", "Time", "Usage (Wh)"]),
        (.hh, ["mpan", "date"] + (1...50).map { "HH\($0)" }),
        (.daily, ["mpan", "date", "kwh", "ae"]), (.daily, ["meter", "timestamp", "reading"]),
        (
            .sites,
            ["name", "company_id", "postcode", "site type", "area", "lat", "lng", "active", "created", "address"]
        ),
    ]

    private static let cells = [
        "", "1200023305967", "1200023305968", "M1", "'77", "1.2E+12", "0.125", "12", "-3", "1e3", "9999999999999",
        "1,5", "x",
        "2024-01-01", "31/02/2024", "27/10/2024", "2024-10-27", "2024-03-31", "20240101", "1/1/24", "tomorrow",
        "05/13/2025",
        "2024-10-27 01:00", "2024-10-27 01:30", "2024-10-27 01:00", "2024-03-31 01:30:00", "2024-06-01T00:00:00Z",
        "2024-06-01 00:00:00+01:00", "01:30", "24:00", "0.5", "30:00.0", "1:30", "noon", "A", "E", "guess", "kWh",
        "MWh", "kW",
        "m3", "A site", "office", "SW1A 1AA", "51.5", "-0.12", "999", "yes", "a\"b", "two\nlines", "caf\u{E9}", "a;b",
        "a,b",
    ]

    private static let datetimes = ["2024-01-01 00:00", "2024-10-27 01:00", "2024-10-27 01:30", "2024-10-27 00:30"]

    static func make(_ random: inout Seeded) -> ([UInt8], ImportType) {
        let (type, columns) = random.pick(headers)
        let delimiter = random.pick([",", ";", "\t", "|"])
        let newline = random.pick(["\n", "\r\n", "\n", "\r"])
        var text = random.isOne(in: 4) ? "\u{FEFF}" : ""
        text += columns.joined(separator: delimiter) + newline
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            if random.isOne(in: 20) { text += newline }
            var cells = columns.map { column in cell(column, &random) }
            if random.isOne(in: 15) { cells.append("extra") }
            if random.isOne(in: 15) { cells.removeLast() }
            text += cells.map { quoted($0, delimiter, &random) }.joined(separator: delimiter)
            if random.isOne(in: 25) { text += "\"" }
            text += newline
        }
        var bytes = Array(text.utf8)
        // Then bytes are changed, dropped and put in anywhere.
        if random.isOne(in: 2), !bytes.isEmpty {
            for _ in 0..<Int.random(in: 1...8, using: &random) where bytes.count > 1 {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = random.pick(Array("\"\n\r,;|\t0e-:. \u{FFFD}".utf8) + [0xFF, 0xC3, 1])
                case 1: bytes.remove(at: place)
                default: bytes.insert(random.pick(Array("\"\n,\u{E9}9".utf8)), at: place)
                }
            }
        }
        return (bytes, type)
    }

    private static func cell(_ column: String, _ random: inout Seeded) -> String {
        if random.isOne(in: 12) { return random.pick(cells) }
        switch column {
        case "mpan", "meter", "meter serial": return random.pick(["M1", "M2", "1200023305967", "1200023305968"])
        case "datetime", "start": return random.pick(datetimes)
        case "date", "Date", "timestamp": return random.pick(["2024-01-01", "27/10/2024", "31/3/2024"])
        case "Time": return random.pick(["01:00", "1:30", "0.5", "24:00"])
        case "type", "ae": return random.pick(["A", "E", ""])
        case "unit": return random.pick(["kWh", "Wh", ""])
        case "name": return random.pick(["A site", "Another"])
        case "note", "address": return random.pick(["", "two\nlines", "a \"word\"", "1, The Street"])
        case _ where column.hasPrefix("HH"): return random.isOne(in: 3) ? "" : random.pick(["1.5", "0", "0.0005"])
        default: return random.isOne(in: 2) ? "" : random.pick(["1", "0.5", "12"])
        }
    }

    private static func quoted(_ cell: String, _ delimiter: String, _ random: inout Seeded) -> String {
        // Now and then what should be in quotes is not.
        let needsQuotes = cell.contains(delimiter) || cell.contains("\"") || cell.contains("\n")
        guard needsQuotes && !random.isOne(in: 10) || random.isOne(in: 10) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
}
