import Headroom
import HeadroomJobs

/// Looks at every row of a file of readings for what it shows of how the file is meant; nothing is decided here.
struct FileSurvey {
    private(set) var evidence = Evidence()

    private let layout: FileLayout
    private let options: ImportOptions
    private let zone: TimeZoneRules
    private var days: HalfHours
    private var clock: ZoneClock
    private var index = MeterIndex()
    private var meters: [Meter] = []
    private var bits = BitPages()
    private var repeated: Set<UInt64> = []
    private var columns: [Int: WordColumn] = [:]
    private var filter: QuantityFilter
    private var changeDays: [Int: ChangeDay?] = [:]
    private var changes: [UInt64: Int] = [:]
    private var lastPlainDay = Int.min
    private var identities: [Int: Set<UInt64>] = [:]

    /// The values of readings that come more than once, when they are compared.
    private var compared: [UInt64: Seen] = [:]
    private var isComparing = false
    private var flagColumn: Int?

    private static let mostRepeats = 100_000
    private static let mostChanges = 40_000

    private struct Seen {
        var value: UInt64
        var flag: UInt64
        var cells: [UInt64]
    }

    private struct ChangeDay {
        var isShort: Bool
        var special: [Int]
    }

    /// What is known of a meter.
    private struct Meter {
        var rows: Int32 = 0
        var day = Int32.min
        var monthDay = Int32.min
        var seconds: Int32 = 0
        var first = Int.max
        var last = Int.min
        var quarters: Int32 = 0
        var halves: Int32 = 0
        var hours: Int32 = 0
        var value = Int64.min
        var firstValue: Int64?
        var least = Int64.max
        var most = Int64.min
        var ups: Int32 = 0
        var downs: Int32 = 0
        var steps: Int32 = 0
    }

    init(_ layout: FileLayout, options: ImportOptions) throws {
        self.layout = layout
        self.options = options
        zone = try TimeZoneRules.named(options.timezone ?? options.zone ?? ImportOptions.defaultZone)
        days = HalfHours(zone)
        clock = ZoneClock(zone)
        let chosen = options.chosenWord.flatMap { chosen in
            layout.names.firstIndex { ColumnName($0).normalised == ColumnName(chosen.column).normalised }
                .map { ($0, chosen.word.lowercased()) }
        }
        let wanted: Quantity = options.quantity == Quantity.export.rawValue ? .export : .consumed
        filter = QuantityFilter(layout, wanted: wanted, chosen: chosen)
        for column in layout.words { columns[column] = WordColumn() }
        for column in layout.identities { identities[column] = [] }
    }

    /// Reads what repeated readings hold, in a second pass; whether that is needed.
    mutating func beginComparison(flags: Int?) -> Bool {
        guard !repeated.isEmpty else { return false }
        isComparing = true
        flagColumn = flags
        return true
    }

