import Headroom
import HeadroomJobs

/// How a file of readings is meant, decided from its names and from what its rows show; kept with the job, so that who carries on
/// reads it the same way.
struct FileUnderstanding: Codable, Hashable, Sendable {
    /// What was understood, and how it is known.
    public struct Finding: Codable, Hashable, Sendable {
        /// What it is about, such as `meter`.
        var topic: String
        /// What was understood, such as `from 'MPAN'`.
        var text: String
        var basis: Basis

        enum Basis: String, Codable, Hashable, Sendable {
            /// The names say so.
            case named
            /// The rows show it.
            case proved
            /// Nothing shows it, nor anything else.
            case assumed
            /// The job says so.
            case stated
        }
    }

    /// A time of the repeated hour that a meter has once: which run it belongs to.
    struct LoneHour: Codable, Hashable, Sendable {
        /// A hash of the meter, in hexadecimal.
        var meter: String
        var day: Int
        /// Whether it is the second; `nil` when nobody can tell.
        var isSecond: Bool?
    }

    /// Where the header is, and what stands between cells.
    var header: HeaderPlace
    var layout: FileLayout
    var order = DateOrder.dayFirst
    /// The zone of the meters, and of the file's times.
    var zone: String
    var source: String
    var labels = TimeLabels.start
    /// Whether a time that ends a half-hour is what the clock then shows, rather than half an hour more than at its start.
    var endsOnClock = false
    /// Whether 00:00 ends the day that stands beside it.
    var midnightEndsDay = false
    var minutes = 30
    var splitsHours = false
    var isNewestFirst = false
    /// Whether the rows are in no order of time, so that the two runs of the repeated hour cannot be told apart.
    var isUnordered = false
    /// Whether the columns of a day are counted on a day on which the clocks change, though they are named by times.
    var countsColumns = true
    /// Whether the rows show that they are counted.
    var isCountProved = false
    var loneHours: [LoneHour] = []
    var unit: String?
    var calorificValue: Double?
    var quantity = Quantity.consumed
    var chosenColumn: Int?
    var chosenWord: String?
    var flag: Int?
    /// Whether the column of flags says yes where it is an estimate.
    var isFlagYes = false
    /// Whether the flags beside the half-hours are read.
    var hasPeriodFlags = false
    var fuelColumn: Int?
    var fuel: Fuel?
    var jobMeter: String?
    var findings: [Finding] = []
    var warnings: [String] = []
    /// The columns that are left alone.
    var ignored: [String] = []

    /// The findings as sentences.
    var lines: [String] {
        findings.map { finding in
            switch finding.basis {
            case .assumed: "\(finding.topic): \(finding.text) (assumed)"
            case .stated: "\(finding.topic): \(finding.text) (as the job says)"
            case .named, .proved: "\(finding.topic): \(finding.text)"
            }
        } + (ignored.isEmpty ? [] : ["ignored: \(ignored.joined(separator: ", "))"])
    }
}

/// Where a file's header is.
struct HeaderPlace: Codable, Hashable, Sendable {
    var offset: Int
    var line: Int
    var delimiter: UInt8
}

extension FileUnderstanding {
    /// Decides how a file is meant.
    ///
    /// What the file shows must be as it would be read; what it does not show takes the host's default, and says so.
    ///
    /// - Throws: ``ImportError``: `doubtful` with the question, the evidence and the option that answers it, or `contradicted` with
    ///   the lines that contradict.
    init(_ layout: FileLayout, _ header: HeaderPlace, _ evidence: Evidence, options: ImportOptions) throws {
        self.layout = layout
        self.header = header
        zone = options.zone ?? ImportOptions.defaultZone
        source = options.timezone ?? zone
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
        try decideMeter(evidence)
        try decideOrder(evidence, options)
        if layout.minutes == nil { try decideTimes(evidence, options) } else { try decideColumns(evidence, options) }
        try decideQuantity(evidence, options)
        try decideUnit(evidence, options)
        decideFlags(evidence)
        try decideRegister(evidence, options)
        try decideTotal(evidence)
        noteIgnored()
    }

    private func name(_ column: Int) -> String { "'\(shown(layout.names[column], most: 60))'" }

    private mutating func say(_ topic: String, _ text: String, _ basis: Finding.Basis) {
        findings.append(Finding(topic: topic, text: text, basis: basis))
    }

    private static func doubt(_ question: String, _ evidence: String, _ option: String) -> ImportError {
        ImportError(.doubtful, "\(question) \(evidence) Nothing was stored. Say so: \(option).")
    }

    private static func contradiction(_ what: String, _ option: String) -> ImportError {
        ImportError(.contradicted, "\(what) Nothing was stored. \(option)")
    }

