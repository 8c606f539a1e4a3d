import Testing

@testable import MeterImport

/// Cells are read exactly, or refused with a reason.
@Suite struct ValueTests {
    private func bytes(_ text: String) -> Bytes { Bytes(keeping: text) }

    @Test(arguments: [
        ("0.142", EnergyUnit.kilowattHours, "0.142"), ("2.1500001", .kilowattHours, "2.150"),
        ("0.0005", .kilowattHours, "0.000"), ("0.0015", .kilowattHours, "0.002"), ("0.0025", .kilowattHours, "0.002"),
        ("0.00250000001", .kilowattHours, "0.003"), ("-0.0015", .kilowattHours, "-0.002"),
        ("+7", .kilowattHours, "7.000"),
        (".5", .kilowattHours, "0.500"), ("5.", .kilowattHours, "5.000"), ("1.5e-3", .kilowattHours, "0.002"),
        ("1E3", .kilowattHours, "1000.000"), ("0", .kilowattHours, "0.000"), ("000.100", .kilowattHours, "0.100"),
        ("1234", .wattHours, "1.234"), ("0.5", .wattHours, "0.000"), ("1.5", .wattHours, "0.002"),
        ("1.2345678", .megawattHours, "1234.568"), ("0.000001", .gigawattHours, "1.000"),
        ("999999999999.999", .kilowattHours, "999999999999.999"),
    ])
    func `energy is converted exactly and rounded half to even`(text: String, unit: EnergyUnit, kWh: String) throws {
        #expect(try Energy(bytes(text), unit: unit).text == kWh)
    }

    @Test(arguments: [
        "", "abc", "1,5", "1 000", "1.2.3", "NaN", "inf", "0x10", "1e", "e5", "--1", "-", "1000000000000", "1e99",
    ])
    func `what is no number, or too large, is refused`(text: String) {
        #expect(throws: CellProblem.self) { try Energy(bytes(text), unit: .kilowattHours) }
    }

    @Test(arguments: [
        ("Wh", EnergyUnit.wattHours), ("KWH", .kilowattHours), ("MWh", .megawattHours), ("gwh", .gigawattHours),
    ])
    func `units of energy are known in any case`(word: String, unit: EnergyUnit) throws {
        #expect(try EnergyUnit(word: word) == unit)
    }

    @Test(arguments: [("kW", "power"), ("m3", "volume"), ("therms", "not known")])
    func `other units are refused, saying why`(word: String, reason: String) {
        #expect { try EnergyUnit(word: word) } throws: { "\($0)".contains(reason) }
    }

    @Test(arguments: [
        ("2012-01-03", "2012-01-03"), ("03/01/2012", "2012-01-03"), ("3/1/2012", "2012-01-03"),
        ("3-1-2012", "2012-01-03"), ("3.1.2012", "2012-01-03"), ("20120103", "2012-01-03"), ("3/1/12", "2012-01-03"),
        ("29/02/2024", "2024-02-29"), ("31/12/1999", "1999-12-31"), ("26 Aug 2019", "2019-08-26"),
        ("03-Dec-2019", "2019-12-03"), ("2019/08/26", "2019-08-26"), ("26-08-19", "2019-08-26"), ("Nov 13 2019", "2019-11-13"),
        ("43703", "2019-08-26"), ("Monday, 26 August 2019", "2019-08-26"), ("3-Sept-19", "2019-09-03"),
        ("26082019", "2019-08-26"), ("2019-08-26 00:00:00", "2019-08-26"), ("43703.0", "2019-08-26"),
    ])
    func `dates are read in every accepted form`(text: String, date: String) throws {
        #expect(try DateText.whole(bytes(text)).day(.dayFirst).text == date)
    }

    @Test(arguments: [
        "31/02/2025", "29/02/2023", "05/13/2025", "tomorrow", "3/1", "2025-13-01", "2025-00-10", "0000-01-01", "1/1/1",
        "",
        "32/01/2025", "3 Foo 2025", "2025", "20251301",
    ])
    func `impossible dates, US order, words and dates without a year are refused`(text: String) {
        #expect(throws: CellProblem.self) { try DateText.whole(bytes(text)).day(.dayFirst) }
    }

    @Test func `the month comes first when the job says so`() throws {
        #expect(try DateText.whole(bytes("05/13/2025")).day(.monthFirst).text == "2025-05-13")
        #expect(throws: CellProblem.self) { try DateText.whole(bytes("13/05/2025")).day(.monthFirst) }
    }

