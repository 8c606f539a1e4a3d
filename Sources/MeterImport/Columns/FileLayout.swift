import Headroom
import HeadroomJobs

/// Which column of a file of readings holds what: by the names, and where these do not say, by the first rows.
struct FileLayout: Codable, Hashable, Sendable {
    /// The ways in which readings are laid out.
    enum Shape: Codable, Hashable, Sendable {
        /// One row a day, one column for each part of it.
        case columns(date: Int)
        /// One row for each part of a day, date and time in one column.
        case datetime(Int, value: Int)
        /// One row for each part of a day, date and time in two columns.
        case dateAndTime(date: Int, time: Int, value: Int)
        /// One row for each part of a day, which has a number.
        case dateAndPeriod(date: Int, period: Int, value: Int)
        /// One row a day, with one value.
        case daily(date: Int, time: Int?, value: Int)
    }

    /// A column of a part of the day.
    struct PeriodColumn: Codable, Hashable, Sendable {
        var column: Int
        /// Which part, from 0.
        var place: Int
        /// The column beside it with its flag.
        var flag: Int?
    }

    /// What the meter's column holds.
    enum MeterKind: String, Codable, Hashable, Sendable {
        /// The number of a supply, or what the host calls its meter by.
        case code
        /// The number on the meter.
        case serial
        /// None: the job carries the meter.
        case job
    }

    /// The names of the columns.
    var names: [String] = []
    var shape: Shape
    /// The columns of the parts of a day, in their order.
    var periods: [PeriodColumn] = []
    /// The two further half-hours of the day when the clocks go back.
    var extras: [PeriodColumn] = []
    /// Which end the columns' names, or the name of the time's column, say; `nil` when they do not.
    var labels: TimeLabels?
    /// Whether the columns of the day are named by times rather than by numbers.
    var isByClock = false
    /// How long the columns' part of the day is; `nil` for rows.
    var minutes: Int?
    var meter: Int?
    var meterKind = MeterKind.code
    /// Whether the meter's column is found by its cells.
    var isMeterByCells = false
    var isDateByCells = false
    /// The columns of year, month and day, where each has one.
    var dateParts: DateParts?
    /// Whether dates are six digits with nothing between them.
    var isDatePacked = false
    /// Columns that name a supply, a site or a meter beside the meter's own.
    var identities: [Int] = []
    /// The unit that the value's name says.
    var namedUnit: String?
    /// Whether the value's name alone does not say that it is energy that was used.
    var isVague = false
    /// Whether the value's name says that it is what a register shows.
    var isRegister = false
    /// The quantity of which the value's name speaks.
    var namedQuantity: Quantity?
    var unit: Int?
    var quantities: [Int] = []
    var total: Int?
    /// Columns with words of which the whole file must be seen to know what they are.
    var words: [Int] = []
    /// Whether the meters are of gas by the name of their column.
    var isGasByName = false
    /// Whether the times are UTC by the name of their column.
    var isUTCByName = false

    /// What the lines above the header say.
    var above = AboveHeader()

    // The names stand in the file, and are read again with its header; what is above it has been decided on.
    private enum CodingKeys: CodingKey {
        case shape, periods, extras, labels, isByClock, minutes, meter, meterKind, isMeterByCells, isDateByCells,
            identities, dateParts, isDatePacked
        case namedUnit, isVague, isRegister, namedQuantity, unit, quantities, total, words, isGasByName, isUTCByName
    }

    /// The column with the day, or with day and time.
    var date: Int {
        switch shape {
        case .columns(let date), .datetime(let date, _), .dateAndTime(let date, _, _), .dateAndPeriod(let date, _, _),
            .daily(let date, _, _):
            date
        }
    }

    /// The column with the value; `nil` where each part of the day has one.
    var value: Int? {
        switch shape {
        case .columns: nil
        case .datetime(_, let value), .dateAndTime(_, _, let value), .dateAndPeriod(_, _, let value),
            .daily(_, _, let value):
            value
        }
    }

