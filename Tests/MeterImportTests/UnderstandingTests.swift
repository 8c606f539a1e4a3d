import TestSupport
import Testing

@testable import MeterImport

/// What the rows of a file show decides how it is meant; where they show two answers, or another one, nothing is stored.
@Suite struct UnderstandingTests {
    private let folder = TemporaryFolder()
    private static let meter = "1200023305967"

    private func chunks(_ text: String, _ options: ImportOptions, _ type: ImportType = .hh) throws -> (
        readings: [String], lines: [String], leftOut: Int, rejected: Int
    ) {
        let reader = try RowReader(path: folder.write(text, to: "u.csv"), type: type, options: options)
        var readings: [String] = []
        var (leftOut, rejected) = (0, 0)
        while let chunk = try reader.next() {
            leftOut += chunk.leftOut
            rejected += chunk.rejected.count
            readings += chunk.readings.map {
                "\(chunk.meters[$0.meter]) \($0.date.text) \($0.period ?? 0) \($0.energy.text) \($0.type.rawValue)"
            }
        }
        return (readings, reader.study.understanding?.lines ?? [], leftOut, rejected)
    }

    private func refusal(_ text: String, _ options: ImportOptions = ImportOptions(), _ type: ImportType = .hh) -> String
    {
        do {
            return "stored \(try chunks(text, options, type).readings.count)"
        } catch {
            return "\(error)"
        }
    }

    /// Rows of half-hours of one day, values that go up and down.
    private static func rows(
        _ count: Int,
        from first: Int = 0,
        step: Int = 30,
        day: String = "05/11/2025",
        _ row: (String, Int) -> String
    ) -> String {
        (0..<count)
            .map { index in
                let minute = first + index * step
                let clock = "\(minute / 60 < 10 ? "0" : "")\(minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60)"
                return row(clock, index * 7 % 10) + "\n"
            }
            .joined()
    }

    private func options(_ change: (inout ImportOptions) -> Void) -> ImportOptions {
        var options = ImportOptions()
        change(&options)
        return options
    }

    @Test func `rows of another quantity are left out, and counted`() throws {
        let rows = Self.rows(6) { "\(Self.meter),05/11/2025 \($0),AI,\($1)\n\(Self.meter),05/11/2025 \($0),RI,99" }
        let found = try chunks("MPAN,DateTime,Measurement Quantity ID,Consumption\n" + rows, ImportOptions())
        #expect(found.readings.count == 6 && found.leftOut == 6)
        #expect(!found.readings.contains { $0.contains(" 99.000 ") })
        #expect(found.lines.contains { $0.contains("6 rows of RI left out") })
    }

    @Test func `only rows of what was given back are stored when somebody says so`() throws {
        let text = "MPAN,DateTime,Direction,kWh\n" + Self.rows(4) { "\(Self.meter),05/11/2025 \($0),Export,\($1)" }
        #expect(refusal(text).contains("--quantity export"))
        #expect(try chunks(text, options { $0.quantity = "export" }).readings.count == 4)
    }