    private mutating func decideMeter(_ evidence: Evidence) throws {
        if let meter = layout.meter {
            let kind = layout.meterKind == .serial ? ", the serial number, by which the host's meters are found" : ""
            say("meter", "from \(name(meter))\(kind)", layout.isMeterByCells ? .proved : .named)
        } else if let jobMeter {
            for column in layout.identities {
                guard let values = evidence.severalIn[column], values.count > 1 else { continue }
                throw Self.contradiction(
                    "The job is of one meter, \(jobMeter), but \(name(column)) has several: \(values.prefix(3).map { "'\($0)'" }.joined(separator: ", ")).",
                    "If the host's meters are called so, leave out --mpan and say --meter-column \(name(column)); if they are one meter's, say "
                        + "--ignore-column \(name(column))."
                )
            }
            say("meter", jobMeter, .stated)
        }
        if layout.isGasByName { fuel = .gas }
    }

    private mutating func decideOrder(_ evidence: Evidence, _ options: ImportOptions) throws {
        let (first, second) = (evidence.firstOver12, evidence.secondOver12)
        if let stated = options.dateOrder {
            order = stated
            say("date", "from \(name(layout.date)), \(stated == .dayFirst ? "the day" : "the month") first", .stated)
            return
        }
        let mayBeMonth = "--date-order mdy"
        if second.count > 0, first.count < second.count * 20, evidence.daySteps <= evidence.monthSteps * 3 || first.count == 0 && evidence.daySteps == 0 || second.count > first.count {
            guard first.count > 0 else {
                throw Self.contradiction(
                    "The month comes first in \(name(layout.date)): \(counted(second.count, "date")), the first on line \(second.line), "
                        + "\(second.count == 1 ? "has" : "have") a day over 12 in the second place.",
                    "Say \(mayBeMonth)."
                )
            }
            throw Self.contradiction(
                "In \(name(layout.date)) the day comes first on \(counted(first.count, "line")) (line \(first.line)) and the month on "
                    + "\(second.count) (line \(second.line)).",
                "Say --date-order dmy or \(mayBeMonth); the others are then rejected."
            )
        }
        if first.count == 0, evidence.monthSteps > 0, evidence.monthSteps * 3 >= evidence.daySteps {
            throw Self.doubt(
                "Which comes first in \(name(layout.date)), the day or the month?",
                "When the month does, \(counted(evidence.monthSteps, "row")) follow\(evidence.monthSteps == 1 ? "s" : "") the day before; when the day does, "
                    + "\(evidence.daySteps == 0 ? "none do" : "\(evidence.daySteps)").",
                "--date-order dmy or \(mayBeMonth)"
            )
        }
        let byCells = layout.isDateByCells ? ", found by its cells" : ""
        if first.count > 0 {
            say("date", "from \(name(layout.date))\(byCells), the day first (\(counted(first.count, "date")) prove\(first.count == 1 ? "s" : "") it)", .proved)
        } else if evidence.daySteps > 0 {
            say("date", "from \(name(layout.date))\(byCells), the day first (the days follow each other so)", .proved)
        } else {
            say("date", "from \(name(layout.date))\(byCells), the day first where it could be either", .assumed)
        }
    }

    // MARK: Rows

    private mutating func decideTimes(_ evidence: Evidence, _ options: ImportOptions) throws {
        let moves = evidence.forward + evidence.backward
        isNewestFirst = evidence.backward > evidence.forward
        isUnordered = moves > 4 && min(evidence.forward, evidence.backward) * 5 > moves
        if layout.isDaily { return try decideDays(evidence, options) }
        try decideMinutes(evidence, options)
        if case .dateAndPeriod(_, let period, _) = layout.shape {
            if let range = evidence.periods, range.lowerBound < 1 {
                throw Self.contradiction("The half-hours in \(name(period)) begin at 0; settlement periods begin at 1.", "Number them from 1.")
            }
            say("time", "by its number in \(name(period))", .named)
        } else {
            try decideLabels(evidence, options)
        }
        if layout.isUTCByName, options.timezone == nil, evidence.offsets.count == 0 {
            source = "UTC"
            say("zone", "UTC, as the column's name says", .named)
        } else if evidence.rows > 0, evidence.offsets.count >= evidence.rows {
            say("zone", "each time has its offset from UTC", .proved)
        } else {
            try decideZone(evidence, options)
        }
    }

