@testable import MeterImport

// One row for each part of a day, or for each day.
extension RandomLayout {
    mutating func makeRows() {
        minutes = pick([30, 30, 30, 15])
        let unit = trap == nil ? unit() : Unit(word: "kWh", divisor: 1)
        let hasFlags = minutes == 30 && chance(3)
        var slots: [Slot] = []
        for meter in meters.indices { for day in days { slots += self.slots(meter, day, estimates: hasFlags) } }
        // Values that are none: their rows are rejected, also the first of the hour that comes twice.
        var bad: Set<Int> = []
        if hasNoise {
            bad = Set(
                slots.indices.filter {
                    slots[$0].period == 3 && slots[$0].day == slots[$0].instant / 86_400 || chance(40)
                }
            )
        }
        for (index, slot) in slots.enumerated() where !bad.contains(index) { expect(slot) }
        let badInstants = Set(bad.map { [slots[$0].meter, slots[$0].instant] })
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
        let file = self
        let length = minutes * 60
        let isEnd = chance(3)
        let shape = pick([
            "datetime", "datetime", "date and time", "date and time", "date and period", "offset", "epoch",
        ])
        let isLastSecond = isEnd && chance(4)
        let onClock = chance(2) && !isLastSecond
        let isRange = !isEnd && chance(4)
        let hasHalves = !isLastSecond && !isRange && chance(6)
        story.append("\(minutes) minutes, \(shape)\(isEnd ? ", ends\(onClock ? " on the clock" : "")" : "")")
        if isLastSecond { story.append("last second") }
        if isRange { story.append("ranges") }
        let isUTC = isUTC
        // The day and the seconds that stand in the file.
        func shown(_ instant: Int) -> (Int, Int) {
            let offset = isUTC ? 0 : Self.offset(instant)
            var clock = instant + offset
            if isEnd { clock = onClock && !isUTC ? instant + length + Self.offset(instant + length) : clock + length }
            return (clock / 86_400, clock % 86_400)
        }
        let dash = pick(["-", " - ", " to ", "\u{2013}"])
        func clock(_ seconds: Int) -> String { "\(Self.two(seconds / 3600)):\(Self.two(seconds % 3600 / 60))" }
        func time(_ seconds: Int) -> String {
            if isLastSecond { return clock((seconds + 86_400 - 1) % 86_400) + ":59" }
            if isRange { return clock(seconds) + dash + clock((seconds + length) % 86_400) }
            let hour = seconds / 3600
            if hasHalves, hour < 24 {
                return "\(hour % 12 == 0 ? 12 : hour % 12):\(Self.two(seconds % 3600 / 60)) \(hour < 12 ? "AM" : "PM")"
            }
            return clock(seconds)
        }
        var columns = meterColumn()
            .map { make in Column(name: make(0).name, cell: { row in make(parts[row].slot.meter).cell(row) }) }
        let rows = parts
        switch shape {
        case "offset":
            let name = pick(["datetime", "Timestamp", isEnd ? "interval end" : "start"])
            if isEnd { options.times = .end }
            columns.append(
                Column(
                    name: name,
                    cell: { row in
                        let instant = rows[row].instant + (isEnd ? length : 0)
                        let offset = Self.offset(instant)
                        let clock = instant + offset
                        let day = CalendarDate(days: clock / 86_400).text
                        return
                            "\(day)T\(Self.two(clock % 86_400 / 3600)):\(Self.two(clock % 3600 / 60)):00\(offset == 0 ? "Z" : "+01:00")"
                    }
                )
            )
        case "epoch":
            let thousandths = chance(2)
            if isEnd { options.times = .end }
            columns.append(
                Column(
                    name: pick(["timestamp", "epoch", "time", "unix_time"]),
                    cell: { "\(rows[$0].instant + (isEnd ? length : 0))\(thousandths ? "000" : "")" }
                )
            )
        case "date and period":
            let begin = pick([1, 1, 0])
            columns += dateColumns(["Settlement Date", "Date"]) {
                isUTC ? rows[$0].instant / 86_400 : rows[$0].slot.day
            }
            columns.append(
                Column(
                    name: pick(["Settlement Period", "SP", "Period"]),
                    cell: { row in
                        let part = rows[row]
                        let start = isUTC ? part.instant / 86_400 * 86_400 : Self.midnight(part.slot.day)
                        return "\((part.instant - start) / length + begin)"
                    }
                )
            )
        case "date and time":
            let lastIs24 = chance(2)
            columns += dateColumns(["Date", "Read Date", "Reading Date"]) { row in
                let (day, seconds) = shown(rows[row].instant)
                return isEnd && seconds == 0 ? day - 1 : day
            }
            columns.append(
                Column(
                    name: pick(["Time", "Read Time", "Time Slot"]),
                    cell: { row in
                        let seconds = shown(rows[row].instant).1
                        if isLastSecond { return time(seconds) }
                        return isEnd && seconds == 0 ? (lastIs24 ? "24:00" : "00:00") : time(seconds)
                    }
                )
            )
        default:
            let date = dateWriter()
            let name = pick(["DateTime", "timestamp", "ReadingDateTime", isEnd ? "Date/Time" : "start"])
            columns.append(
                Column(
                    name: namesUTC ? name + " UTC" : name,
                    cell: { row in
                        let (day, seconds) = shown(rows[row].instant)
                        return "\(date(isLastSecond && seconds == 0 ? day - 1 : day)) \(time(seconds))"
                    }
                )
            )
        }
        let hasUnitColumn = trap == nil && chance(3)
        let name =
            hasUnitColumn
            ? pick(["Consumption", "Value", "Usage"])
            : unit.divisor == 0
                ? pick(["Wh", "Consumption (Wh)", "usage_wh"])
                : pick(["kWh", "KWH", "Consumption (kWh)", "Actual (KWH)", "Consumption"])
        if hasUnitColumn {
            columns.append(Column(name: pick(["Units", "UOM", "Meter Units"]), cell: { _ in unit.word }))
        }
        let quantity =
            chance(4) ? pick(["Direction", "Measurement Quantity ID", trap == nil ? "Channel Type" : "MQ"]) : nil
        columns.append(
            Column(
                name: trap == .gas ? "Consumption" : name,
                cell: { row in
                    badInstants.contains([rows[row].slot.meter, rows[row].slot.instant])
                        ? "n.v" : file.value(rows[row].thousandths, unit)
                }
            )
        )
        if trap == .power { above.append("Units: kW") }
        if chance(4) {
            columns.append(
                Column(name: pick(["Cost (GBP)", "Reading kVArh", "Meter Start Read"]), cell: { row in "\(row * 3)" })
            )
        }
        let flag = pick(
            [
                ("Read Type", "E", "A"), ("Flag", "E", "A"), ("Est", "E", "A"), ("Actual/Estimated", "E", "A"),
                ("Estimated", "TRUE", "FALSE"), ("Deemed", "Yes", "No"), ("Is Actual", "false", "true"),
                ("Source", "Interpolated", "Metered"),
                ("Flag", "U", "N"), ("Quality", "*", ""), ("Status", "F", "V"), ("Substituted", "1", "0"),
            ]
            .map { (name: $0.0, estimate: $0.1, actual: $0.2) }
        )
        if hasFlags {
            story.append("flag \(flag.name) \(flag.estimate)")
            if ["U", "*", "F"].contains(flag.estimate), chance(2) {
                options.estimates = "\(flag.name)=\(flag.estimate)"
            }
            columns.append(
                Column(
                    name: flag.name,
                    cell: { row in rows[row].slot.isEstimate ? flag.estimate : flag.actual }
                )
            )
        }
        guard let quantity else { return write(columns, rows: rows.count) }
        // Each row twice, the other of another quantity.
        let other = pick(["first", "second"])
        let (wanted, unwanted) =
            quantity == "Direction"
            ? ("Import", "Export") : quantity == "Channel Type" ? ("kWh", "kVArh") : ("AI", "RI")
        story.append("\(quantity) \(other)")
        var doubled = columns.map { column in Column(name: column.name, cell: { column.cell($0 / 2) }) }
        for index in doubled.indices where doubled[index].name == name {
            let cell = columns[index].cell
            doubled[index].cell = { row in (row % 2 == 0) == (other == "first") ? cell(row / 2) : "7.5" }
        }
        doubled.append(
            Column(name: quantity, cell: { row in (row % 2 == 0) == (other == "first") ? wanted : unwanted })
        )
        write(doubled, rows: rows.count * 2)
    }

    mutating func makeDays() {
        type = .daily
        isUTC = false
        options.timezone = nil
        story = ["days"]
        (above, namesUTC, trap, numbers) = ([], false, nil, .plain)
        var rows: [(meter: Int, day: Int, thousandths: Int64)] = []
        for meter in meters.indices {
            for day in days { rows.append((meter, day, Int64.random(in: 0...90_000, using: &random))) }
        }
        if chance(3) { rows.reverse() }
        for row in rows {
            expected[Key(meter: meters[row.meter], day: row.day, period: 0)] = Value(
                thousandths: row.thousandths,
                type: .actual
            )
        }
        var columns = meterColumn()
            .map { make in Column(name: make(0).name, cell: { row in make(rows[row].meter).cell(row) }) }
        columns += dateColumns(["Date", "Read Date"]) { rows[$0].day }
        columns.append(Column(name: pick(["kWh", "Consumption (kWh)"]), cell: { Self.decimal(rows[$0].thousandths) }))
        if chance(3) { columns.append(Column(name: "Reading", cell: { "\(45_000 + $0 * 7)" })) }
        write(columns, rows: rows.count)
    }
}
