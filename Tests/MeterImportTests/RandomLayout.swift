import TestSupport

@testable import MeterImport

/// A file in a layout of its own, rendered from readings that are known.
///
/// It reckons with London's clocks itself, so that a mistake of the importer is not made twice.
struct RandomLayout {
    struct Key: Hashable {
        var meter: String
        var day: Int
        var period: Int
    }

    struct Value: Equatable {
        var thousandths: Int64
        var type: ReadingType
    }

    var text = ""
    var options = ImportOptions()
    var type = ImportType.hh
    /// What must be stored when the file is understood.
    var expected: [Key: Value] = [:]
    /// Days that the layout cannot hold: the hour that comes twice has one column.
    var unholdable: Set<Int> = []
    /// What it is, for who reads of a failure.
    var story: [String] = []

    static let supplies = ["1200023305967", "2200012345671", "1012345678901", "1900001234567"]

    var random: Seeded
    var meters: [String] = []
    var days: [Int] = []
    var minutes = 30
    var isUTC = false
    var namesUTC = false
    /// Lines above the header.
    var above: [String] = []
    var registers: [Int: Int64] = [:]
    /// How numbers are written.
    var numbers = Numbers.plain
    /// What the values are, if they are no energy: nothing of them may be stored.
    var trap: Trap?
    var isUTF16 = false
    /// Values that no number can be: their rows are rejected.
    var hasNoise = false

    enum Numbers { case plain, grouped, decimalComma }

    enum Trap { case register, gas, power }

    init(seed: UInt64) {
        random = Seeded(seed)
        make()
    }

    // MARK: The clocks of London

    static func lastSunday(_ month: Int, of year: Int) -> Int {
        guard let end = CalendarDate(year: year, month: month, day: 31) else { return 0 }
        return end.days - end.weekday
    }

    static func offset(_ instant: Int) -> Int {
        let year = CalendarDate(days: instant / 86_400).components.year
        let (spring, autumn) = (lastSunday(3, of: year) * 86_400 + 3600, lastSunday(10, of: year) * 86_400 + 3600)
        return instant >= spring && instant < autumn ? 3600 : 0
    }

    static func midnight(_ day: Int) -> Int {
        let shown = day * 86_400
        return shown - offset(shown - 3600)
    }

    struct Slot {
        var meter: Int
        var day: Int
        var period: Int
        var instant: Int
        var thousandths: Int64
        var isEstimate: Bool
    }

    // MARK: Making

    mutating func pick<Item>(_ items: [Item]) -> Item { random.pick(items) }

    mutating func chance(_ count: Int) -> Bool { random.isOne(in: count) }

