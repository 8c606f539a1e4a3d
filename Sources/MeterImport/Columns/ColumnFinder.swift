import Headroom
import HeadroomJobs

/// Finds columns by their names, and by what stands in the first rows.
struct ColumnFinder {
    let columns: [ColumnName]

    /// Columns whose part is known.
    var used: Set<Int> = []

    private let sample: [[String]]
    private var known: [Int: CellKinds]

    init(_ columns: [ColumnName], sample: [[String]]) {
        self.columns = columns
        self.sample = sample
        known = Dictionary(
            uniqueKeysWithValues: columns.indices.map { column in
                (column, CellKinds(sample.lazy.map { $0.count > column ? $0[column] : "" }))
            }
        )
    }

    /// The columns of which nothing is known yet.
    var free: [Int] { columns.indices.filter { !used.contains($0) } }

    /// What stands in the first rows of a column.
    func kinds(_ column: Int) -> CellKinds { known[column] ?? CellKinds([]) }

    /// The column that somebody names.
    func named(_ text: String, _ option: String) throws -> Int {
        let name = ColumnName(text)
        let exact = columns.indices.filter { columns[$0].original.trimmed == text.trimmed }
        if let column = exact.first { return column }
        if let column = columns.indices.first(where: {
            columns[$0].normalised == name.normalised && !name.normalised.isEmpty
        }) {
            return column
        }
        throw missing("There is no column '\(shown(text, most: 60))' (\(option)).", .badOptions)
    }

    /// The column that suits best: the name that stands first in the list, and of several columns the first.
    private func best(_ names: [String], where isFit: (Int) -> Bool = { _ in true }) -> Int? {
        free.compactMap { column in columns[column].rank(names).map { (rank: $0, column: column) } }
            .filter { isFit($0.column) }.min { $0 < $1 }?
            .column
    }

    /// The column with the day.
    func date() -> (column: Int, isByCells: Bool)? {
        if let parts = dateParts() { return (parts.day, false) }
        func mayBe(_ column: Int) -> Bool { kinds(column).mayBeDate && !columns[column].has(Catalogue.otherDates) }
        if let column = best(Catalogue.dates, where: mayBe) ?? best(Catalogue.datetimes, where: mayBe) {
            return (column, false)
        }
        if let column = free.first(where: { columns[$0].has(["date", "day", "timestamp", "datetime"]) && mayBe($0) }) {
            return (column, false)
        }
        let dates = free.filter { kinds($0).isDate && !columns[$0].has(Catalogue.otherDates) }
        return dates.count == 1 ? (dates[0], true) : nil
    }

    /// The columns with year, month and day.
    func dateParts() -> DateParts? {
        func number(_ names: [String], _ range: ClosedRange<Int>) -> Int? {
            free.first { column in
                columns[column].rank(names) != nil
                    && kinds(column).isAll { text in Int(text).map(range.contains) ?? (names == Catalogue.months) }
            }
        }
        guard let year = number(Catalogue.years, 0...2199), let month = number(Catalogue.months, 1...12),
            let day = number(Catalogue.daysOfMonth, 1...31)
        else { return nil }
        return DateParts(year: year, month: month, day: day)
    }

    /// The columns that say when.
    struct Times {
        var datetime: Int?
        var date: Int?
        var time: Int?
        var period: Int?
        var parts: DateParts?
        var labels: TimeLabels?
        var isUTC = false
        var isByCells = false
    }

    func times() -> Times {
        var times = Times()
        func isOther(_ column: Int) -> Bool { columns[column].has(Catalogue.otherDates) }
        func mayBeDatetime(_ column: Int) -> Bool { !isOther(column) && kinds(column).mayBeDatetime }
        func note(_ column: Int) {
            let name = columns[column]
            if name.has(["end", "ending", "to", "until", "finish"]) { times.labels = .end }
            if name.has(["start", "starting", "begin", "from"]) { times.labels = .start }
            times.isUTC = times.isUTC || name.has(["utc", "gmt", "zulu"])
        }
        times.parts = dateParts()
        let clock =
            best(Catalogue.times, where: { kinds($0).mayBeClock })
            ?? free.first { columns[$0].has("time") && kinds($0).isClock }
        let named =
            best(Catalogue.datetimes, where: mayBeDatetime)
            ?? free.first { column in
                let name = columns[column]
                return
                    (name.has("datetime") || name.has("timestamp") || name.has("date") && name.has("time")
                    || name.has("utc"))
                    && mayBeDatetime(column)
            }
        let date =
            times.parts?.day ?? best(Catalogue.dates, where: { kinds($0).mayBeDate && !isOther($0) })
            ?? free.first { columns[$0].has(["date", "day"]) && kinds($0).mayBeDate && !isOther($0) }
        let period =
            best(Catalogue.periods, where: { kinds($0).mayBePeriod })
            ?? best(Catalogue.times, where: { kinds($0).isPeriod })
        if date == nil, named == nil,
            let epoch = best(Catalogue.epochs, where: { kinds($0).isEpoch })
        {
            times.datetime = epoch
            return times
        }
        // A name such as "start time" may be either: the cells tell.
        if let named,
            kinds(named).filled == 0
                ? clock != named || date == nil
                : kinds(named).isDatetime || date == nil || clock == nil && period == nil
        {
            times.datetime = named
            note(named)
            times.date = date == named ? nil : date
            return times
        }
        if let date, kinds(date).isDatetime, clock == nil, period == nil {
            times.datetime = date
            note(date)
            return times
        }
        times.date = date
        if let date { times.isUTC = columns[date].has(["utc", "gmt", "zulu"]) }
        if let period, kinds(period).isPeriod || clock == nil {
            times.period = period
        } else if let clock {
            times.time = clock
            note(clock)
        }
        if times.date == nil {
            let datetimes = free.filter { kinds($0).isDatetime && !isOther($0) }
            if datetimes.count == 1 {
                (times.datetime, times.isByCells) = (datetimes[0], true)
                note(datetimes[0])
            } else if times.time != nil || times.period != nil, let found = self.date() {
                (times.date, times.isByCells) = (found.column, found.isByCells)
            }
        }
        return times
    }

