import HeadroomJobs

/// Turns the records of a file of readings into readings, as the file is understood, or says what is wrong with them.
///
/// A record is taken whole or not at all: one bad cell rejects the row.
struct ReadingParser {
    let understanding: FileUnderstanding

    /// The meters of the chunk in hand.
    var meters = MeterList()

    /// What flows through them, where the file or the number says so.
    private(set) var fuels: [Fuel?] = []

    /// Which times of the long day have been seen.
    var repeated = RepeatedHours()

    private let layout: FileLayout
    private let names: [String]
    private let sourceIsJobZone: Bool
    private var filter: QuantityFilter
    private var source: ZoneClock
    private var sourceDays: HalfHours
    private var days: HalfHours
    private let loneHours: [UInt64: [Int: Bool?]]
    private let unit: EnergyUnit
    private let volume: VolumeUnit?
    /// The last day that was found to be an ordinary one.
    private var plainDay = CalendarDate(days: .min)
    /// Whether the row in hand has been noted as one of the hour that comes twice.
    private var hasNotedTime = false
    /// Parts of half-hours that are not whole yet, by the hash of their meter.
    private var parts: [UInt64: Parts] = [:]

    /// The quarters of a half-hour that have been read.
    private struct Parts {
        var reading: Reading
        var instant: Int
        var millionths: [Int64?] = [nil, nil]
        var rows: [RejectedRow?] = [nil, nil]
    }

    /// What became of a record.
    enum Outcome {
        case taken
        case leftOut
        case rejected(RejectedRow)
    }

    /// Creates a parser for a file.
    ///
    /// - Throws: ``ImportError`` when a zone is not known here.
    init(_ understanding: FileUnderstanding, names: [String]) throws {
        self.understanding = understanding
        self.names = names
        layout = understanding.layout
        let zone = try TimeZoneRules.named(understanding.zone)
        let source = try TimeZoneRules.named(understanding.source)
        sourceIsJobZone = source.name == zone.name
        self.source = ZoneClock(source)
        sourceDays = HalfHours(source)
        days = HalfHours(zone)
        let chosen = understanding.chosenColumn.flatMap { column in understanding.chosenWord.map { (column, $0) } }
        filter = QuantityFilter(layout, wanted: understanding.quantity, chosen: chosen)
        var lone: [UInt64: [Int: Bool?]] = [:]
        for hour in understanding.loneHours {
            guard let meter = UInt64(hour.meter, radix: 16) else { continue }
            lone[meter, default: [:]].updateValue(hour.isSecond, forKey: hour.day)
        }
        loneHours = lone
        switch understanding.unit.flatMap({ Measure(word: $0) }) {
        case .energy(let known): (unit, volume) = (known, nil)
        case .volume(let known): (unit, volume) = (.kilowattHours, known)
        case .quantity, nil: (unit, volume) = (.kilowattHours, nil)
        }
    }

    /// Begins a chunk.
    mutating func begin() {
        meters.removeAll()
        fuels.removeAll(keepingCapacity: true)
    }

    /// Whether half-hours are begun whose other parts are to come.
    var hasParts: Bool { !parts.isEmpty }

    /// Reads a record: appends its readings, or says why there are none.
    mutating func read(_ record: CSVRecord, into readings: inout [Reading], _ rejected: inout [RejectedRow]) -> Outcome
    {
        let count = readings.count
        let meterCount = meters.codes.count
        hasNotedTime = false
        do throws(RowProblem) {
            if record.flaw != nil || !record.isASCII || record.count > names.count {
                if let problem = RowProblem.ofForm(record, columns: names.count) { throw problem }
            }
            if filter.otherQuantity(record) != nil { return .leftOut }
            try append(record, to: &readings, &rejected)
            return .taken
        } catch {
            if !hasNotedTime { noteRejected(record) }
            readings.removeLast(readings.count - count)
            meters.truncate(to: meterCount)
            if fuels.count > meterCount { fuels.removeLast(fuels.count - meterCount) }
            return .rejected(error.row(record, names: names))
        }
    }

    /// Rejects the rows of half-hours of which a part is missing.
    mutating func endParts(_ rejected: inout [RejectedRow]) {
        for part in parts.values { rejected += part.rows.compactMap(\.self) }
        parts.removeAll()
    }