    /// Looks at a row.
    mutating func note(_ record: CSVRecord) {
        guard record.flaw == nil, !record.isBlank else { return }
        if let other = filter.otherQuantity(record) {
            if !isComparing { evidence.others[other, default: 0] += 1 }
            return
        }
        if !isComparing {
            evidence.rows += 1
            for column in layout.words { _ = columns[column]?.place(of: record[column], line: record.line) }
            for (column, seen) in identities where seen.count <= 2 {
                let cell = record[column]
                if !cell.isEmpty, seen.count < 3 {
                    let hash = StableHash(cell.buffer).value
                    if identities[column]?.insert(hash).inserted == true {
                        evidence.severalIn[column, default: []].append(shown(cell.text, most: 40))
                    }
                }
            }
        }
        guard let meter = meter(record) else { return }
        switch layout.shape {
        case .columns(let date):
            guard let (day, monthDay) = day(record[date], record.line) else { return }
            noteColumns(record, meter, day, monthDay)
        case .daily(let date, let time, let value):
            guard let (day, monthDay) = day(record[date], record.line) else {
                if let stamp = try? Stamp(record[date]), stamp.seconds % 86_400 != 0 {
                    evidence.otherTimes.note(record.line)
                }
                return
            }
            if let time, !record[time].isEmpty, (try? Clock(record[time]))?.seconds != 0 {
                evidence.otherTimes.note(record.line)
            }
            noteRow(record, meter, day, monthDay, seconds: 0, record[value])
        case .datetime(let column, let value):
            guard let stamp = try? Stamp(record[column]) else { return }
            note(stamp, record, meter, record[value])
        case .dateAndTime(let date, let time, let value):
            guard let stamp = try? Stamp(date: record[date], time: record[time]) else { return }
            note(stamp, record, meter, record[value])
        case .dateAndPeriod(let date, let period, let value):
            guard let (day, monthDay) = day(record[date], record.line),
                let number = record[period].number(digits: 1...3)
            else { return }
            if !isComparing {
                let known = evidence.periods ?? number...number
                evidence.periods = min(known.lowerBound, number)...max(known.upperBound, number)
            }
            // A day has 100 quarters of an hour at most.
            noteRow(
                record,
                meter,
                day,
                monthDay,
                seconds: (number - 1) * 60,
                bit: day * 128 + min(number, 127),
                record[value]
            )
        }
    }

    private mutating func meter(_ record: CSVRecord) -> Int? {
        let place: Int
        if let column = layout.meter {
            let cell = record[column]
            if cell.isEmpty {
                evidence.emptyMeters += 1
                guard options.mpan != nil else { return nil }
                place = index.place(ofJob: options.mpan ?? "")
            } else {
                guard let found = index.place(of: cell) else { return nil }
                place = found
            }
        } else {
            place = index.place(ofJob: options.mpan ?? "")
        }
        while meters.count <= place { meters.append(Meter()) }
        return place
    }

    /// The day of a cell when the day comes first, or where that cannot be the month; and the same the other way round.
    private mutating func day(_ cell: Bytes, _ line: Int) -> (Int, Int)? {
        guard let text = try? DateText.whole(cell) else { return nil }
        return day(text, line)
    }

    private mutating func day(_ text: DateText, _ line: Int) -> (Int, Int)? {
        switch text {
        case .day(let date): return (date.days, date.days)
        case .numbers(let first, let second, let year):
            if !isComparing {
                if first > 12 { evidence.firstOver12.note(line) }
                if second > 12 { evidence.secondOver12.note(line) }
            }
            let dayFirst = CalendarDate(year: year, month: second, day: first)
            let monthFirst = CalendarDate(year: year, month: first, day: second)
            if options.dateOrder == .monthFirst { return monthFirst.map { ($0.days, $0.days) } }
            guard let date = dayFirst ?? monthFirst else { return nil }
            return (date.days, (monthFirst ?? date).days)
        }
    }

    private mutating func note(_ stamp: Stamp, _ record: CSVRecord, _ meter: Int, _ value: Bytes) {
        guard let (day, monthDay) = day(stamp.date, record.line) else { return }
        if isComparing {
            return noteRow(record, meter, day, monthDay, seconds: stamp.seconds - (stamp.offset ?? 0), value)
        }
        if stamp.isRange { evidence.ranges += 1 }
        if let offset = stamp.offset {
            evidence.offsets.note(record.line)
            return noteRow(record, meter, day, monthDay, seconds: stamp.seconds - offset, value)
        }
        let minute = stamp.seconds / 60
        if stamp.seconds == 86_400 {
            evidence.dayEnd.note(record.line)
        } else if stamp.seconds == 0 {
            evidence.midnight.note(record.line)
        } else {
            evidence.otherTimes.note(record.line)
        }
        if stamp.seconds % 900 != 0 {
            evidence.oddTimes.note(record.line)
        } else if stamp.seconds % 1800 != 0 {
            evidence.quarterTimes.note(record.line)
        }
        noteChange(meter, day, minute, record.line)
        noteRow(record, meter, day, monthDay, seconds: stamp.seconds, value)
    }