    mutating func make() {
        meters = Array(Self.supplies.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)))
        let year = Int.random(in: 2012...2025, using: &random)
        let around = pick([
            Self.lastSunday(3, of: year), Self.lastSunday(10, of: year),
            Self.lastSunday(3, of: year) + Int.random(in: 10...180, using: &random),
            Self.lastSunday(10, of: year) + Int.random(in: 10...140, using: &random),
        ])
        let first = around - Int.random(in: 0...3, using: &random)
        days = Array(first..<first + Int.random(in: 4...8, using: &random))
        hasNoise = chance(6)
        isUTC = chance(5)
        if isUTC { sayUTC(days.contains(Self.lastSunday(3, of: year)) || days.contains(Self.lastSunday(10, of: year))) }
        numbers = pick([.plain, .plain, .plain, .plain, .plain, .grouped, .decimalComma])
        isUTF16 = chance(12)
        if chance(8) { trap = pick([.register, .register, .gas, .power]) }
        if let trap { story.append("\(trap)") }
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5: makeColumns()
        case 5..<9: makeRows()
        default: makeDays()
        }
    }

    /// How it is known that the times are UTC: by the job, by a line above the header, by a column's name, or only by the day on which
    /// the clocks change.
    mutating func sayUTC(_ isShown: Bool) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: above.append(pick(["All times are UTC", "Time zone: UTC", "Times are in GMT"]))
        case 1: namesUTC = true
        case 2 where isShown:
            // A bad cell may be what would show it.
            hasNoise = false
            story.append("unsaid")
        default: options.timezone = "UTC"
        }
        story.append("UTC")
    }

    /// The half-hours of a day of the file, with values.
    mutating func slots(_ meter: Int, _ day: Int, estimates: Bool) -> [Slot] {
        let (start, end) = isUTC ? (day * 86_400, (day + 1) * 86_400) : (Self.midnight(day), Self.midnight(day + 1))
        return stride(from: start, to: end, by: 1800)
            .map { instant in
                let shown = instant + Self.offset(instant)
                let local = shown / 86_400
                let period = (instant - Self.midnight(local)) / 1800 + 1
                // Even, so that a quarter of an hour has whole thousandths.
                let most: Int64 = numbers == .plain ? 4_000 : 1_500_000
                let value = trap == .register ? risingValue(meter) : Int64.random(in: 0...most, using: &random) * 2
                return Slot(
                    meter: meter,
                    day: local,
                    period: period,
                    instant: instant,
                    thousandths: value,
                    isEstimate: estimates && chance(5)
                )
            }
    }

    /// What a meter's register shows next: it was reset once, and is not always read.
    mutating func risingValue(_ meter: Int) -> Int64 {
        var shown = registers[meter] ?? Int64.random(in: 8_000...90_000, using: &random) * 1000
        shown += Int64.random(in: 0...900, using: &random) * 2
        if shown > 3_000_000, chance(150) { shown = 0 }
        registers[meter] = shown
        return chance(20) ? 0 : shown
    }

    mutating func expect(_ slot: Slot) {
        guard trap == nil else { return }
        expected[Key(meter: meters[slot.meter], day: slot.day, period: slot.period)] =
            Value(thousandths: slot.thousandths, type: slot.isEstimate ? .estimated : .actual)
    }

    static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    static func decimal(_ thousandths: Int64) -> String {
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }

    /// How values are written: in which unit, and with which name.
    struct Unit {
        var word: String
        var divisor: Int64
    }

    mutating func unit() -> Unit {
        pick([Unit(word: "kWh", divisor: 1), Unit(word: "kWh", divisor: 1), Unit(word: "Wh", divisor: 0)])
    }

    func value(_ thousandths: Int64, _ unit: Unit) -> String {
        let text = unit.divisor == 0 ? "\(thousandths)" : Self.decimal(thousandths)
        guard numbers == .grouped || numbers == .decimalComma && unit.divisor == 1 else { return text }
        let parts = text.split(separator: ".").map(String.init)
        var (whole, rest) = ("", Substring(parts[0]))
        while rest.count > 3 {
            whole = (numbers == .grouped ? "," : ".") + rest.suffix(3) + whole
            rest = rest.dropLast(3)
        }
        return rest + whole + (parts.count > 1 ? (numbers == .grouped ? "." : ",") + parts[1] : "")
    }

    /// The columns of a date: one, or three with its parts.
    mutating func dateColumns(_ names: [String], day: @escaping (Int) -> Int) -> [Column] {
        if chance(12), !namesUTC {
            story.append("year, month, day")
            let forms = pick([["Year", "Month", "Day"], ["YYYY", "MM", "DD"]])
            return zip(forms, 0..<3)
                .map { name, part in
                    Column(
                        name: name,
                        cell: { row in
                            let date = CalendarDate(days: day(row)).components
                            return "\([date.year, date.month, date.day][part])"
                        }
                    )
                }
        }
        let write = dateWriter()
        let name = namesUTC ? "Date (UTC)" : pick(names)
        return [Column(name: name, cell: { write(day($0)) })]
    }

    mutating func dateWriter() -> (Int) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let form = Int.random(in: 0..<10, using: &random)
        if form >= 8 { story.append(form == 8 ? "yy/mm/dd" : "yymmdd") }
        if form == 7 {
            // The month first: said, or shown by days over 12.
            let hasLarge = days.contains { CalendarDate(days: $0).components.day > 12 }
            if !hasLarge || !chance(5) { options.dateOrder = .monthFirst }
            story.append("month first")
        }
        return { day in
            let (year, month, number) = CalendarDate(days: day).components
            return switch form {
            case 0: "\(year)-\(Self.two(month))-\(Self.two(number))"
            case 1: "\(Self.two(number))/\(Self.two(month))/\(year)"
            case 2: "\(number)/\(month)/\(year)"
            case 3: "\(Self.two(number))-\(months[month - 1])-\(year)"
            case 4: "\(year)\(Self.two(month))\(Self.two(number))"
            case 5: "\(year)/\(Self.two(month))/\(Self.two(number))"
            case 6: "\(Self.two(number))/\(Self.two(month))/\(Self.two(year % 100))"
            case 8: "\(Self.two(year % 100))/\(Self.two(month))/\(Self.two(number))"
            case 9: "\(Self.two(year % 100))\(Self.two(month))\(Self.two(number))"
            default: "\(Self.two(month))/\(Self.two(number))/\(year)"
            }
        }
    }

    /// A column: its name, and its cell in a row.
    struct Column {
        var name: String
        var cell: (Int) -> String
    }

    /// Puts columns in any order with others among them, and writes the file.
    mutating func write(
        _ columns: [Column],
        rows: Int,
        keepingOrder series: [Column] = [],
        isNewestFirst: Bool = false
    ) {
        var all = columns
        if chance(2) {
            all.append(Column(name: pick(["Site Name", "Company", "Account"]), cell: { _ in "Mill, North" }))
        }
        if chance(3) { all.append(Column(name: pick(["run_dt", "Loaded"]), cell: { _ in "2026-11-02" })) }
        if chance(3) { all.append(Column(name: pick(["Notes", ""]), cell: { _ in "" })) }
        all.shuffle(using: &random)
        all.insert(contentsOf: series, at: series.isEmpty ? 0 : Int.random(in: 0...all.count, using: &random))
        let delimiter = numbers == .decimalComma ? pick([";", "\t"]) : pick([",", ",", ";", "\t", "|"])
        let newline = pick(["\n", "\r\n"])
        if chance(6) { text += "\u{FEFF}" }
        if above.isEmpty, chance(8) {
            text += "sep=\(delimiter)\(newline)"
        } else if !above.isEmpty || chance(4) {
            text += above.map { $0 + newline }.joined()
            text += "Half hourly data\(newline)Report Date\(delimiter)01/11/2026 00:00:00\(newline)\(newline)"
            story.append("lines above")
        }
        func line(_ cells: [String]) -> String {
            cells.map { $0.contains(delimiter) ? "\"\($0)\"" : $0 }.joined(separator: delimiter) + newline
        }
        text += line(all.map(\.name))
        for row in 0..<rows { text += line(all.map { $0.cell(row) }) }
    }

    /// The column of the meter; none where the job has it.
    mutating func meterColumn() -> [(Int) -> Column] {
        if trap != .gas, meters.count == 1, chance(4) {
            options.mpan = meters[0]
            story.append("meter of the job")
            return []
        }
        let name = pick([
            "MPAN", "mpan", "MPAN Core", "MPXN", "meterPoint", "Supply Number", "meter_identifier", "MPAN Number",
        ])
        if trap == .gas {
            let supplies = ["7512345604", "2912345601", "8812345678"]
            meters = Array(supplies.prefix(meters.count))
            let codes = meters
            let name = pick(["MPRN", "MPR", "Mprn"])
            return [{ meter in Column(name: name, cell: { _ in codes[meter] }) }]
        }
        let serials = ["E12Z034567", "S95A11223", "L76C01234", "19K0042424"]
        if chance(5) {
            let beside = pick(["Meter Serial Number", "MSN", "Serial"])
            if chance(3) {
                // The number on the meter alone.
                story.append("serial numbers")
                for (index, code) in meters.enumerated() {
                    for (key, value) in expected where key.meter == code {
                        expected[key] = nil
                        expected[Key(meter: serials[index], day: key.day, period: key.period)] = value
                    }
                }
                meters = Array(serials.prefix(meters.count))
                return [{ meter in Column(name: beside, cell: { _ in serials[meter] }) }]
            }
            let supply = meters
            return [
                { meter in Column(name: beside, cell: { _ in serials[meter] }) },
                { meter in Column(name: "MPAN", cell: { _ in supply[meter] }) },
            ]
        }
        let form = Int.random(in: 0..<5, using: &random)
        let codes = meters.map { code in
            form == 0 ? "=\"\(code)\"" : form == 1 ? "\(code).0" : form == 2 ? " \(code)" : code
        }
        return [{ meter in Column(name: name, cell: { _ in codes[meter] }) }]
    }
}
