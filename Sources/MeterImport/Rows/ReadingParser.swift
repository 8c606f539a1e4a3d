import HeadroomJobs

/// Turns the records of a file of readings into readings, or says what is wrong with them.
///
/// A record is taken whole or not at all: one bad cell rejects the row.
struct ReadingParser {
    let layout: FileLayout

    /// The meters of the chunk in hand.
    var meters = MeterList()

    /// Which times of the long day have been seen.
    var repeated = RepeatedHours()

    private let names: [String]
    private let order: DateOrder
    private let jobMeter: String?
    private let sourceIsJobZone: Bool
    private var source: ZoneClock
    private var sourceDays: HalfHours
    private var days: HalfHours
    /// The last day that was found to be an ordinary one.
    private var plainDay = CalendarDate(days: .min)

    /// Creates a parser for a file.
    ///
    /// - Throws: ``ImportError`` when the columns or the options cannot be used.
    init(header: FileHeader, isDaily: Bool, options: ImportOptions) throws {
        let zone = try TimeZoneRules.named(options.zone ?? ImportOptions.defaultZone)
        let source = try options.timezone.map(TimeZoneRules.named) ?? zone
        jobMeter = try options.mpan.map { mpan in
            do {
                return try MeterCode.read(mpan)
            } catch let problem as CellProblem {
                throw ImportError(
                    .badOptions,
                    "The job's meter '\(shown(mpan, most: 60))' cannot be used: \(problem.reason)."
                )
            }
        }
        layout = try FileLayout(header: header, isDaily: isDaily, hasMeter: jobMeter != nil)
        names = header.names
        order = options.dateOrder ?? .dayFirst
        sourceIsJobZone = source.name == zone.name
        self.source = ZoneClock(source)
        sourceDays = HalfHours(source)
        days = HalfHours(zone)
    }

    /// Reads a record: appends its readings, or returns why there are none.
    mutating func read(_ record: CSVRecord, into readings: inout [Reading]) -> RejectedRow? {
        let count = readings.count
        let meterCount = meters.codes.count
        do throws(RowProblem) {
            if record.flaw != nil || !record.isASCII || record.count > names.count {
                if let problem = RowProblem.ofForm(record, columns: names.count) { throw problem }
            }
            try append(record, to: &readings)
            return nil
        } catch {
            readings.removeLast(readings.count - count)
            meters.truncate(to: meterCount)
            return error.row(record, names: names)
        }
    }

    private mutating func append(_ record: CSVRecord, to readings: inout [Reading]) throws(RowProblem) {
        let type = try type(record)
        let unit = try unit(record)
        switch layout.shape {
        case .matrix(let date):
            try appendMatrix(record, date: date, type: type, unit: unit, to: &readings)
        case .interval(let column, let value):
            let timestamp: Timestamp
            do { timestamp = try Timestamp(record[column], order: order) } catch { throw RowProblem(column, error) }
            let energy = try energy(record, value, unit, named: layout.namedUnit)
            let meter = try meter(record)
            let halfHour = try halfHour(of: timestamp, column: column, meter: meter)
            readings.append(Reading(meter: meter, halfHour: halfHour, energy: energy, type: type))
        case .dateAndTime(let date, let time, let value):
            let timestamp = try timestamp(record, date: date, time: time)
            let energy = try energy(record, value, unit, named: layout.namedUnit)
            let meter = try meter(record)
            let halfHour = try halfHour(of: timestamp, column: time, meter: meter)
            readings.append(Reading(meter: meter, halfHour: halfHour, energy: energy, type: type))
        case .daily(let date, let time, let value):
            let day = try day(record, date)
            if let time { try requireMidnight(record, time) }
            let energy = try energy(record, value, unit, named: layout.namedUnit)
            readings.append(Reading(meter: try meter(record), day: day, energy: energy, type: type))
        }
    }

    private mutating func appendMatrix(
        _ record: CSVRecord,
        date column: Int,
        type: ReadingType,
        unit: EnergyUnit?,
        to readings: inout [Reading]
    ) throws(RowProblem) {
        let date = try day(record, column)
        let isPlain = sourceIsJobZone && isPlain(date)
        let length = isPlain ? 48 : sourceDays.count(on: date)
        let count = readings.count
        let meter = try meter(record)
        for period in layout.periods {
            if period.column >= record.count, period.period <= length {
                throw RowProblem(nil, CellProblem("it ends after \(record.count) cells, before the day does"))
            }
            // An empty cell is no reading: the host application has it so, and the short day needs it.
            guard !record[period.column].isEmpty else { continue }
            let energy = try energy(record, period.column, unit, named: period.unit)
            guard period.period <= length else {
                throw RowProblem(
                    period.column,
                    CellProblem("\(date.text) has \(length) half-hours, so this one does not exist")
                )
            }
            let halfHour: HalfHour
            if isPlain {
                let seconds = (period.period - 1) * HalfHour.length
                halfHour = HalfHour(date: date, seconds: seconds, period: period.period)
            } else {
                let instant = sourceDays.start(of: period.period, on: date)
                halfHour = try self.halfHour(at: instant, column: period.column)
            }
            readings.append(Reading(meter: meter, halfHour: halfHour, energy: energy, type: type))
        }
        guard readings.count > count else { throw RowProblem(nil, CellProblem("no half-hour of it has a value")) }
    }
}

