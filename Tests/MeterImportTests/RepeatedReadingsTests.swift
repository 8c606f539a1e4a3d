import TestSupport
import Testing

@testable import MeterImport

/// Readings that come again are found in as many passes as memory makes needed.
@Suite struct RepeatedReadingsTests {
    @Test(arguments: [(10, 1), (1_000, 3), (100_000, 40_000)])
    func `every time that comes again is looked at once, however little room there is`(most: Int, pages: Int) {
        var random = Seeded(7)
        let keys = (0..<2_000)
            .map { _ in
                BitPages.key(
                    Int.random(in: 0..<40_000, using: &random),
                    of: UInt64(Int.random(in: 0..<9, using: &random))
                )
            }
        var repeats = RepeatedReadings(most: most, pages: pages)
        for key in keys { repeats.note(key) }
        var seen: [UInt64: Int] = [:]
        var passes = 0
        while repeats.beginPass(flags: nil, words: []) {
            passes += 1
            for key in repeats.waiting { seen[key, default: 0] += 1 }
            for key in keys { repeats.note(key) }
        }
        var counts: [UInt64: Int] = [:]
        for key in keys { counts[key, default: 0] += 1 }
        let wanted = Set(counts.filter { $0.value > 1 }.keys)
        #expect(Set(seen.keys) == wanted && seen.values.allSatisfy { $0 == 1 })
        #expect(passes > 1 || most > 1_000)
    }
}