    /// Whether a name says what a register shows.
    func isRegister(_ name: ColumnName) -> Bool {
        if name.has(Catalogue.registers) { return true }
        return name.has(["reading", "read"]) && name.has("meter") || name.has("read") && name.has(["start", "end"])
    }

    /// The column with the value of a row.
    func value(wantsExport: Bool) throws -> Int? {
        let named = free.compactMap { column in
            rank(columns[column], wantsExport: wantsExport).map { (rank: $0, column: column) }
        }
        // Where no cell is a number the names alone must do: the rows are rejected then.
        let numbers = named.filter { kinds($0.column).mayBeNumber }
        // A number that is the same in each row, beside others that are not, is a price, a factor or a year's estimate.
        // (What a register or a meter of volume shows always moves, and is not what is looked for.)
        let moves = numbers.contains { $0.rank < Self.firstVolume && !kinds($0.column).isConstant }
        let moving = moves ? numbers.filter { !kinds($0.column).isConstant } : []
        let ranked = (moving.isEmpty ? numbers.isEmpty ? named : numbers : moving).sorted { $0 < $1 }
        guard let best = ranked.first else { return nil }
        try refuseMultiplier()
        func isUse(_ column: Int) -> Bool { columns[column].measure == nil && columns[column].has(Catalogue.use) }
        // "kWh" beside "Consumption", which may be of another unit, or the other way round.
        // Of gas the use is a volume.
        var isBesideUse = !columns[best.column].has(Catalogue.use) && !columns.contains { $0.has("mprn") }
        if case .energy = columns[best.column].measure {} else { isBesideUse = false }
        let equals = ranked.filter { $0.rank == best.rank || isBesideUse && isUse($0.column) }
        if equals.count > 1 {
            let names =
                equals
                .map { "'\(shown(columns[$0.column].original, most: 60))'" }
            throw ImportError(
                .wrongColumns,
                "Which column holds the energy? \(names.joined(separator: " and ")) may. Say so: --value-column \(columns[equals[0].column].quoted)."
            )
        }
        return best.column
    }

    /// Refuses values that may be still to be multiplied.
    private func refuseMultiplier() throws {
        guard
            let column = free.first(where: { column in
                columns[column].has(Catalogue.multipliers) && kinds(column).mayBeNumber && !kinds(column).isOne
            })
        else { return }
        throw ImportError(
            .wrongColumns,
            "Are the values multiplied by '\(shown(columns[column].original, most: 60))' already? If they are, say --ignore-column "
                + "\(columns[column].quoted); if not, multiply them."
        )
    }

    /// The rank from which on a column is no energy: volumes, registers, other quantities.
    private static let firstVolume = 40

    private func rank(_ name: ColumnName, wantsExport: Bool) -> Int? {
        if case .quantity = name.measure, !name.has(Catalogue.flagWords) { return 90 }
        guard !name.has(Catalogue.others.subtracting(["factor", "current", "power"])),
            !name.has(Catalogue.flagWords.subtracting(["estimated", "type", "quality"]))
        else { return nil }
        let isExport = name.words.contains { Catalogue.quantityWords[$0] == .export }
        let misses = isExport != wantsExport ? 20 : 0
        let consumption = Catalogue.consumption.firstIndex { name.has($0) }
        switch name.measure {
        case .energy:
            return misses
                + (isRegister(name)
                    ? 60
                    : name.has(["reading", "read"]) ? 4 : name.has(Catalogue.totals) ? 3 : consumption == nil ? 1 : 0)
        case .quantity: return 90
        case .volume: return Self.firstVolume
        case nil: break
        }
        if let index = Catalogue.values.firstIndex(where: { name.normalised == $0 }), !isRegister(name) {
            return misses + 25 + index
        }
        if isRegister(name) { return 70 }
        if let consumption { return misses + 10 + min(consumption, 1) }
        if isExport || name.has("import") { return misses + 15 }
        if let index = Catalogue.values.firstIndex(where: { name.has($0) }) { return misses + 30 + index }
        return nil
    }