    private mutating func append(_ record: CSVRecord, to readings: inout [Reading], _ rejected: inout [RejectedRow])
        throws(RowProblem)
    {
        if let moment = try moment(record) {
            return try append(record, moment, &readings, &rejected)
        }
        let type = try type(record)
        let (unit, volume) = try unit(record)
        switch layout.shape {
        case .datetime, .dateAndTime: break
        case .columns(let date):
            try appendColumns(record, date: date, type: type, unit, volume, to: &readings)
        case .dateAndPeriod(let dateColumn, let column, let value):
            let date = try day(record, dateColumn)
            let number = record[column].number(digits: 1...3).map { $0 - understanding.firstPeriod }
            let length = sourceDays.count(on: date) * 30 / understanding.minutes
            guard let number, (0..<length).contains(number) else {
                throw RowProblem(
                    column,
                    CellProblem("\(date.text) has \(length) periods, numbered from \(understanding.firstPeriod)")
                )
            }
            let instant = sourceDays.start(of: 1, on: date) + number * understanding.minutes * 60
            let energy = try amount(record, value, unit, volume)
            let meter = try meter(record)
            try append(record, at: instant, column, meter, energy, type, &readings, &rejected)
        case .daily(let date, let time, let value):
            let day = try day(record, date)
            if let time { try requireMidnight(record, time) }
            let energy = try energy(record, value, unit, volume)
            readings.append(Reading(meter: try meter(record), day: day, energy: energy, type: type))
        }
    }

    /// When a row was read, as it is written, and its column with the value.
    private struct Moment {
        var date: CalendarDate
        var seconds: Int
        var offset: Int?
        var column: Int
        var value: Int
    }

    /// The date and time of a row; `nil` in a layout of other rows.
    private func moment(_ record: CSVRecord) throws(RowProblem) -> Moment? {
        let (text, clock, column, value): (DateText, Clock, Int, Int)
        switch layout.shape {
        case .datetime(let place, let cell):
            do {
                let stamp = try Stamp(record[place])
                (text, clock, column, value) = (stamp.date, stamp.time, place, cell)
            } catch {
                throw RowProblem(place, error)
            }
        case .dateAndTime(let date, let time, let cell):
            do { text = try layout.date(record, date) } catch { throw RowProblem(date, error) }
            do { clock = try Clock(record[time]) } catch { throw RowProblem(time, error) }
            (column, value) = (time, cell)
            do {
                return try moment(text, clock, column, value)
            } catch {
                throw RowProblem(date, error)
            }
        default: return nil
        }
        do { return try moment(text, clock, column, value) } catch { throw RowProblem(column, error) }
    }

    private func moment(_ text: DateText, _ clock: Clock, _ column: Int, _ value: Int) throws(CellProblem) -> Moment {
        let (date, time) = (try text.day(understanding.cells.order), understanding.cells.read(clock))
        return Moment(date: date, seconds: time.seconds, offset: time.offset, column: column, value: value)
    }

    /// Notes a row that is rejected, if it is of the hour that comes twice: the next of its time is the second all the same.
    private mutating func noteRejected(_ record: CSVRecord) {
        guard record.flaw == nil, filter.otherQuantity(record) == nil, let moment = try? moment(record),
            let meter = try? meter(record)
        else { return }
        _ = try? instant(moment, meter)
    }

    /// Appends the reading of a row with a time.
    private mutating func append(
        _ record: CSVRecord,
        _ moment: Moment,
        _ readings: inout [Reading],
        _ rejected: inout [RejectedRow]
    ) throws(RowProblem) {
        let (date, seconds, offset) = (moment.date, moment.seconds, moment.offset)
        if understanding.minutes == 30, offset == nil, sourceIsJobZone, seconds % HalfHour.length == 0 {
            // What nearly all rows are: a half-hour of an ordinary day.
            var (start, day) = (seconds, date)
            if understanding.midnightEndsDay, start == 0 { start = 86_400 }
            if understanding.labels == .end { start -= HalfHour.length }
            if start < 0 { (start, day) = (start + 86_400, CalendarDate(days: day.days - 1)) }
            if start >= 86_400 { (start, day) = (start - 86_400, CalendarDate(days: day.days + 1)) }
            if isPlain(day), day == date || isPlain(date) {
                let type = try type(record)
                let (unit, volume) = try unit(record)
                let energy = try energy(record, moment.value, unit, volume)
                let meter = try meter(record)
                let halfHour = HalfHour(date: day, seconds: start, period: start / HalfHour.length + 1)
                readings.append(Reading(meter: meter, halfHour: halfHour, energy: energy, type: type))
                return
            }
        }
        let meter = try meter(record)
        let instant = try instant(moment, meter)
        let type = try type(record)
        let (unit, volume) = try unit(record)
        let energy = try amount(record, moment.value, unit, volume)
        try append(record, at: instant, moment.column, meter, energy, type, &readings, &rejected)
    }

