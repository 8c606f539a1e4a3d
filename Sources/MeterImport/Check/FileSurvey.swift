import CLibrary
import Headroom
import HeadroomJobs

/// Looks at every row of a file of readings for what it shows of how the file is meant; nothing is decided here.
struct FileSurvey {
    var evidence = Evidence()

    let layout: FileLayout
    /// How cells are read.
    let cells: CellRules
    /// The zone by which days on which the clocks change are told.
    let zone: TimeZoneRules
    var days: HalfHours
    var clock: ZoneClock
    var localClock: ZoneClock
    var meters: [MeterValues] = []
    var repeats = RepeatedReadings()
    var changeDays: [Int: ChangeDay?] = [:]
    var changes: [UInt64: Int] = [:]
    var lastPlainDay = Int.min
    /// The date of the last row, how often it has come since it was noted, and the line on which it came first.
    private var lastDate: (text: DateText, days: Days?, count: Int, line: Int)?

    private let options: ImportOptions
    private let isUTC: Bool
    private let today = Int(time(nil)) / 86_400
    private var index = MeterIndex()
    private var columns: [Int: WordColumn] = [:]
    private var flags = WordColumn()
    private var filter: QuantityFilter
    private var identities: [Int: Set<UInt64>] = [:]
    /// Whether this is the first pass, or a further one for readings that come more than once.
    private(set) var isFirst = true

    static let mostChanges = 40_000
    /// Rows that are further apart have a gap between them; where the clocks are put forward 90 minutes seem to be.
    private static let longestStep = 2 * 3600

    /// A day on which the clocks change.
    struct ChangeDay {
        var halfHours: Int
        /// The minutes that the clock leaves out or shows twice.
        var special: [Int]
    }

    /// A date, and what it is when it is read in each order.
    struct Days {
        var day: Int
        var orders: [Int?]
    }

    /// What is known of a meter's values.
    struct MeterValues {
        var rows: Int32 = 0
        var day = Int32.min
        /// The same day when the month, and when the year comes first.
        var monthDay = Int32.min
        var yearDay = Int32.min
        var seconds: Int32 = 0
        /// The first and the last time, in minutes.
        var first = Int32.max
        var last = Int32.min
        /// The rows that follow each other without a gap: the first and last time, and how far they are apart.
        var runFirst = Int32.max
        var runLast = Int32.min
        var runStep: Int32 = 0
        var quarters: Int32 = 0
        var halves: Int32 = 0
        var hours: Int32 = 0
        /// Values other than 0: the last, the first of its day, the least and the greatest.
        var value = Int64.min
        var firstValue = Int64.min
        var least = Int64.max
        var most = Int64.min
        /// By how much they rise altogether.
        var rise: Int64 = 0
        var ups: Int32 = 0
        var downs: Int32 = 0
        var steps: Int32 = 0
    }

    init(_ layout: FileLayout, options: ImportOptions, cells: CellRules) throws {
        self.layout = layout
        self.options = options
        self.cells = cells
        let local = try TimeZoneRules.named(options.zone ?? ImportOptions.defaultZone)
        zone = try options.timezone.map { try TimeZoneRules.named($0) } ?? local
        isUTC = layout.isUTC || zone.name == "UTC"
        days = HalfHours(zone)
        clock = ZoneClock(zone)
        localClock = ZoneClock(local)
        let chosen = options.chosenWord.flatMap { chosen in
            layout.names.firstIndex { ColumnName($0).normalised == ColumnName(chosen.column).normalised }
                .map { ($0, chosen.word.lowercased()) }
        }
        let wanted: Quantity = options.quantity == Quantity.export.rawValue ? .export : .consumed
        filter = QuantityFilter(layout, wanted: wanted, chosen: chosen)
        for column in layout.words { columns[column] = WordColumn() }
        for column in layout.identities { identities[column] = [] }
    }