    /// The column with the meter.
    func meter() -> (Int, FileLayout.MeterKind, Bool)? {
        func isFilled(_ column: Int) -> Bool { sample.isEmpty || kinds(column).filled > 0 }
        if let column = best(Catalogue.supplyNumbers, where: isFilled) { return (column, .code, false) }
        if let column = free.first(where: {
            columns[$0].has(Catalogue.supplyWords) && !columns[$0].has(["alias", "export", "name"]) && isFilled($0)
        }) {
            return (column, .code, false)
        }
        let supplies = free.filter { kinds($0).isMPAN }
        if supplies.count == 1 { return (supplies[0], .code, columns[supplies[0]].rank(Catalogue.meterCodes) == nil) }
        if let column = best(Catalogue.meterCodes, where: isFilled) { return (column, .code, false) }
        if let column = best(Catalogue.serialNumbers, where: isFilled)
            ?? free.first(where: { columns[$0].has(Catalogue.serialWords) && isFilled($0) })
        {
            return (column, .serial, false)
        }
        return nil
    }

    /// Columns that tell supplies, sites or meters apart.
    func identities() -> [Int] {
        free.filter { column in
            let name = columns[column]
            return [Catalogue.supplyNumbers, Catalogue.meterCodes, Catalogue.serialNumbers, Catalogue.names]
                .contains { name.rank($0) != nil }
        }
    }

    /// An error that says what is wrong with the columns, and which there are.
    func missing(_ what: String, _ code: ImportError.Code = .wrongColumns) -> ImportError {
        // A header of thousands of columns is most likely none.
        let some = columns.prefix(60).map { shown($0.original, most: 60) }.joined(separator: ", ")
        return ImportError(code, "\(what) The file has the columns: \(some)\(columns.count > 60 ? ", …" : "").")
    }
}

/// What stands in the first rows of a column.
struct CellKinds {
    private(set) var filled = 0
    private var dates = 0
    private var datetimes = 0
    /// Numbers that may be seconds since 1970, or anything else.
    private var epochs = 0
    private var clocks = 0
    private var numbers = 0
    private var periods = 0
    private var supplies = 0
    private var texts: Set<String> = []

    /// Whether four cells or more hold the same, and none another.
    var isConstant: Bool { filled >= 4 && texts.count == 1 }

    /// Whether each cell holds a one.
    var isOne: Bool { texts.allSatisfy { Double($0) == 1 } }

    init(_ cells: some Sequence<String>) {
        for cell in cells {
            let text = cell.trimmed
            guard !text.isEmpty else { continue }
            filled += 1
            if texts.count <= 40 { texts.insert(text) }
            text.withBytes { bytes in
                if bytes.number(digits: 1...3).map({ (0...100).contains($0) }) == true { periods += 1 }
                if DecimalText.units(bytes, decimals: 3) != nil || SeparatedNumber(bytes) != nil
                    || Catalogue.missing.contains(FileLayout.word(text))
                {
                    numbers += 1
                }
                // A number of up to four digits is a date or a time only where the name says so.
                if (try? Stamp(bytes)) != nil {
                    if bytes.isAllDigits, bytes.count != 12 { epochs += 1 } else { datetimes += 1 }
                }
                if (try? DateText.whole(bytes)) != nil { dates += 1 }
                if (try? Clock(bytes)) != nil { clocks += 1 }
                if let code = try? MeterCode.read(bytes), MeterCode.isMPAN(code) { supplies += 1 }
            }
        }
    }

    /// Most of the cells.
    private func most(_ count: Int) -> Bool { filled > 0 && count * 10 >= filled * 7 }
    private func may(_ count: Int) -> Bool {
        filled == 0 || count * 2 >= filled || filled <= 4 && count > 0 || filled <= 2
    }

    var isDate: Bool { most(dates) && !most(numbers) }
    var isDatetime: Bool { most(datetimes) && datetimes >= dates }
    var isClock: Bool { most(clocks) && !most(numbers) }
    var isPeriod: Bool { filled > 0 && periods == filled }
    var isEpoch: Bool { most(epochs) && isAll { [10, 13].contains($0.utf8.count) } }
    var isMPAN: Bool { most(supplies) }
    var mayBeDate: Bool { may(dates + datetimes) }
    var mayBeDatetime: Bool {
        may(datetimes + epochs) || datetimes + dates > 0 && datetimes > 0 || clocks == 0 && dates > 0
    }
    var mayBeClock: Bool { may(clocks) }
    var mayBePeriod: Bool { may(periods) }
    var mayBeNumber: Bool { may(numbers) }

    /// The different cells, to 40.
    var words: Set<String> { texts }

    func isAll(_ holds: (String) -> Bool) -> Bool { texts.allSatisfy(holds) }
}

extension String {
    /// Reads the text as bytes.
    func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        try Array(utf8 + [0])
            .withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else {
                    preconditionFailure("an array of one byte at least has an address")
                }
                return try body(Bytes(start: start, count: buffer.count - 1))
            }
    }
}
