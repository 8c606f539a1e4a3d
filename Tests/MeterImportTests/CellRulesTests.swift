import TestSupport
import Testing

@testable import MeterImport

/// How dates, times, numbers and flags are written is read from the whole file; what stands above the header is evidence.
@Suite struct CellRulesTests {
    private let folder = TemporaryFolder()
    private static let meter = "1200023305967"

    /// What an import would store, or why it would not.
    private func outcome(_ text: String, _ change: (inout ImportOptions) -> Void = { _ in }) -> String {
        var options = ImportOptions()
        change(&options)
        do {
            let reader = try RowReader(path: folder.write(text, to: "c.csv"), type: .hh, options: options)
            var lines: [String] = []
            var rejected = 0
            while let chunk = try reader.next() {
                rejected += chunk.rejected.count
                lines += chunk.readings.map {
                    "\(chunk.meters[$0.meter]) \($0.date.text) \($0.period ?? 0) \($0.energy.text)\($0.type == .actual ? "" : " \($0.type.rawValue)")"
                }
            }
            let found = reader.study.understanding?.lines.joined(separator: "; ") ?? ""
            return
                "\(lines.first ?? "nothing") to \(lines.last ?? "nothing"), \(lines.count) stored, \(rejected) rejected: \(found)"
        } catch {
            return "\(error)"
        }
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Rows of half-hours of some days, with values that go up and down.
    private static func rows(
        _ days: [String],
        step: Int = 30,
        _ row: (_ day: String, _ minute: Int, _ value: Int) -> String
    ) -> String {
        days.map { day in
            stride(from: 0, to: 1440, by: step).map { row(day, $0, $0 / step * 7 % 10 + 1) + "\n" }.joined()
        }
        .joined()
    }

    private static func clock(_ minute: Int) -> String { "\(two(minute / 60)):\(two(minute % 60))" }

    private static let header = "MPAN,DateTime,kWh\n"

    // MARK: Dates

    @Test(arguments: [
        ["25/11/05", "25/11/06", "25/11/07"], ["251105", "251106", "251107"], ["25-11-05", "25-11-06", "25-11-07"],
    ])
    func `a year of two digits that comes first is found by days that follow each other`(days: [String]) {
        let text = Self.header + Self.rows(days) { "\(Self.meter),\($0) \(Self.clock($1)),\($2)" }
        #expect(
            outcome(text).hasPrefix("\(Self.meter) 2025-11-05 1 1.000 to \(Self.meter) 2025-11-07 48 "),
            "\(outcome(text))"
        )
        #expect(outcome(text).contains("the year first"))
        // A day alone shows nothing: somebody must say.
        let one = Self.header + Self.rows(["25/11/05"]) { "\(Self.meter),\($0) \(Self.clock($1)),\($2)" }
        #expect(outcome(one).contains("--date-order dmy or --date-order ymd"), "\(outcome(one))")
        #expect(outcome(one) { $0.dateOrder = .yearFirst }.hasPrefix("\(Self.meter) 2025-11-05"))
        #expect(outcome(one) { $0.dateOrder = .dayFirst }.hasPrefix("\(Self.meter) 2005-11-25"))
    }

    @Test func `dates that would be yet to come are of another order`() {
        let text = Self.header + Self.rows(["25/10/31"]) { "\(Self.meter),\($0) \(Self.clock($1)),\($2)" }
        #expect(outcome(text).hasPrefix("\(Self.meter) 2025-10-31"), "\(outcome(text))")
    }

    @Test func `year, month and day may have columns of their own`() {
        let text =
            "MPAN,Year,Month,Day,Time,kWh\n"
            + Self.rows(["5", "6"]) { "\(Self.meter),2025,11,\($0),\(Self.clock($1)),\($2)" }
        #expect(outcome(text).contains("2025-11-06 48 "), "\(outcome(text))")
    }

    // MARK: Times