    /// Begins a further pass, which looks at readings that come more than once; whether one is needed.
    mutating func beginPass(flags: Int?) -> Bool {
        isFirst = false
        return repeats.beginPass(flags: flags, words: layout.words)
    }

    /// Looks at a row.
    mutating func note(_ record: CSVRecord) {
        guard record.flaw == nil, !record.isBlank else { return }
        if let other = filter.otherQuantity(record) {
            if isFirst { evidence.others[other, default: 0] += 1 }
            return
        }
        if isFirst { noteWords(record) }
        guard let meter = meter(record) else { return }
        switch layout.shape {
        case .columns(let date):
            guard let days = days(record, date) else { return }
            noteColumns(record, meter, days)
        case .daily(let date, let time, let value):
            guard let days = days(record, date) else {
                if let stamp = try? Stamp(record[date]), stamp.seconds % 86_400 != 0 {
                    evidence.otherTimes.note(record.line)
                }
                return
            }
            if let time, !record[time].isEmpty, (try? Clock(record[time]))?.seconds != 0 {
                evidence.otherTimes.note(record.line)
            }
            noteRow(record, meter, days, seconds: 0, record[value])
        case .datetime(let column, let value):
            guard let stamp = try? Stamp(record[column]), let days = days(stamp.date, record.line) else { return }
            note(stamp.time, days, record, meter, record[value])
        case .dateAndTime(let date, let time, let value):
            guard let days = days(record, date), let clock = try? Clock(record[time]) else { return }
            note(clock, days, record, meter, record[value])
        case .dateAndPeriod(let date, let period, let value):
            guard let days = days(record, date), let number = record[period].number(digits: 1...3) else { return }
            if isFirst {
                let known = evidence.periods ?? number...number
                evidence.periods = min(known.lowerBound, number)...max(known.upperBound, number)
                noteNumber(number, meter, days.day, record.line)
            }
            // A day has 100 quarters of an hour at most.
            let bit = days.day * 128 + min(number, 127)
            noteRow(record, meter, days, seconds: (number - 1) * 60, bit: bit, record[value])
        }
    }