    /// Appends what begins at an instant: a half-hour, two that are an hour's halves, or a part of one.
    private mutating func append(
        _ record: CSVRecord,
        at instant: Int,
        _ column: Int,
        _ meter: Int,
        _ amount: Int64,
        _ type: ReadingType,
        _ readings: inout [Reading],
        _ rejected: inout [RejectedRow]
    ) throws(RowProblem) {
        switch understanding.minutes {
        case 60:
            for (energy, start) in zip(Energy(thousandths: amount).halves, [instant, instant + HalfHour.length]) {
                readings.append(
                    Reading(
                        meter: meter,
                        halfHour: try halfHour(at: start, column: column),
                        energy: energy,
                        type: .estimated
                    )
                )
            }
        case 15:
            let place = (instant % HalfHour.length + HalfHour.length) % HalfHour.length / 900
            let start = instant - place * 900
            guard instant % 900 == 0 else {
                throw RowProblem(column, CellProblem("it is not the start of a quarter of an hour"))
            }
            let key = meters.hashes[meter]
            var part = parts[key]
            if let begun = part, begun.instant != start {
                rejected += begun.rows.compactMap(\.self)
                part = nil
            }
            var next: Parts
            if let part {
                next = part
            } else {
                next = Parts(
                    reading: Reading(
                        meter: meter,
                        halfHour: try halfHour(at: start, column: column),
                        energy: Energy(thousandths: 0),
                        type: type
                    ),
                    instant: start
                )
            }
            next.millionths[place] = amount
            let problem = RowProblem(column, CellProblem("the other part of its half-hour is missing"))
            next.rows[place] = problem.row(record, names: names)
            if type == .estimated { next.reading.type = .estimated }
            guard let one = next.millionths[0], let other = next.millionths[1] else {
                parts[key] = next
                return
            }
            parts[key] = nil
            next.reading.energy = Energy(millionths: one.addingReportingOverflow(other).partialValue)
            readings.append(next.reading)
        default:
            let energy = Energy(thousandths: amount)
            readings.append(
                Reading(meter: meter, halfHour: try halfHour(at: instant, column: column), energy: energy, type: type)
            )
        }
    }

    /// The instant at which the period of a file's time begins.
    private mutating func instant(_ moment: Moment, _ meter: Int) throws(RowProblem) -> Int {
        let (date, column) = (moment.date, moment.column)
        let length = understanding.minutes * 60
        var shown = date.days * 86_400 + moment.seconds
        if understanding.midnightEndsDay, moment.seconds == 0 { shown += 86_400 }
        if let offset = moment.offset { return shown - offset - (understanding.labels == .end ? length : 0) }
        var back = 0
        if understanding.labels == .end {
            if understanding.endsOnClock { back = length } else { shown -= length }
        }
        guard let instants = source.instants(showing: shown) else {
            throw RowProblem(
                column,
                CellProblem("that time does not exist in \(source.rules.name): the clocks are put forward over it")
            )
        }
        guard let second = instants.second else { return instants.first - back }
        let isSecond: Bool
        if let days = loneHours[meters.hashes[meter]], let lone = days[date.days] {
            guard let known = lone else {
                throw RowProblem(
                    column,
                    CellProblem("that time comes twice, and the file does not say which of the two it is")
                )
            }
            isSecond = known
        } else {
            hasNotedTime = true
            isSecond =
                repeated.isSecond(meter: meters.hashes[meter], clockSeconds: shown) != understanding.isNewestFirst
        }
        return (isSecond ? second : instants.first) - back
    }

    // MARK: Columns of a day

