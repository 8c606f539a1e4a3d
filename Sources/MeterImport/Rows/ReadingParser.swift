/// Turns the records of a half-hourly file into readings, or says what is wrong with them.
///
/// A record is taken whole or not at all: one bad cell rejects the row.
struct ReadingParser {
    private let layout: FileLayout
    private let order: DateOrder
    private let jobMeter: String?
    private let sourceIsJobZone: Bool
    private var source: ZoneClock
    private var sourceDays: HalfHours
    private var days: HalfHours
    private var repeated = RepeatedHours()

    /// The meter of the last row, whose identification need not be read again when the next has the same.
    private var lastMeter: (bytes: [UInt8], code: String) = ([], "")

    /// Meters whose MPAN has a wrong check digit; they are imported, with a warning.
    private(set) var doubtfulMeters: Set<String> = []

    /// Creates a parser for a file.
    ///
    /// - Throws: ``ImportError`` when the columns or the options cannot be used.
    init(header: CSVRecord, options: ImportOptions) throws {
        let zone = try TimeZoneRules.named(options.zone ?? ImportOptions.defaultZone)
        let source = try options.timezone.map(TimeZoneRules.named) ?? zone
        if let mpan = options.mpan {
            do {
                jobMeter = try MeterCode.read(Array(mpan.utf8)[...].trimmed)
            } catch {
                throw ImportError(.badOptions, "The job's meter '\(mpan)' cannot be used: \(error.reason).")
            }
        } else {
            jobMeter = nil
        }
        layout = try FileLayout(header: header, hasMeter: jobMeter != nil)
        order = options.dateOrder ?? .dayFirst
        sourceIsJobZone = source.name == zone.name
        self.source = ZoneClock(source)
        sourceDays = HalfHours(source)
        days = HalfHours(zone)
    }

    /// Reads a record: appends its readings, or returns why there are none.
    mutating func read(_ record: CSVRecord, into readings: inout [Reading]) -> RejectedRow? {
        let count = readings.count
        do throws(RowProblem) {
            guard record.isUTF8 else { throw RowProblem(nil, CellProblem("it holds bytes that are not UTF-8 text")) }
            guard !record.hasBrokenQuote else {
                throw RowProblem(nil, CellProblem("a quote in it is not closed, so rows that follow may be part of it"))
            }
            let meter = try meter(record)
            let type = try cell(record, layout.type) { text throws(CellProblem) in try ReadingType(text) } ?? .actual
            let unit = try cell(record, layout.unit) { text throws(CellProblem) in
                text.isEmpty ? nil : try EnergyUnit(word: text.text)
            }
            switch layout.shape {
            case .interval(let datetime, let value):
                let order = order
                let timestamp = try require(record, datetime) { text throws(CellProblem) in
                    try Timestamp(text, order: order)
                }
                let energy = try energy(record, value, unit ?? layout.namedUnit)
                let halfHour = try halfHour(of: timestamp, column: datetime, meter: meter)
                readings.append(Reading(meter: meter, halfHour: halfHour, energy: energy, type: type))
            case .dateAndTime(let date, let time, let value):
                let timestamp = try timestamp(record, date: date, time: time)
                let energy = try energy(record, value, unit ?? layout.namedUnit)
                let halfHour = try halfHour(of: timestamp, column: time, meter: meter)
                readings.append(Reading(meter: meter, halfHour: halfHour, energy: energy, type: type))
            case .matrix(let date, let periods):
                try readMatrix(record, date: date, periods, meter: meter, type: type, unit: unit, into: &readings)
            }
            return nil
        } catch {
            readings.removeLast(readings.count - count)
            return RejectedRow(
                line: record.line,
                column: error.column.map { layout.names[$0] },
                cell: error.column.map { record[$0].text },
                reason: error.sentence(in: record, names: layout.names),
                content: record.text
            )
        }
    }

    private mutating func meter(_ record: CSVRecord) throws(RowProblem) -> String {
        guard let column = layout.meter else { return jobMeter ?? "" }
        let bytes = record[column]
        if bytes.isEmpty, let jobMeter { return jobMeter }
        if bytes.elementsEqual(lastMeter.bytes) { return lastMeter.code }
        let code = try require(record, column) { text throws(CellProblem) in try MeterCode.read(text) }
        if MeterCode.hasWrongCheckDigit(code) { doubtfulMeters.insert(code) }
        lastMeter = (Array(bytes), code)
        return code
    }