    private mutating func decideDays(_ evidence: Evidence, _ options: ImportOptions) throws {
        minutes = 1440
        if evidence.otherTimes.count * 2 > evidence.rows, evidence.rows > 1 {
            throw Self.contradiction(
                "The rows are not whole days: \(counted(evidence.otherTimes.count, "row")), the first on line \(evidence.otherTimes.line), "
                    + "\(evidence.otherTimes.count == 1 ? "has" : "have") a time of day.",
                "Queue the file as half-hours: --type hh."
            )
        }
        let finer = evidence.steps.filter { $0.key > 0 && $0.key < 1440 }.reduce(0) { $0 + $1.value }
        if finer > 0, finer * 2 > evidence.forward + evidence.backward {
            throw Self.contradiction("The rows are less than a day apart.", "Queue the file as half-hours: --type hh.")
        }
        let long = evidence.steps.filter { $0.key >= 27 * 1440 }.reduce(0) { $0 + $1.value }
        if long >= 2, long * 2 > evidence.forward + evidence.backward {
            throw Self.contradiction("The rows are a month or more apart, so they are no days.", "Only half-hours and days can be imported.")
        }
        say("period", "whole days", evidence.steps[1440] == nil ? .stated : .proved)
    }

    private mutating func decideMinutes(_ evidence: Evidence, _ options: ImportOptions) throws {
        if let period = options.period {
            minutes = period
            if period == 60 { try requireSplit(options) }
            return say("period", "\(period) minutes", .stated)
        }
        if case .dateAndPeriod = layout.shape {
            let last = evidence.periods?.upperBound ?? 48
            minutes = last > 50 ? 15 : 30
            if (23...25).contains(last), evidence.rows >= 23 {
                minutes = 60
                try requireSplit(options)
            }
            let text = minutes == 15 ? "15 minutes, summed to half-hours where all parts are there" : minutes == 30 ? "half-hours" : "hours, each split into two halves that are estimates"
            return say("period", text, (46...50).contains(last) || minutes != 30 ? .proved : .assumed)
        }
        let total = evidence.steps.reduce(0) { $0 + $1.value }
        let (step, count) = evidence.steps.max { ($0.value, -$0.key) < ($1.value, -$1.key) } ?? (30, 0)
        let isOnHours = evidence.quarterTimes.count == 0 && evidence.oddTimes.count == 0
            && !evidence.steps.contains { $0.key % 60 != 0 }
        let isOneTime = !evidence.steps.contains { $0.key % 1440 != 0 || $0.key == 0 }
        if total >= 3, isOneTime {
            let what = step >= 27 * 1440 ? "a month or more" : step == 1440 ? "a day" : "days"
            throw Self.contradiction(
                "The rows are \(what) apart, so they are no half-hours.",
                step == 1440 ? "Queue the file as daily: --type daily." : "Only half-hours and days can be imported."
            )
        }
        if total >= 2, isOnHours, evidence.steps[60] != nil {
            minutes = 60
            try requireSplit(options)
            return say("period", "hours, each split into two halves that are estimates", .stated)
        }
        if evidence.hourlyMeters > 0, evidence.finerMeters > 0 {
            throw Self.contradiction(
                "\(counted(evidence.hourlyMeters, "meter")) of the file \(evidence.hourlyMeters == 1 ? "has" : "have") hours, the others half-hours.",
                "Import them from files of their own."
            )
        }
        if total >= 3, step == 15, count * 2 > total {
            minutes = 15
            return say("period", "15 minutes, summed to half-hours where all parts are there", .proved)
        }
        if total >= 4, step < 15 || step < 30 && step != 15, count * 2 > total {
            throw Self.contradiction(
                "The rows are \(step == 0 ? "less than a minute" : counted(step, "minute")) apart.",
                "Only half-hours, quarters of an hour and, with --hourly split, hours can be imported."
            )
        }
        if evidence.quarterTimes.count * 2 > evidence.rows, total < 3 || step != 15 {
            throw Self.contradiction(
                "Most rows are of no half-hour: line \(evidence.quarterTimes.line) is a quarter of an hour off.",
                "Only half-hours and quarters of an hour can be imported."
            )
        }
        say("period", "half-hours", count > 0 && step == 30 ? .proved : .assumed)
    }

    private mutating func requireSplit(_ options: ImportOptions, _ what: String = "rows") throws {
        guard !options.splitsHours else {
            splitsHours = true
            return
        }
        throw Self.contradiction(
            "The \(what) are hours, and the host stores half-hours.",
            "Say --hourly split to store half of each in both, as estimates"
                + (what == "rows" && options.period != 60 ? ", or --period 30 when they are half-hours of which every second is missing." : ".")
        )
    }

