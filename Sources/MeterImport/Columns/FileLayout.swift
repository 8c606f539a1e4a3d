/// Which column of a half-hourly file holds what.
struct FileLayout: Equatable {
    /// The two ways in which half-hours are laid out.
    enum Shape: Equatable {
        /// One row a day, one column for each half-hour.
        case matrix(date: Int, periods: [PeriodColumn])
        /// One row a half-hour, date and time in one column.
        case interval(datetime: Int, value: Int)
        /// One row a half-hour, date and time in two columns.
        case dateAndTime(date: Int, time: Int, value: Int)
    }

    /// A matrix column and the half-hour that it holds, from 1.
    struct PeriodColumn: Equatable {
        var column: Int
        var period: Int
        var unit: EnergyUnit?
    }

    /// How the half-hours are laid out.
    var shape: Shape

    /// The column with the meter; `nil` when the job carries the meter.
    var meter: Int?

    /// The column with the unit, and the unit that the value's name says.
    var unit: Int?
    var namedUnit: EnergyUnit?

    /// The column with the reading type.
    var type: Int?

    /// The columns' names as the file writes them.
    var names: [String]

    /// Finds out the layout from the header.
    ///
    /// - Parameters:
    ///   - header: The file's first record.
    ///   - hasMeter: Whether the job carries the meter.
    /// - Throws: ``ImportError`` with `wrongColumns`, saying what is there and what is missing.
    init(header: CSVRecord, hasMeter: Bool) throws {
        let columns = header.fields.indices.map { ColumnName(header[$0]) }
        names = columns.map(\.original)
        func column(_ role: ColumnRole) -> Int? {
            columns.indices
                .compactMap { index in columns[index].rank(as: role).map { (rank: $0, index: index) } }
                .min { $0 < $1 }?
                .index
        }
        let found = "The file has the columns: \(names.joined(separator: ", "))."
        func missing(_ what: String) -> ImportError {
            ImportError(.wrongColumns, "\(what) \(found)")
        }
        func unit(of column: Int) throws -> EnergyUnit? {
            do {
                return try columns[column].unit()
            } catch {
                throw ImportError(
                    .wrongColumns,
                    "The column '\(columns[column].original)' cannot be used: \(error.reason)."
                )
            }
        }

        meter = column(.meter)
        if meter == nil, !hasMeter {
            throw missing(
                "The file has no column for the meter (\(ColumnRole.meter.examples), …). Name the column so, or say which "
                    + "meter the file is of (--mpan)."
            )
        }
        self.unit = column(.unit)
        type = column(.type)

        var periods: [PeriodColumn] = []
        for index in columns.indices {
            guard let period = columns[index].period else { continue }
            guard !periods.contains(where: { $0.period == period }) else {
                throw missing("The half-hour \(period) stands in two columns.")
            }
            periods.append(PeriodColumn(column: index, period: period, unit: try unit(of: index)))
        }
        if !periods.isEmpty {
            guard let date = column(.date) ?? column(.datetime) else {
                throw missing(
                    "A file with half-hours in columns needs one for the date (\(ColumnRole.date.examples), …)."
                )
            }
            let absent = (1...48).filter { period in !periods.contains { $0.period == period } }
            guard absent.isEmpty else {
                throw missing(
                    "The columns of these half-hours are missing: \(absent.map { "HH\($0)" }.joined(separator: ", "))."
                )
            }
            shape = .matrix(date: date, periods: periods.sorted { $0.period < $1.period })
            return
        }
        guard let value = column(.value) else {
            throw missing(
                "The file has neither a column for the value (\(ColumnRole.value.examples), …) nor half-hours in columns "
                    + "(HH01 to HH48)."
            )
        }
        namedUnit = try unit(of: value)
        if let datetime = column(.datetime) {
            shape = .interval(datetime: datetime, value: value)
        } else if let date = column(.date), let time = column(.time) {
            shape = .dateAndTime(date: date, time: time, value: value)
        } else {
            throw missing(
                "A half-hourly file needs a column for date and time (\(ColumnRole.datetime.examples), …), or one for each "
                    + "(\(ColumnRole.date.examples), …; \(ColumnRole.time.examples), …)."
            )
        }
    }
}
