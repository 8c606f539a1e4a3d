@testable import MeterImport

// One row a day, a column for each part of it.
extension RandomLayout {
    mutating func makeColumns() {
        let hasFlags = chance(3)
        let unit = trap == nil ? unit() : Unit(word: "kWh", divisor: 1)
        let file = self
        if chance(8), trap == nil, !isUTC || options.timezone != nil { return makeHourColumns() }
        var rows: [(meter: Int, day: Int, slots: [Slot])] = []
        for meter in meters.indices {
            for day in days { rows.append((meter, day, slots(meter, day, estimates: hasFlags))) }
        }
        if chance(3) {
            rows.sort { ($0.day, $0.meter) < ($1.day, $1.meter) }
        }
        if chance(3) {
            rows.reverse()
            story.append("newest first")
        }
        // A bad cell rejects its row.
        var bad: Set<Int> = []
        if hasNoise { bad = Set(rows.indices.filter { _ in chance(8) }) }
        for (index, row) in rows.enumerated() where !bad.contains(index) { for slot in row.slots { expect(slot) } }
        var style = pick([
            "HH", "interval_", "kWh_", "", "P", "start", "start", "end", "end2400", "hr", "range", "am", "fraction",
            "hundreds",
            "last second",
        ])
        if trap == .gas, style == "kWh_" { style = "HH" }
        let isDescending = chance(6)
        if isDescending { story.append("descending") }
        story.append("columns '\(style)'")
        let isClock = ["start", "end", "end2400", "hr", "range", "am", "fraction", "hundreds", "last second"]
            .contains(style)
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
            case "fraction": return "\(Double(place) / 48)"
            case "hundreds": return "\(place / 2 * 100 + place % 2 * 30)"
            case "last second": return clock(place * 30 + 29) + ":59"
            case "am":
                let hour = place / 2
                return "\(hour % 12 == 0 ? 12 : hour % 12):\(place % 2 == 0 ? "00" : "30") \(hour < 12 ? "AM" : "PM")"
            default: return "\(prefix)\(place + 1)"
            }
        }
        var series: [Column] = []
        let flagName = pick(["\u{1} Flag", "Data Marker", "A/E", "F"])
        // With names that say nothing the values must be named.
        if hasFlags, flagName == "F", trap == nil, chance(2) { options.valueColumn = "\(name(0))" }
        let needsZeroes = unit
        let flagWords = pick([("E", "A"), ("E", "A"), ("Deemed", "Actual"), ("U", "N"), ("*", "")])
        if hasFlags, flagWords.0 == "U" || flagWords.0 == "*" {
            // Nobody knows what they mean, unless the job says so.
            if chance(2) { options.estimates = flagWords.0 }
            story.append("flags \(flagWords.0)")
        }
        let badColumn = name(Int.random(in: 8..<40, using: &random))
        func add(_ columnName: String, number: Int, _ find: @escaping (Int) -> Slot?) {
            series.append(
                Column(
                    name: columnName,
                    cell: { row in
                        if bad.contains(row), columnName == badColumn { return "n.v" }
                        return find(row).map { file.value($0.thousandths, needsZeroes) } ?? fill
                    }
                )
            )
            guard hasFlags else { return }
            let flag =
                flagName == "F" ? "F\(number)" : flagName.replacing("\u{1}", with: columnName)
            series.append(
                Column(name: flag, cell: { row in find(row).map { $0.isEstimate ? flagWords.0 : flagWords.1 } ?? "" })
            )
        }
        for place in isDescending ? Array((0..<count).reversed()) : Array(0..<count) {
            add(name(place), number: place + 1) { slot(place, $0) }
        }
        if hasExtras {
            for place in 0..<2 {
                add("DST +\(place == 0 ? "0:30" : "1:00")", number: 49 + place) {
                    isLong($0) ? rows[$0].slots[4 + place] : nil
                }
            }
        }
        var columns = meterColumn()
            .map { make in Column(name: make(0).name, cell: { row in make(rows[row].meter).cell(row) }) }
        columns += dateColumns(["Date", "Reading Date", "ConsumptionDate", "Settlement Date", "DAY"]) { rows[$0].day }
        if trap == .power {
            above.append("Units: kW")
        } else if unit.divisor == 0, style != "kWh_", chance(3) {
            above.append(pick(["Units: Wh", "Unit,Wh", "All values in Wh"]))
        } else if unit.divisor == 0, style != "kWh_" {
            columns.append(Column(name: pick(["Units", "Unit of Measure"]), cell: { _ in unit.word }))
        }
        if chance(3) {
            columns.append(
                Column(
                    name: pick(["Total", "Grand Total"]),
                    cell: { row in
                        file.value(rows[row].slots.reduce(0) { $0 + $1.thousandths }, needsZeroes)
                    }
                )
            )
            // Where the long day cannot be held its total is of more than the row has.
            if !unholdable.isEmpty { columns.removeLast() }
        }
        write(columns, rows: rows.count, keepingOrder: series)
    }

    /// Columns for the hours of a day, which are split in two: only where somebody says so.
    mutating func makeHourColumns() {
        options.splitsHours = true
        let name = pick(["H", "Hour ", "", "HE"])
        story.append("hours '\(name)'")
        var rows: [(meter: Int, day: Int, slots: [Slot])] = []
        for meter in meters.indices {
            for day in days { rows.append((meter, day, slots(meter, day, estimates: false))) }
        }
        // Hours have no hour of their own that comes twice: only ordinary days.
        rows = rows.filter { $0.slots.count == 48 }
        for row in rows.indices {
            for hour in 0..<24 {
                let whole = rows[row].slots[2 * hour].thousandths / 2 * 2
                for part in 0..<2 {
                    rows[row].slots[2 * hour + part].thousandths = whole / 2
                    rows[row].slots[2 * hour + part].isEstimate = true
                    expect(rows[row].slots[2 * hour + part])
                }
            }
        }
        let (file, kWh) = (self, Unit(word: "kWh", divisor: 1))
        var columns = meterColumn()
            .map { make in Column(name: make(0).name, cell: { row in make(rows[row].meter).cell(row) }) }
        columns += dateColumns(["Date", "Day", "Read Date"]) { rows[$0].day }
        let series = (0..<24)
            .map { hour in
                Column(
                    name: "\(name)\(hour + 1)",
                    cell: { file.value(rows[$0].slots[2 * hour].thousandths * 2, kWh) }
                )
            }
        write(columns, rows: rows.count, keepingOrder: series)
    }
}
