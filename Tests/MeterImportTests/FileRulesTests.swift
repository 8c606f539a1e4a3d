import TestSupport
import Testing

@testable import MeterImport

/// The rules for daily files, sites, units, cells and rejected rows, each as a file.
@Suite struct FileRulesTests {
    private let folder = TemporaryFolder()

    private func read(
        _ text: String,
        _ options: ImportOptions = ImportOptions(mpan: "M1"),
        type: ImportType = .hh
    ) throws -> Chunk {
        let reader = try RowReader(
            path: folder.write(text, to: "f.csv"),
            type: type,
            options: options,
            chunkSize: 10_000
        )
        return try reader.next() ?? Chunk()
    }

    @Test func `a daily reading has a day, and neither time nor period`() throws {
        let chunk = try read("mpan,date,kwh,ae\nA,2024-01-01,1.5,E\nA,01/02/2024,2,\n", type: .daily)
        #expect(chunk.readings.map(\.date.text) == ["2024-01-01", "2024-02-01"])
        #expect(chunk.readings.map(\.time) == [nil, nil])
        #expect(chunk.readings.map(\.period) == [nil, nil])
        #expect(chunk.readings.map(\.type) == [.estimated, .actual])
    }

    @Test func `a daily reading with a time may be a half-hour's, and is refused`() throws {
        let chunk = try read("date,time,value\n2024-01-01,,1\n2024-01-02,00:00,2\n2024-01-03,00:30,3\n", type: .daily)
        #expect(chunk.readings.map(\.energy.text) == ["1.000", "2.000"])
        #expect(chunk.rejected.map(\.column) == ["time"])
        let dated = try read(
            "timestamp,value\n2024-06-01 00:00:00,1\n2024-06-01T23:00:00Z,2\n2024-06-03 01:00,3\n2024-06-03T00:00:00Z,4\n",
            type: .daily
        )
        #expect(dated.readings.map(\.date.text) == ["2024-06-01", "2024-06-02"])
        #expect(dated.rejected.map(\.line) == [4, 5])
    }

    @Test func `a matrix queued as daily is refused`() {
        let header = "mpan,date," + (1...48).map { "HH\($0)" }.joined(separator: ",")
        #expect { try read(header + "\n", type: .daily) } throws: { "\($0)".contains("as hh") }
    }

    @Test func `a daily reading is stored once, and an estimate never replaces an actual one`() throws {
        let chunk = try read(
            "mpan,date,value,type\nA,2024-01-01,1,A\nA,2024-01-01,2,E\nB,2024-01-01,3,E\nB,2024-01-01,4,A\nA,2024-01-02,5,A\nA,2024-01-03,6,E\n",
            type: .daily
        )
        func day(_ meter: Int, _ text: String) throws -> ReadingMerge.Key {
            ReadingMerge.Key(meterID: meter, day: try DateText.whole(Bytes(keeping: text)).day(.dayFirst).days)
        }
        let stored = [
            try day(10, "2024-01-02"): ReadingMerge.Stored(id: 7, thousandths: 5000, type: .estimated),
            try day(10, "2024-01-03"): ReadingMerge.Stored(id: 8, thousandths: 6000, type: .actual),
        ]
        let merge = ReadingMerge(chunk.readings, meterIDs: [10, 20], repeated: .byPeriod, stored: stored)
        #expect(merge.inserts.map(\.energy.text) == ["1.000", "4.000"])
        #expect(merge.updates.map(\.id) == [7])
        #expect(merge.updates.map(\.reading.energy.text) == ["5.000"])
        #expect(merge.duplicates == 4)
    }

    @Test func `where the key is the time alone, the second run is stored a second later`() throws {
        let times = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
        let chunk = try read("start,value\n" + times.map { "2024-10-27 \($0),1\n" }.joined())
        let host = RepeatedTime(uniqueKeys: [["id"], ["meter_id", "reading_date", "reading_time", "period_number"]])
        let second = RepeatedTime(uniqueKeys: [
            ["id"], ["meter_id", "reading_date", "reading_time", "period_number"],
            ["meter_id", "reading_date", "reading_time"],
        ])
        #expect(host == .byPeriod)
        #expect(second == .byTime)
        func stored(_ repeated: RepeatedTime) -> [String] {
            chunk.readings.map { HalfHour.text(seconds: repeated.seconds(of: $0)) }
        }
        #expect(stored(host) == times.map { "\($0):00" })
        #expect(stored(second) == ["00:30:00", "01:00:00", "01:30:00", "01:00:01", "01:30:01", "02:00:00"])
    }

