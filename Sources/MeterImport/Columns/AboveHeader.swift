import Headroom
import HeadroomJobs

/// What the lines above a header say of the rows below it.
struct AboveHeader: Hashable, Sendable {
    /// Something that a line says.
    struct Fact<Value: Hashable & Sendable>: Hashable, Sendable {
        var value: Value
        var line: Int
        var text: String
    }

    enum Zone: Hashable, Sendable {
        case utc, local, other
    }

    private(set) var zone: Fact<Zone>?
    private(set) var units: [Fact<Measure>] = []
    /// Whether a line that names a unit says that it is the values'.
    private(set) var isUnitSaid = false
    private(set) var labels: Fact<TimeLabels>?
    /// The one supply that the lines name.
    private(set) var meter: Fact<String>?
    private(set) var fuels: Set<Fuel> = []

    init() {}

    /// Reads the lines.
    init(_ lines: [(line: Int, cells: [String])]) {
        var meters: [Fact<String>] = []
        for (line, cells) in lines {
            let text = cells.joined(separator: " ").trimmed
            let words = text.lowercased()
                .pieces { !($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "\u{B3}") }
                .map(String.init)
            let set = Set(words)
            let measures = words.compactMap { word in Measure(word: word).map { (word, $0) } }
            let hasNumber = words.contains { word in
                word.utf8.contains(where: \.isDigit) && Measure(word: word) == nil
            }
            for (word, fuel) in Catalogue.fuelWords where set.contains(word) { fuels.insert(fuel) }
            meters += Self.meters(cells, set, line, text)
            readZone(set, line, text, hasNumber: hasNumber)
            // "Capacity 200 kVA" is no unit of the values.
            let isSaid = !set.isDisjoint(with: Catalogue.unitLabels)
            if !measures.isEmpty, !hasNumber || isSaid && measures.count == 1 {
                if isSaid { isUnitSaid = true }
                units += measures.map { Fact(value: $0.1, line: line, text: $0.0) }
            }
            if !hasNumber, !set.isDisjoint(with: Catalogue.periodWords) {
                let (isEnd, isStart) = (
                    !set.isDisjoint(with: Catalogue.endWords), !set.isDisjoint(with: Catalogue.startWords)
                )
                if isEnd != isStart { labels = Fact(value: isEnd ? .end : .start, line: line, text: text) }
            }
        }
        if Set(meters.map(\.value)).count == 1 { meter = meters.first }
    }

    private mutating func readZone(_ words: Set<String>, _ line: Int, _ text: String, hasNumber: Bool) {
        let isZone =
            !words.isDisjoint(with: ["utc", "gmt", "zulu", "bst", "timezone", "london"])
            || words.isSuperset(of: ["local", "time"]) || words.isSuperset(of: ["zone", "time"])
        let isSaid = !words.isDisjoint(with: Catalogue.zoneLabels)
        // The time at which a report was made says nothing of its rows.
        guard isZone, isSaid || !hasNumber, words.isDisjoint(with: Catalogue.reportWords) else { return }
        let isLocal =
            !words.isDisjoint(with: ["london", "local", "bst", "daylight"])
            || words.isSuperset(of: ["gmt", "standard"])
        let isShifted = words.contains { Int($0).map { $0 != 0 } ?? false }
        let isUTC = !words.isDisjoint(with: ["utc", "gmt", "zulu"])
        let found: Zone = isLocal ? .local : isUTC && !isShifted ? .utc : .other
        zone = Fact(value: found, line: line, text: text)
    }

    /// The supplies that a line names: numbers of 13 digits with their check digit, or what stands behind a name for them.
    private static func meters(_ cells: [String], _ words: Set<String>, _ line: Int, _ text: String) -> [Fact<String>] {
        var found: [String] = []
        for piece in cells.flatMap({ $0.pieces { $0 == " " || $0 == ":" || $0 == ";" } }) {
            guard piece.utf8.count >= 6, piece.utf8.contains(where: \.isDigit),
                let code = try? MeterCode.read(String(piece)),
                code.utf8.allSatisfy(\.isDigit)
            else { continue }
            let isNamed = !words.isDisjoint(with: Catalogue.supplyWords) && (6...13).contains(code.utf8.count)
            if MeterCode.isMPAN(code) || isNamed { found.append(code) }
        }
        return found.map { Fact(value: $0, line: line, text: text) }
    }
}
