import TestSupport
import Testing

@testable import MeterImport

/// The rules for half-hourly files: what is read, what is refused, and why.
@Suite struct ReadingParserTests {
    private struct Result {
        var readings: [Reading] = []
        var meters: [String] = []
        var rejected: [RejectedRow] = []
        var warnings: [String] = []
    }

    private func read(
        _ text: String,
        _ options: ImportOptions = ImportOptions(mpan: "M1"),
        type: ImportType = .hh
    ) throws -> Result {
        try read(Array(text.utf8), options, type: type)
    }

    private func read(_ bytes: [UInt8], _ options: ImportOptions, type: ImportType = .hh) throws -> Result {
        let folder = TemporaryFolder()
        let path = folder.write(bytes, to: "file.csv")
        let reader = try RowReader(path: path, type: type, options: options, chunkSize: 1_000_000)
        guard let chunk = try reader.next() else { return Result() }
        return Result(
            readings: chunk.readings,
            meters: chunk.meters,
            rejected: chunk.rejected,
            warnings: chunk.position.warnings
        )
    }

    private func summary(_ result: Result) -> [String] {
        result.readings.map {
            "\(result.meters[$0.meter]) \($0.date.text) \($0.time ?? "-") \($0.period.map { "\($0)" } ?? "-") \($0.energy.text)"
        }
    }

    /// A matrix file with the given cells.
    private func matrix(_ date: String, _ cells: [Int: String], columns: Int = 50, unit: String = "") -> String {
        let header = "MPAN,Date," + (1...columns).map { "HH\($0 < 10 ? "0" : "")\($0)\(unit)" }.joined(separator: ",")
        return header + "\nM1,\(date)," + (1...columns).map { cells[$0] ?? "" }.joined(separator: ",") + "\n"
    }

    @Test func `an interval file without a meter column takes the job's meter`() throws {
        let result = try read("start,value\n2012-01-03 00:00:00,0.142\n2012-01-03 00:30:00,0.091\n")
        #expect(summary(result) == ["M1 2012-01-03 00:00:00 1 0.142", "M1 2012-01-03 00:30:00 2 0.091"])
    }

    @Test func `a file without any meter is refused, saying what to do`() {
        #expect { try read("start,value\n", ImportOptions()) } throws: { "\($0)".contains("--mpan") }
    }

    @Test(arguments: ["MPAN,read_datetime,Usage (kWh)", "Supply Number;Timestamp;consumption", "serial\tSTART\tkwh"])
    func `columns are known by any of their names`(header: String) throws {
        let delimiter = header.contains(";") ? ";" : header.contains("\t") ? "\t" : ","
        let row = ["X1", "2012-01-03 00:30", "5"].joined(separator: delimiter)
        #expect(summary(try read(header + "\n" + row + "\n")) == ["X1 2012-01-03 00:30:00 2 5.000"])
    }

    @Test func `an earlier name outranks a later one`() throws {
        let result = try read("serial,mpan,date,time,value\nS,M,2012-01-03,0:30,1\n")
        #expect(result.meters == ["M"])
    }

    @Test(arguments: [
        "a,b\n", "start\n", "mpan,value\n", "mpan,date,value\n", "mpan,time,value\n", "mpan,HH01,HH02\n",
        "mpan,date,HH01,HH02\n", "start,value (kW)\n", "start,value (m3)\n",
    ])
    func `wrong columns are refused`(header: String) {
        #expect { try read(header) } throws: { ($0 as? ImportError)?.code == .wrongColumns }
    }

    @Test func `times in UTC become local half-hours`() throws {
        let result = try read(
            "start,value\n2012-07-01 00:00,1\n2012-07-01 23:00,2\n",
            ImportOptions(mpan: "M1", timezone: "UTC")
        )
        #expect(summary(result) == ["M1 2012-07-01 01:00:00 3 1.000", "M1 2012-07-02 00:00:00 1 2.000"])
    }

    @Test func `times with an offset are taken at their word`() throws {
        let result = try read("start,value\n2012-07-01T00:00:00+01:00,1\n2012-07-01T00:00:00Z,2\n")
        #expect(summary(result) == ["M1 2012-07-01 00:00:00 1 1.000", "M1 2012-07-01 01:00:00 3 2.000"])
    }

    @Test func `on the long day the repeated hour is told apart by the order of the file`() throws {
        let times = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
        let result = try read("start,value\n" + times.map { "2012-10-28 \($0),1\n" }.joined())
        #expect(result.readings.map(\.period) == [2, 3, 4, 5, 6, 7])
        #expect(result.readings.map { String(($0.time ?? "").prefix(5)) } == times)
    }

    @Test func `on the short day a time that does not exist is refused`() throws {
        let result = try read("start,value\n2012-03-25 00:30,1\n2012-03-25 01:30,1\n2012-03-25 02:00,1\n")
        #expect(result.readings.map(\.period) == [2, 3])
        #expect(result.rejected.map(\.line) == [3])
        #expect(result.rejected.first?.reason.contains("does not exist") == true)
    }

    @Test func `a matrix row becomes its half-hours, empty cells none`() throws {
        let result = try read(matrix("2012-01-03", [1: "1", 2: "", 48: "3"]))
        #expect(summary(result) == ["M1 2012-01-03 00:00:00 1 1.000", "M1 2012-01-03 23:30:00 48 3.000"])
    }

