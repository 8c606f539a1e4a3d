// The parts of a day that stand in columns, and the days on which the clocks change.
extension FileSurvey {
    /// Notes a row with the parts of a day.
    mutating func noteColumns(_ record: CSVRecord, _ meter: MeterIndex.Entry, _ days: Days) {
        let key = BitPages.key(days.day, of: meter.hash)
        guard isFirst else {
            var hash = StableHash([])
            for period in layout.periods { hash.add(cells.numbers.units(record[period.column], decimals: 6)) }
            return repeats.note(key, hash.value, record, &evidence)
        }
        repeats.note(key)
        let isKept = meter.place < MeterIndex.most
        let previous = isKept ? meters[meter.place] : MeterValues()
        let step = previous.rows > 0 ? days.day - Int(previous.day) : 0
        // A day that comes again says nothing of what follows what.
        let isNext = step != 0 || previous.rows == 0
        if step < 0, isKept { meters[meter.place].value = .min }
        let change = changeDay(days.day)
        var (filled, sum, isWhole) = (0, Int64(0), true)
        var firstValue = Int64.min
        var values: [Int64?] = []
        for period in layout.periods {
            let cell = record[period.column]
            let number = number(cell, record.line)
            if change != nil { values.append(number) }
            guard let number else {
                if !cell.isEmpty { isWhole = false }
                continue
            }
            filled += 1
            let (next, isOver) = sum.addingReportingOverflow(number)
            sum = isOver ? 0 : next
            guard isKept else { continue }
            if firstValue == .min, number != 0 { firstValue = number }
            note(number, meter.place, forward: isNext ? true : nil)
        }
        for extra in layout.extras {
            if let number = cells.numbers.units(record[extra.column], decimals: 6) {
                sum = sum.addingReportingOverflow(number).partialValue
            }
        }
        if isKept {
            if previous.rows > 0, step != 0 {
                if step > 0 { evidence.forward += 1 } else { evidence.backward += 1 }
                noteDayStep(previous, days)
            }
            // Newest first: the last value of a day comes before the first of the day behind it.
            if step < 0, previous.firstValue != .min, meters[meter.place].value > previous.firstValue {
                meters[meter.place].downs &+= 1
            }
            meters[meter.place].firstValue = firstValue
            meters[meter.place].rows &+= 1
            let minute = Int32(truncatingIfNeeded: days.day &* 1440)
            meters[meter.place].first = min(previous.first, minute)
            meters[meter.place].last = max(previous.last, minute &+ 1439)
            keepDay(meter.place, days)
        }
        if let total = layout.total, isWhole, filled > 0,
            let number = cells.numbers.units(record[total], decimals: 6)
        {
            noteTotal(number, sum, record.line)
        }
        if let change { noteChange(values, change, record) }
    }

    /// Whether a total is the sum of the day, but for what rounding takes.
    private mutating func noteTotal(_ total: Int64, _ sum: Int64, _ line: Int) {
        func near(_ one: Int64, _ other: Int64) -> Bool {
            let (difference, isOver) = one.subtractingReportingOverflow(other)
            return !isOver && difference.magnitude <= max(60_000, one.magnitude / 200)
        }
        if near(total, sum) {
            evidence.totalsRight.note(line)
        } else {
            evidence.totalsWrong.note(line)
            if near(total &* 2, sum) { evidence.totalsDouble += 1 }
        }
    }

