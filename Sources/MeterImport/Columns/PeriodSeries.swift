import Headroom

/// Columns of a day that follow one another, one for each half-hour, hour or quarter of an hour.
struct PeriodSeries {
    /// The columns in the order of the day, and which part of the day each holds, from 0.
    var columns: [(column: Int, place: Int)]

    /// How long each part is.
    var minutes: Int

    /// Whether the names are times, and which end of the part they name; `nil` for numbers of parts.
    var labels: TimeLabels?

    /// The words that the names have beside the numbers.
    var words: Set<String>

    /// What the names say is measured.
    var measure: Measure?

    /// The first and the last name.
    var first: String
    var last: String

    /// Whether the columns hold flags rather than values, by their names or their cells.
    var isFlags = false

    /// Finds the series of a header.
    static func all(_ names: [ColumnName]) -> [PeriodSeries] {
        var groups: [String: [Int]] = [:]
        for (index, name) in names.enumerated() where !name.periodNumbers.isEmpty && !name.isOfClockChange {
            groups[name.template, default: []].append(index)
        }
        return groups.values.filter { $0.count >= 20 }.compactMap { PeriodSeries(names, $0) }
            .sorted { $0.columns[0].column < $1.columns[0].column }
    }

    private init?(_ names: [ColumnName], _ group: [Int]) {
        // A name may have a number of its own before that of the period; the period's are as many in each.
        var parts: [(column: Int, numbers: [Int], half: String?)] = []
        for column in group {
            let words = names[column].periodNumbers
            parts.append(
                (column, words.compactMap { $0.utf8.count <= 6 ? Int($0) : nil }, words.last { Int($0) == nil })
            )
        }
        guard let name = parts.first.map({ names[$0.column] }), let last = parts.last.map({ names[$0.column] }) else {
            return nil
        }
        words = Set(name.words.filter { Int($0) == nil })
        isFlags = !words.isDisjoint(with: Catalogue.flagWords)
        measure = name.measure
        first = name.original.trimmed
        self.last = last.original.trimmed
        if parts.allSatisfy({ $0.numbers.count == 1 }),
            let series = Self.ordinals(parts.map { ($0.column, $0.numbers[0]) })
        {
            (columns, minutes) = series
            labels = nil
            return
        }
        let areFlat = group.allSatisfy { column in
            let words = names[column].periodNumbers
            return words.count == 2 && words.allSatisfy { $0.utf8.count == 4 }
        }
        var clocks: [(column: Int, minute: Int)] = []
        for (column, numbers, half) in parts {
            // `0030-0100` has its start alone to say.
            let start = areFlat ? Array(numbers.prefix(1)) : numbers
            guard let minute = Self.fraction(names[column]) ?? Self.minute(start, half) else { return nil }
            clocks.append((column, minute))
        }
        let isRange = parts.allSatisfy { $0.numbers.count == 4 } || areFlat
        guard let series = Self.clocks(clocks, isRange: isRange) else { return nil }
        (columns, minutes, labels) = series
    }

    /// `1` to `48` or `50`; also from 0.
    private static func ordinals(_ parts: [(column: Int, number: Int)]) -> ([(column: Int, place: Int)], Int)? {
        let sorted = parts.sorted { $0.number < $1.number }
        guard let first = sorted.first?.number, first <= 1,
            zip(sorted, sorted.dropFirst()).allSatisfy({ $0.number + 1 == $1.number })
        else { return nil }
        let minutes: Int
        switch parts.count {
        case 46...50: minutes = 30
        case 23...25: minutes = 60
        case 92...100: minutes = 15
        default: return nil
        }
        return (sorted.map { ($0.column, $0.number - first) }, minutes)
    }

    /// A spreadsheet's fraction of the day, such as `0.0208333333`.
    private static func fraction(_ name: ColumnName) -> Int? {
        let text = name.original.trimmed
        guard text.utf8.contains(UInt8(ascii: ".")), let fraction = Double(text), (0..<1).contains(fraction) else {
            return nil
        }
        let minute = (fraction * 1440).rounded()
        return abs(fraction * 1440 - minute) < 0.01 ? Int(minute) : nil
    }

    private static func minute(_ numbers: [Int], _ half: String?) -> Int? {
        var (hour, minute) = (0, 0)
        switch numbers.count {
        case 1: (hour, minute) = (numbers[0] / 100, numbers[0] % 100)
        case 2, 4: (hour, minute) = (numbers[0], numbers[1])
        case 3:
            // Also the last second of the part, such as `00:29:59`.
            guard numbers[2] == 0 || numbers[2] == 59 else { return nil }
            (hour, minute) = (numbers[0], numbers[1])
            if numbers[2] == 59, hour < 24, minute < 60 { return hour * 60 + minute + 1 }
        default: return nil
        }
        if half == "pm", hour < 12 { hour += 12 }
        if half == "am", hour == 12 { hour = 0 }
        guard hour <= 24, minute < 60, hour < 24 || minute == 0 else { return nil }
        return hour * 60 + minute
    }

    /// Times that begin at 0:00, or end there: which of the two they name is in their order, and the last may come first.
    private static func clocks(
        _ clocks: [(column: Int, minute: Int)],
        isRange: Bool
    ) -> ([(column: Int, place: Int)], Int, TimeLabels)? {
        ascending(clocks, isRange: isRange) ?? ascending(clocks.reversed(), isRange: isRange)
    }

    private static func ascending(
        _ clocks: [(column: Int, minute: Int)],
        isRange: Bool
    ) -> ([(column: Int, place: Int)], Int, TimeLabels)? {
        var minutes = clocks.map(\.minute)
        guard let begin = minutes.first, let last = minutes.last, minutes.count > 1 else { return nil }
        let step = minutes[1] - begin
        guard [15, 30, 60].contains(step), minutes.count * step == 1440 else { return nil }
        // The last minute of each part.
        if begin == step - 1, last == 1439 { minutes = minutes.map { $0 + 1 } }
        if last == 0 { minutes[minutes.count - 1] = 1440 }
        let first = minutes[0]
        guard first == 0 || first == step, zip(minutes, minutes.dropFirst()).allSatisfy({ $0 + step == $1 }) else {
            return nil
        }
        if isRange, first != 0 { return nil }
        return (zip(clocks, 0...).map { ($0.column, $1) }, step, first == 0 ? .start : .end)
    }
}

extension ColumnName {
    /// Whether it is one of the two further half-hours that some files have for the day when the clocks go back.
    var isOfClockChange: Bool {
        has("dst") || has("change") && (has("time") || has("clock")) || has("extra") && has("hour")
    }
}

/// Which end of its part of the day a time names.
public enum TimeLabels: String, Codable, Hashable, Sendable, CaseIterable {
    /// 00:00 is the first half-hour's.
    case start
    /// 00:30 is the first half-hour's, and 24:00 or the last 00:00 the last one's.
    case end
}