    /// Notes the words of a row, and what tells meters apart.
    private mutating func noteWords(_ record: CSVRecord) {
        evidence.rows += 1
        for column in layout.words { _ = columns[column]?.place(of: record[column], line: record.line) }
        if layout.hasPeriodFlags {
            for period in layout.periods {
                if let flag = period.flag { _ = flags.place(of: record[flag], line: record.line) }
            }
            for period in layout.extras {
                if let flag = period.flag { _ = flags.place(of: record[flag], line: record.line) }
            }
        }
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

    private mutating func meter(_ record: CSVRecord) -> MeterIndex.Entry? {
        let entry: MeterIndex.Entry
        if let column = layout.meter, !record[column].isEmpty {
            guard let found = index.entry(of: record[column]) else { return nil }
            entry = found
        } else {
            guard layout.meter == nil || options.mpan != nil else { return nil }
            entry = index.entry(ofCode: options.mpan ?? "")
        }
        while meters.count <= entry.place { meters.append(MeterValues()) }
        return entry
    }

    // MARK: Dates

    private mutating func days(_ record: CSVRecord, _ column: Int) -> Days? {
        guard let text = try? layout.date(record, column) else { return nil }
        return days(text, record.line)
    }

    /// The day of a date, as cells are read; before that is known, in the order in which there is such a day.
    private mutating func days(_ text: DateText, _ line: Int) -> Days? {
        if case .day(let date) = text { return Days(day: date.days, orders: []) }
        if let last = lastDate, last.text == text {
            lastDate?.count += 1
            return last.days
        }
        noteDates()
        let found = text.orders.map { text.date($0)?.days }
        let wanted = text.orders.firstIndex(of: cells.order).flatMap { found[$0] }
        let day = wanted ?? (cells.isOrderKnown ? nil : found.lazy.compactMap(\.self).first)
        let days = day.map { Days(day: $0, orders: found) }
        lastDate = (text, days, 1, line)
        return days
    }

    /// Notes what the last date is in each order, for all the rows that it was in.
    private mutating func noteDates() {
        // What is no date in any order says nothing of them.
        guard isFirst, let last = lastDate, last.text.orders.contains(where: { last.text.date($0) != nil }) else {
            return
        }
        for order in DateOrder.allCases {
            var known = evidence.orders[order] ?? Evidence.OrderEvidence()
            if last.text.orders.contains(order), let day = last.text.date(order)?.days {
                known.possible.note(last.line, last.count)
                if day > today + 1 { known.future.note(last.line, last.count) }
                known.last = max(known.last, day)
            } else {
                known.impossible.note(last.line, last.count)
            }
            evidence.orders[order] = known
        }
    }

    // MARK: Rows

    private mutating func note(
        _ written: Clock,
        _ days: Days,
        _ record: CSVRecord,
        _ meter: MeterIndex.Entry,
        _ value: Bytes
    ) {
        let time = cells.read(written)
        guard isFirst else {
            return noteRow(record, meter, days, seconds: time.seconds - (time.offset ?? 0), value)
        }
        if written.form.offset != nil { evidence.dashes.note(record.line) }
        if written.form.isLastSecond { evidence.lastSeconds.note(record.line) }
        if let range = written.form.range { evidence.ranges[range / 60, default: 0] += 1 }
        if let offset = time.offset {
            if written.form.offset == nil { evidence.offsets.note(record.line) }
            return noteRow(record, meter, days, seconds: time.seconds - offset, value)
        }
        if time.seconds == 86_400 {
            evidence.dayEnd.note(record.line)
        } else if time.seconds == 0 {
            evidence.midnight.note(record.line)
        } else {
            evidence.otherTimes.note(record.line)
        }
        if time.seconds % 900 != 0 {
            evidence.oddTimes.note(record.line)
        } else if time.seconds % 1800 != 0 {
            evidence.quarterTimes.note(record.line)
        }
        noteChange(meter, days.day, time.seconds / 60, record.line)
        noteRow(record, meter, days, seconds: time.seconds, value)
    }

    /// Notes one reading of a meter.
    private mutating func noteRow(
        _ record: CSVRecord,
        _ meter: MeterIndex.Entry,
        _ days: Days,
        seconds: Int,
        bit known: Int? = nil,
        _ value: Bytes
    ) {
        let clock = days.day * 86_400 + seconds
        let bit = known ?? (layout.isDaily ? days.day : (clock >= 0 ? clock : clock - 899) / 900)
        let key = BitPages.key(bit, of: meter.hash)
        guard isFirst else {
            // What is no number is rejected, and no other value.
            guard let number = cells.numbers.units(value, decimals: 6) else { return }
            return repeats.note(key, UInt64(bitPattern: number), record, &evidence)
        }
        let number = number(value, record.line)
        // On a day on which the clocks change the time goes back, or leaps, whatever the order of the rows.
        let isChange = changes.isEmpty ? false : seconds <= 14_400 && changes[Self.key(meter, days.day)] != nil
        if meter.place < MeterIndex.most {
            noteStep(meter.place, days, clock, seconds, isChange: isChange, number, record.line)
        }
        if !isChange { repeats.note(key) }
    }

    /// Notes what lies between a row and the one of its meter before it.
    private mutating func noteStep(
        _ meter: Int,
        _ days: Days,
        _ clock: Int,
        _ seconds: Int,
        isChange: Bool,
        _ number: Int64?,
        _ line: Int
    ) {
        let previous = meters[meter]
        let day = Int32(truncatingIfNeeded: days.day)
        meters[meter].rows &+= 1
        var step = 0
        if previous.rows > 0 {
            step = clock - (Int(previous.day) * 86_400 + Int(previous.seconds))
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
                if previous.day == day {
                    let (earlier, later) = (min(Int(previous.seconds), seconds), max(Int(previous.seconds), seconds))
                    if earlier == 0, later >= 82_800 {
                        if step < 0 {
                            evidence.midnightLast.note(line)
                        } else {
                            evidence.midnightLastBackwards.note(line)
                        }
                    }
                    if earlier == 0, later <= 3600 { evidence.midnightFirst.note(line) }
                } else {
                    noteDayStep(previous, days)
                }
            }
        }
        let minute = Int32(truncatingIfNeeded: clock / 60)
        if step.magnitude > Self.longestStep {
            noteRun(previous)
            (meters[meter].runFirst, meters[meter].runLast, meters[meter].runStep) = (minute, minute, 0)
        } else {
            meters[meter].runFirst = min(previous.runFirst, minute)
            meters[meter].runLast = max(previous.runLast, minute)
            if previous.runStep == 0 { meters[meter].runStep = Int32(step.magnitude / 60) }
        }
        keepDay(meter, days)
        meters[meter].seconds = Int32(truncatingIfNeeded: seconds)
        meters[meter].first = min(previous.first, minute)
        meters[meter].last = max(previous.last, minute)
        // Around the hour that comes twice the order of the rows is not that of time.
        if let number {
            note(number, meter, forward: previous.rows == 0 || isChange ? nil : step == 0 ? nil : step > 0)
        }
    }

