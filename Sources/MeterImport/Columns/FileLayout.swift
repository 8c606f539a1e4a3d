/// Which column of a file of readings holds what.
struct FileLayout: Equatable {
    /// The ways in which readings are laid out.
    enum Shape: Equatable {
        /// One row a day, one column for each half-hour.
        case matrix(date: Int)
        /// One row a half-hour, date and time in one column.
        case interval(datetime: Int, value: Int)
        /// One row a half-hour, date and time in two columns.
        case dateAndTime(date: Int, time: Int, value: Int)
        /// One row a day, with one value.
        case daily(date: Int, time: Int?, value: Int)
    }

    /// A matrix column and the half-hour that it holds, from 1.
    struct PeriodColumn: Equatable {
        var column: Int
        var period: Int
        var unit: EnergyUnit?
    }

    /// How the readings are laid out.
    let shape: Shape

    /// The columns of a matrix, in the order of the day; empty in other shapes.
    let periods: [PeriodColumn]

    /// The column with the meter; `nil` when the job carries the meter.
    let meter: Int?

    /// The column with the unit, and the unit that the value's name says.
    let unit: Int?
    let namedUnit: EnergyUnit?

    /// The column with the reading type.
    let type: Int?

    /// Finds out the layout from the header.
    ///
    /// - Parameters:
    ///   - header: The file's first record.
    ///   - isDaily: Whether the file has one value a day.
    ///   - hasMeter: Whether the job carries the meter.
    /// - Throws: ``ImportError`` with `wrongColumns`, saying what is there and what is missing.
    init(header: FileHeader, isDaily: Bool, hasMeter: Bool) throws {
        func column(_ role: ColumnRole) -> Int? { header.column { $0.rank(as: role) } }
        meter = column(.meter)
        if meter == nil, !hasMeter {
            throw header.missing(
                "The file has no column for the meter (\(ColumnRole.meter.examples), …). Name the column so, or say which "
                    + "meter the file is of (--mpan)."
            )
        }
        unit = column(.unit)
        type = column(.type)
        periods = try Self.periods(header)
        let date = column(.date) ?? column(.datetime)
        if !periods.isEmpty {
            guard !isDaily else {
                throw header.missing("A daily file has one value a day, but this one has half-hours: queue it as hh.")
            }
            guard let date else {
                throw header.missing(
                    "A file with half-hours in columns needs one for the date (\(ColumnRole.date.examples), …)."
                )
            }
            namedUnit = nil
            shape = .matrix(date: date)
            return
        }
        guard let value = column(.value) else {
            throw header.missing(
                "The file has neither a column for the value (\(ColumnRole.value.examples), …) nor half-hours in columns "
                    + "(HH01 to HH48)."
            )
        }
        namedUnit = try header.unit(of: value)
        if isDaily {
            guard let date else {
                throw header.missing("A daily file needs a column for the date (\(ColumnRole.date.examples), …).")
            }
            shape = .daily(date: date, time: column(.time), value: value)
        } else if let datetime = column(.datetime) {
            shape = .interval(datetime: datetime, value: value)
        } else if let date = column(.date), let time = column(.time) {
            shape = .dateAndTime(date: date, time: time, value: value)
        } else {
            throw header.missing(
                "A half-hourly file needs a column for date and time (\(ColumnRole.datetime.examples), …), or one for each "
                    + "(\(ColumnRole.date.examples), …; \(ColumnRole.time.examples), …)."
            )
        }
    }

    /// The columns of the half-hours: none, or at least the 48 of an ordinary day.
    private static func periods(_ header: FileHeader) throws -> [PeriodColumn] {
        var periods: [PeriodColumn] = []
        for (index, column) in header.columns.enumerated() {
            guard let period = column.period else { continue }
            guard !periods.contains(where: { $0.period == period }) else {
                throw header.missing("The half-hour \(period) stands in two columns.")
            }
            periods.append(PeriodColumn(column: index, period: period, unit: try header.unit(of: index)))
        }
        guard !periods.isEmpty else { return [] }
        let absent = (1...48).filter { period in !periods.contains { $0.period == period } }
        guard absent.isEmpty else {
            throw header.missing(
                "The columns of these half-hours are missing: \(absent.map { "HH\($0)" }.joined(separator: ", "))."
            )
        }
        return periods.sorted { $0.period < $1.period }
    }
}