    private mutating func decideLabels(_ evidence: Evidence, _ options: ImportOptions) throws {
        let unit = minutes == 30 ? "half-hour" : minutes == 60 ? "hour" : "quarter of an hour"
        let lastMidnight = isNewestFirst ? evidence.midnightLastBackwards : evidence.midnightLast
        midnightEndsDay = lastMidnight.count > 0 && evidence.midnightFirst.count == 0
        if let stated = options.times {
            labels = stated
            if stated == .start { midnightEndsDay = false }
            return say("time", "each names the \(stated.rawValue) of its \(unit)", .stated)
        }
        let begins = evidence.dayBegins.reduce(0) { $0 + $1.value }
        let endBegins = evidence.dayBegins[minutes] ?? 0
        let startBegins = evidence.dayBegins[0] ?? 0
        func ends(_ why: String, _ basis: Finding.Basis = .proved) throws {
            if layout.labels == .start || evidence.ranges > 0 {
                throw Self.doubt("Does each time name the start or the end of its \(unit)?", "The names say the start; \(why).", "--times start or --times end")
            }
            labels = .end
            say("time", "each names the end of its \(unit) (\(why))", basis)
        }
        if evidence.dayEnd.count > 0 {
            if evidence.midnight.count > 0, evidence.otherTimes.count > 0 {
                throw Self.doubt(
                    "Does each time name the start or the end of its \(unit)?",
                    "Line \(evidence.dayEnd.line) has 24:00, line \(evidence.midnight.line) has 00:00.",
                    "--times start or --times end"
                )
            }
            if evidence.otherTimes.count > 0 { return try ends("24:00 stands there and 00:00 does not") }
        }
        if lastMidnight.count > 0 {
            guard evidence.midnightFirst.count == 0 else {
                throw Self.doubt(
                    "Does each time name the start or the end of its \(unit)?",
                    "00:00 stands behind the other times of its day on \(counted(lastMidnight.count, "line")) (\(lastMidnight.line)), before them on "
                        + "\(evidence.midnightFirst.count) (\(evidence.midnightFirst.line)).",
                    "--times start or --times end"
                )
            }
            return try ends("00:00 is the last of its day")
        }
        if layout.labels == .end { return try ends("so its column is called", .named) }
        if evidence.ranges > 0 { return say("time", "each names the start of its \(unit)", .named) }
        if endBegins > 0, endBegins * 4 >= begins, evidence.offsets.count == 0 {
            guard startBegins == 0 else {
                throw Self.doubt(
                    "Does each time name the start or the end of its \(unit)?",
                    "Of the meters with whole days \(endBegins) begin at 00:\(minutes) and end at 00:00, \(startBegins) begin at 00:00.",
                    "--times start or --times end"
                )
            }
            return try ends("whole days begin at \(minutes == 60 ? "01:00" : "00:\(minutes)") and end at 00:00")
        }
        say("time", "each names the start of its \(unit)", layout.labels == .start ? .named : startBegins > 0 ? .proved : .assumed)
    }

    private mutating func decideZone(_ evidence: Evidence, _ options: ImportOptions) throws {
        // What the times around a change of the clocks say: that the file follows it, and how, or that it does not.
        var (follows, ignores, nominal, actual) = (Evidence.Mark(), Evidence.Mark(), 0, 0)
        var (single, line) = (0, 0)
        for change in evidence.changes {
            let special = change.special.filter { $0 % minutes == 0 }
            guard let first = special.first, let last = special.last else { continue }
            func count(_ minute: Int) -> Int { change.labels.count { $0 == minute } }
            let shifted = special.map { $0 + minutes }
            if change.isShort {
                if labels == .start {
                    if special.allSatisfy({ count($0) > 0 }) {
                        ignores.note(change.line)
                    } else if special.allSatisfy({ count($0) == 0 }), count(first - minutes) > 0 || count(last + minutes) > 0 {
                        follows.note(change.line)
                    }
                } else if (special + shifted).allSatisfy({ count($0) > 0 }) {
                    ignores.note(change.line)
                } else if shifted.allSatisfy({ count($0) == 0 }), count(first) > 0 {
                    follows.note(change.line)
                    nominal += 1
                } else if special.allSatisfy({ count($0) == 0 }), count(last + minutes) > 0 {
                    follows.note(change.line)
                    actual += 1
                }
                continue
            }
            if labels == .start {
                if special.allSatisfy({ count($0) == 2 }) { follows.note(change.line) }
            } else if special.allSatisfy({ count($0) >= 2 }) {
                follows.note(change.line)
                actual += 1
            } else if shifted.allSatisfy({ count($0) >= 2 }) {
                follows.note(change.line)
                nominal += 1
            }
            if special.allSatisfy({ count($0) == 1 }), shifted.allSatisfy({ count($0) == 1 }), count(first - minutes) == 1 {
                single += 1
                line = change.line
            }
        }
        if options.timezone == nil, ignores.count > 0, follows.count == 0 {
            throw Self.contradiction(
                "The times are not those of \(source): line \(ignores.line) is on a day when the clocks are put forward, and has times that they leave out.",
                "If they are UTC, say --timezone UTC."
            )
        }
        if options.timezone == nil, single > 0, follows.count == 0 {
            throw Self.doubt(
                "Are the times UTC, or those of \(source)?",
                "On the day when the clocks go back (line \(line)) the hour that comes twice is there once.",
                "--timezone UTC or --timezone \(source)"
            )
        }
        if nominal > 0, actual > 0 {
            throw Self.doubt(
                "How are the half-hours named when the clocks change?",
                "\(nominal) of the days name their end as half an hour after their start, \(actual) by the clock.",
                "--timezone UTC, or export the times with their offset from UTC"
            )
        }
        endsOnClock = actual > 0
        try findLoneHours(evidence)
        if options.timezone != nil {
            say("zone", source, .stated)
        } else if follows.count > 0 {
            say("zone", "\(source) (\(counted(follows.count, "day")) on which the clocks change prove\(follows.count == 1 ? "s" : "") it)", .proved)
        } else {
            say("zone", source, .assumed)
        }
    }