    @Test func `a matrix keeps the 50 half-hours of the long day`() throws {
        let result = try read(matrix("28/10/2012", Dictionary(uniqueKeysWithValues: (1...50).map { ($0, "\($0)") })))
        #expect(result.readings.map(\.period) == Array(1...50))
        #expect(
            result.readings.map(\.time)[2...6] == ["01:00:00", "01:30:00", "01:00:00", "01:30:00", "02:00:00"]
        )
    }

    @Test(arguments: [("2012-03-25", 47), ("2012-01-03", 49), ("2012-10-28", 0)])
    func `a value in a half-hour that does not exist rejects the row`(date: String, period: Int) throws {
        let result = try read(matrix(date, [1: "1", period: "2"]))
        #expect(result.readings.count == (period == 0 ? 1 : 0))
        #expect(result.rejected.first?.column == (period == 0 ? nil : "HH\(period)"))
    }

    @Test func `a bad cell rejects the whole row of a matrix`() throws {
        let result = try read(matrix("2012-01-03", [1: "1", 20: "x", 30: "2"]))
        #expect(result.readings.isEmpty)
        #expect(result.rejected.map(\.column) == ["HH20"])
        #expect(result.rejected.map(\.cell) == ["x"])
    }

    @Test func `a matrix row without any value is refused`() throws {
        #expect(try read(matrix("2012-01-03", [:])).rejected.count == 1)
    }

    @Test func `units in headers convert, in both formats`() throws {
        #expect(try read(matrix("2012-01-03", [1: "1500"], unit: " (Wh)")).readings.map(\.energy.text) == ["1.500"])
        #expect(try read("start,usage_mwh\n2012-01-03 00:00,0.0015\n").readings.map(\.energy.text) == ["1.500"])
        #expect(try read("start,wh\n2012-01-03 00:00,1500\n").readings.map(\.energy.text) == ["1.500"])
    }

    @Test func `a unit column converts row by row, and an unknown unit is refused`() throws {
        let result = try read(
            """
            start,value,unit
            2012-01-03 00:00,1500,Wh
            2012-01-03 00:30,1.5,kWh
            2012-01-03 01:00,1.5,kW
            2012-01-03 01:30,1.5,
            2012-01-03 02:00,1.5,furlong
            """
        )
        #expect(result.readings.map(\.energy.text) == ["1.500", "1.500", "1.500"])
        #expect(result.rejected.map(\.line) == [4, 6])
    }

    @Test func `reading types are read, and an unknown one is refused`() throws {
        let result = try read("start,value,type\n2012-01-03 00:00,1,E\n2012-01-03 00:30,1,guess\n2012-01-03 01:00,1,\n")
        #expect(result.readings.map(\.type) == [.estimated, .actual])
        #expect(result.rejected.map(\.line) == [3])
    }

    @Test func `a time that is not the start of a half-hour is refused`() throws {
        let result = try read("start,value\n2012-01-03 00:15,1\n2012-01-03 00:30:01,1\n2012-01-03 01:00,1\n")
        #expect(result.readings.count == 1)
        #expect(result.rejected.count == 2)
    }

    @Test func `blank and unreadable times are refused`() throws {
        let result = try read(
            "date,time,value\n2012-01-03,,1\n2012-01-03,noon,1\n2012-01-03,30:00.0,1\n2012-01-03,0.5,1\n"
        )
        #expect(result.readings.map(\.period) == [25])
        #expect(result.rejected.map(\.column) == ["time", "time", "time"])
    }

    @Test func `bytes that are not UTF-8 reject their row in text that stays valid`() throws {
        let file = Array("mpan,start,value\nM".utf8) + [0xE9, 0xFF] + Array(",2012-01-03 00:00,1\n".utf8)
        let result = try read(file, ImportOptions())
        let rejected = try #require(result.rejected.first)
        #expect(rejected.reason.contains("UTF-8"))
        #expect(rejected.content.contains("\u{FFFD}"))
        #expect(result.readings.isEmpty)
        #expect(result.meters.isEmpty)
    }

    @Test(arguments: ["\"5 inch", "\"a\" b"])
    func `a broken quote in a column that nobody reads does not swallow rows in silence`(note: String) throws {
        let result = try read("start,value,note\n2012-01-03 00:00,1,\(note)\n2012-01-03 00:30,2,\n")
        #expect(result.rejected.map(\.line) == [2])
        #expect(result.rejected.first?.reason.contains("quote") == true)
    }

    @Test func `a wrong check digit is a warning, not a rejection`() throws {
        let result = try read("mpan,start,value\n1200023305968,2012-01-03 00:00,1\n")
        #expect(result.readings.count == 1)
        #expect(result.warnings.count == 1)
        #expect(result.warnings.first?.contains("1200023305968") == true)
    }

    @Test func `a rejected row is kept with its line, column, cell, reason and text`() throws {
        let result = try read("start,value\n2012-01-03 00:00,1\n2012-01-03 00:30,x y\n")
        #expect(
            result.rejected == [
                RejectedRow(
                    line: 3,
                    column: "value",
                    cell: "x y",
                    reason: "value is 'x y': it is not a number.",
                    content: "2012-01-03 00:30,x y"
                )
            ]
        )
    }

    @Test(arguments: [
        #"{"mpan":"123","timezone":"UTC","other":[1]}"#, #"{"mpan":123,"timezone":"UTC"}"#,
    ])
    func `a job's metadata says what the file does not`(metadata: String) throws {
        let options = try ImportOptions(metadata: metadata)
        #expect(options.mpan == "123")
        #expect(options.timezone == "UTC")
        #expect(try ImportOptions(metadata: options.metadata) == options)
    }

    @Test(arguments: ["{", #"{"date_order":"dym"}"#, #"{"timezone":5}"#])
    func `metadata that cannot be used is refused`(metadata: String) {
        #expect(throws: ImportError.self) { try ImportOptions(metadata: metadata) }
    }
}