    private mutating func appendColumns(
        _ record: CSVRecord,
        date column: Int,
        type: ReadingType,
        _ unit: EnergyUnit,
        _ volume: VolumeUnit?,
        to readings: inout [Reading]
    ) throws(RowProblem) {
        let date = try day(record, column)
        let meter = try meter(record)
        let isPlain = sourceIsJobZone && isPlain(date)
        let count = readings.count
        let hours = try places(record, date, isPlain: isPlain)
        let start = isPlain ? 0 : sourceDays.start(of: 1, on: date)
        var quarters: [Int64?] = []
        var types: [ReadingType] = []
        let columns = layout.extras.isEmpty ? layout.periods : layout.periods + layout.extras
        for (index, period) in columns.enumerated() {
            let isExtra = index >= layout.periods.count
            let cell = record[period.column]
            let place = hours.map { isExtra ? $0.extra(period.place) : $0.place(period.place) } ?? period.place
            // An empty cell is no reading: the host application has it so, and the short day needs it.
            if cell.isEmpty || isMissing(cell) {
                if period.column >= record.count, !isExtra, place != nil {
                    throw RowProblem(nil, CellProblem("it ends after \(record.count) cells, before the day does"))
                }
                continue
            }
            let energy = try amount(record, period.column, unit, volume)
            guard let place else {
                // Some fill the columns of half-hours that there are not with 0.
                if energy == 0 { continue }
                let length = hours?.length ?? 0
                throw RowProblem(
                    period.column,
                    CellProblem(
                        "\(date.text) has \(length) \(understanding.minutes == 30 ? "half-hours" : "periods"), so this one does not exist"
                    )
                )
            }
            var type = type
            if let flag = period.flag, !record[flag].isEmpty {
                do { type = try understanding.flags.type(record[flag]) } catch { throw RowProblem(flag, error) }
            }
            switch understanding.minutes {
            case 15:
                while quarters.count <= place { quarters.append(nil) }
                while types.count <= place / 2 { types.append(.actual) }
                quarters[place] = energy
                if type == .estimated { types[place / 2] = .estimated }
            case 60:
                for (energy, part) in zip(Energy(thousandths: energy).halves, [2 * place, 2 * place + 1]) {
                    let halfHour = try halfHour(date, part, isPlain, start, period.column)
                    readings.append(Reading(meter: meter, halfHour: halfHour, energy: energy, type: .estimated))
                }
            default:
                readings.append(
                    Reading(
                        meter: meter,
                        halfHour: try halfHour(date, place, isPlain, start, period.column),
                        energy: Energy(thousandths: energy),
                        type: type
                    )
                )
            }
        }
        for place in stride(from: 0, to: quarters.count, by: 2) {
            let (one, other) = (quarters[place], place + 1 < quarters.count ? quarters[place + 1] : nil)
            guard one != nil || other != nil else { continue }
            guard let one, let other else {
                throw RowProblem(
                    layout.periods[min(place, layout.periods.count - 1)].column,
                    CellProblem("the other part of its half-hour is missing")
                )
            }
            let energy = Energy(millionths: one.addingReportingOverflow(other).partialValue)
            readings.append(
                Reading(
                    meter: meter,
                    halfHour: try halfHour(date, place / 2, isPlain, start, column),
                    energy: energy,
                    type: types[place / 2]
                )
            )
        }
        guard readings.count > count else { throw RowProblem(nil, CellProblem("no half-hour of it has a value")) }
    }

    /// The half-hour at a place of a day, from 0.
    private mutating func halfHour(_ date: CalendarDate, _ place: Int, _ isPlain: Bool, _ start: Int, _ column: Int)
        throws(RowProblem) -> HalfHour
    {
        if isPlain { return HalfHour(date: date, seconds: place * HalfHour.length, period: place + 1) }
        return try halfHour(at: start + place * HalfHour.length, column: column)
    }

    /// Where the columns of a day stand in it that is not an ordinary one.
    private struct Places {
        /// How many parts the day has.
        var length: Int
        /// Whether the columns are counted from the day's start, rather than named by the clock.
        var isCounted: Bool
        /// The places of the columns that the clock leaves out, or shows twice.
        var special: Range<Int>
        var isLong: Bool

        func place(_ column: Int) -> Int? {
            guard !isCounted else { return column < length ? column : nil }
            if column < special.lowerBound { return column }
            if isLong { return column < special.upperBound ? column : column + special.count }
            return special.contains(column) ? nil : column - special.count
        }

        func extra(_ place: Int) -> Int? {
            guard isLong, place < special.count else { return nil }
            return isCounted ? length - special.count + place : special.upperBound + place
        }
    }

