import Headroom
import HeadroomJobs

// When a reading was: the length of a period, and what a time labels.
extension FileUnderstanding {
    // MARK: Rows

    mutating func decideTimes(_ evidence: Evidence, _ options: ImportOptions) throws {
        let moves = evidence.forward + evidence.backward
        isNewestFirst = moves == 0 ? evidence.changeBalance < 0 : evidence.backward > evidence.forward
        isUnordered = moves > 4 && min(evidence.forward, evidence.backward) * 5 > moves
        if layout.isDaily { return try decideDays(evidence, options) }
        try decideMinutes(evidence, options)
        if case .dateAndPeriod(_, let period, _) = layout.shape {
            try decideFirstPeriod(evidence, period)
        } else {
            try decideLabels(evidence, options)
        }
        if evidence.rows > 0, evidence.offsets.count + (cells.dashIsOffset ? evidence.dashes.count : 0) >= evidence.rows
        {
            say("zone", "each time has its offset from UTC", .proved)
        } else {
            try decideZone(evidence, options)
        }
    }

    /// Finds out whether the half-hours of a day are numbered from 1, or from 0.
    mutating func decideFirstPeriod(_ evidence: Evidence, _ period: Int) throws {
        guard let range = evidence.periods, range.lowerBound == 0 else {
            return say("time", "by its number in \(name(period))", .named)
        }
        let perDay = 1440 / minutes
        let isLong = evidence.numberedChanges.values.contains { $0.halfHours > 48 && $0.last >= perDay }
        guard range.upperBound < perDay || isLong else {
            throw Self.contradiction(
                "The half-hours in \(name(period)) are numbered from 0 to \(range.upperBound), more than a day has.",
                "Number them from 1."
            )
        }
        firstPeriod = 0
        say("time", "by its number in \(name(period)), from 0", .proved)
    }