    /// Keeps which day a meter's last row is of.
    mutating func keepDay(_ meter: Int, _ days: Days) {
        meters[meter].day = Int32(truncatingIfNeeded: days.day)
        meters[meter].monthDay =
            days.orders.count > 1 ? days.orders[1].map { Int32(truncatingIfNeeded: $0) } ?? .min : .min
        meters[meter].yearDay =
            days.orders.count > 2 ? days.orders[2].map { Int32(truncatingIfNeeded: $0) } ?? .min : .min
    }

    /// Notes whether a meter's next day follows the last one, in each order of its numbers.
    mutating func noteDayStep(_ previous: MeterValues, _ days: Days) {
        let before = [previous.day, previous.monthDay, previous.yearDay]
        for (order, (day, last)) in zip(DateOrder.allCases, zip(days.orders, before)) {
            guard let day, last != .min else { continue }
            let step = abs(day - Int(last))
            if step == 1 {
                evidence.orders[order, default: .init()].steps += 1
            } else if step > 1 {
                evidence.orders[order, default: .init()].leaps += 1
            }
        }
    }

    // MARK: Values

    /// The number in a cell; notes how it is written.
    mutating func number(_ cell: Bytes, _ line: Int) -> Int64? {
        if let number = cells.numbers.units(cell, decimals: 6) {
            if !evidence.hasPoint, cell.firstIndex(of: UInt8(ascii: ".")) != nil { evidence.hasPoint = true }
            return number
        }
        guard cells.numbers == .plain, let number = SeparatedNumber(cell) else { return nil }
        switch number.form {
        case .grouped: evidence.groupedNumbers.note(line)
        case .decimalComma: evidence.decimalCommas.note(line)
        case .either: evidence.eitherCommas.note(line)
        }
        return nil
    }

    /// Notes a meter's value, and how it differs from the one before; `nil` where which of the two is the later is not known.
    mutating func note(_ number: Int64, _ meter: Int, forward: Bool?) {
        // What is too large to be stored is rejected, whatever it means. A register that shows 0 was not read.
        guard number.magnitude < 1 << 61, number != 0 else { return }
        let previous = meters[meter].value
        if previous != .min, let forward {
            meters[meter].steps &+= 1
            if number != previous {
                if (number > previous) == forward {
                    meters[meter].ups &+= 1
                    let rise = Int64(clamping: number > previous ? number - previous : previous - number)
                    meters[meter].rise = meters[meter].rise.addingReportingOverflow(rise).partialValue
                } else {
                    meters[meter].downs &+= 1
                }
            }
        }
        meters[meter].value = number
        meters[meter].least = min(meters[meter].least, number)
        meters[meter].most = max(meters[meter].most, number)
    }