    private mutating func places(_ record: CSVRecord, _ date: CalendarDate, isPlain: Bool) throws(RowProblem) -> Places?
    {
        let perDay = 1440 / understanding.minutes
        if isPlain {
            // More columns than an ordinary day has.
            let isMore = layout.periods.last.map { $0.place >= perDay } ?? false
            return isMore || !layout.extras.isEmpty
                ? Places(length: perDay, isCounted: true, special: 0..<0, isLong: false) : nil
        }
        let length = sourceDays.count(on: date) * 30 / understanding.minutes
        guard length != perDay else { return Places(length: length, isCounted: true, special: 0..<0, isLong: false) }
        let minutes = stride(from: 0, to: 1440, by: understanding.minutes)
            .filter { minute in
                let instants = source.instants(showing: date.days * 86_400 + minute * 60)
                return instants == nil || instants?.second != nil
            }
        guard let first = minutes.first, let last = minutes.last else {
            return Places(length: length, isCounted: true, special: 0..<0, isLong: length > perDay)
        }
        var special = first / understanding.minutes..<last / understanding.minutes + 1
        let isLong = length > perDay
        func isEmpty(_ place: Int) -> Bool {
            guard let column = layout.periods.first(where: { $0.place == place })?.column else { return true }
            let cell = record[column]
            return cell.isEmpty || isMissing(cell) || understanding.cells.numbers.units(cell, decimals: 6) == 0
        }
        if understanding.countsColumns {
            let hasColumns = layout.periods.contains { $0.place >= perDay }
            if isLong, layout.extras.allSatisfy({ record[$0.column].isEmpty }), (perDay..<length).allSatisfy(isEmpty),
                !understanding.isCountProved, !hasColumns || !(0..<perDay).contains(where: isEmpty)
            {
                throw RowProblem(
                    nil,
                    CellProblem(
                        "\(date.text) has \(length) periods and the row \(perDay) at most: one hour of it is missing, or it is in UTC (--timezone UTC)"
                    )
                )
            }
        } else if isLong {
            guard layout.extras.contains(where: { !record[$0.column].isEmpty }) else {
                throw RowProblem(
                    nil,
                    CellProblem(
                        "\(date.text) has \(length) periods and the row \(perDay) at most: one hour of it is missing, or it is in UTC (--timezone UTC)"
                    )
                )
            }
        } else if understanding.labels == .end, !special.allSatisfy(isEmpty) {
            // The end of the last half-hour before the change is what the clock then shows.
            let shifted = special.lowerBound - 1..<special.upperBound - 1
            if shifted.lowerBound >= 0, shifted.allSatisfy(isEmpty) { special = shifted }
        }
        return Places(length: length, isCounted: understanding.countsColumns, special: special, isLong: isLong)
    }

    private func isMissing(_ cell: Bytes) -> Bool {
        guard cell.count <= 8, let first = cell.first, !first.isDigit else { return false }
        if cell.count <= 2, cell.buffer.allSatisfy({ $0 == UInt8(ascii: "-") }) { return true }
        return first.isLetter || first == UInt8(ascii: "#")
            ? Catalogue.missing.contains(FileLayout.word(cell.text)) : false
    }
}

extension ReadingParser {
    private mutating func halfHour(at instant: Int, column: Int) throws(RowProblem) -> HalfHour {
        guard let halfHour = days.halfHour(at: instant) else {
            throw RowProblem(column, CellProblem("it is not the start of a half-hour"))
        }
        return halfHour
    }

    private mutating func isPlain(_ date: CalendarDate) -> Bool {
        if date == plainDay { return true }
        guard days.isPlain(date) else { return false }
        plainDay = date
        return true
    }

    /// The local day of a cell; with a time, which must then be midnight there.
    private mutating func day(_ record: CSVRecord, _ column: Int) throws(RowProblem) -> CalendarDate {
        let order = understanding.cells.order
        if let date = try? layout.date(record, column).day(order) { return date }
        do throws(CellProblem) {
            guard let stamp = try? Stamp(record[column]) else { return try layout.date(record, column).day(order) }
            let date = try stamp.date.day(order)
            guard let offset = stamp.offset else {
                throw CellProblem("it has a time, but the row is a whole day's")
            }
            guard let start = days.halfHour(at: date.days * 86_400 + stamp.seconds - offset), start.period == 1 else {
                throw CellProblem("it is not the start of a day in the job's zone")
            }
            return start.date
        } catch {
            throw RowProblem(column, error)
        }
    }

    /// Refuses a daily reading with a time: it may be a half-hour's, and half-hours queued as days would replace each other.
    private func requireMidnight(_ record: CSVRecord, _ column: Int) throws(RowProblem) {
        let text = record[column]
        guard text.isEmpty || (try? Clock(text))?.seconds == 0 else {
            throw RowProblem(column, CellProblem("a daily reading has no time; half-hours are queued as hh"))
        }
    }

