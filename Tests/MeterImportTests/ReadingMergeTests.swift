import Testing

@testable import MeterImport

/// What becomes of a chunk's half-hours, decided without a database.
@Suite struct ReadingMergeTests {
    private func reading(_ period: Int, _ value: Int64, _ type: ReadingType = .actual, meter: Int = 0) -> Reading {
        Reading(
            meter: meter,
            halfHour: HalfHour(date: CalendarDate(days: 19_000), seconds: (period - 1) * 1800, period: period),
            energy: Energy(thousandths: value),
            type: type
        )
    }

    private func key(_ period: Int) -> ReadingMerge.Key {
        ReadingMerge.Key(meterID: 7, day: 19_000, seconds: Int32((period - 1) * 1800), period: Int16(period))
    }

    private func merge(_ readings: [Reading], stored: [ReadingMerge.Key: ReadingMerge.Stored] = [:]) -> ReadingMerge {
        ReadingMerge(readings, meterIDs: [7], repeated: .byPeriod, stored: stored)
    }

    @Test func `of two readings of one half-hour the last one wins, but an estimate never replaces an actual one`() {
        let found = merge([
            reading(1, 1), reading(1, 2), reading(2, 3), reading(2, 4, .estimated), reading(3, 5, .estimated),
            reading(3, 6),
        ])
        #expect(found.inserts == [reading(1, 2), reading(2, 3), reading(3, 6)])
        #expect(found.duplicates == 3)
    }

    @Test func `a row that holds the same gets only its batch, another its value, an actual one stays`() {
        let stored: [ReadingMerge.Key: ReadingMerge.Stored] = [
            key(1): .init(id: 11, thousandths: 1, type: .actual),
            key(2): .init(id: 12, thousandths: 9, type: .actual),
            key(3): .init(id: 13, thousandths: 3, type: .actual),
            key(4): .init(id: 14, thousandths: nil, type: .actual),
        ]
        let found = merge(
            [reading(1, 1), reading(2, 2), reading(3, 7, .estimated), reading(4, 4), reading(5, 5)],
            stored: stored
        )
        #expect(found.same == [11])
        #expect(found.updates.map(\.id) == [12, 14])
        #expect(found.updates.map(\.reading) == [reading(2, 2), reading(4, 4)])
        #expect(found.inserts == [reading(5, 5)])
        #expect(found.duplicates == 4)
    }

    @Test func `ids that follow each other are put together, in whatever order they come`() {
        let ranges = IDRanges([9, 3, 4, 20, 5, 10, 1])
        #expect(ranges.long == [3...5, 9...10])
        #expect(ranges.single == [1, 20])
        #expect(IDRanges([]).long.isEmpty && IDRanges([]).single.isEmpty)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let ids = Set(
                (0..<Int.random(in: 0...60, using: &random)).map { _ in Int.random(in: 1...80, using: &random) }
            )
            let ranges = IDRanges(ids.shuffled())
            #expect((ranges.long.flatMap(Array.init) + ranges.single).sorted() == ids.sorted())
        }
    }

    @Test func `halves are of whole days, and always alike`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let readings = (0..<Int.random(in: 0...300, using: &random))
                .map { _ in
                    Reading(
                        meter: Int.random(in: 0..<4, using: &random),
                        day: CalendarDate(days: Int.random(in: 0..<10, using: &random)),
                        energy: Energy(thousandths: 0),
                        type: .actual
                    )
                }
            let halves = ChunkHalves(readings)
            func days(_ readings: [Reading]) -> Set<[Int]> { Set(readings.map { [$0.meter, $0.date.days] }) }
            #expect(days(halves.first).isDisjoint(with: days(halves.second)))
            #expect(halves.first.count + halves.second.count == readings.count)
            let again = ChunkHalves(readings)
            #expect(again.first == halves.first && again.second == halves.second)
        }
    }

    @Test func `whichever of two sessions is behind stores its half, and only that`() {
        #expect(PartsToStore(end: 100, first: 50, second: 50) == PartsToStore(end: 100, first: 0, second: 0))
        let behind = PartsToStore(end: 100, first: 100, second: 50)
        #expect(!behind.first && behind.second)
        let ahead = PartsToStore(end: 100, first: 50, second: 100)
        #expect(ahead.first && !ahead.second)
    }
}