    /// Finds out to which run an hour belongs that comes twice on the clock and once in the file, by its neighbours.
    private mutating func findLoneHours(_ evidence: Evidence) throws {
        for change in evidence.changes where !change.isShort {
            let special = change.special.filter { $0 % minutes == 0 }.map { labels == .end && !endsOnClock ? $0 + minutes : $0 }
            guard let first = special.first, let last = special.last else { continue }
            let times = isNewestFirst ? change.labels.reversed() : change.labels
            let counts = special.map { minute in times.count { $0 == minute } }
            if counts.allSatisfy({ $0 == 0 || $0 == 2 }), !isUnordered { continue }
            guard counts.contains(where: { $0 > 0 }) else { continue }
            var isSecond: Bool?
            if counts.allSatisfy({ $0 <= 1 }), !isUnordered {
                let begin = times.firstIndex { special.contains($0) } ?? 0
                let end = times.lastIndex { special.contains($0) } ?? 0
                let follows = begin > 0 && times[begin] == first && times[begin - 1] == first - minutes
                let goesOn = end + 1 < times.count && times[end] == last && times[end + 1] == last + minutes
                if follows != goesOn { isSecond = goesOn }
            }
            loneHours.append(LoneHour(meter: String(change.meter, radix: 16), day: change.day, isSecond: isSecond))
        }
        guard loneHours.count <= Self.mostLoneHours else {
            throw Self.doubt(
                "Which run do the times of the repeated hour belong to?",
                "\(loneHours.count) days of meters have only one of the two, or are in no order.",
                "--timezone UTC, or export the times with their offset from UTC"
            )
        }
        if loneHours.contains(where: { $0.isSecond == nil }) {
            warnings.append("Some rows of the hour that comes twice are rejected: the file does not say which of the two they are.")
        }
    }

    static let mostLoneHours = 2_000

    // MARK: Columns of a day

    private mutating func decideColumns(_ evidence: Evidence, _ options: ImportOptions) throws {
        minutes = options.period ?? layout.minutes ?? 30
        labels = layout.labels ?? .start
        isNewestFirst = evidence.backward > evidence.forward
        guard let first = layout.periods.first, let last = layout.periods.last else { return }
        let span = "\(name(first.column)) to \(name(last.column))"
        if minutes == 60 {
            try requireSplit(options, "columns")
            say("period", "hours from \(span), each split into two halves that are estimates", .stated)
        } else {
            say("period", "\(minutes == 15 ? "15 minutes" : "half-hours") from \(span)\(layout.labels == .end ? ", each names its end" : "")", .named)
        }
        countsColumns = !layout.isByClock
        guard options.timezone == nil || options.timezone == zone else {
            countsColumns = true
            return say("zone", source, .stated)
        }
        if evidence.shortFull.count > 0, evidence.shortByClock.count + evidence.shortByNumber.count == 0 {
            throw Self.contradiction(
                "The times are not those of \(source): line \(evidence.shortFull.line) is of a day of 46 half-hours there and has a value for 48.",
                "If they are UTC, say --timezone UTC."
            )
        }
        if evidence.shortByClock.count > 0, evidence.shortByNumber.count > 0 {
            throw Self.contradiction(
                "On the day when the clocks are put forward line \(evidence.shortByClock.line) leaves out the hour that there is not, line "
                    + "\(evidence.shortByNumber.line) the last one.",
                "Import them from files of their own."
            )
        }
        if evidence.shortByClock.count > 0 { countsColumns = false }
        if evidence.shortByNumber.count > 0 { (countsColumns, isCountProved) = (true, true) }
        let isProved = evidence.shortByClock.count + evidence.shortByNumber.count + evidence.longWhole.count > 0
        if options.timezone == nil, evidence.longCut.count > 0, !isProved {
            throw Self.doubt(
                "Are the times UTC, or those of \(source)?",
                "Line \(evidence.longCut.line) is of a day of 50 half-hours there and has 48.",
                "--timezone UTC or --timezone \(source)"
            )
        }
        say("zone", source, options.timezone != nil ? .stated : isProved ? .proved : .assumed)
    }