    @Test(arguments: ["-", " - ", " to ", "\u{2013}"])
    func `a range names its start, and a dash may also be before an offset from UTC`(dash: String) {
        let text =
            "MPAN,Date,Time,kWh\n"
            + Self.rows(["05/11/2025"]) {
                "\(Self.meter),\($0),\(Self.clock($1))\(dash)\(Self.clock(($1 + 30) % 1440)),\($2)"
            }
        #expect(outcome(text).contains("2025-11-05 48 "), "\(outcome(text))")
        let offsets =
            Self.header + Self.rows(["2025-11-05"]) { "\(Self.meter),\($0) \(Self.clock($1))-05:00,\($2)" }
        #expect(
            outcome(offsets).hasPrefix("\(Self.meter) 2025-11-05 11 1.000 to \(Self.meter) 2025-11-06 10 "),
            "\(outcome(offsets))"
        )
        let hours =
            "MPAN,Date,Time,kWh\n"
            + Self.rows(["05/11/2025"], step: 60) {
                "\(Self.meter),\($0),\(Self.clock($1))\(dash)\(Self.clock(($1 + 60) % 1440)),\($2)"
            }
        #expect(outcome(hours).contains("--hourly split"), "\(outcome(hours))")
    }

    @Test func `the last second of a half-hour names its end`() {
        let text =
            Self.header
            + Self.rows(["2025-11-05"]) { "\(Self.meter),\($0) \(Self.clock($1 + 29)):59,\($2)" }
        #expect(
            outcome(text).hasPrefix("\(Self.meter) 2025-11-05 1 1.000 to \(Self.meter) 2025-11-05 48 "),
            "\(outcome(text))"
        )
    }

    @Test(arguments: [0, 1])
    func `half-hours may be numbered from 0 or 1, and 48 of them on a day of 46 show that it is UTC`(first: Int) {
        func text(_ day: String) -> String {
            "MPAN,Settlement Date,Settlement Period,kWh\n"
                + Self.rows([day]) { "\(Self.meter),\($0),\($1 / 30 + first),\($2)" }
        }
        #expect(outcome(text("2025-11-05")).contains("2025-11-05 48 "), "\(outcome(text("2025-11-05")))")
        #expect(outcome(text("2025-03-30")).contains("--timezone UTC"), "\(outcome(text("2025-03-30")))")
        #expect(outcome(text("2025-10-26")).contains("--timezone UTC or"), "\(outcome(text("2025-10-26")))")
        #expect(outcome(text("2025-03-30")) { $0.timezone = "UTC" }.contains("48 stored, 0 rejected"))
    }

    @Test func `seconds and thousandths since 1970 are times in UTC`() {
        for (name, unit) in [("epoch", 1), ("timestamp", 1000), ("time", 1)] {
            let text =
                "MPAN,\(name),kWh\n"
                + (0..<96).map { "\(Self.meter),\((1_751_324_400 + $0 * 1800) * unit),\($0 * 7 % 10)\n" }.joined()
            #expect(
                outcome(text).hasPrefix("\(Self.meter) 2025-07-01 1 0.000 to \(Self.meter) 2025-07-02 48 "),
                "\(name): \(outcome(text))"
            )
        }
    }

    @Test(arguments: ["Z", ""])
    func `whole local days show that times in UTC name the end`(mark: String) {
        let text =
            (mark.isEmpty ? "All times are UTC\n" : "") + Self.header
            + (0..<96)
            .map { index in
                let minute = 1410 + index * 30
                let (day, clock) = (30 + minute / 1440, Self.clock(minute % 1440))
                return
                    "\(Self.meter),2025-0\(day > 30 ? 7 : 6)-\(Self.two(day > 30 ? day - 30 : day))T\(clock):00\(mark),\(index * 7 % 10)\n"
            }
            .joined()
        #expect(
            outcome(text).hasPrefix("\(Self.meter) 2025-07-01 1 0.000 to \(Self.meter) 2025-07-02 48 "),
            "\(outcome(text))"
        )
    }

    @Test func `a rejected row of the hour that comes twice leaves the other what it is`() {
        let times = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
        for bad in ["x", "1,A,B,too many"] {
            let text =
                Self.header
                + times.enumerated()
                .map { "\(Self.meter),2025-10-26 \($1),\($0 == 1 ? bad : "\($0)")\n" }.joined()
            let found = outcome(text)
            #expect(found.contains("5 stored, 1 rejected") && found.contains("2025-10-26 7 5.000"), "\(found)")
            // The second 01:00 is the fifth half-hour, not the third.
            let last = outcome(
                text.replacing("2025-10-26 02:00,5\n", with: "").replacing("2025-10-26 01:30,4\n", with: "")
            )
            #expect(!last.contains("2025-10-26 3 3.000"), "\(last)")
        }
    }

    // MARK: Numbers

    @Test func `signs between thousands and a comma before decimals are told apart by the whole file`() {
        func text(_ values: [String], _ delimiter: String = ";") -> String {
            Self.header.replacing(",", with: delimiter)
                + values.enumerated()
                .map { [Self.meter, "2025-11-05 \(Self.clock($0 * 30))", $1].joined(separator: delimiter) + "\n" }
                .joined()
        }
        #expect(outcome(text(["563.10", "1,563.10", "2,000"])).contains("3 2000.000, 3 stored, 0 rejected"))
        #expect(outcome(text(["0,25", "1,563", "1.563,5"])).contains("3 1563.500, 3 stored, 0 rejected"))
        #expect(outcome(text(["1 563.5", "2\u{A0}000", "3'000"])).contains("3 3000.000, 3 stored, 0 rejected"))
        #expect(outcome(text(["1,563", "2,000"])).contains("between thousands or before decimals"))
        let mixed = outcome(text(["0,25", "1.5", "0,5", "0,75", "0,1"]))
        #expect(mixed.contains("others a point"), "\(mixed)")
    }

    // MARK: Above the header

    @Test func `what stands above the header is evidence`() {
        let rows = Self.rows(["05/11/2025"]) { "\(Self.meter),\($0) \(Self.clock($1)),\($2)" }
        let bare = "MPAN,DateTime,Value\n" + rows
        #expect(outcome("Units: Wh\n" + bare).contains("1 0.001 to"), "\(outcome("Units: Wh\n" + bare))")
        #expect(outcome("Unit,kW\n" + bare).contains("'kw'"), "\(outcome("Unit,kW\n" + bare))")
        #expect(outcome("Volumes in m3\n" + bare).contains("--calorific-value"))
        #expect(outcome("Units: m3\n" + Self.header + rows).contains("line 1 above it"))
        // An amount is no unit, and the time of a report none of its rows.
        #expect(outcome("Capacity 200 kVA\nGenerated 05/11/2025 10:00 UTC\n" + bare).contains("1 1.000 to"))
        #expect(!outcome("Generated 05/11/2025 10:00 UTC\n" + bare).contains("zone: UTC"))
        let summer = Self.rows(["2025-07-01"]) { "\(Self.meter),\($0) \(Self.clock($1)),\($2)" }
        #expect(outcome("Time zone,UTC\n" + Self.header + summer).contains("2025-07-01 3 1.000 to"))
        #expect(outcome("Time zone: GMT/BST\n" + Self.header + summer).contains("2025-07-01 1 1.000 to"))
        #expect(outcome("Time zone: UTC+2\n" + Self.header + summer).contains("--timezone"))
        #expect(outcome("Half hour ending\n" + Self.header + summer).contains("--times start or --times end"))
        let meterless = "DateTime,kWh\n" + Self.rows(["05/11/2025"]) { "\($0) \(Self.clock($1)),\($2)" }
        #expect(outcome("MPAN: \(Self.meter)\n" + meterless).hasPrefix("\(Self.meter) 2025-11-05"))
        #expect(outcome("MPRN,7512345604\nUnits,kWh\n" + meterless).hasPrefix("7512345604 2025-11-05"))
        #expect(
            outcome("MPAN: \(Self.meter)\n" + meterless) { $0.mpan = "2200012345671" }.contains("names \(Self.meter)")
        )
    }

    // MARK: Columns of a day

    @Test
    func
        `columns may be in descending order, fractions of the day, hundreds, the last second or ranges without a colon`()
    {
        func text(_ names: [String], reversed: Bool = false) -> String {
            let values = (1...48).map { "\($0 * 7 % 11)" }
            return "MPAN,Date,\(names.joined(separator: ","))\n\(Self.meter),05/11/2025,"
                + (reversed ? values.reversed() : values).joined(separator: ",") + "\n"
        }
        let clocks = (0..<48).map { Self.clock($0 * 30) }
        for (names, isReversed) in [
            (clocks.reversed(), true), ((0..<48).map { "\(Double($0) / 48)" }, false),
            ((0..<48).map { "\($0 / 2 * 100 + $0 % 2 * 30)" }, false),
            ((0..<48).map { Self.clock($0 * 30 + 29) + ":59" }, false),
            ((0..<48).map { "\(clocks[$0])-\(clocks[($0 + 1) % 48])".replacing(":", with: "") }, false),
        ] {
            let found = outcome(text(names, reversed: isReversed))
            #expect(
                found.contains("2025-11-05 48 6.000") || found.hasPrefix("\(Self.meter) 2025-11-05 48 6.000"),
                "\(found)"
            )
            #expect(found.contains("48 stored"), "\(found)")
        }
        let utc = text(clocks).replacing("Date", with: "Date (UTC)").replacing("05/11", with: "05/07")
        #expect(outcome(utc).contains("2025-07-05 3 7.000 to"), "\(outcome(utc))")
        #expect(outcome(text(clocks)) { $0.times = .end }.contains("--times"))
    }

    @Test(arguments: ["H", "", "Hour "])
    func `hours in columns are split where somebody says so`(prefix: String) {
        let text =
            "MPAN,Date,\((1...24).map { "\(prefix)\($0)" }.joined(separator: ","))\n\(Self.meter),05/11/2025,"
            + (1...24).map { "\($0 * 7 % 11)" }.joined(separator: ",") + "\n"
        #expect(outcome(text).contains("--hourly split"))
        #expect(outcome(text) { $0.splitsHours = true }.contains("48 stored, 0 rejected"))
    }

    // MARK: Flags

    @Test(arguments: ["F1", "HH1 Flag", "A/E", "x"])
    func `what stands beside each value is its flag, whatever it is called`(name: String) {
        func text(_ estimate: String, _ actual: String) -> String {
            let names = (1...48).flatMap { ["P\($0)", name.replacing("1", with: "\($0)")] }
            return "MPAN,Date,\(names.joined(separator: ","))\n\(Self.meter),05/11/2025,"
                + (1...48).map { "\($0 * 7 % 11),\($0 == 2 ? estimate : actual)" }.joined(separator: ",") + "\n"
        }
        let column = name.replacing("1", with: "1")
        for change: (inout ImportOptions) -> Void in [{ _ in }, { $0.valueColumn = "P1" }] {
            #expect(
                outcome(text("E", "A"), change).contains("estimates: by the flags"),
                "\(outcome(text("E", "A"), change))"
            )
            let unknown = outcome(text("U", "N"), change)
            #expect(unknown.contains("--ignore-column '\(column)'") && unknown.contains("--estimates"), "\(unknown)")
            #expect(!unknown.contains("--value-column"))
        }
        #expect(outcome(text("U", "N")) { $0.estimates = "U" }.contains("48 stored, 0 rejected"))
        #expect(outcome(text("U", "N")) { $0.ignoredColumns = [column] }.contains("48 stored, 0 rejected"))
    }

    @Test(arguments: [
        ("Estimated", "TRUE", "FALSE"), ("Deemed", "Y", "N"), ("Substituted", "1", "0"), ("Is Actual", "false", "true"),
        ("Source", "Interpolated", "Metered"), ("Read Type", "Deemed", "Actual"),
    ])
    func `flags in other words are estimates`(name: String, estimate: String, actual: String) {
        let text =
            "MPAN,DateTime,kWh,\(name)\n"
            + Self.rows(["05/11/2025"]) { "\(Self.meter),\($0) \(Self.clock($1)),\($2),\($1 == 0 ? estimate : actual)" }
        #expect(outcome(text).contains("2025-11-05 1 1.000 estimated to"), "\(outcome(text))")
        #expect(outcome(text).contains("2025-11-05 48 10.000, 48 stored"), "\(outcome(text))")
    }

    @Test(arguments: [("Flag", "U"), ("Quality", "*"), ("Status", "F"), ("Flag", "U")])
    func `flags in words that nobody knows are asked for, and the answer is taken`(name: String, word: String) {
        let text =
            "MPAN,DateTime,kWh,\(name)\n"
            + Self.rows(["05/11/2025"]) { "\(Self.meter),\($0) \(Self.clock($1)),\($2),\($1 < 300 ? word : "N")" }
        #expect(outcome(text).contains("--estimates '\(name)="), "\(outcome(text))")
        #expect(outcome(text) { $0.estimates = "\(name)=\(word)" }.contains("1 1.000 estimated to"))
    }

    @Test func `an option is given as a shell takes it for one word`() {
        let name = "What's read"
        let text =
            "MPAN,DateTime,kWh,\(name) flag\n"
            + Self.rows(["05/11/2025"]) { "\(Self.meter),\($0) \(Self.clock($1)),\($2),\($1 < 300 ? "U" : "N")" }
        #expect(outcome(text).contains(#"--ignore-column 'What'\''s read flag'"#), "\(outcome(text))")
    }

    // MARK: Registers and gas

    @Test func `a register is found across the repeated hour, a reset and what was not read, for one meter of several`()
    {
        func text(_ value: (Int) -> Int) -> String {
            Self.header
                + (0..<48).map { "1900001234567,2025-10-26T\(Self.clock($0 % 48 * 30))Z,\($0 * 7 % 10 + 1)\n" }.joined()
                + (0..<240)
                .map { index in
                    let minute = index * 30
                    return "\(Self.meter),2025-10-2\(4 + minute / 1440)T\(Self.clock(minute % 1440))Z,\(value(index))\n"
                }
                .joined()
        }
        #expect(outcome(text { 45_000 + $0 * 2 }).contains("only rise"))
        #expect(outcome(text { $0 < 100 ? 99_000 + $0 : $0 - 100 }).contains("only rise"))
        #expect(outcome(text { $0 % 9 == 4 ? 0 : 45_000 + $0 * 2 }).contains("only rise"))
        #expect(outcome(text { $0 * 3 }).contains("only rise"))
        #expect(outcome(text { 45_000 + $0 / 40 }).contains("only rise"))
        // What rises over the day and falls at its end is a use.
        let use = outcome(text { $0 % 48 + 1 })
        #expect(!use.contains("only rise"), "\(use)")
        let local =
            "MPAN,DateTime,kWh\n"
            + ["00:00", "00:30", "01:00", "01:30", "01:00", "01:30"].enumerated()
            .map { "\(Self.meter),2025-10-26 \($1),\(45_000 + $0)\n" }.joined()
            + (4..<48).map { "\(Self.meter),2025-10-26 \(Self.clock($0 * 30)),\(45_002 + $0)\n" }.joined()
        #expect(outcome(local).contains("only rise"), "\(outcome(local))")
    }

    @Test(arguments: [
        "MPRN,DateTime,Consumption", "Serial,Fuel,DateTime,Usage", "Serial,DateTime,Gas Usage",
        "Meter Point,DateTime,Consumption",
    ])
    func `gas without a unit is asked for`(header: String) {
        let text =
            header + "\n"
            + Self.rows(["05/11/2025"]) {
                "7512345604,\(header.contains("Fuel") ? "Gas," : "")\($0) \(Self.clock($1)),\($2)"
            }
        #expect(outcome(text).contains("--unit kWh, or --unit m3"), "\(outcome(text))")
        #expect(outcome(text) { $0.unit = "kWh" }.contains("48 stored"))
    }
}