    /// Keeps the times of a day on which the clocks change.
    private mutating func noteChange(_ meter: Int, _ day: Int, _ minute: Int, _ line: Int) {
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
                    meter: index.hash(of: meter),
                    day: day,
                    line: line,
                    isShort: change.isShort,
                    special: change.special,
                    labels: [minute]
                )
            )
        }
    }

    private mutating func changeDay(_ day: Int) -> ChangeDay? {
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
            if count != 48, !special.isEmpty { change = ChangeDay(isShort: count < 48, special: special) }
        }
        changeDays[day] = change
        return change
    }

    /// Notes one reading of a meter.
    private mutating func noteRow(
        _ record: CSVRecord,
        _ meter: Int,
        _ day: Int,
        _ monthDay: Int,
        seconds: Int,
        bit known: Int? = nil,
        _ value: Bytes
    ) {
        let clock = day * 86_400 + seconds
        let bit = known ?? (layout.isDaily ? day : (clock >= 0 ? clock : clock - 899) / 900)
        if isComparing {
            // What is no number is rejected, and no other value.
            if let number = DecimalText.units(value, decimals: 6) {
                compare(record, meter, bit, UInt64(bitPattern: number))
            }
            return
        }
        let previous = meters[meter]
        let number = DecimalText.units(value, decimals: 6)
        meters[meter].rows &+= 1
        // On a day on which the clocks change the time goes back, or leaps, whatever the order of the rows.
        let isChange = changes.isEmpty ? false : seconds <= 14_400 && changes[Self.key(meter, day)] != nil
        if previous.rows > 0 {
            let step = clock - (Int(previous.day) * 86_400 + Int(previous.seconds))
            if step != 0 {
                if isChange {
                    evidence.changeBalance += step.signum()
                } else if step > 0 {
                    evidence.forward += 1
                } else {
                    evidence.backward += 1
                }
                let minutes = step.magnitude < 60 ? 0 : Int(step.magnitude) / 60
                if evidence.steps.count < 1000 || evidence.steps[minutes] != nil {
                    evidence.steps[minutes, default: 0] += 1
                }
                switch minutes {
                case 15: meters[meter].quarters &+= 1
                case 30: meters[meter].halves &+= 1
                case 60: meters[meter].hours &+= 1
                default: break
                }
                if previous.day == Int32(truncatingIfNeeded: day) {
                    let (earlier, later) = (min(Int(previous.seconds), seconds), max(Int(previous.seconds), seconds))
                    if earlier == 0, later >= 82_800 {
                        if step < 0 {
                            evidence.midnightLast.note(record.line)
                        } else {
                            evidence.midnightLastBackwards.note(record.line)
                        }
                    }
                    if earlier == 0, later <= 3600 { evidence.midnightFirst.note(record.line) }
                } else {
                    let (dayStep, monthStep) = (day - Int(previous.day), monthDay - Int(previous.monthDay))
                    if day != monthDay, previous.day != previous.monthDay {
                        if abs(dayStep) == 1, abs(monthStep) != 1 { evidence.daySteps += 1 }
                        if abs(monthStep) == 1, abs(dayStep) != 1 { evidence.monthSteps += 1 }
                    }
                }
                if let number, previous.value != .min {
                    let isUp = (number > previous.value) == (step > 0)
                    meters[meter].steps &+= 1
                    if number != previous.value {
                        if isUp { meters[meter].ups &+= 1 } else { meters[meter].downs &+= 1 }
                    }
                }
            }
        }
        meters[meter].day = Int32(truncatingIfNeeded: day)
        meters[meter].monthDay = Int32(truncatingIfNeeded: monthDay)
        meters[meter].seconds = Int32(truncatingIfNeeded: seconds)
        meters[meter].first = min(previous.first, clock)
        meters[meter].last = max(previous.last, clock)
        if let number { note(number, meter) }
        insert(bit, meter, isChange: isChange)
    }

    private mutating func note(_ number: Int64, _ meter: Int) {
        // What is too large to be stored is rejected, whatever it means.
        guard number.magnitude < 1 << 61 else { return }
        meters[meter].value = number
        meters[meter].least = min(meters[meter].least, number)
        meters[meter].most = max(meters[meter].most, number)
        evidence.values += 1
    }

    private mutating func insert(_ bit: Int, _ meter: Int, isChange: Bool) {
        guard bits.insert(bit, of: meter), !isChange else { return }
        evidence.repeats += 1
        if repeated.count < Self.mostRepeats { repeated.insert(Self.key(meter, bit)) }
    }

    private static func key(_ meter: Int, _ bit: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: meter) << 32 | UInt64(UInt32(truncatingIfNeeded: bit))
    }

    /// Notes the parts of a day that stand in columns.
    private mutating func noteColumns(_ record: CSVRecord, _ meter: Int, _ day: Int, _ monthDay: Int) {
        var (filled, zeros, sum) = (0, 0, Int64(0))
        var hash = StableHash([])
        var isWhole = true
        let isChange = !isComparing && changeDay(day) != nil
        var values: [Int64?] = []
        let step = meters[meter].rows > 0 ? day - Int(meters[meter].day) : 0
        if step < 0 { meters[meter].value = .min }
        var firstValue: Int64?
        for period in layout.periods {
            let cell = record[period.column]
            if isComparing {
                hash.add(DecimalText.units(cell, decimals: 6))
                continue
            }
            guard let number = DecimalText.units(cell, decimals: 6) else {
                if isChange { values.append(nil) }
                if !cell.isEmpty { isWhole = false }
                continue
            }
            if isChange { values.append(number) }
            filled += 1
            if number == 0 { zeros += 1 }
            let (next, isOver) = sum.addingReportingOverflow(number)
            sum = isOver ? 0 : next
            if firstValue == nil { firstValue = number }
            let previous = meters[meter].value
            if previous != .min, step != 0 || meters[meter].rows == 0 {
                meters[meter].steps &+= 1
                if number > previous { meters[meter].ups &+= 1 } else if number < previous { meters[meter].downs &+= 1 }
            }
            note(number, meter)
        }
        if isComparing { return compare(record, meter, day, hash.value) }
        for extra in layout.extras {
            if let number = DecimalText.units(record[extra.column], decimals: 6) {
                sum = sum.addingReportingOverflow(number).partialValue
            }
        }
        let previous = meters[meter]
        if previous.rows > 0 {
            let (dayStep, monthStep) = (day - Int(previous.day), monthDay - Int(previous.monthDay))
            if dayStep != 0 { if dayStep > 0 { evidence.forward += 1 } else { evidence.backward += 1 } }
            if day != monthDay, previous.day != previous.monthDay {
                if abs(dayStep) == 1, abs(monthStep) != 1 { evidence.daySteps += 1 }
                if abs(monthStep) == 1, abs(dayStep) != 1 { evidence.monthSteps += 1 }
            }
        }
        // Newest first: the last value of a day comes before the first of the day behind it.
        if step < 0, let next = previous.firstValue, meters[meter].value > next { meters[meter].downs &+= 1 }
        meters[meter].firstValue = firstValue
        meters[meter].rows &+= 1
        meters[meter].day = Int32(truncatingIfNeeded: day)
        meters[meter].monthDay = Int32(truncatingIfNeeded: monthDay)
        if let total = layout.total, isWhole, filled > 0, let number = DecimalText.units(record[total], decimals: 6) {
            noteTotal(number, sum, record.line)
        }
        if isChange, let change = changeDay(day) { noteChange(values, change, record) }
        insert(day, meter, isChange: false)
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
        guard let minutes = layout.minutes, minutes == 30 else { return }
        let special = change.special.filter { $0 % 30 == 0 }.map { $0 / 30 }
        func isEmpty(_ place: Int) -> Bool { !layout.periods.indices.contains(place) || (values[place] ?? 0) == 0 }
        func isBlank(_ place: Int) -> Bool { !layout.periods.indices.contains(place) || values[place] == nil }
        let ordinary = min(48, values.count)
        let isWhole = (0..<ordinary).count(where: isBlank) == 2
        if change.isShort {
            let last = [46, 47]
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
            } else if (0..<ordinary).allSatisfy({ !isEmpty($0) }) {
                evidence.shortFull.note(record.line)
            }
        } else if (0..<ordinary).allSatisfy({ !isBlank($0) }) {
            let isExtra = layout.extras.contains { (DecimalText.units(record[$0.column], decimals: 6) ?? 0) != 0 }
            if isExtra || !isEmpty(48) {
                evidence.longWhole.note(record.line)
            } else {
                evidence.longCut.note(record.line)
            }
        }
    }

    /// Compares a reading that comes more than once with what it was before.
    private mutating func compare(_ record: CSVRecord, _ meter: Int, _ bit: Int, _ value: UInt64) {
        let key = Self.key(meter, bit)
        guard repeated.contains(key) else { return }
        let flag = flagColumn.map { StableHash(record[$0].buffer).value } ?? 0
        let cells = layout.words.map { StableHash(record[$0].buffer).value }
        guard let seen = compared[key] else {
            compared[key] = Seen(value: value, flag: flag, cells: cells)
            return
        }
        evidence.repeatsCompared += 1
        guard seen.value != value, seen.flag == flag else { return }
        evidence.conflictCount += 1
        if evidence.conflicts.count < 10 { evidence.conflicts.append(record.line) }
        for (place, column) in layout.words.enumerated()
        where place < seen.cells.count && seen.cells[place] != cells[place] {
            evidence.separators[column, default: 0] += 1
        }
    }

    /// Adds up what the meters show, at the end of the first pass.
    mutating func finish() -> Evidence {
        guard !isComparing else { return evidence }
        for (column, words) in columns { evidence.words[column] = words.isMany ? nil : words.words }
        for (column, words) in filter.words where columns[column] == nil {
            evidence.words[column] = words.isMany ? nil : words.words
        }
        evidence.meters = meters.count
        for (place, meter) in meters.enumerated() where meter.rows > 0 {
            if index.isMPAN(place) { evidence.supplies += 1 }
            let step = meter.quarters > max(meter.halves, meter.hours) ? 900 : meter.hours > meter.halves ? 3600 : 1800
            if meter.rows > 1, layout.minutes == nil {
                let span = meter.last - meter.first + step
                if span % 86_400 == 0, Int(meter.rows) * step * 2 > span {
                    let minute = (meter.first % 86_400 + 86_400) % 86_400 / 60
                    evidence.dayBegins[minute, default: 0] += 1
                }
                if meter.hours >= 3, meter.halves == 0, meter.quarters == 0 { evidence.hourlyMeters += 1 }
                if meter.halves > 0 || meter.quarters > 0 { evidence.finerMeters += 1 }
            }
            guard meter.steps >= 1 else { continue }
            let rise = meter.most - meter.least
            let only = meter.downs == 0 && rise > 0
            // What few values show only where they rise by little, many show anyhow.
            let ratio: Int64 = meter.steps >= 4 ? 1 : 50
            evidence.telling += 1
            if only, meter.ups * 10 >= meter.steps * 8, meter.least / ratio >= rise { evidence.rising += 1 }
            if meter.steps >= 20 {
                evidence.tellingStrongly += 1
                let strong: Int64 = meter.steps >= 95 ? 20 : 100
                if only, meter.ups * 2 >= meter.steps, meter.least / strong >= rise || meter.steps >= 400 {
                    evidence.risingStrongly += 1
                }
            }
        }
        return evidence
    }
}

extension FileLayout {
    var isDaily: Bool { if case .daily = shape { true } else { false } }
}