extension ReadingParser {
    /// The half-hour that begins at a file's timestamp.
    private mutating func halfHour(
        of timestamp: Timestamp,
        column: Int,
        meter: Int
    ) throws(RowProblem) -> HalfHour {
        let shown = timestamp.clockSeconds
        if let offset = timestamp.offset { return try halfHour(at: shown - offset, column: column) }
        if sourceIsJobZone, isPlain(timestamp.date), timestamp.seconds % HalfHour.length == 0 {
            let period = timestamp.seconds / HalfHour.length + 1
            return HalfHour(date: timestamp.date, seconds: timestamp.seconds, period: period)
        }
        guard let instants = source.instants(showing: shown) else {
            throw RowProblem(
                column,
                CellProblem("that time does not exist in \(source.rules.name): the clocks are put forward over it")
            )
        }
        let first = try halfHour(at: instants.first, column: column)
        guard let second = instants.second else { return first }
        guard repeated.isSecond(meter: meters.hashes[meter], clockSeconds: shown) else { return first }
        return try halfHour(at: second, column: column)
    }

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

    private func timestamp(_ record: CSVRecord, date: Int, time: Int) throws(RowProblem) -> Timestamp {
        // A spreadsheet's date may carry a time of its own, which is midnight.
        let dateText = try dateOnly(record, date)
        do {
            return try Timestamp(date: dateText, time: record[time], order: order)
        } catch {
            // Which of the two is it? The date is read again alone.
            let isDate = (try? CalendarDate(dateText, order: order)) == nil
            throw RowProblem(isDate ? date : time, error)
        }
    }

    /// The date's part of a cell in which a time may follow, if that is midnight.
    private func dateOnly(_ record: CSVRecord, _ column: Int) throws(RowProblem) -> Bytes {
        let text = record[column]
        guard let gap = Timestamp.gap(in: text) else { return text }
        guard (try? Timestamp.seconds(text.dropFirst(gap + 1).trimmed)) == 0 else {
            throw RowProblem(column, CellProblem("it is more than a date"))
        }
        return text.prefix(gap)
    }

    /// The local day of a cell; with a time, which must then be midnight there.
    private mutating func day(_ record: CSVRecord, _ column: Int) throws(RowProblem) -> CalendarDate {
        let text = record[column]
        do {
            if text.count <= 10 || Timestamp.gap(in: text) == nil { return try CalendarDate(text, order: order) }
            let timestamp = try Timestamp(text, order: order)
            guard let offset = timestamp.offset else {
                guard timestamp.seconds == 0 else { throw CellProblem("it has a time, but the row is a whole day's") }
                return timestamp.date
            }
            guard let start = days.halfHour(at: timestamp.clockSeconds - offset), start.period == 1 else {
                throw CellProblem("it is not the start of a day in the job's zone")
            }
            return start.date
        } catch let error as CellProblem {
            throw RowProblem(column, error)
        } catch {
            throw RowProblem(column, CellProblem("it is not a date"))
        }
    }

    /// Refuses a daily reading with a time: it may be a half-hour's, and half-hours queued as days would replace each other.
    private func requireMidnight(_ record: CSVRecord, _ column: Int) throws(RowProblem) {
        let text = record[column]
        guard text.isEmpty || (try? Timestamp.seconds(text)) == 0 else {
            throw RowProblem(column, CellProblem("a daily reading has no time; half-hours are queued as hh"))
        }
    }

    private mutating func meter(_ record: CSVRecord) throws(RowProblem) -> Int {
        guard let column = layout.meter else { return meters.place(of: jobMeter ?? "") }
        let bytes = record[column]
        if bytes.isEmpty, let jobMeter { return meters.place(of: jobMeter) }
        do { return try meters.place(of: bytes) } catch { throw RowProblem(column, error) }
    }

    private func type(_ record: CSVRecord) throws(RowProblem) -> ReadingType {
        guard let column = layout.type else { return .actual }
        do { return try ReadingType(record[column]) } catch { throw RowProblem(column, error) }
    }

    private func unit(_ record: CSVRecord) throws(RowProblem) -> EnergyUnit? {
        guard let column = layout.unit else { return nil }
        let word = record[column]
        guard !word.isEmpty else { return nil }
        do { return try EnergyUnit(word) } catch { throw RowProblem(column, error) }
    }

    private func energy(
        _ record: CSVRecord,
        _ column: Int,
        _ unit: EnergyUnit?,
        named: EnergyUnit?
    ) throws(RowProblem) -> Energy {
        if let unit, let named, unit != named {
            throw RowProblem(
                layout.unit,
                CellProblem(
                    "the column '\(names[column])' says \(named.rawValue): one of the two is a thousand times off"
                )
            )
        }
        do {
            return try Energy(record[column], unit: unit ?? named ?? .kilowattHours)
        } catch {
            throw RowProblem(column, error)
        }
    }
}