    // MARK: Values

    private mutating func decideQuantity(_ evidence: Evidence, _ options: ImportOptions) throws {
        quantity = options.quantity == Quantity.export.rawValue ? .export : .consumed
        if let chosen = options.chosenWord {
            guard let column = layout.names.firstIndex(where: { ColumnName($0).normalised == ColumnName(chosen.column).normalised }) else {
                throw ImportError(.badOptions, "There is no column '\(shown(chosen.column, most: 60))' (--quantity).")
            }
            (chosenColumn, chosenWord) = (column, chosen.word.lowercased())
            say("quantity", "rows with '\(shown(chosen.word, most: 40))' in \(name(column))", .stated)
            return
        }
        let left = evidence.others.sorted { $0.key < $1.key }.map { "\(counted($0.value, "row")) of \(shown($0.key, most: 40))" }
        if evidence.rows == 0, !left.isEmpty {
            throw Self.doubt(
                "What is to be imported?",
                "The file has no rows of energy that was \(quantity == .export ? "given back" : "used"), but \(left.joined(separator: ", ")).",
                quantity == .export ? "leave out --quantity" : "--quantity export, or --quantity COLUMN=WORD"
            )
        }
        if layout.namedQuantity == .export, quantity == .consumed, options.valueColumn == nil, options.quantity == nil {
            throw Self.doubt("Is energy to be imported that was given back?", "So the column of the values is called.", "--quantity export")
        }
        if !left.isEmpty {
            say("quantity", "\(quantity.rawValue); \(left.joined(separator: ", ")) left out", options.quantity == nil ? .named : .stated)
        } else if options.quantity != nil {
            say("quantity", quantity.rawValue, .stated)
        }
    }

    private mutating func decideUnit(_ evidence: Evidence, _ options: ImportOptions) throws {
        let fuels = layout.words.first { column in
            guard ColumnName(layout.names[column]).rank(Catalogue.fuels) != nil, let words = evidence.words[column] ?? nil, !words.isEmpty else { return false }
            return words.allSatisfy { Catalogue.fuelWords[FileLayout.word($0.text)] != nil }
        }
        if let fuels, let words = evidence.words[fuels] ?? nil {
            let kinds = Set(words.compactMap { Catalogue.fuelWords[FileLayout.word($0.text)] })
            fuelColumn = fuels
            if kinds.count == 1 { fuel = kinds.first }
        }
        calorificValue = options.calorificValue
        for column in layout.words where options.unit == nil {
            // Units in the words that say what a row is, such as `Active Import Interval (kW)`.
            guard let words = evidence.words[column] ?? nil, !words.isEmpty, column != layout.unit else { continue }
            let isPower = words.allSatisfy { word in
                if case .quantity(.other) = ColumnName(word.text).measure { ColumnName(word.text).words.count > 1 } else { false }
            }
            guard isPower else { continue }
            throw Self.contradiction(
                "The values are power, not energy: \(name(column)) has '\(shown(words[0].text, most: 40))'.",
                "Export the energy of each half-hour; if they are that, say --unit kWh."
            )
        }
        let column = layout.unit
        let words = column.flatMap { evidence.words[$0] ?? nil } ?? []
        let measures = words.map { Measure(word: $0.text.trimmed) }
        let isVolume = measures.contains { if case .volume = $0 { true } else { false } }
        let isEnergy = measures.contains { if case .energy = $0 { true } else { false } }
        if let column, !words.isEmpty {
            if isVolume, !isEnergy, calorificValue == nil {
                throw Self.contradiction(
                    "The values are volumes, not energy: \(name(column)) has \(shown(words[0].text, most: 20)).",
                    "Give the supplier's calorific value (--calorific-value 39.5), or the column with kWh (--value-column)."
                )
            }
            if !isEnergy, !isVolume {
                guard measures.contains(where: { $0 == nil }), options.unit != nil else {
                    let list = words.prefix(4).map { "'\(shown($0.text, most: 20))'" }.joined(separator: ", ")
                    throw Self.contradiction(
                        "The values are not energy: \(name(column)) has \(list).",
                        "Only Wh, kWh, MWh and GWh can be imported; if the column says something else, say --ignore-column \(name(column)) --unit kWh."
                    )
                }
                unit = options.unit
                return say("unit", unit ?? "", .stated)
            }
            say("unit", "by \(name(column)): \(words.prefix(4).map { shown($0.text, most: 20) }.joined(separator: ", "))", .named)
            return
        }
        if let named = layout.namedUnit {
            unit = named
            if case .volume = Measure(word: named), calorificValue == nil {
                let column = layout.value.map(name) ?? layout.periods.first.map { name($0.column) } ?? ""
                throw ImportError(
                    .wrongColumns,
                    "The column \(column) cannot be used: \(named) is a volume, not energy. Give the supplier's calorific value "
                        + "(--calorific-value 39.5), or the column with kWh (--value-column)."
                )
            }
            return say("unit", Measure.name(named), .named)
        }
        if let stated = options.unit {
            unit = stated.lowercased()
            if case .volume = Measure(word: stated), calorificValue == nil {
                throw ImportError(.badOptions, "A volume is converted with the supplier's calorific value: --calorific-value 39.5.")
            }
            return say("unit", Measure.name(stated), .stated)
        }
        if fuel == .gas, layout.isVague {
            throw Self.doubt(
                "What is \(layout.value.map(name) ?? "the value")?",
                "The meters are of gas, and no name says whether it is energy, a volume or what the register shows.",
                "--unit kWh, or --unit m3 --calorific-value 39.5"
            )
        }
        say("unit", "kWh", .assumed)
    }