    /// Finds out the layout.
    ///
    /// - Parameters:
    ///   - columns: The names.
    ///   - sample: The first rows.
    ///   - isDaily: Whether the job says that the file has one value a day.
    ///   - options: What the job says about the file.
    ///   - above: What the lines above the header say.
    /// - Throws: ``ImportError``, saying what is there and what is missing.
    init(
        _ columns: [ColumnName],
        sample: [[String]],
        isDaily: Bool,
        options: ImportOptions,
        above: AboveHeader = AboveHeader()
    ) throws {
        self.above = above
        names = columns.map { $0.original.trimmed }
        var finder = ColumnFinder(columns, sample: sample)
        let ignoredColumns = try options.ignoredColumns.map { try finder.named($0, "--ignore-column") }
        let ignored = Set(ignoredColumns.map { columns[$0].normalised })
        let meterColumn = try options.meterColumn.map { try finder.named($0, "--meter-column") }
        let valueColumn = try options.valueColumn.map { try finder.named($0, "--value-column") }
        if let meterColumn { finder.used.insert(meterColumn) }
        if let valueColumn { finder.used.insert(valueColumn) }
        var series = PeriodSeries.all(columns)
            .filter { $0.columns.allSatisfy { !ignored.contains(columns[$0.column].normalised) } }
        for index in series.indices { series[index].isFlags = Self.isFlags(series[index], beside: series, finder) }
        shape = .columns(date: 0)
        if let values = try Self.values(of: series, valueColumn, columns, options) {
            guard !isDaily else {
                throw finder.missing(
                    "A daily file has one value a day, but this one has parts of days in columns: queue it as hh."
                )
            }
            try take(values, of: series, ignored: ignored, &finder)
        } else {
            finder.used.formUnion(ignoredColumns)
            try takeRows(&finder, isDaily: isDaily, valueColumn: valueColumn, options: options)
        }
        try takeMeter(&finder, meterColumn, options)
        takeWords(&finder)
    }

    /// Whether a series holds flags: by its names, by words in its cells, or as one digit of few beside a series of numbers.
    private static func isFlags(_ series: PeriodSeries, beside others: [PeriodSeries], _ finder: ColumnFinder) -> Bool {
        if series.isFlags { return true }
        let kinds = series.columns.map { finder.kinds($0.column) }.filter { $0.filled > 0 }
        guard !kinds.isEmpty else { return false }
        func isDigits(_ kinds: [CellKinds]) -> Bool {
            Set(kinds.flatMap(\.words)).count <= 3
                && kinds.allSatisfy { $0.isAll { $0.utf8.count == 1 && Int($0) != nil } }
        }
        if kinds.allSatisfy({ $0.isAll { !$0.utf8.contains(where: \.isDigit) && $0.utf8.count <= 20 } }) { return true }
        return series.measure == nil && isDigits(kinds)
            && others.contains { other in
                !other.isFlags && other.minutes == series.minutes && other.words != series.words
                    && !isDigits(other.columns.map { finder.kinds($0.column) }.filter { $0.filled > 0 })
            }
    }

    /// The series that holds the values.
    private static func values(
        of series: [PeriodSeries],
        _ chosen: Int?,
        _ columns: [ColumnName],
        _ options: ImportOptions
    ) throws -> PeriodSeries? {
        let values = series.filter { !$0.isFlags }
        if let chosen { return values.first { $0.columns.contains { $0.column == chosen } } }
        func rank(_ series: PeriodSeries) -> Int? {
            switch series.measure {
            case .quantity: return nil
            case .volume: return 4
            case .energy, nil: break
            }
            let quantity = series.words.lazy.compactMap { Catalogue.quantityWords[$0] }.first { $0 != .consumed }
            if quantity == .reactive || quantity == .other { return nil }
            let isWanted = (quantity == .export) == (options.quantity == "export")
            return (isWanted ? 0 : 2) + (series.measure == nil ? 1 : 0)
        }
        let ranked = values.compactMap { series in rank(series).map { (rank: $0, series: series) } }
            .sorted { $0.rank < $1.rank }
        guard let best = ranked.first else { return nil }
        if ranked.count > 1, ranked[1].rank == best.rank {
            throw ImportError(
                .wrongColumns,
                "Which columns hold the energy? '\(best.series.first)' to '\(best.series.last)' and '\(ranked[1].series.first)' to "
                    + "'\(ranked[1].series.last)' both may. Say so: --value-column \(ColumnName(best.series.first).quoted)."
            )
        }
        return best.series
    }