    /// Notes which columns of a day with 46 or 50 half-hours have values.
    private mutating func noteChange(_ values: [Int64?], _ change: ChangeDay, _ record: CSVRecord) {
        guard let minutes = layout.minutes else { return }
        let perDay = 1440 / minutes
        let special = change.special.filter { $0 % minutes == 0 }.map { $0 / minutes }
        guard !special.isEmpty else { return }
        // Places of the day, which a series in descending order has from its end.
        var places: [Int64?] = Array(repeating: nil, count: layout.periods.count)
        for (index, period) in layout.periods.enumerated() where places.indices.contains(period.place) {
            places[period.place] = values[index]
        }
        func isEmpty(_ place: Int) -> Bool { !places.indices.contains(place) || (places[place] ?? 0) == 0 }
        func isBlank(_ place: Int) -> Bool { !places.indices.contains(place) || places[place] == nil }
        let ordinary = min(perDay, places.count)
        let isWhole = (0..<ordinary).count(where: isBlank) == special.count
        if change.halfHours < 48 {
            let last = Array(perDay - special.count..<perDay)
            let byClock = layout.labels == .end ? [special, special.map { $0 - 1 }] : [special]
            if isWhole, last.allSatisfy(isBlank), special.contains(where: { !isEmpty($0) }) {
                evidence.shortByNumber.note(record.line)
            } else if isWhole, byClock.contains(where: { $0.allSatisfy(isBlank) }),
                last.contains(where: { !isEmpty($0) })
            {
                evidence.shortByClock.note(record.line)
            } else if last.allSatisfy(isEmpty), special.contains(where: { !isEmpty($0) }) {
                evidence.shortByNumber.note(record.line)
            } else if layout.isByClock, byClock.contains(where: { $0.allSatisfy(isEmpty) }),
                last.contains(where: { !isEmpty($0) })
            {
                evidence.shortByClock.note(record.line)
            } else if (0..<ordinary).allSatisfy({ !isBlank($0) }) {
                evidence.shortFull.note(record.line)
            }
        } else if (0..<ordinary).allSatisfy({ !isBlank($0) }) {
            let isExtra = layout.extras.contains {
                (cells.numbers.units(record[$0.column], decimals: 6) ?? 0) != 0
            }
            if isExtra || !isEmpty(perDay) {
                evidence.longWhole.note(record.line)
            } else {
                evidence.longCut.note(record.line)
            }
        }
    }

    /// Keeps how many numbered half-hours a day has on which the clocks change.
    mutating func noteNumber(_ number: Int, _ meter: MeterIndex.Entry, _ day: Int, _ line: Int) {
        guard day != lastPlainDay else { return }
        guard let change = changeDay(day) else {
            lastPlainDay = day
            return
        }
        let key = Self.key(meter, day)
        guard evidence.numberedChanges[key] != nil || evidence.numberedChanges.count < Self.mostChanges else { return }
        var known = evidence.numberedChanges[key] ?? Evidence.NumberedDay(line: line, halfHours: change.halfHours)
        known.count += 1
        known.first = min(known.first, number)
        known.last = max(known.last, number)
        evidence.numberedChanges[key] = known
    }

    /// Keeps the times of a day on which the clocks change.
    mutating func noteChange(_ meter: MeterIndex.Entry, _ day: Int, _ minute: Int, _ line: Int) {
        guard minute <= 300 || zone.name != ImportOptions.defaultZone, day != lastPlainDay else { return }
        guard let change = changeDay(day) else {
            lastPlainDay = day
            return
        }
        guard let first = change.special.first, let last = change.special.last, minute >= first - 60,
            minute <= last + 90
        else { return }
        let key = Self.key(meter, day)
        if let place = changes[key] {
            if evidence.changes[place].labels.count < 64 { evidence.changes[place].labels.append(minute) }
        } else if evidence.changes.count < Self.mostChanges {
            changes[key] = evidence.changes.count
            evidence.changes.append(
                Evidence.ClockChange(
                    meter: meter.hash,
                    day: day,
                    line: line,
                    isShort: change.halfHours < 48,
                    special: change.special,
                    labels: [minute]
                )
            )
        }
    }

    /// The day, if the clocks change on it.
    mutating func changeDay(_ day: Int) -> ChangeDay? {
        if let known = changeDays[day] { return known }
        if changeDays.count > 4000 { changeDays.removeAll() }
        var change: ChangeDay?
        let date = CalendarDate(days: day)
        if !days.isPlain(date) {
            let count = days.count(on: date)
            var special: [Int] = []
            for minute in stride(from: 0, to: 1440, by: 15) {
                let instants = clock.instants(showing: day * 86_400 + minute * 60)
                if instants == nil || instants?.second != nil { special.append(minute) }
            }
            if count != 48, !special.isEmpty { change = ChangeDay(halfHours: count, special: special) }
        }
        changeDays[day] = change
        return change
    }
}