    /// Finds the column that says how readings came about: by its name, and by its words.
    private mutating func decideFlags(_ evidence: Evidence) {
        hasPeriodFlags = layout.periods.contains { $0.flag != nil }
        let ranked = layout.words
            .filter { $0 != layout.unit && $0 != fuelColumn && !layout.quantities.contains($0) }
            .compactMap { column -> (Int, Int)? in
                let name = ColumnName(layout.names[column])
                if let rank = name.rank(Catalogue.flags) { return (rank, column) }
                let isNamed = name.has(Catalogue.flagWords.subtracting(["type"])) && !name.has(["unit", "date"])
                return isNamed ? (Catalogue.flags.count, column) : nil
            }
            .sorted { $0 < $1 }
        for (_, column) in ranked {
            guard let words = evidence.words[column] ?? nil else { continue }
            let name = ColumnName(layout.names[column])
            let asYes = name.has(["est", "estimate", "estimated"]) && !name.has("actual")
            let known = words.count { Catalogue.flagWordsOfCells[FileLayout.word($0.text)] != nil }
            let yes = words.count { ReadingType.yes(FileLayout.word($0.text)) != nil }
            let isSure = name.rank(Catalogue.flags).map { Catalogue.sureFlags.contains(Catalogue.flags[$0]) } ?? false
            if asYes, yes == words.count, known < words.count {
                (flag, isFlagYes) = (column, true)
            } else if known == words.count && (isSure || !words.isEmpty) || known > 0 {
                flag = column
            } else {
                continue
            }
            let estimates = words.filter { Catalogue.flagWordsOfCells[FileLayout.word($0.text)] == .estimated || isFlagYes && ReadingType.yes(FileLayout.word($0.text)) == true }
            let list = estimates.map { shown($0.text, most: 20) }.joined(separator: " or ")
            say("estimates", estimates.isEmpty ? "none by \(self.name(column))" : "where \(self.name(column)) is \(list)", .named)
            return
        }
        if hasPeriodFlags, let flag = layout.periods.first?.flag { say("estimates", "by the flags beside the values (\(name(flag)), …)", .named) }
    }

    private mutating func decideRegister(_ evidence: Evidence, _ options: ImportOptions) throws {
        guard options.valueColumn == nil else { return }
        let column = layout.value.map(name) ?? "a day's columns"
        let option = layout.value.map { "--value-column \(name($0))" } ?? layout.periods.first.map { "--value-column \(name($0.column))" } ?? ""
        if layout.isRegister {
            throw Self.doubt(
                "Is \(column) the energy of each period, or what the register shows?",
                "So it is called, and there is no column with a consumption.",
                "export the consumption, or, if it is one, \(option)"
            )
        }
        let isRising = layout.isVague && evidence.rising > 0 && evidence.rising * 2 >= evidence.telling
        if isRising || evidence.risingStrongly > 0 && evidence.risingStrongly * 2 >= evidence.tellingStrongly {
            throw Self.doubt(
                "Is \(column) the energy of each period, or what the register shows?",
                "Its values only rise.",
                "export the consumption, or, if it is one, \(option)"
            )
        }
    }

