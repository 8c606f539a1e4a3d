import Glibc
import TestSupport
import Testing

@testable import MeterImport

/// Files in layouts of all kinds: what is read is what was written, or the file is refused.
@Suite struct LayoutTests {
    private let folder = TemporaryFolder()

    /// How many files: 300, in a full run 20,000, or what `HEADROOM_TEST_FILES` says.
    private static let count =
        getenv("HEADROOM_TEST_FILES").flatMap { Int(String(cString: $0)) } ?? (isFullRun ? 20_000 : 300)

    /// The seeds of a round; only the one that `HEADROOM_TEST_SEED` says, to run what failed again.
    private static func seeds(_ round: UInt64) -> [UInt64] {
        if let one = getenv("HEADROOM_TEST_SEED").flatMap({ UInt64(String(cString: $0)) }) {
            return one / 1_000_000 == round ? [one] : []
        }
        return (0..<UInt64(count / 20)).map { round * 1_000_000 + $0 }
    }

    @Test(arguments: 0..<20)
    func `what is stored is what was rendered, or the file is refused`(round: UInt64) throws {
        var refused: [String] = []
        let seeds = Self.seeds(round)
        for seed in seeds {
            let layout = RandomLayout(seed: seed)
            let bytes = layout.isUTF16 ? layout.text.inUTF16 : Array(layout.text.utf8)
            let path = folder.write(bytes, to: "\(round).csv")
            let told: Comment = "seed \(seed): \(layout.story.joined(separator: ", "))"
            do {
                try check(layout, path, told)
            } catch let error as ImportError {
                guard layout.trap == nil else { continue }
                refused.append(
                    "seed \(seed): \(layout.story.joined(separator: ", ")): \(error.description.prefix(300))"
                )
            }
        }
        if getenv("HEADROOM_TEST_SEED") != nil { print(refused.joined(separator: "\n")) }
        // Most can be understood; what is refused must have a reason, which these are for.
        #expect(seeds.count < 2 || refused.count * 3 <= seeds.count, "\(refused.joined(separator: "\n"))")
    }

    private func check(_ layout: RandomLayout, _ path: String, _ told: Comment) throws {
        let reader = try RowReader(path: path, type: layout.type, options: layout.options)
        var found: [RandomLayout.Key: RandomLayout.Value] = [:]
        var rejected: [RejectedRow] = []
        while let chunk = try reader.next() {
            rejected += chunk.rejected
            for reading in chunk.readings {
                let key = RandomLayout.Key(
                    meter: chunk.meters[reading.meter],
                    day: reading.date.days,
                    period: reading.period ?? 0
                )
                found[key] = RandomLayout.Value(thousandths: reading.energy.thousandths, type: reading.type)
            }
        }
        let wrong = found.filter {
            layout.expected[$0.key] != $0.value && !(layout.unholdable.contains($0.key.day) && $0.key.period > 4)
        }
        let missing = layout.expected.filter { found[$0.key] == nil && !layout.unholdable.contains($0.key.day) }
        guard wrong.isEmpty, missing.isEmpty else {
            let first = wrong.min { ($0.key.day, $0.key.period) < ($1.key.day, $1.key.period) }
            let lost = missing.min { ($0.key.day, $0.key.period) < ($1.key.day, $1.key.period) }
            let lines = reader.study.understanding?.lines.joined(separator: "; ") ?? ""
            Issue.record(
                "\(told) stored \(found.count) of \(layout.expected.count), \(wrong.count) wrong (\(first.map { "\(CalendarDate(days: $0.key.day).text) \($0)" } ?? "")), \(missing.count) missing (\(lost.map { "\(CalendarDate(days: $0.key.day).text) \($0)" } ?? "")), rejected: \(rejected.first?.reason ?? "none"); \(lines)"
            )
            return
        }
    }
}
