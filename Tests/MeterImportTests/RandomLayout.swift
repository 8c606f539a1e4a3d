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

    private(set) var text = ""
    private(set) var options = ImportOptions()
    private(set) var type = ImportType.hh
    /// What must be stored when the file is understood.
    private(set) var expected: [Key: Value] = [:]
    /// Days that the layout cannot hold: the hour that comes twice has one column.
    private(set) var unholdable: Set<Int> = []
    /// What it is, for who reads of a failure.
    private(set) var story: [String] = []

    private static let supplies = ["1200023305967", "2200012345671", "1012345678901", "1900001234567"]

    private var random: Seeded
    private var meters: [String] = []
    private var days: [Int] = []
    private var minutes = 30
    private var isUTC = false

    init(seed: UInt64) {
        random = Seeded(seed)
        make()
    }

    // MARK: The clocks of London

    private static func lastSunday(_ month: Int, of year: Int) -> Int {
        guard let end = CalendarDate(year: year, month: month, day: 31) else { return 0 }
        return end.days - end.weekday
    }

    private static func offset(_ instant: Int) -> Int {
        let year = CalendarDate(days: instant / 86_400).components.year
        let (spring, autumn) = (lastSunday(3, of: year) * 86_400 + 3600, lastSunday(10, of: year) * 86_400 + 3600)
        return instant >= spring && instant < autumn ? 3600 : 0
    }

    private static func midnight(_ day: Int) -> Int {
        let shown = day * 86_400
        return shown - offset(shown - 3600)
    }

    private struct Slot {
        var meter: Int
        var day: Int
        var period: Int
        var instant: Int
        var thousandths: Int64
        var isEstimate: Bool
    }

    // MARK: Making

    private mutating func pick<Item>(_ items: [Item]) -> Item { random.pick(items) }

    private mutating func chance(_ count: Int) -> Bool { random.isOne(in: count) }

    private mutating func make() {
        meters = Array(Self.supplies.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)))
        let year = Int.random(in: 2012...2026, using: &random)
        let around = pick([Self.lastSunday(3, of: year), Self.lastSunday(10, of: year), Self.lastSunday(3, of: year) + Int.random(in: 10...180, using: &random), Self.lastSunday(10, of: year) + Int.random(in: 10...140, using: &random)])
        let first = around - Int.random(in: 0...3, using: &random)
        days = Array(first..<first + Int.random(in: 4...8, using: &random))
        isUTC = chance(6)
        if isUTC {
            options.timezone = "UTC"
            story.append("UTC")
        }
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5: makeColumns()
        case 5..<9: makeRows()
        default: makeDays()
        }
    }

    /// The half-hours of a day of the file, with values.
    private mutating func slots(_ meter: Int, _ day: Int, estimates: Bool) -> [Slot] {
        let (start, end) = isUTC ? (day * 86_400, (day + 1) * 86_400) : (Self.midnight(day), Self.midnight(day + 1))
        return stride(from: start, to: end, by: 1800)
            .map { instant in
                let shown = instant + Self.offset(instant)
                let local = shown / 86_400
                let period = (instant - Self.midnight(local)) / 1800 + 1
                // Even, so that a quarter of an hour has whole thousandths.
                let value = Int64.random(in: 0...4_000, using: &random) * 2
                return Slot(meter: meter, day: local, period: period, instant: instant, thousandths: value, isEstimate: estimates && chance(5))
            }
    }

    private mutating func expect(_ slot: Slot) {
        expected[Key(meter: meters[slot.meter], day: slot.day, period: slot.period)] =
            Value(thousandths: slot.thousandths, type: slot.isEstimate ? .estimated : .actual)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func decimal(_ thousandths: Int64) -> String {
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }

    /// How values are written: in which unit, and with which name.
    private struct Unit {
        var word: String
        var divisor: Int64
    }

    private mutating func unit() -> Unit { pick([Unit(word: "kWh", divisor: 1), Unit(word: "kWh", divisor: 1), Unit(word: "Wh", divisor: 0)]) }

    private static func value(_ thousandths: Int64, _ unit: Unit) -> String {
        unit.divisor == 0 ? "\(thousandths)" : decimal(thousandths)
    }

    private mutating func dateWriter() -> (Int) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let form = Int.random(in: 0..<8, using: &random)
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
            default: "\(Self.two(month))/\(Self.two(number))/\(year)"
            }
        }
    }

    /// A column: its name, and its cell in a row.
    private struct Column {
        var name: String
        var cell: (Int) -> String
    }

    /// Puts columns in any order with others among them, and writes the file.
    private mutating func write(_ columns: [Column], rows: Int, keepingOrder series: [Column] = [], isNewestFirst: Bool = false) {
        var all = columns
        if chance(2) { all.append(Column(name: pick(["Site Name", "Company", "Account"]), cell: { _ in "Mill, North" })) }
        if chance(3) { all.append(Column(name: pick(["run_dt", "Loaded"]), cell: { _ in "2026-11-02" })) }
        if chance(3) { all.append(Column(name: pick(["Notes", ""]), cell: { _ in "" })) }
        all.shuffle(using: &random)
        all.insert(contentsOf: series, at: series.isEmpty ? 0 : Int.random(in: 0...all.count, using: &random))
        let delimiter = pick([",", ",", ";", "\t", "|"])
        let newline = pick(["\n", "\r\n"])
        if chance(6) { text += "\u{FEFF}" }
        if chance(8) { text += "sep=\(delimiter)\(newline)" } else if chance(4) {
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
    private mutating func meterColumn() -> [(Int) -> Column] {
        if meters.count == 1, chance(4) {
            options.mpan = meters[0]
            story.append("meter of the job")
            return []
        }
        let name = pick(["MPAN", "mpan", "MPAN Core", "MPXN", "meterPoint", "Supply Number", "meter_identifier", "MPAN Number"])
        let form = Int.random(in: 0..<5, using: &random)
        let codes = meters.map { code in form == 0 ? "=\"\(code)\"" : form == 1 ? "\(code).0" : form == 2 ? " \(code)" : code }
        return [{ meter in Column(name: name, cell: { _ in codes[meter] }) }]
    }

    // MARK: Columns of a day

    private mutating func makeColumns() {
        let hasFlags = chance(3)
        let unit = unit()
        let date = dateWriter()
        var rows: [(meter: Int, day: Int, slots: [Slot])] = []
        for meter in meters.indices { for day in days { rows.append((meter, day, slots(meter, day, estimates: hasFlags))) } }
        if chance(3) {
            rows.sort { ($0.day, $0.meter) < ($1.day, $1.meter) }
        }
        if chance(3) {
            rows.reverse()
            story.append("newest first")
        }
        for row in rows { for slot in row.slots { expect(slot) } }
        let style = pick(["HH", "interval_", "kWh_", "", "P", "start", "start", "end", "end2400", "hr", "range", "am"])
        story.append("columns '\(style)'")
        let isClock = ["start", "end", "end2400", "hr", "range", "am"].contains(style)
        let hasExtras = isClock && !isUTC && chance(3)
        let count = isClock || isUTC || chance(3) ? 48 : 50
        func isShort(_ row: Int) -> Bool { rows[row].slots.count == 46 }
        func isLong(_ row: Int) -> Bool { rows[row].slots.count == 50 }
        for row in rows.indices where isLong(row) && !hasExtras && count == 48 { unholdable.insert(rows[row].day) }
        // That the hour is missing may also mean that the times are UTC: the file is refused unless somebody says.
        if !unholdable.isEmpty, !chance(4) { options.timezone = "Europe/London" }
        // A column's slot in a row: by the clock, or counted.
        func slot(_ place: Int, _ row: Int) -> Slot? {
            let slots = rows[row].slots
            var place = place
            if isClock {
                if isShort(row) {
                    if (2...3).contains(place) { return nil }
                    if place > 3 { place -= 2 }
                } else if isLong(row), place > 3 {
                    place += 2
                }
            }
            return place < slots.count ? slots[place] : nil
        }
        let fill = pick(["", "", "0", "NULL"])
        let prefix = style == "kWh_" ? unit.word + "_" : style
        func name(_ place: Int) -> String {
            func clock(_ minute: Int) -> String { "\(Self.two(minute / 60)):\(Self.two(minute % 60))" }
            switch style {
            case "start": return clock(place * 30)
            case "end": return clock((place + 1) * 30 % 1440)
            case "end2400": return clock((place + 1) * 30)
            case "hr": return "hr" + clock(place * 30).replacing(":", with: "")
            case "range": return "\(clock(place * 30)) - \(clock((place + 1) * 30 % 1440))"
            case "am":
                let hour = place / 2
                return "\(hour % 12 == 0 ? 12 : hour % 12):\(place % 2 == 0 ? "00" : "30") \(hour < 12 ? "AM" : "PM")"
            default: return "\(prefix)\(place + 1)"
            }
        }
        var series: [Column] = []
        let flagName = pick(["\u{1} Flag", "Data Marker"])
        let needsZeroes = unit
        func add(_ columnName: String, _ find: @escaping (Int) -> Slot?) {
            series.append(Column(name: columnName, cell: { row in find(row).map { Self.value($0.thousandths, needsZeroes) } ?? fill }))
            guard hasFlags else { return }
            let flag = flagName.replacing("\u{1}", with: columnName)
            series.append(Column(name: flag, cell: { row in find(row).map { $0.isEstimate ? "E" : "A" } ?? "" }))
        }
        for place in 0..<count { add(name(place)) { slot(place, $0) } }
        if hasExtras {
            for place in 0..<2 { add("DST +\(place == 0 ? "0:30" : "1:00")") { isLong($0) ? rows[$0].slots[4 + place] : nil } }
        }
        var columns = meterColumn().map { make in Column(name: make(0).name, cell: { row in make(rows[row].meter).cell(row) }) }
        columns.append(Column(name: pick(["Date", "Reading Date", "ConsumptionDate", "Settlement Date", "DAY"]), cell: { date(rows[$0].day) }))
        if unit.divisor == 0, style != "kWh_" { columns.append(Column(name: pick(["Units", "Unit of Measure"]), cell: { _ in unit.word })) }
        if chance(3) {
            columns.append(
                Column(name: pick(["Total", "Grand Total"]), cell: { row in
                    Self.value(rows[row].slots.reduce(0) { $0 + $1.thousandths }, needsZeroes)
                })
            )
            // Where the long day cannot be held its total is of more than the row has.
            if !unholdable.isEmpty { columns.removeLast() }
        }
        write(columns, rows: rows.count, keepingOrder: series)
    }

    // MARK: Rows

    private mutating func makeRows() {
        minutes = pick([30, 30, 30, 15])
        let unit = unit()
        let hasFlags = minutes == 30 && chance(3)
        var slots: [Slot] = []
        for meter in meters.indices { for day in days { slots += self.slots(meter, day, estimates: hasFlags) } }
        for slot in slots { expect(slot) }
        // A part of a half-hour has a half of its value.
        var parts: [(slot: Slot, instant: Int, thousandths: Int64)] = slots.flatMap { slot in
            minutes == 30
                ? [(slot, slot.instant, slot.thousandths)]
                : [(slot, slot.instant, slot.thousandths / 2), (slot, slot.instant + 900, slot.thousandths / 2)]
        }
        if chance(3) { parts.sort { ($0.instant, $0.slot.meter) < ($1.instant, $1.slot.meter) } }
        if chance(3) {
            parts.reverse()
            story.append("newest first")
        }
        let date = dateWriter()
        let length = minutes * 60
        let isEnd = chance(3)
        let onClock = chance(2)
        let shape = pick(["datetime", "datetime", "date and time", "date and period", "offset"])
        story.append("\(minutes) minutes, \(shape)\(isEnd ? ", ends\(onClock ? " on the clock" : "")" : "")")
        let isUTC = isUTC
        // The day and the seconds that stand in the file.
        func shown(_ instant: Int) -> (Int, Int) {
            let offset = isUTC ? 0 : Self.offset(instant)
            var clock = instant + offset
            if isEnd { clock = onClock && !isUTC ? instant + length + Self.offset(instant + length) : clock + length }
            return (clock / 86_400, clock % 86_400)
        }
        func time(_ seconds: Int) -> String { "\(Self.two(seconds / 3600)):\(Self.two(seconds % 3600 / 60))" }
        var columns = meterColumn().map { make in Column(name: make(0).name, cell: { row in make(parts[row].slot.meter).cell(row) }) }
        let rows = parts
        switch shape {
        case "offset":
            let name = pick(["datetime", "Timestamp", isEnd ? "interval end" : "start"])
            if isEnd { options.times = .end }
            columns.append(
                Column(name: name, cell: { row in
                    let instant = rows[row].instant + (isEnd ? length : 0)
                    let offset = Self.offset(instant)
                    let clock = instant + offset
                    let day = CalendarDate(days: clock / 86_400).text
                    return "\(day)T\(time(clock % 86_400)):00\(offset == 0 ? "Z" : "+01:00")"
                })
            )
        case "date and period":
            columns.append(Column(name: pick(["Settlement Date", "Date"]), cell: { row in date(isUTC ? rows[row].instant / 86_400 : rows[row].slot.day) }))
            columns.append(
                Column(name: pick(["Settlement Period", "SP", "Period"]), cell: { row in
                    let part = rows[row]
                    let start = isUTC ? part.instant / 86_400 * 86_400 : Self.midnight(part.slot.day)
                    return "\((part.instant - start) / length + 1)"
                })
            )
        case "date and time":
            let lastIs24 = chance(2)
            columns.append(
                Column(name: pick(["Date", "Read Date", "Reading Date"]), cell: { row in
                    let (day, seconds) = shown(rows[row].instant)
                    return date(isEnd && seconds == 0 ? day - 1 : day)
                })
            )
            columns.append(
                Column(name: pick(["Time", "Read Time", "Time Slot"]), cell: { row in
                    let seconds = shown(rows[row].instant).1
                    return isEnd && seconds == 0 ? (lastIs24 ? "24:00" : "00:00") : time(seconds)
                })
            )
        default:
            columns.append(
                Column(name: pick(["DateTime", "timestamp", "ReadingDateTime", isEnd ? "Date/Time" : "start"]), cell: { row in
                    let (day, seconds) = shown(rows[row].instant)
                    return "\(date(day)) \(time(seconds))"
                })
            )
        }
        let hasUnitColumn = chance(3)
        let name = hasUnitColumn
            ? pick(["Consumption", "Value", "Usage"])
            : unit.divisor == 0 ? pick(["Wh", "Consumption (Wh)", "usage_wh"]) : pick(["kWh", "KWH", "Consumption (kWh)", "Actual (KWH)", "Consumption"])
        if hasUnitColumn { columns.append(Column(name: pick(["Units", "UOM", "Meter Units"]), cell: { _ in unit.word })) }
        let quantity = chance(4) ? pick(["Direction", "Measurement Quantity ID", "Channel Type"]) : nil
        columns.append(Column(name: name, cell: { row in Self.value(rows[row].thousandths, unit) }))
        if chance(4) { columns.append(Column(name: pick(["Cost (GBP)", "Reading kVArh", "Meter Start Read"]), cell: { row in "\(row * 3)" })) }
        if hasFlags {
            columns.append(Column(name: pick(["Read Type", "Flag", "Est", "Actual/Estimated"]), cell: { row in rows[row].slot.isEstimate ? "E" : "A" }))
        }
        guard let quantity else { return write(columns, rows: rows.count) }
        // Each row twice, the other of another quantity.
        let other = pick(["first", "second"])
        let (wanted, unwanted) = quantity == "Direction" ? ("Import", "Export") : quantity == "Channel Type" ? ("kWh", "kVArh") : ("AI", "RI")
        story.append("\(quantity) \(other)")
        var doubled = columns.map { column in Column(name: column.name, cell: { column.cell($0 / 2) }) }
        for index in doubled.indices where doubled[index].name == name {
            let cell = columns[index].cell
            doubled[index].cell = { row in (row % 2 == 0) == (other == "first") ? cell(row / 2) : "7.5" }
        }
        doubled.append(Column(name: quantity, cell: { row in (row % 2 == 0) == (other == "first") ? wanted : unwanted }))
        write(doubled, rows: rows.count * 2)
    }

    // MARK: Days

    private mutating func makeDays() {
        type = .daily
        isUTC = false
        options.timezone = nil
        story = ["days"]
        let date = dateWriter()
        var rows: [(meter: Int, day: Int, thousandths: Int64)] = []
        for meter in meters.indices { for day in days { rows.append((meter, day, Int64.random(in: 0...90_000, using: &random))) } }
        if chance(3) { rows.reverse() }
        for row in rows { expected[Key(meter: meters[row.meter], day: row.day, period: 0)] = Value(thousandths: row.thousandths, type: .actual) }
        var columns = meterColumn().map { make in Column(name: make(0).name, cell: { row in make(rows[row].meter).cell(row) }) }
        columns.append(Column(name: pick(["Date", "Read Date"]), cell: { date(rows[$0].day) }))
        columns.append(Column(name: pick(["kWh", "Consumption (kWh)"]), cell: { Self.decimal(rows[$0].thousandths) }))
        if chance(3) { columns.append(Column(name: "Reading", cell: { "\(45_000 + $0 * 7)" })) }
        write(columns, rows: rows.count)
    }
}