    private mutating func decideTotal(_ evidence: Evidence) throws {
        guard let total = layout.total else { return }
        let (right, wrong) = (evidence.totalsRight, evidence.totalsWrong)
        let all = right.count + wrong.count
        guard all > 0 else { return }
        if wrong.count == 0 {
            return say("total", "\(name(total)) is the sum of the day on all \(counted(all, "row"))", .proved)
        }
        if evidence.totalsDouble == wrong.count, right.count == 0, evidence.totalsDouble > 1 || all == 1 {
            throw Self.contradiction(
                "\(name(total)) is half of the sum of the half-hours on all \(counted(all, "row")): the values seem to be power (kW), not energy.",
                "If it is something else, say --ignore-column \(name(total))."
            )
        }
        let isSum = ColumnName(layout.names[total]).has(Catalogue.totals) && !ColumnName(layout.names[total]).has(["import", "export"])
        if right.count > 0 || isSum {
            if right.count < wrong.count * 20 {
                throw Self.contradiction(
                    "\(name(total)) is not the sum of the day on \(wrong.count) of \(counted(all, "row")); the first is line \(wrong.line).",
                    "If it is something else, say --ignore-column \(name(total))."
                )
            }
            warnings.append("\(name(total)) is not the sum of the day on \(wrong.count) of \(counted(all, "row")); the first is line \(wrong.line).")
        }
    }

    private mutating func noteIgnored() {
        var used: Set<Int> = Set([layout.date, layout.value, layout.meter, layout.unit, layout.total, flag, fuelColumn, chosenColumn].compactMap(\.self))
        used.formUnion(layout.quantities)
        for period in layout.periods + layout.extras { used.formUnion([period.column] + (hasPeriodFlags ? [period.flag].compactMap(\.self) : [])) }
        switch layout.shape {
        case .dateAndTime(_, let time, _): used.insert(time)
        case .dateAndPeriod(_, let period, _): used.insert(period)
        case .daily(_, let time?, _): used.insert(time)
        default: break
        }
        let rest = layout.names.indices.filter { !used.contains($0) }.map { shown(layout.names[$0], most: 40) }
        ignored = Array(rest.filter { !$0.isEmpty && $0 != "reason" }.prefix(12)) + (rest.count > 12 ? ["…"] : [])
    }

    /// Judges readings of one meter and time that differ, after the second pass.
    mutating func judge(_ evidence: Evidence, options: ImportOptions) throws {
        guard evidence.conflictCount > 0 else { return }
        let lines = evidence.conflicts.prefix(5).map(String.init).joined(separator: ", ")
        let separator = evidence.separators.filter { column, count in
            guard count == evidence.conflictCount, let words = evidence.words[column] ?? nil else { return false }
            return words.count > 1
        }.keys.min()
        if let separator, !options.lastCounts, !ColumnName(layout.names[separator]).has(Catalogue.otherDates) {
            let words = ((evidence.words[separator] ?? nil) ?? []).map { "'\(shown($0.text, most: 20))'" }
            throw Self.doubt(
                "Which rows are to be imported?",
                "For one meter and time there are different values (lines \(lines)), told apart by \(name(separator)): \(words.prefix(4).joined(separator: ", ")).",
                "--quantity \(name(separator).dropFirst().dropLast())=\(words.first.map { String($0.dropFirst().dropLast()) } ?? "WORD")"
            )
        }
        if !options.lastCounts, evidence.conflictCount > 3, evidence.conflictCount * 100 > evidence.rows {
            throw Self.contradiction(
                "\(counted(evidence.conflictCount, "row")) \(evidence.conflictCount == 1 ? "has" : "have") another value for a meter and time that the file has already (lines \(lines)).",
                "If the last of each counts, say --repeats last."
            )
        }
        warnings.append(
            "\(counted(evidence.conflictCount, "row")) \(evidence.conflictCount == 1 ? "has" : "have") another value for a meter and time than an earlier row (lines \(lines)); the last counts."
        )
    }

    /// Whether what was read from the database can be a file's.
    func isPossible(columns: Int) -> Bool {
        let used = [layout.date, layout.value, layout.meter, layout.unit, layout.total, flag, fuelColumn, chosenColumn].compactMap(\.self)
            + layout.quantities + (layout.periods + layout.extras).flatMap { [$0.column] + [$0.flag].compactMap(\.self) }
        return used.allSatisfy { (0..<columns).contains($0) } && [15, 30, 60, 1440].contains(minutes)
            && layout.periods.allSatisfy { (0..<200).contains($0.place) } && layout.extras.count <= 2
            && (0..<ImportCheckpoint.most).contains(header.offset) && (0..<ImportCheckpoint.most).contains(header.line)
            && loneHours.count <= Self.mostLoneHours
    }
}

extension ReadingType {
    /// Whether a word says yes, in a column that asks whether a reading is an estimate.
    static func yes(_ word: String) -> Bool? {
        switch word {
        case "y", "yes", "1", "true", "t", "e", "est", "estimated", "x": true
        case "n", "no", "0", "false", "f", "a", "act", "actual": false
        default: nil
        }
    }
}
