/// How the cells of a file are read where one cell does not tell: known when all of it has been seen.
struct CellRules: Codable, Hashable, Sendable {
    var order = DateOrder.dayFirst
    /// Whether the job says, or the rows show, that the order is another than the default.
    var isOrderKnown = false
    var numbers = NumberStyle.plain
    /// Whether `04:00-05:00` is a time with its offset from UTC, rather than an hour.
    var dashIsOffset = false
    /// Whether times are the last second of their half-hour, such as `00:29:59`.
    var endsOnLastSecond = false

    init(_ options: ImportOptions) {
        if let stated = options.dateOrder { (order, isOrderKnown) = (stated, true) }
    }

    /// A time as it is meant.
    func read(_ written: Clock) -> Clock {
        var clock = written
        if dashIsOffset, let offset = clock.form.offset { clock.offset = offset }
        if endsOnLastSecond, clock.form.isLastSecond { clock.seconds += 1 }
        return clock
    }
}

extension FileUnderstanding {
    /// Decides how cells are read.
    mutating func decideCells(_ evidence: Evidence, _ options: ImportOptions) throws {
        try decideOrder(evidence, options)
        try decideNumbers(evidence)
        if evidence.dashes.count > 0 {
            if evidence.offsets.count > 0 {
                cells.dashIsOffset = true
            } else if evidence.ranges.count > 1 {
                throw Self.contradiction(
                    "What is behind the dash of a time, as on line \(evidence.dashes.line), may be its end or its offset from UTC, and neither "
                        + "suits all rows.",
                    "Export the times with their offset as Z or in ISO 8601, or without it."
                )
            }
        }
        cells.endsOnLastSecond = evidence.lastSeconds.count * 2 > evidence.rows
    }

    // MARK: Day, month and year

    private mutating func decideOrder(_ evidence: Evidence, _ options: ImportOptions) throws {
        let place = "from \(name(layout.date))\(layout.isDateByCells ? ", found by its cells" : "")"
        if let stated = options.dateOrder {
            return say("date", "\(place), the \(stated.first) first", .stated)
        }
        let (day, month) = (evidence.orders[.dayFirst] ?? .init(), evidence.orders[.monthFirst] ?? .init())
        let rows = day.possible.count + day.impossible.count
        guard rows > 0 else { return say("date", place, .named) }
        var others: [(order: DateOrder, shows: Evidence.OrderEvidence)] = []
        for order in [DateOrder.monthFirst, .yearFirst] {
            guard let shows = evidence.orders[order], shows.possible.count > 0, shows.bad == 0 else { continue }
            others.append((order, shows))
        }
        others.sort { $0.shows.steps > $1.shows.steps }
        func ask(_ other: DateOrder, _ why: String) -> ImportError {
            Self.doubt(
                "Which comes first in \(name(layout.date)), the day or the \(other.first)?",
                why,
                "--date-order dmy or --date-order \(other.rawValue)"
            )
        }
        func follow(_ other: DateOrder, _ shows: Evidence.OrderEvidence) -> String {
            "When the \(other.first) does, \(counted(shows.steps, "row")) follow\(shows.steps == 1 ? "s" : "") the day before; when the day "
                + "does, \(day.steps == 0 ? "none do" : "\(day.steps)")."
        }
        let rival = others.first
        if day.bad == 0 {
            if let rival, rival.order == .yearFirst, rival.shows.steps > 0, day.steps == 0,
                others.dropFirst().allSatisfy({ $0.shows.steps == 0 })
            {
                return take(.yearFirst, "the days follow each other so", place)
            }
            if let rival, rival.shows.steps > 0, rival.shows.steps * 3 >= day.steps {
                throw ask(rival.order, follow(rival.order, rival.shows))
            }
            if let year = others.first(where: { $0.order == .yearFirst })?.shows, day.steps == 0,
                year.last > day.last + 5 * 365
            {
                throw ask(
                    .yearFirst,
                    "When the year does, the last day is \(CalendarDate(days: year.last).text); when the day does, "
                        + "\(CalendarDate(days: day.last).text)."
                )
            }
            if layout.isDatePacked, day.steps == 0, let rival {
                throw ask(rival.order, "The dates are six digits, and nothing shows it.")
            }
            if month.impossible.count > 0 {
                let count = counted(month.impossible.count, "date")
                return say(
                    "date",
                    "\(place), the day first (\(count) prove\(month.impossible.count == 1 ? "s" : "") it)",
                    .proved
                )
            }
            return day.steps > 0
                ? say("date", "\(place), the day first (the days follow each other so)", .proved)
                : say("date", "\(place), the day first where it could be either", .assumed)
        }
        if let rival, day.steps <= rival.shows.steps * 3 {
            if others.count > 1, others[1].shows.steps * 3 >= rival.shows.steps {
                throw Self.doubt(
                    "Which comes first in \(name(layout.date)), the month or the year?",
                    "It is not the day: line \(day.impossible.line) has no such date.",
                    "--date-order mdy or --date-order ymd"
                )
            }
            guard day.bad * 20 > rows || day.steps == 0 && rival.shows.steps > 0 else {
                throw ask(
                    rival.order,
                    "\(counted(day.impossible.count, "date")), the first on line \(day.impossible.line), cannot have the day first."
                )
            }
            let count = day.impossible.count > 0 ? day.impossible.count : day.future.count
            let why =
                day.impossible.count > 0
                ? "\(counted(count, "date")) prove\(count == 1 ? "s" : "") it"
                : "else \(counted(count, "date")) would be yet to come"
            return take(rival.order, why, place)
        }
        if month.impossible.count > 0, month.possible.count > 0, day.impossible.count * 20 > month.impossible.count,
            day.steps <= month.steps * 3 || day.impossible.count * 5 > rows
        {
            throw Self.contradiction(
                "In \(name(layout.date)) the day comes first on \(counted(month.impossible.count, "line")) (line \(month.impossible.line)) and the "
                    + "month on \(day.impossible.count) (line \(day.impossible.line)).",
                "Say --date-order dmy or --date-order mdy; the others are then rejected."
            )
        }
        // Days that follow each other in another order, though they would be yet to come.
        for (order, shows) in evidence.orders where order != .dayFirst {
            if shows.possible.count > 0, shows.impossible.count == 0, shows.steps > day.steps * 3 {
                throw ask(order, follow(order, shows))
            }
        }
        say("date", "\(place), the day first", day.steps > 0 || month.impossible.count > 0 ? .proved : .assumed)
    }

