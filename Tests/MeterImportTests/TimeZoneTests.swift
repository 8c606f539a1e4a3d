import Testing

@testable import MeterImport

/// Clocks are put forward and back when they really were.
@Suite struct TimeZoneTests {
    private func instant(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) throws -> Int {
        try #require(CalendarDate(year: year, month: month, day: day)).days * 86_400 + hour * 3600 + minute * 60
    }

    @Test func `London's clocks change at 01:00 UTC on the last Sundays of March and October`() throws {
        let london = try TimeZoneRules.named("Europe/London")
        for (year, march, october) in [(2012, 25, 28), (2013, 31, 27), (2026, 29, 25), (2040, 25, 28), (2099, 29, 25)] {
            let spring = try instant(year, 3, march, 1)
            let autumn = try instant(year, 10, october, 1)
            #expect(london.span(at: spring - 1).offset == 0)
            #expect(london.span(at: spring).offset == 3600)
            #expect(london.span(at: autumn - 1).offset == 3600)
            #expect(london.span(at: autumn).offset == 0)
            #expect(london.span(at: spring).start == spring)
            #expect(london.span(at: spring).end == autumn)
        }
        // Summer time all year round, from 1968 to 1971.
        #expect(london.span(at: try instant(1970, 1, 1)).offset == 3600)
    }

    @Test(arguments: [
        ("UTC", 0), ("Asia/Kathmandu", 20_700), ("America/New_York", -18_000), ("Australia/Sydney", 39_600),
    ])
    func `other zones stand where they should in January`(name: String, offset: Int) throws {
        #expect(try TimeZoneRules.named(name).span(at: instant(2024, 1, 15)).offset == offset)
    }

    @Test(arguments: ["Europe/Nowhere", "", "../../etc/passwd", "/etc/localtime", "Europe"])
    func `a zone that does not exist is an error`(name: String) {
        #expect(throws: ImportError.self) { try TimeZoneRules.named(name) }
    }

    @Test func `a file with no transitions but a rule is enough`() throws {
        // A slim file: version 2, one type of local time, and the footer.
        func block(_ version: UInt8) -> [UInt8] {
            Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
                + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4] + [0, 0, 0, 0, 0, 0]
                + Array("GMT\0".utf8)
        }
        let bytes = block(UInt8(ascii: "2")) + block(UInt8(ascii: "2")) + Array("\nGMT0BST,M3.5.0/1,M10.5.0\n".utf8)
        let zone = try #require(TimeZoneRules(name: "slim", bytes: bytes))
        #expect(zone.span(at: try instant(2012, 3, 25, 0, 59)).offset == 0)
        #expect(zone.span(at: try instant(2012, 3, 25, 1)).offset == 3600)
        #expect(zone.span(at: try instant(2012, 10, 28, 0, 59)).offset == 3600)
        #expect(zone.span(at: try instant(2012, 10, 28, 1)).offset == 0)
    }

    @Test func `bytes that are no zone file are refused`() {
        #expect(TimeZoneRules(name: "x", bytes: Array("not a zone".utf8)) == nil)
        #expect(TimeZoneRules(name: "x", bytes: Array("TZif2".utf8) + [UInt8](repeating: 255, count: 60)) == nil)
    }

    @Test(arguments: [
        ("2012-01-03", 48), ("2012-03-25", 46), ("2012-10-28", 50), ("2013-03-31", 46), ("2013-10-27", 50),
    ])
    func `a day has 48 half-hours, the short one 46 and the long one 50`(date: String, count: Int) throws {
        var days = HalfHours(try TimeZoneRules.named("Europe/London"))
        let date = try DateText.whole(Bytes(keeping: date)).day(.dayFirst)
        #expect(days.count(on: date) == count)
        // Every half-hour has its own number, and its start leads back to it.
        for period in 1...count {
            let start = days.start(of: period, on: date)
            let found = days.halfHour(at: start)
            let halfHour = try #require(found)
            #expect(halfHour.period == period)
            #expect(halfHour.date == date)
        }
    }

    @Test func `on the long day 01:00 and 01:30 occur twice`() throws {
        var days = HalfHours(try TimeZoneRules.named("Europe/London"))
        let midnight = try instant(2012, 10, 27, 23)
        let times = (0..<8).map { days.halfHour(at: midnight + $0 * 1800)?.time }
        #expect(
            times == ["00:00:00", "00:30:00", "01:00:00", "01:30:00", "01:00:00", "01:30:00", "02:00:00", "02:30:00"]
        )
    }

    @Test func `a time that the clock skips or shows twice is known as one`() throws {
        var clock = ZoneClock(try TimeZoneRules.named("Europe/London"))
        #expect(clock.instants(showing: try instant(2012, 3, 25, 1, 30)) == nil)
        let twice = clock.instants(showing: try instant(2012, 10, 28, 1, 30))
        #expect(twice?.first == (try instant(2012, 10, 28, 0, 30)))
        #expect(twice?.second == (try instant(2012, 10, 28, 1, 30)))
        let once = clock.instants(showing: try instant(2012, 6, 1, 12))
        #expect(once?.first == (try instant(2012, 6, 1, 11)))
        #expect(once?.second == nil)
    }
}