    @Test func `a price, a factor or a year's estimate in kWh is not taken for the energy, and a steady use is`() throws
    {
        for other in ["p/kWh", "EAC kWh", "Contract kWh", "Solar kWh LY"] {
            let text =
                "MPAN,DateTime,Consumption,\(other)\n" + Self.rows(10) { "\(Self.meter),05/11/2025 \($0),\($1),98000" }
            #expect(refusal(text) == "stored 10", "\(other): \(refusal(text))")
            #expect(try chunks(text, ImportOptions()).readings.allSatisfy { !"\($0)".contains("98000") }, "\(other)")
        }
        // Both move: only a person knows.
        let both =
            "MPAN,DateTime,Consumption,Roof kWh\n" + Self.rows(10) { "\(Self.meter),05/11/2025 \($0),\($1),\($1 * 3)" }
        #expect(refusal(both).contains("--value-column"))
        let steady =
            "MPRN,DateTime,Meter Units,Meter Start Read,Consumption,KWH\n"
            + Self.rows(10) { "7512345604,05/11/2025 \($0),m3,\(8000 + $1),1,11.183" }
        #expect(
            try chunks(steady, ImportOptions()).readings.allSatisfy { "\($0)".contains("11.183") },
            "\(refusal(steady))"
        )
        let multiplied =
            "MPAN,DateTime,Value,Multiplier\n" + Self.rows(10) { "\(Self.meter),05/11/2025 \($0),\($1),10" }
        #expect(refusal(multiplied).contains("--ignore-column 'Multiplier'"))
    }

    @Test(arguments: ["Read Type", "Quality", "Is Actual", "Validation Status"])
    func `a word of a flag that is not known refuses the file where it tells rows apart, and the option helps`(
        name: String
    ) throws {
        let text =
            "MPAN,DateTime,kWh,\(name)\n"
            + Self.rows(10) { "\(Self.meter),05/11/2025 \($0),\($1),\($1 % 2 == 0 ? "Blue" : "A")" }
        #expect(refusal(text).contains("--ignore-column '\(name)'"), "\(refusal(text))")
        #expect(try chunks(text, options { $0.ignoredColumns = [name] }).readings.count == 10)
        // In every row it tells nothing apart, and says nothing of estimates.
        let alike = text.replacing(",A\n", with: ",Blue\n")
        #expect(name == "Read Type" || refusal(alike) == "stored 10", "\(refusal(alike))")
    }

    @Test func `different values for one time are refused where a column tells them apart, and the option takes one`()
        throws
    {
        let text =
            "MPAN,Channel,DateTime,kWh\n"
            + Self.rows(6) { "\(Self.meter),1,05/11/2025 \($0),\($1)\n\(Self.meter),2,05/11/2025 \($0),\($1 + 50)" }
        #expect(refusal(text).contains("--quantity 'Channel=1'"))
        #expect(
            try chunks(text, options { $0.quantity = "Channel=2" }).readings.first
                == "\(Self.meter) 2025-11-05 1 50.000 actual"
        )
    }

    @Test func `more conflicts than one in a hundred refuse the file, fewer are told`() throws {
        func text(_ rows: Int, conflicts: Int) -> String {
            "MPAN,DateTime,kWh\n"
                + (0..<rows)
                .map {
                    "\(Self.meter),2025-\($0 / 1344 + 11)-\($0 / 48 % 28 + 1) \($0 % 48 / 2):\($0 % 2 == 0 ? "00" : "30"),\($0 * 7 % 11)\n"
                }
                .joined()
                + (0..<conflicts).map { "\(Self.meter),2025-11-1 \($0 / 2):\($0 % 2 == 0 ? "00" : "30"),77\n" }.joined()
        }
        #expect(refusal(text(96, conflicts: 4)).contains("--repeats last"))
        #expect(try chunks(text(96, conflicts: 4), options { $0.lastCounts = true }).readings.count == 100)
        let reader = try RowReader(
            path: folder.write(text(1344, conflicts: 4), to: "w.csv"),
            type: .hh,
            options: ImportOptions()
        )
        #expect(reader.study.understanding?.warnings.first?.contains("4 rows") == true)
    }

    @Test func `an estimate beside an actual reading is no conflict`() throws {
        let text =
            "MPAN,DateTime,kWh,Read Type\n"
            + Self.rows(8) { "\(Self.meter),05/11/2025 \($0),\($1),E\n\(Self.meter),05/11/2025 \($0),\($1 + 1),A" }
        #expect(try chunks(text, ImportOptions()).readings.count == 16)
    }

    @Test(arguments: [
        ("24:00", "24:00 stands there"), ("00:00", "00:00 is the last"),
    ])
    func `times that name the end are read so where the rows show it`(last: String, why: String) throws {
        let text =
            "MPAN,Read Date,Read Time,kWh\n" + Self.rows(47, from: 30) { "\(Self.meter),05/11/2025,\($0),\($1)" }
            + "\(Self.meter),05/11/2025,\(last),3\n"
        let found = try chunks(text, ImportOptions())
        #expect(found.readings.first == "\(Self.meter) 2025-11-05 1 0.000 actual")
        #expect(found.readings.last == "\(Self.meter) 2025-11-05 48 3.000 actual")
        #expect(found.lines.contains { $0.contains(why) })
    }

    @Test func `00:00 and 24:00 in one file leave a doubt, which an option takes`() throws {
        let text =
            "MPAN,Read Date,Read Time,kWh\n" + Self.rows(48) { "\(Self.meter),05/11/2025,\($0),\($1)" }
            + "\(Self.meter),05/11/2025,24:00,3\n"
        #expect(refusal(text).contains("--times start or --times end"))
        #expect(
            try chunks(text, options { $0.times = .start }).readings.last == "\(Self.meter) 2025-11-06 1 3.000 actual"
        )
        #expect(
            try chunks(text, options { $0.times = .end }).readings.last == "\(Self.meter) 2025-11-05 48 3.000 actual"
        )
    }

    @Test(arguments: [(60, "--hourly split"), (10, "10 minutes"), (1440, "--type daily")])
    func `rows that are no half-hours are refused`(step: Int, hint: String) {
        let rows = (0..<12)
            .map { index in
                "\(Self.meter),2025-11-\(1 + index * step / 1440) \(index * step % 1440 / 60):\(index * step % 60 < 10 ? "0" : "")\(index * step % 60),\(index * 7 % 11)\n"
            }
        #expect(refusal("MPAN,DateTime,kWh\n" + rows.joined()).contains(hint))
    }

    @Test func `quarters of an hour are summed where both are there, and hours split where somebody says so`() throws {
        let quarters = "MPAN,DateTime,kWh\n" + Self.rows(9, step: 15) { "\(Self.meter),05/11/2025 \($0),0.\($1)25" }
        let found = try chunks(quarters, ImportOptions())
        #expect(found.readings.map { $0.split(separator: " ")[3] } == ["0.750", "0.550", "1.350", "1.150"])
        #expect(found.rejected == 1)
        let hours = "MPAN,DateTime,kWh\n" + Self.rows(4, step: 60) { "\(Self.meter),05/11/2025 \($0),0.00\($1)" }
        let halves = try chunks(hours, options { $0.splitsHours = true }).readings
        #expect(
            halves.map { $0.split(separator: " ")[3] } == [
                "0.000", "0.000", "0.003", "0.004", "0.002", "0.002", "0.000", "0.001",
            ]
        )
        #expect(halves.allSatisfy { $0.hasSuffix("estimated") })
    }

    @Test func `a month that comes first is read so where days over 12 prove it, and else asked for`() throws {
        let large =
            "MPAN,DateTime,kWh\n"
            + (9...16).map { day in Self.rows(48) { "\(Self.meter),04/\(day)/2025 \($0),\($1)" } }.joined()
        #expect(try chunks(large, ImportOptions()).readings.last?.hasPrefix("\(Self.meter) 2025-04-16 48") == true)
        // Both orders on many lines each.
        let both =
            large + (13...20).map { day in Self.rows(48) { "\(Self.meter),\(day)/05/2025 \($0),\($1)" } }.joined()
        #expect(refusal(both).contains("--date-order dmy or --date-order mdy"))
        let small =
            "MPAN,DateTime,kWh\n"
            + (1...3).map { day in Self.rows(48) { "\(Self.meter),04/0\(day)/2025 \($0),\($1)" } }.joined()
        #expect(refusal(small).contains("--date-order"))
        #expect(
            try chunks(small, options { $0.dateOrder = .monthFirst }).readings.last?
                .hasPrefix("\(Self.meter) 2025-04-03 48") == true
        )
    }

    @Test func `an hour that the clocks leave out shows that the times are UTC`() throws {
        let text = "MPAN,DateTime,kWh\n" + Self.rows(48) { "\(Self.meter),2025-03-30 \($0),\($1)" }
        #expect(refusal(text).contains("--timezone UTC"))
        #expect(try chunks(text, ImportOptions(timezone: "UTC")).readings.count == 48)
        let columns =
            "MPAN,Date," + (1...48).map { "HH\($0)" }.joined(separator: ",") + "\n\(Self.meter),2025-03-30,"
            + (1...48).map { "\($0 * 7 % 11 + 1)" }.joined(separator: ",") + "\n"
        #expect(refusal(columns).contains("--timezone UTC"))
    }

    @Test(arguments: [false, true])
    func
        `the hour that comes twice is told apart in either order, and by its neighbours where only one of the two is there`(
            isNewestFirst: Bool
        ) throws
    {
        func text(_ times: [String]) -> String {
            "MPAN,DateTime,kWh\n"
                + (isNewestFirst ? times.reversed() : times).enumerated()
                .map { "\(Self.meter),2025-10-26 \($1),\($0 * 7 % 11)\n" }.joined()
        }
        func periods(_ times: [String]) throws -> [Int] {
            let found = try chunks(text(times), ImportOptions()).readings
                .compactMap { Int($0.split(separator: " ")[2]) }
            return isNewestFirst ? found.reversed() : found
        }
        #expect(try periods(["00:00", "00:30", "01:00", "01:30", "01:00", "01:30", "02:00", "02:30"]) == Array(1...8))
        // The first half of the day, and the second, as two files.
        #expect(try periods(["00:00", "00:30", "01:00", "01:30"]) == [1, 2, 3, 4])
        #expect(try periods(["01:00", "01:30", "02:00", "02:30", "03:00"]) == [5, 6, 7, 8, 9])
    }

    @Test func `a register is no consumption`() {
        let vague =
            "Time stamp,Value\n"
            + Self.rows(6) { clock, _ in
                "05/11/2025 \(clock),\(90 + (Int(clock.prefix(2)) ?? 0) * 2 + (clock.hasSuffix("30") ? 1 : 0)).0"
            }
        #expect(refusal(vague, ImportOptions(mpan: Self.meter)).contains("--value-column"))
        #expect(
            refusal("MPAN,DateTime,Register Reading (kWh)\n\(Self.meter),05/11/2025 00:00,45000\n")
                .contains("--value-column")
        )
        let strong =
            "MPAN,DateTime,kWh\n"
            + (0..<100)
            .map {
                "\(Self.meter),2025-11-0\($0 / 48 + 1) \($0 % 48 / 2):\($0 % 2 == 0 ? "00" : "30"),\(45_000 + $0)\n"
            }
            .joined()
        #expect(refusal(strong).contains("only rise"))
    }

    @Test func `a total that is half of the sum shows power, one that is not the sum is told`() throws {
        func text(_ factor: Int) -> String {
            "MPAN,Date," + (1...48).map { "HH\($0)" }.joined(separator: ",") + ",Total\n"
                + (1...3)
                .map { day in
                    "\(Self.meter),0\(day)/11/2025," + (1...48).map { "\($0 * 7 % 11 * 2)" }.joined(separator: ",")
                        + ",\((1...48).reduce(0) { $0 + $1 * 7 % 11 * 2 } * factor / 2)\n"
                }
                .joined()
        }
        #expect(
            try chunks(text(2), ImportOptions()).lines
                .contains { $0.contains("'Total' is the sum of the day on all 3 rows") }
        )
        #expect(refusal(text(1)).contains("power (kW)"))
        #expect(refusal(text(3)).contains("--ignore-column 'Total'"))
        #expect(try chunks(text(3), options { $0.ignoredColumns = ["Total"] }).readings.count == 144)
    }

    @Test func `one meter of a job is not several of its file`() throws {
        let text =
            "Meter Name,DateTime,kWh\n" + Self.rows(4) { "Main,05/11/2025 \($0),\($1)\nSub,05/11/2025 \($0),\($1)" }
        let message = refusal(text, ImportOptions(mpan: Self.meter))
        #expect(message.contains("'Main', 'Sub'") && message.contains("--meter-column"))
        #expect(try chunks(text, options { $0.meterColumn = "Meter Name" }).readings.count == 8)
    }

    @Test(arguments: [
        "=\"1200023305967\"", "1200023305967.0", "12 0002 3305 967", "\u{200B}1200023305967", "008011001200023305967",
        "\u{A0}1200023305967",
    ])
    func `a meter is the same however it is written`(cell: String) throws {
        #expect(
            try chunks("MPAN,DateTime,kWh\n\(cell),05/11/2025 00:00,1\n", ImportOptions()).readings.first?
                .hasPrefix(Self.meter) == true
        )
    }

    @Test func `a column called type is taken for flags only when it holds them`() throws {
        let text = "MPAN,DateTime,kWh,Type\n" + Self.rows(3) { "\(Self.meter),05/11/2025 \($0),\($1),Electricity" }
        #expect(try chunks(text, ImportOptions()).readings.count == 3)
        let flags =
            "MPAN,DateTime,kWh,Type\n" + Self.rows(3) { "\(Self.meter),05/11/2025 \($0),\($1),\($1 == 7 ? "E" : "A")" }
        #expect(try chunks(flags, ImportOptions()).readings.map { $0.hasSuffix("estimated") } == [false, true, false])
    }

    @Test func `what is no text, and a run of rows that cannot be read, fail the file with its place`() {
        let good = "MPAN,DateTime,kWh\n" + Self.rows(4) { "\(Self.meter),05/11/2025 \($0),\($1)" }
        #expect(refusal(good + String(repeating: "\0", count: 5000)).contains("behind byte"))
        #expect(refusal(good + String(repeating: "x", count: 100_000)).contains("from line 6 on"))
        #expect(refusal(good + String(repeating: "\"a\" b\n", count: 150)).contains("100 rows there cannot be read"))
    }

    @Test
    func `a file that is changed behind its beginning is another one, and one that changes while it is read fails`()
        throws
    {
        let text =
            "MPAN,DateTime,kWh\n"
            + (0..<4000)
            .map {
                "\(Self.meter),2025-11-\($0 / 48 % 28 + 1) \($0 % 48 / 2):\($0 % 2 == 0 ? "00" : "30"),1.\($0 * 7 % 11)\n"
            }
            .joined()
        let path = folder.write(text, to: "changed.csv")
        let before = try FileIdentity(path: path)
        let reader = try RowReader(path: path, type: .hh, options: options { $0.lastCounts = true }, chunkSize: 500)
        _ = try reader.next()
        var bytes = Array(text.utf8)
        bytes[bytes.count - 2] ^= 1
        folder.write(bytes, to: "changed.csv")
        #expect(try FileIdentity(path: path) != before)
        #expect { while try reader.next() != nil {} } throws: { ($0 as? ImportError)?.code == .changed }
    }

    @Test func `what was understood is kept, and read again as it was`() throws {
        let text =
            "lines above\nMPAN,Date," + (0..<48).map { "\($0 / 2):\($0 % 2 == 0 ? "00" : "30")" }.joined(separator: ",")
            + "\n\(Self.meter),05/11/2025," + (1...48).map { "\($0 * 7 % 11)" }.joined(separator: ",") + "\n"
        let path = folder.write(text, to: "kept.csv")
        let reader = try RowReader(path: path, type: .hh, options: ImportOptions())
        var understanding = try #require(reader.study.understanding)
        let again = try #require(FileUnderstanding(json: understanding.json))
        let next = try RowReader(
            path: path,
            type: .hh,
            options: ImportOptions(),
            from: FilePosition(),
            of: reader.identity,
            understood: again
        )
        #expect(next.study.understanding == understanding)
        #expect(try next.next()?.readings.map(\.energy) == reader.next()?.readings.map(\.energy))
        understanding.layout.periods[3].column = 9_999
        #expect(throws: ImportError.self) {
            try RowReader(
                path: path,
                type: .hh,
                options: ImportOptions(),
                from: FilePosition(),
                of: reader.identity,
                understood: understanding
            )
        }
    }
}
