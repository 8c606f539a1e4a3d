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
    /// How its cells are read.
    var cells: CellRules
    /// The zone of the meters, and of the file's times.
    var zone: String
    var source: String
    var labels = TimeLabels.start
    /// Whether a time that ends a half-hour is what the clock then shows, rather than half an hour more than at its start.
    var endsOnClock = false
    /// Whether 00:00 ends the day that stands beside it.
    var midnightEndsDay = false
    var minutes = 30
    /// The number of a day's first period, where they are numbered.
    var firstPeriod = 1
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
    var flags = FlagWords()
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
    /// Begins with what the job says.
    init(_ layout: FileLayout, _ header: HeaderPlace, options: ImportOptions) throws {
        self.layout = layout
        self.header = header
        cells = CellRules(options)
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
    }

    /// Decides how a file is meant, when it is known how its cells are read.
    ///
    /// What the file shows must be as it would be read; what it does not show takes the host's default, and says so.
    ///
    /// - Throws: ``ImportError``: `doubtful` with the question, the evidence and the option that answers it, or `contradicted` with
    ///   the lines that contradict.
    mutating func decide(_ evidence: Evidence, _ options: ImportOptions) throws {
        try decideMeter(evidence)
        if layout.minutes == nil { try decideTimes(evidence, options) } else { try decideColumns(evidence, options) }
        try decideQuantity(evidence, options)
        try decideUnit(evidence, options)
        try decideFlags(evidence, options)
        try decideRegister(evidence, options)
        try decideTotal(evidence)
        let rest = layout.names.indices.filter { !used.contains($0) }.map { shown(layout.names[$0], most: 40) }
        ignored = Array(rest.filter { !$0.isEmpty && $0 != "reason" }.prefix(12)) + (rest.count > 12 ? ["…"] : [])
    }

    /// The columns that are read.
    private var used: Set<Int> {
        var used = Set(
            [layout.date, layout.value, layout.meter, layout.unit, layout.total, flag, fuelColumn, chosenColumn]
                .compactMap(\.self)
        )
        used.formUnion(layout.quantities)
        for period in layout.periods + layout.extras {
            used.formUnion([period.column] + [period.flag].compactMap(\.self))
        }
        if let parts = layout.dateParts { used.formUnion([parts.year, parts.month, parts.day]) }
        switch layout.shape {
        case .dateAndTime(_, let time, _): used.insert(time)
        case .dateAndPeriod(_, let period, _): used.insert(period)
        case .daily(_, let time?, _): used.insert(time)
        default: break
        }
        return used
    }

    func name(_ column: Int) -> String { "'\(shown(layout.names[column], most: 60))'" }

    /// A column's name as an option of the command takes it.
    func option(_ column: Int) -> String { ColumnName(layout.names[column]).quoted }

    mutating func say(_ topic: String, _ text: String, _ basis: Finding.Basis) {
        findings.append(Finding(topic: topic, text: text, basis: basis))
    }

    static func doubt(_ question: String, _ evidence: String, _ option: String) -> ImportError {
        ImportError(.doubtful, "\(question) \(evidence) Nothing was stored. Say so: \(option).")
    }

    static func contradiction(_ what: String, _ option: String) -> ImportError {
        ImportError(.contradicted, "\(what) Nothing was stored. \(option)")
    }

    mutating func decideMeter(_ evidence: Evidence) throws {
        if let meter = layout.meter {
            let kind = layout.meterKind == .serial ? ", the serial number, by which the host's meters are found" : ""
            say("meter", "from \(name(meter))\(kind)", layout.isMeterByCells ? .proved : .named)
        } else {
            let found = layout.above.meter
            if let found, let jobMeter, jobMeter != found.value {
                throw Self.contradiction(
                    "The job is of the meter \(jobMeter), but line \(found.line), above the header, names \(found.value).",
                    "Leave out --mpan, or give the file that is of it."
                )
            }
            let meter = jobMeter ?? found?.value ?? ""
            let isFound = jobMeter == nil
            jobMeter = meter
            for column in layout.identities {
                guard let values = evidence.severalIn[column], values.count > 1 else { continue }
                throw Self.contradiction(
                    "The \(isFound ? "file" : "job") is of one meter, \(meter), but \(name(column)) has several: \(values.prefix(3).map { "'\($0)'" }.joined(separator: ", ")).",
                    "If the host's meters are called so, leave out --mpan and say --meter-column \(option(column)); if they are one meter's, say "
                        + "--ignore-column \(option(column))."
                )
            }
            isFound
                ? say("meter", "\(meter), from line \(found?.line ?? 0)", .named) : say("meter", meter, .stated)
        }
        if layout.isGasByName { fuel = .gas }
    }

    /// Whether there are more conflicts than a file may have: one in a hundred rows, but for a single one.
    func hasConflicts(_ evidence: Evidence) -> Bool {
        evidence.conflictCount > 1 && evidence.conflictCount * 100 > evidence.rows
    }

    /// Judges readings of one meter and time that differ, after all passes.
    mutating func judge(_ evidence: Evidence, options: ImportOptions) throws {
        guard evidence.conflictCount > 0 else { return }
        let lines = evidence.conflicts.prefix(5).map(String.init).joined(separator: ", ")
        let separator = evidence.separators
            .filter { column, count in
                guard count == evidence.conflictsWithWords, let words = evidence.words[column] ?? nil else {
                    return false
                }
                return words.count > 1
            }
            .keys.min()
        if let separator, !options.lastCounts, !ColumnName(layout.names[separator]).has(Catalogue.otherDates) {
            let words = ((evidence.words[separator] ?? nil) ?? []).map { "'\(shown($0.text, most: 20))'" }
            throw Self.doubt(
                "Which rows are to be imported?",
                "For one meter and time there are different values (lines \(lines)), told apart by \(name(separator)): \(words.prefix(4).joined(separator: ", ")).",
                "--quantity \(ColumnName("\(layout.names[separator])=\(words.first.map { String($0.dropFirst().dropLast()) } ?? "WORD")").quoted)"
            )
        }
        if !options.lastCounts, hasConflicts(evidence) {
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
        used.allSatisfy { (0..<columns).contains($0) } && [15, 30, 60, 1440].contains(minutes)
            && (0...1).contains(firstPeriod)
            && layout.periods.allSatisfy { (0..<200).contains($0.place) } && layout.extras.count <= 2
            && (0..<ImportCheckpoint.most).contains(header.offset) && (0..<ImportCheckpoint.most).contains(header.line)
            && loneHours.count <= Self.mostLoneHours
    }
}