    private mutating func take(
        _ values: PeriodSeries,
        of series: [PeriodSeries],
        ignored: Set<String>,
        _ finder: inout ColumnFinder
    ) throws {
        finder.used.formUnion(values.columns.map(\.column))
        // Flags that are numbered as the values are; others stand beside them.
        let flags = series.first {
            $0.isFlags && $0.minutes == values.minutes
                && Set($0.columns.map(\.place)) == Set(values.columns.map(\.place))
        }
        for other in series where !other.isFlags || other.columns.map(\.column) == flags?.columns.map(\.column) {
            finder.used.formUnion(other.columns.map(\.column))
        }
        let others = finder.columns.indices.filter { finder.columns[$0].isOfClockChange }
        var beside = flags == nil ? Self.beside(values.columns.map(\.column), others, finder) : [:]
        finder.used.formUnion(beside.values)
        // Who leaves one of them alone leaves them all.
        let isIgnored = { (column: Int) in ignored.contains(finder.columns[column].normalised) }
        if beside.values.contains(where: isIgnored) { beside = [:] }
        finder.used.formUnion(finder.columns.indices.filter(isIgnored))
        periods = values.columns.map { column, place in
            PeriodColumn(
                column: column,
                place: place,
                flag: beside[column] ?? flags?.columns.first { $0.place == place }?.column
            )
        }
        minutes = values.minutes
        labels = values.labels
        isByClock = values.labels != nil
        let extraValues = others.filter { !finder.columns[$0].has(Catalogue.flagWords.subtracting(["type"])) }
        let extraFlags = others.filter { !extraValues.contains($0) }
        if extraValues.count == 2 {
            extras = zip(extraValues, 0...)
                .map { column, place in
                    PeriodColumn(
                        column: column,
                        place: place,
                        flag: beside[column] ?? (extraFlags.count == 2 ? extraFlags[place] : nil)
                    )
                }
        }
        finder.used.formUnion(others)
        if case .energy(let unit) = values.measure { namedUnit = unit.rawValue }
        if case .volume(let unit) = values.measure { namedUnit = unit.rawValue }
        namedQuantity = values.words.lazy.compactMap { Catalogue.quantityWords[$0] }.first { $0 == .export }
        guard let date = finder.date() else {
            throw finder.missing(
                "A file with the parts of a day in columns needs one for the date (date, read date, settlement date, …)."
            )
        }
        (shape, isDateByCells) = (.columns(date: date.column), date.isByCells)
        dateParts = finder.dateParts().flatMap { $0.day == date.column ? $0 : nil }
        isUTCByName =
            finder.columns[date.column].has(["utc", "gmt", "zulu"]) || !values.words.isDisjoint(with: ["utc"])
        takeDate(date.column, &finder)
        let sums = finder.columns.indices.filter { !finder.used.contains($0) && finder.kinds($0).mayBeNumber }
        total =
            sums.first { finder.columns[$0].has(Catalogue.totals) }
            ?? sums.first {
                finder.columns[$0].has(["consumption", "kwh"]) && !finder.columns[$0].has(Catalogue.others)
            }
        if let total { finder.used.insert(total) }
    }