    @Test func `a site has its columns, exactly`() throws {
        let chunk = try read(
            """
            Site Name;Company ID;region_id;Address;Zip;Type;Area;Lat;Lng;Status;Created
            Mill;3;4;"1, The Street
            Town";SW1A 1AA;Warehouse;1200.505;51.123456789;-0.1;inactive;31/01/2012
            Shed;;;;;;;;;;
            """,
            type: .sites
        )
        #expect(chunk.rejected == [])
        let site = try #require(chunk.sites.first)
        #expect(site.name == "Mill")
        #expect(site.companyID == 3)
        #expect(site.regionID == 4)
        #expect(site.address == "1, The Street\nTown")
        #expect(site.postcode == "SW1A 1AA")
        #expect(site.type == .warehouse)
        #expect(site.floorArea?.text == "1200.50")
        #expect(site.latitude?.text == "51.12345679")
        #expect(site.longitude?.text == "-0.10000000")
        #expect(site.isActive == false)
        #expect(chunk.sites.last == Site(name: "Shed"))
    }

    @Test(arguments: [
        ("name", ""), ("company_id", "0"), ("company_id", "x"), ("postcode", "12345678901"), ("type", "castle"),
        ("lat", "91"), ("lng", "-180.1"), ("area", "-1"), ("area", "1e12"), ("active", "perhaps"),
    ])
    func `a site's cell that cannot be stored rejects the row`(column: String, cell: String) throws {
        let chunk =
            column == "name"
            ? try read("name,lat\n\(cell),1\n", type: .sites) : try read("name,\(column)\nA,\(cell)\n", type: .sites)
        #expect(chunk.sites == [])
        #expect(chunk.rejected.map(\.column) == [column])
    }

    @Test func `sites need a name column`() {
        #expect { try read("lat,lng\n1,2\n", type: .sites) } throws: { "\($0)".contains("name") }
    }

    @Test(arguments: ["Usage (therms)", "value (m\u{B3})", "reading [kW]", "consumption (MWh/d)"])
    func `a unit in a header that is not energy is refused, saying why`(header: String) {
        #expect { try read("start,\(header)\n") } throws: { "\($0)".contains("cannot be used") }
    }

    @Test(arguments: [
        ("value (GWh)", "1000000.000"), ("Usage [Wh]", "0.001"), ("gwh", "1000000.000"), ("kWh", "1.000"),
    ])
    func `a unit in a header converts`(header: String, kWh: String) throws {
        #expect(try read("start,\(header)\n2024-01-01 00:00,1\n").readings.map(\.energy.text) == [kWh])
    }

    @Test func `a unit that contradicts the header's rejects the row`() throws {
        let chunk = try read("start,kwh,unit\n2024-01-01 00:00,1,kWh\n2024-01-01 00:30,1,Wh\n2024-01-01 01:00,1,\n")
        #expect(chunk.readings.count == 2)
        #expect(chunk.rejected.map(\.line) == [3])
    }

    @Test func `a decimal comma without quotes is not read as a shorter number`() throws {
        let chunk = try read("start,value\n2024-01-01 00:00,0,142\n2024-01-01 00:30,1,\n")
        #expect(chunk.readings.map(\.energy.text) == ["1.000"])
        #expect(chunk.rejected.first?.reason.contains("3 cells") == true)
    }

    @Test func `a matrix row that is cut short is rejected, one without the long day's columns is not`() throws {
        let header = "mpan,date," + (1...50).map { "HH\($0)" }.joined(separator: ",") + "\n"
        func row(_ date: String, _ cells: Int) -> String {
            "M,\(date)," + Array(repeating: "1", count: cells).joined(separator: ",") + "\n"
        }
        let chunk = try read(
            header + row("2024-01-01", 48) + row("2024-01-02", 47) + row("2024-10-27", 50) + row("2024-03-31", 46)
        )
        #expect(chunk.readings.count == 48 + 50 + 46)
        #expect(chunk.rejected.map(\.line) == [3])
    }