    private mutating func take(_ order: DateOrder, _ why: String, _ place: String) {
        (cells.order, cells.isOrderKnown) = (order, true)
        say("date", "\(place), the \(order.first) first (\(why))", .proved)
    }

    // MARK: Numbers

    private mutating func decideNumbers(_ evidence: Evidence) throws {
        let (grouped, decimal, either) = (evidence.groupedNumbers, evidence.decimalCommas, evidence.eitherCommas)
        if decimal.count > 0 {
            if grouped.count == 0, !evidence.hasPoint {
                cells.numbers = .decimalComma
                return say("numbers", "with a comma before the decimals (line \(decimal.line))", .proved)
            }
            // A few are bad cells of their rows.
            guard decimal.count > 3, decimal.count * 100 > evidence.rows else { return }
            throw Self.contradiction(
                "Some numbers have a comma before their decimals (line \(decimal.line)), others a point.",
                "Export them all with a point."
            )
        }
        if grouped.count > 0 || either.count > 0 && evidence.hasPoint {
            cells.numbers = .grouped
            let line = grouped.count > 0 ? grouped.line : either.line
            return say("numbers", "with a sign between thousands (line \(line))", .proved)
        }
        guard either.count > 0 else { return }
        throw Self.doubt(
            "Is the comma in a number, as on line \(either.line), between thousands or before decimals?",
            "No number shows it.",
            "export the numbers with a point and without commas"
        )
    }
}

extension Evidence.OrderEvidence {
    /// Dates that there are not, or that are yet to come.
    var bad: Int { impossible.count + future.count }
}

extension DateOrder {
    /// What comes first.
    var first: String {
        switch self {
        case .dayFirst: "day"
        case .monthFirst: "month"
        case .yearFirst: "year"
        }
    }
}