    /// The columns of which one stands beside each value, whatever they are called: behind it, or before it.
    private static func beside(_ values: [Int], _ extras: [Int], _ finder: ColumnFinder) -> [Int: Int] {
        let values = values.sorted()
        guard let first = values.first, let last = values.last, values.count >= 20 else { return [:] }
        let known = finder.used.union(extras)
        func free(_ column: Int) -> Bool { finder.columns.indices.contains(column) && !known.contains(column) }
        func like(_ column: Int, _ other: Int) -> Bool {
            let (name, others) = (finder.columns[column], finder.columns[other])
            return name.normalised == others.normalised || name.template == others.template
        }
        var between: [Int: Int] = [:]
        for (value, next) in zip(values, values.dropFirst()) {
            let free = (value + 1..<next).filter(free)
            if free.count == 1 { between[value] = free[0] }
        }
        guard between.count * 10 >= (values.count - 1) * 9, let some = between[first] ?? between.values.min() else {
            return [:]
        }
        let isBehind = free(last + 1) && like(last + 1, some)
        if free(first - 1), like(first - 1, some), !isBehind {
            var before = [first: first - 1]
            for (value, next) in zip(values, values.dropFirst()) { before[next] = between[value] }
            return before
        }
        if isBehind { between[last] = last + 1 }
        for extra in extras where free(extra + 1) && like(extra + 1, some) { between[extra] = extra + 1 }
        return between
    }

    /// Takes the column of the date, or the three of its parts.
    private mutating func takeDate(_ column: Int, _ finder: inout ColumnFinder) {
        finder.used.insert(column)
        if let dateParts { finder.used.formUnion([dateParts.year, dateParts.month, dateParts.day]) }
        isDatePacked =
            finder.kinds(column).filled > 0
            && finder.kinds(column)
                .isAll {
                    $0.utf8.prefix(6).count == 6 && $0.utf8.prefix(6).allSatisfy(\.isDigit)
                        && !($0.utf8.dropFirst(6).first?.isDigit ?? false)
                }
    }

    private mutating func takeRows(
        _ finder: inout ColumnFinder,
        isDaily: Bool,
        valueColumn: Int?,
        options: ImportOptions
    ) throws {
        let times = finder.times()
        dateParts = times.parts.flatMap { $0.day == times.date ? $0 : nil }
        if let column = times.datetime { takeDate(column, &finder) }
        if let column = times.date { takeDate(column, &finder) }
        if let column = times.time { finder.used.insert(column) }
        if let column = times.period { finder.used.insert(column) }
        isDateByCells = times.isByCells
        guard let found = try valueColumn ?? finder.value(wantsExport: options.quantity == "export") else {
            throw finder.missing(
                "The file has neither a column for the value (value, consumption, kWh, …) nor one for each half-hour of a day "
                    + "(HH01 to HH48, 00:00 to 23:30, …)."
            )
        }
        finder.used.insert(found)
        let name = finder.columns[found]
        switch name.measure {
        case .energy(let unit): namedUnit = unit.rawValue
        case .volume(let unit): namedUnit = unit.rawValue
        case .quantity, nil:
            if let strange = name.strangeUnit, valueColumn == nil {
                let reason = (try? EnergyUnit(word: strange)) == nil ? Self.problem(strange) : ""
                throw ImportError(
                    .wrongColumns,
                    "The column '\(shown(name.original, most: 60))' cannot be used: \(reason)."
                )
            }
        }
        if case .quantity = name.measure, let word = name.bracket ?? name.words.last {
            throw ImportError(
                .wrongColumns,
                "The column '\(shown(name.original, most: 60))' cannot be used: \(Self.problem(word))."
            )
        }
        namedQuantity = name.words.lazy.compactMap { Catalogue.quantityWords[$0] }.first { $0 == .export }
        isRegister = valueColumn == nil && finder.isRegister(name)
        isVague = valueColumn == nil && namedUnit == nil && !name.has(Set(Catalogue.consumption))
        if isDaily {
            guard let date = times.date ?? times.datetime else {
                throw finder.missing("A daily file needs a column for the date (date, read date, reading date, …).")
            }
            shape = .daily(date: date, time: times.date == nil ? nil : times.time, value: found)
        } else if let datetime = times.datetime {
            shape = .datetime(datetime, value: found)
        } else if let date = times.date, let period = times.period {
            shape = .dateAndPeriod(date: date, period: period, value: found)
        } else if let date = times.date, let time = times.time {
            shape = .dateAndTime(date: date, time: time, value: found)
        } else {
            let hint = times.date == nil ? "" : " One value a day is queued as daily (--type daily)."
            throw finder.missing(
                "A half-hourly file needs a column for date and time (datetime, timestamp, start, …), or one for each "
                    + "(date, …; time, …).\(hint)"
            )
        }
        labels = times.labels
        isUTCByName = times.isUTC
    }