    @Test func `a date in US order is told how to be accepted`() {
        #expect { try DateText.whole(bytes("05/13/2025")).day(.dayFirst) } throws: { "\($0)".contains("mdy") }
    }

    @Test func `days and dates turn into each other over four centuries`() {
        let wrong = (-73_000..<73_000)
            .filter { days in
                let (year, month, day) = CalendarDate(days: days).components
                return CalendarDate(year: year, month: month, day: day)?.days != days
            }
        #expect(wrong.isEmpty)
        #expect(CalendarDate(year: 1970, month: 1, day: 1)?.days == 0)
        #expect(CalendarDate(year: 2024, month: 2, day: 29)?.weekday == 4)
    }

    @Test(arguments: [
        ("1:30", 5400), ("01:30", 5400), ("01:30:00", 5400), ("01:30:00.000", 5400), ("0", 0), ("0.5", 43_200),
        ("0.0208333333", 1800), ("1", 86_400), ("24:00", 86_400), ("24:00:00", 86_400), ("23:30", 84_600),
        ("12:30 AM", 1800), ("1:00 PM", 46_800), ("12:00PM", 43_200), ("13:30 PM", 48_600), ("00:30 AM", 1800), ("0130", 5400),
        ("00:30 - 01:00", 1800), ("23:30-00:00", 84_600), ("0.020833", 1800),
    ])
    func `times are read, a spreadsheet's fraction of the day too`(text: String, seconds: Int) throws {
        #expect(try Clock(bytes(text)).seconds == seconds)
    }

    @Test(arguments: ["", "noon", "30:00.0", "25:00", "24:30", "12:60", "1.5", "-0.5", "130", "12:30:61", "1:3", ":30"])
    func `unreadable and ambiguous times are refused`(text: String) {
        #expect(throws: CellProblem.self) { try Clock(bytes(text)).seconds }
    }

    @Test(
        arguments: [
            ("2012-01-03 00:30:00", 1800, nil), ("2012-01-03T00:30:00Z", 1800, 0),
            ("2012-01-03 00:30:00+00:00", 1800, 0),
            ("2012-01-03T01:30:00+01:00", 5400, 3600), ("2012-01-03T01:30:00.000-0530", 5400, -19_800),
            ("03/01/2012 0:30", 1800, nil), ("2012-01-03  00:30", 1800, nil),
        ] as [(String, Int, Int?)]
    )
    func `a date and a time in one cell are read, with their offset`(text: String, seconds: Int, offset: Int?) throws {
        let stamp = try Stamp(bytes(text))
        #expect(try stamp.date.day(.dayFirst).text == "2012-01-03")
        #expect(stamp.seconds == seconds)
        #expect(stamp.offset == offset)
    }

    @Test func `24:00 is the end of its day, not its start`() throws {
        #expect(try Stamp(date: bytes("31/12/2024"), time: bytes("24:00")).seconds == 86_400)
        #expect(try Stamp(bytes("31/12/2024 00:00")).seconds == 0)
    }

    @Test func `a meter in scientific notation is refused, as all meters would become one`() {
        for text in ["1.20002E+12", "1.2E12", "1E+12"] {
            #expect(throws: CellProblem.self) { try MeterCode.read(bytes(text)) }
        }
        #expect(throws: CellProblem.self) { try MeterCode.read(bytes(String(repeating: "1", count: 22))) }
        #expect(throws: CellProblem.self) { try MeterCode.read(bytes("")) }
    }

    @Test(arguments: [
        ("1200023305967", "1200023305967"), ("'1200023305967", "1200023305967"), ("E10Z123", "E10Z123"),
        ("12E45", "12E45"),
    ])
    func `other meters are taken as they stand`(text: String, code: String) throws {
        #expect(try MeterCode.read(bytes(text)) == code)
    }

    @Test func `a wrong check digit is noticed in a 13-digit MPAN only`() {
        #expect(!MeterCode.hasWrongCheckDigit("1200023305967"))
        #expect(MeterCode.hasWrongCheckDigit("1200023305968"))
        #expect(!MeterCode.hasWrongCheckDigit("12000233059"))
        #expect(!MeterCode.hasWrongCheckDigit("E200023305968"))
    }

    @Test func `reading types are known by their words and letters, others are refused`() throws {
        #expect(try ReadingType(bytes("A")) == .actual)
        #expect(try ReadingType(bytes("Estimated")) == .estimated)
        #expect(try ReadingType(bytes("m")) == .manual)
        #expect(try ReadingType(bytes("")) == .actual)
        #expect(throws: CellProblem.self) { try ReadingType(bytes("guess")) }
    }
}