    mutating func decideDays(_ evidence: Evidence, _ options: ImportOptions) throws {
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
            throw Self.contradiction(
                "The rows are a month or more apart, so they are no days.",
                "Only half-hours and days can be imported."
            )
        }
        say("period", "whole days", evidence.steps[1440] == nil ? .stated : .proved)
    }

    mutating func decideMinutes(_ evidence: Evidence, _ options: ImportOptions) throws {
        if let period = options.period {
            minutes = period
            if period == 60 { try requireSplit(options) }
            return say("period", "\(period) minutes", .stated)
        }
        if case .dateAndPeriod = layout.shape {
            let last = (evidence.periods?.upperBound ?? 48) + (evidence.periods?.lowerBound == 0 ? 1 : 0)
            minutes = last > 50 ? 15 : 30
            if (23...25).contains(last), evidence.rows >= 23 {
                minutes = 60
                try requireSplit(options)
            }
            let text =
                minutes == 15
                ? "15 minutes, summed to half-hours where all parts are there"
                : minutes == 30 ? "half-hours" : "hours, each split into two halves that are estimates"
            return say("period", text, (46...50).contains(last) || minutes != 30 ? .proved : .assumed)
        }
        if let (length, _) = evidence.ranges.first, evidence.ranges.count == 1, !cells.dashIsOffset, length != 30 {
            minutes = length
            if length == 60 { try requireSplit(options) }
            let text =
                length == 60
                ? "hours, each split into two halves that are estimates"
                : "15 minutes, summed to half-hours where all parts are there"
            return say("period", text, .proved)
        }
        let total = evidence.steps.reduce(0) { $0 + $1.value }
        let (step, count) = evidence.steps.max { ($0.value, -$0.key) < ($1.value, -$1.key) } ?? (30, 0)
        let isOnHours =
            evidence.quarterTimes.count == 0 && evidence.oddTimes.count == 0
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

    mutating func requireSplit(_ options: ImportOptions, _ what: String = "rows") throws {
        guard !options.splitsHours else {
            splitsHours = true
            return
        }
        throw Self.contradiction(
            "The \(what) are hours, and the host stores half-hours.",
            "Say --hourly split to store half of each in both, as estimates"
                + (what == "rows" && options.period != 60
                    ? ", or --period 30 when they are half-hours of which every second is missing." : ".")
        )
    }

    mutating func decideLabels(_ evidence: Evidence, _ options: ImportOptions) throws {
        let unit = minutes == 30 ? "half-hour" : minutes == 60 ? "hour" : "quarter of an hour"
        let lastMidnight = isNewestFirst ? evidence.midnightLastBackwards : evidence.midnightLast
        midnightEndsDay = lastMidnight.count > 0 && evidence.midnightFirst.count == 0
        if let stated = options.times {
            labels = stated
            if stated == .start { midnightEndsDay = false }
            return say("time", "each names the \(stated.rawValue) of its \(unit)", .stated)
        }
        // Of times in UTC a day may begin by UTC or by local time; an hour's end there is another's start here.
        let isUTC = evidence.offsets.count > 0 || layout.isUTC || source == "UTC"
        let locals = isUTC && minutes < 60 ? evidence.localBegins : [:]
        let begins = evidence.dayBegins.reduce(0) { $0 + $1.value }
        let endBegins = max(evidence.dayBegins[minutes] ?? 0, locals[minutes] ?? 0)
        let startBegins = max(evidence.dayBegins[0] ?? 0, locals[0] ?? 0)
        let isRange = !evidence.ranges.isEmpty && !cells.dashIsOffset
        let above = layout.above.labels
        func ends(_ why: String, _ basis: Finding.Basis = .proved) throws {
            if layout.labels == .start || layout.labels == nil && above?.value == .start || isRange {
                throw Self.doubt(
                    "Does each time name the start or the end of its \(unit)?",
                    "\(layout.labels == nil && !isRange ? "Line \(above?.line ?? 0), above the header, says" : "The names say") the start; \(why).",
                    "--times start or --times end"
                )
            }
            labels = .end
            say("time", "each names the end of its \(unit) (\(why))", basis)
        }
        if cells.endsOnLastSecond { return try ends("it is the last second of it") }
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
        if isRange { return say("time", "each names the start of its \(unit)", .named) }
        if let above, above.value == .end, layout.labels == nil {
            guard startBegins == 0 || endBegins > 0 else {
                throw Self.doubt(
                    "Does each time name the start or the end of its \(unit)?",
                    "Line \(above.line), above the header, says the end; whole days begin at 00:00.",
                    "--times start or --times end"
                )
            }
            return try ends("so says line \(above.line), above the header", .named)
        }
        if endBegins > 0, endBegins * 4 >= begins {
            guard startBegins == 0 else {
                throw Self.doubt(
                    "Does each time name the start or the end of its \(unit)?",
                    "Of the meters with whole days \(endBegins) begin at 00:\(minutes) and end at 00:00, \(startBegins) begin at 00:00.",
                    "--times start or --times end"
                )
            }
            return try ends("whole days begin at \(minutes == 60 ? "01:00" : "00:\(minutes)") and end at 00:00")
        }
        say(
            "time",
            "each names the start of its \(unit)",
            layout.labels == .start || above?.value == .start ? .named : startBegins > 0 ? .proved : .assumed
        )
    }

    mutating func decideColumns(_ evidence: Evidence, _ options: ImportOptions) throws {
        minutes = options.period ?? layout.minutes ?? 30
        labels = layout.labels ?? .start
        isNewestFirst = evidence.backward > evidence.forward
        guard let first = layout.periods.first, let last = layout.periods.last else { return }
        let span = "\(name(first.column)) to \(name(last.column))"
        if minutes == 60 {
            try requireSplit(options, "columns")
            say("period", "hours from \(span), each split into two halves that are estimates", .stated)
        } else {
            say(
                "period",
                "\(minutes == 15 ? "15 minutes" : "half-hours") from \(span)\(layout.labels == .end ? ", each names its end" : "")",
                .named
            )
        }
        countsColumns = !layout.isByClock
        try decideColumnLabels(options)
        guard options.timezone == nil || options.timezone == zone else {
            countsColumns = true
            return say("zone", source, .stated)
        }
        let follows = evidence.shortByClock.count + evidence.shortByNumber.count + evidence.longWhole.count
        if try takeNamedZone(
            options,
            follows: follows,
            evidence.shortByClock.count > 0 ? evidence.shortByClock.line : 0
        ) {
            countsColumns = true
            return
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

    /// Holds what is said of the times' labels against the names of the columns.
    private func decideColumnLabels(_ options: ImportOptions) throws {
        guard let said = options.times ?? layout.above.labels?.value, let named = layout.labels, said != named else {
            return
        }
        if options.times == named { return }
        let columns = named == .start ? "the columns begin with 00:00" : "the columns end with 24:00 or 00:00"
        guard options.times == nil else {
            throw Self.contradiction(
                "The job says that times name the \(said.rawValue) of their half-hour, but \(columns).",
                "Leave out --times, or export a column for each half-hour of a day in its order."
            )
        }
        throw Self.doubt(
            "Does each column name the start or the end of its half-hour?",
            "Line \(layout.above.labels?.line ?? 0), above the header, says the \(said.rawValue), but \(columns).",
            "--times \(named.rawValue), if that is right"
        )
    }

    /// Takes the zone that a column's name or a line above the header says, if one does.
    mutating func takeNamedZone(_ options: ImportOptions, follows: Int, _ line: Int) throws -> Bool {
        guard options.timezone == nil else { return false }
        let above = layout.above.zone
        let why: String
        switch (layout.isUTCByName, above?.value) {
        case (false, .other?):
            throw Self.doubt(
                "Of which zone are the times?",
                "Line \(above?.line ?? 0), above the header, says '\(shown(above?.text ?? "", most: 60))'.",
                "--timezone with its name, such as --timezone Europe/Paris"
            )
        case (true, .local?):
            throw Self.doubt(
                "Are the times UTC, or those of \(source)?",
                "The column's name says UTC, line \(above?.line ?? 0) above the header '\(shown(above?.text ?? "", most: 60))'.",
                "--timezone UTC or --timezone \(source)"
            )
        case (true, _): why = "as the column's name says"
        case (false, .utc?): why = "as line \(above?.line ?? 0), above the header, says"
        case (false, .local?), (false, nil): return false
        }
        guard follows == 0 else {
            throw Self.doubt(
                "Are the times UTC, or those of \(source)?",
                "They are UTC, \(why), but follow the change of the clocks\(line > 0 ? " on line \(line)" : "").",
                "--timezone UTC or --timezone \(source)"
            )
        }
        source = "UTC"
        say("zone", "UTC, \(why)", .named)
        return true
    }
}