    private static func problem(_ word: String) -> String {
        do {
            _ = try EnergyUnit(word: word)
            return "it is no energy"
        } catch {
            return error.reason
        }
    }

    private mutating func takeMeter(_ finder: inout ColumnFinder, _ chosen: Int?, _ options: ImportOptions) throws {
        let fuels = Set(finder.columns.flatMap { $0.words.compactMap { Catalogue.fuelWords[$0] } })
        isGasByName = fuels == [.gas] || fuels.isEmpty && above.fuels == [.gas]
        let found = chosen.map { ($0, MeterKind.code, false) } ?? finder.meter()
        identities = finder.identities().filter { $0 != found?.0 }
        if let found {
            (meter, meterKind, isMeterByCells) = found
            finder.used.insert(found.0)
            let name = finder.columns[found.0]
            isGasByName = isGasByName || name.has(["mprn", "mpr"]) && !name.has("mpan")
            if chosen != nil, finder.columns[found.0].has(Catalogue.serialWords) { meterKind = .serial }
            return
        }
        guard options.mpan != nil || above.meter != nil else {
            let names = identities.filter { finder.columns[$0].rank(Catalogue.names) != nil }
            let hint =
                names.first
                .map {
                    " '\(shown(finder.columns[$0].original, most: 60))' is a name: if the host's meters are called so, say --meter-column \(finder.columns[$0].quoted)."
                }
                ?? ""
            throw finder.missing(
                "The file has no column for the meter (mpan, mprn, meter serial, …). Name the column so, or say which meter the "
                    + "file is of (--mpan).\(hint)"
            )
        }
        meterKind = .job
    }

    private mutating func takeWords(_ finder: inout ColumnFinder) {
        unit =
            finder.free.compactMap { column in finder.columns[column].rank(Catalogue.units).map { ($0, column) } }
            .min { $0 < $1 }?
            .1
        // What stands beside a value that has its unit in its name is of another column.
        if let unit, namedUnit != nil,
            finder.kinds(unit)
                .isAll({ Measure(word: $0).map { if case .volume = $0 { true } else { false } } ?? false }),
            finder.kinds(unit).filled > 0
        {
            finder.used.insert(unit)
            self.unit = nil
        }
        quantities = finder.free.filter { column in
            let name = finder.columns[column]
            let isNamed = name.rank(Catalogue.quantities) != nil || name.has(["quantity", "direction", "measurement"])
            let kinds = finder.kinds(column)
            guard kinds.filled > 0, kinds.isAll({ Catalogue.quantityWords[Self.word($0)] != nil }) else { return false }
            // By its cells, whatever it is called, where they tell rows apart.
            return isNamed || Set(kinds.words.map { Catalogue.quantityWords[Self.word($0)] }).count > 1
        }
        words = finder.free.filter { column in
            let name = finder.columns[column]
            let isNamed =
                [Catalogue.flags, Catalogue.units, Catalogue.quantities, Catalogue.fuels]
                .contains { name.rank($0) != nil }
                || name.has(Catalogue.flagWords.union(Catalogue.estimateWords).union(Catalogue.actualWords))
            return isNamed || !finder.kinds(column).mayBeNumber
        }
        words = Array(words.prefix(24))
    }

    /// Reads the date of a row, from its column or from those of its parts.
    func date(_ record: CSVRecord, _ column: Int) throws(CellProblem) -> DateText {
        guard let dateParts, column == dateParts.day else { return try DateText.whole(record[column]) }
        return try dateParts.date(record)
    }

    /// A cell's word as the catalogue has it: lower case, letters and digits, and a sign at its end.
    static func word(_ text: some StringProtocol) -> String {
        var word: [UInt8] = []
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case 48...57, 97...122: word.append(byte)
            case 65...90: word.append(byte + 32)
            case UInt8(ascii: "+"), UInt8(ascii: "-"): if index == bytes.count - 1 { word.append(byte) }
            default: break
            }
        }
        return String(decoding: word, as: UTF8.self)
    }
}