    @Test func `rows of nothing but delimiters are blank lines`() throws {
        let chunk = try read("start,value\n,\n2024-01-01 00:00,1\n , \n\n")
        #expect(chunk.rows == 1)
        #expect(chunk.rejected == [])
    }

    @Test func `in a zone of quarter-hours what begins no half-hour there is refused`() throws {
        let chunk = try read(
            "start,value\n2024-01-01T00:00:00Z,1\n2024-01-01T00:15:00Z,2\n",
            ImportOptions(mpan: "M", zone: "Asia/Kathmandu")
        )
        #expect(chunk.readings.map(\.time) == ["06:00:00"])
        #expect(chunk.rejected.map(\.line) == [2])
    }

    @Test func `a matrix in UTC becomes local half-hours`() throws {
        let header = "mpan,date," + (1...48).map { "HH\($0)" }.joined(separator: ",")
        let row = "M,2024-06-01," + (1...48).map { "\($0)" }.joined(separator: ",")
        let chunk = try read("\(header)\n\(row)\n", ImportOptions(timezone: "UTC"))
        #expect(chunk.readings.first?.time == "01:00:00")
        #expect(chunk.readings.first?.period == 3)
        #expect(chunk.readings.last?.date.text == "2024-06-02")
        #expect(chunk.readings.last?.period == 2)
    }

    @Test func `rejected rows are given back as CSV, to be corrected and imported again`() throws {
        let text = #"""
            mpan;start;value;note
            M1;2024-01-01 00:00;x;plain
            M1;2024-01-01 00:30;1.5 y;"two
            lines; ""quoted"""
            M1;2024-01-01 01:00;z
            M1;2024-01-01 01:30;2;"broken
            M1;2024-01-01 02:00;2;good

            """#
        let reader = try RowReader(path: folder.write(text, to: "r.csv"), type: .hh, options: ImportOptions())
        let first = try #require(try reader.next())
        let rejects = reader.rejects
        #expect(first.rejected.map(\.line) == [2, 3, 5, 6])
        let back = rejects.headerLine + first.rejected.map { rejects.line($0.content, reason: $0.reason) }.joined()
        #expect(
            back.hasPrefix(
                "mpan;start;value;note;reason\nM1;2024-01-01 00:00;x;plain;value is 'x': it is not a number.\n"
            )
        )
        let again = try read(back, ImportOptions())
        // What was only a broken quote is well-formed now; the others still say the same.
        #expect(again.rejected.map(\.reason) == first.rejected.dropLast().map(\.reason))
        #expect(again.readings.map(\.energy.text) == ["2.000"])
        let corrected = back.replacing(";x;", with: ";1;").replacing("1.5 y", with: "1.5").replacing(";z;", with: ";3;")
        #expect(
            try read(corrected, ImportOptions()).readings.map(\.energy.text) == ["1.000", "1.500", "3.000", "2.000"]
        )
    }

    @Test func `a letter that was lost is no part of a meter's name`() throws {
        #expect(try read("mpan,start,value\nM\u{FFFD},2024-01-01 00:00,1\n").rejected.count == 1)
    }

    @Test func `a check reports the counts, the days, the meters and the first problems`() async throws {
        let text =
            "mpan,start,value,type\nA,2024-01-02 00:00,1,\nB,2024-01-01 00:00,1,E\nA,x,1,\n1200023305968,2024-01-03 00:00,1,\n"
        let path = folder.write(text, to: "c.csv")
        let report = try await FileCheck.run(path: path, type: .hh)
        #expect(report.layout == "interval")
        #expect(report.rows == 4)
        #expect(report.rowsRejected == 1)
        #expect(report.values == 3)
        #expect(report.estimates == 1)
        #expect(report.firstMeters == ["A", "B", "1200023305968"])
        #expect(report.firstDate == "2024-01-01")
        #expect(report.lastDate == "2024-01-03")
        #expect(report.problems.map(\.line) == [4])
        #expect(report.warnings.count == 1)
        let empty = try await FileCheck.run(path: folder.write("mpan,start,value\n", to: "h.csv"), type: .hh)
        #expect(empty.rows == 0)
        #expect(empty.warnings == ["The file has a header and no rows."])
    }
}