    private mutating func readMatrix(
        _ record: CSVRecord,
        date column: Int,
        _ periods: [FileLayout.PeriodColumn],
        meter: String,
        type: ReadingType,
        unit: EnergyUnit?,
        into readings: inout [Reading]
    ) throws(RowProblem) {
        let order = order
        let date = try require(record, column) { text throws(CellProblem) in try CalendarDate(text, order: order) }
        let length = sourceDays.count(on: date)
        let count = readings.count
        for period in periods {
            // An empty cell is no reading: the host application has it so, and the short day needs it.
            guard !record[period.column].isEmpty else { continue }
            let energy = try energy(record, period.column, period.unit ?? unit)
            guard period.period <= length else {
                throw RowProblem(
                    period.column,
                    CellProblem("\(date.text) has \(length) half-hours, so this one does not exist")
                )
            }
            let instant = sourceDays.start(of: period.period, on: date)
            readings.append(
                Reading(meter: meter, halfHour: days.halfHour(at: instant), energy: energy, type: type)
            )
        }
        guard readings.count > count else { throw RowProblem(nil, CellProblem("no half-hour of it has a value")) }
    }

    /// The half-hour that begins at a file's timestamp.
    private mutating func halfHour(
        of timestamp: Timestamp,
        column: Int,
        meter: String
    ) throws(RowProblem) -> HalfHour {
        guard timestamp.seconds % HalfHour.length == 0 else {
            throw RowProblem(column, CellProblem("it is not the start of a half-hour"))
        }
        let shown = timestamp.clockSeconds
        if let offset = timestamp.offset { return days.halfHour(at: shown - offset) }
        guard let instants = source.instants(showing: shown) else {
            throw RowProblem(
                column,
                CellProblem("that time does not exist in \(source.rules.name): the clocks are put forward over it")
            )
        }
        guard let second = instants.second else { return days.halfHour(at: instants.first) }
        let isSecond = repeated.isSecond(meter: meter, clockSeconds: shown)
        return days.halfHour(at: isSecond ? second : instants.first)
    }

    private func timestamp(_ record: CSVRecord, date: Int, time: Int) throws(RowProblem) -> Timestamp {
        let dateText = record[date]
        let timeText = record[time]
        do {
            return try Timestamp(date: dateText, time: timeText, order: order)
        } catch {
            // Which of the two is it? The date is read again alone.
            let isDate = (try? CalendarDate(dateText, order: order)) == nil
            throw RowProblem(isDate ? date : time, error)
        }
    }

    private func energy(_ record: CSVRecord, _ column: Int, _ unit: EnergyUnit?) throws(RowProblem) -> Energy {
        try require(record, column) { text throws(CellProblem) in
            try Energy(text, unit: unit ?? .kilowattHours)
        }
    }

    private func require<Value>(
        _ record: CSVRecord,
        _ column: Int,
        _ read: (ArraySlice<UInt8>) throws(CellProblem) -> Value
    ) throws(RowProblem) -> Value {
        do {
            return try read(record[column])
        } catch {
            throw RowProblem(column, error)
        }
    }

    private func cell<Value>(
        _ record: CSVRecord,
        _ column: Int?,
        _ read: (ArraySlice<UInt8>) throws(CellProblem) -> Value?
    ) throws(RowProblem) -> Value? {
        guard let column else { return nil }
        return try require(record, column, read)
    }
}

/// Says which cell of a row is wrong, and how.
private struct RowProblem: Error {
    var column: Int?
    var problem: CellProblem

    init(_ column: Int?, _ problem: CellProblem) {
        self.column = column
        self.problem = problem
    }

    func sentence(in record: CSVRecord, names: [String]) -> String {
        guard let column else { return "The row cannot be imported: \(problem.reason)." }
        let cell = record[column].text
        return cell.isEmpty
            ? "\(names[column]) is empty: \(problem.reason)."
            : "\(names[column]) is '\(cell.prefix(60))': \(problem.reason)."
    }
}