    static func key(_ meter: MeterIndex.Entry, _ day: Int) -> UInt64 {
        meter.hash ^ UInt64(bitPattern: Int64(day)) &* 0x9E37_79B9_7F4A_7C15
    }

    /// Adds up what the meters show, at the end of the first pass.
    mutating func finish() {
        noteDates()
        lastDate = nil
        for (column, words) in columns { evidence.words[column] = words.isMany ? nil : words.words }
        for (column, words) in filter.words where columns[column] == nil {
            evidence.words[column] = words.isMany ? nil : words.words
        }
        evidence.hasGasNumbers = index.hasGasNumbers
        evidence.flagWords = flags.isMany ? nil : flags.words
        for meter in meters where meter.rows > 0 {
            if meter.rows > 1, layout.minutes == nil {
                noteRun(meter)
                if meter.hours >= 3, meter.halves == 0, meter.quarters == 0 { evidence.hourlyMeters += 1 }
                if meter.halves > 0 || meter.quarters > 0 { evidence.finerMeters += 1 }
            }
            noteRise(meter)
        }
    }

    /// Notes when the days of a run of rows begin, if they are whole.
    private mutating func noteRun(_ meter: MeterValues) {
        guard meter.runStep > 0 else { return }
        let (first, end) = (Int(meter.runFirst), Int(meter.runLast) + Int(meter.runStep))
        func minute(_ time: Int) -> Int { (time % 1440 + 1440) % 1440 }
        if (end - first) % 1440 == 0 { evidence.dayBegins[minute(first), default: 0] += 1 }
        guard isUTC || evidence.offsets.count > 0 else { return }
        let begin = minute(first + localClock.offset(at: first * 60) / 60)
        if begin == minute(end + localClock.offset(at: end * 60) / 60) { evidence.localBegins[begin, default: 0] += 1 }
    }

    /// Notes whether a meter's values rise as a register's do: nearly always, and by little beside what they are, or for long.
    private mutating func noteRise(_ meter: MeterValues) {
        guard meter.steps >= 1 else { return }
        evidence.telling += 1
        let span = meter.most - meter.least
        let isNearlyOnly = meter.ups >= 12 && meter.downs * 20 <= meter.ups
        // What few values show only where they rise by little, many show anyhow.
        let few: Int64 = meter.steps >= 4 ? 1 : 50
        if meter.downs == 0 || isNearlyOnly, span > 0, meter.ups * 10 >= meter.steps * 8,
            meter.least / few >= meter.rise
        {
            evidence.rising += 1
        }
        guard meter.steps >= 20, meter.rise > 0 else { return }
        let strong: Int64 = meter.steps >= 95 ? 20 : 100
        let hours = (Int(meter.last) - Int(meter.first)) / 60
        let isLong =
            layout.isDaily
            ? meter.steps >= 20 * (meter.downs + 1)
            : meter.steps >= 100 && hours >= 84 && hours >= 48 * (Int(meter.downs) + 1)
        if isNearlyOnly && (meter.most / strong >= meter.rise || isLong)
            || meter.downs == 0 && meter.ups >= 3 && meter.most / 1000 >= meter.rise
        {
            evidence.risingStrongly += 1
        }
    }
}

extension FileLayout {
    var isDaily: Bool { if case .daily = shape { true } else { false } }

    /// Whether a name, or a line above the header, says that the times are UTC.
    var isUTC: Bool { isUTCByName || above.zone?.value == .utc }

    /// Whether there are flags beside the half-hours.
    var hasPeriodFlags: Bool { periods.contains { $0.flag != nil } }
}