    private mutating func meter(_ record: CSVRecord) throws(RowProblem) -> Int {
        let place: Int
        if let column = layout.meter {
            let bytes = record[column]
            if bytes.isEmpty, let jobMeter = understanding.jobMeter {
                place = meters.place(of: jobMeter)
            } else {
                do { place = try meters.place(of: bytes) } catch { throw RowProblem(column, error) }
            }
        } else {
            place = meters.place(of: understanding.jobMeter ?? "")
        }
        while fuels.count < meters.codes.count { fuels.append(fuel(meters.codes[fuels.count], record)) }
        return place
    }

    /// What flows through a meter, where its row, its column or its number says so.
    private func fuel(_ code: String, _ record: CSVRecord) -> Fuel? {
        if let column = understanding.fuelColumn, let fuel = Catalogue.fuelWords[FileLayout.word(record[column].text)] {
            return fuel
        }
        // Ireland's MPRNs of electricity have 11 digits.
        if let fuel = understanding.fuel,
            !(layout.isGasByName && understanding.fuelColumn == nil && code.utf8.count > 10)
        {
            return fuel
        }
        guard layout.meterKind == .code, let meter = layout.meter, names.indices.contains(meter) else { return nil }
        // An MPAN has 13 digits, an MPRN 6 to 10.
        let name = ColumnName(names[meter])
        let mayBeEither = name.has(["mpxn", "mprn"]) || name.has("point")
        return mayBeEither && (6...10).contains(code.utf8.count) && code.utf8.allSatisfy(\.isDigit) ? .gas : nil
    }

    private func type(_ record: CSVRecord) throws(RowProblem) -> ReadingType {
        guard let column = understanding.flag else { return .actual }
        do { return try understanding.flags.type(record[column]) } catch { throw RowProblem(column, error) }
    }

    private func unit(_ record: CSVRecord) throws(RowProblem) -> (EnergyUnit, VolumeUnit?) {
        guard let column = layout.unit, !record[column].isEmpty else { return (unit, volume) }
        let word = record[column]
        if word.isWord("kwh"), layout.namedUnit == nil { return (.kilowattHours, nil) }
        let measure = Measure(word: word.text)
        if let named = layout.namedUnit, let measure, let known = Measure(word: named), measure != known {
            throw RowProblem(
                column,
                CellProblem("the column of the value says \(named): one of the two is wrong")
            )
        }
        if case .volume(let unit) = measure, understanding.calorificValue != nil { return (.kilowattHours, unit) }
        do { return (try EnergyUnit(word: word.text), nil) } catch { throw RowProblem(column, error) }
    }

    private func energy(_ record: CSVRecord, _ column: Int, _ unit: EnergyUnit, _ volume: VolumeUnit?)
        throws(RowProblem) -> Energy
    {
        if volume != nil || understanding.cells.numbers != .plain {
            return Energy(thousandths: try amount(record, column, unit, volume))
        }
        do { return try Energy(record[column], unit: unit) } catch { throw RowProblem(column, error) }
    }

    /// A value in thousandths of a kWh; in millionths where it is a part of a sum, which is rounded once.
    private func amount(_ record: CSVRecord, _ column: Int, _ unit: EnergyUnit, _ volume: VolumeUnit?)
        throws(RowProblem) -> Int64
    {
        do throws(CellProblem) {
            let cell = record[column]
            // The same number with a point and nothing else.
            if understanding.cells.numbers != .plain,
                let plain = SeparatedNumber(cell)?.plain(understanding.cells.numbers)
            {
                return try plain.withBytes { bytes throws(CellProblem) in try amount(bytes, unit, volume) }
            }
            return try amount(cell, unit, volume)
        } catch {
            throw RowProblem(column, error)
        }
    }

    private func amount(_ cell: Bytes, _ unit: EnergyUnit, _ volume: VolumeUnit?) throws(CellProblem) -> Int64 {
        let isPart = understanding.minutes == 15
        guard let volume, let calorificValue = understanding.calorificValue else {
            return isPart ? try Energy.millionths(cell, unit: unit) : try Energy(cell, unit: unit).thousandths
        }
        let energy =
            Double(try Energy.millionths(cell, unit: unit)) * volume.kilowattHours(calorificValue: calorificValue)
        guard energy.magnitude < 9e17 else { throw CellProblem("it is too large") }
        return Int64((isPart ? energy : energy / 1000).rounded(.toNearestOrEven))
    }
}
