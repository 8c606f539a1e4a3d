import HeadroomWatch
import Testing

@testable import HeadroomWeb

struct TimelineTests {
    private func sample(_ time: Double, used: Int, limit: Int = 10, isRefused: Bool = false) -> GuardSample {
        var sample = GuardSample(time: time, level: .ok)
        sample.used = used
        sample.limit = limit
        sample.isRefused = isRefused
        return sample
    }

    @Test func `Nothing lies at the bottom, the limit at the top of the bands`() {
        // A look in each of the 250 columns.
        let empty = Timeline((0..<250).map { sample(Double($0), used: 0) }, [], from: 0, to: 250)
        #expect(empty.line.hasPrefix("M0 220"))
        let full = Timeline((0..<250).map { sample(Double($0), used: 10) }, [], from: 0, to: 250)
        #expect(full.line.hasPrefix("M0 20"))
        #expect(full.area.hasSuffix("V220H0Z"))
        #expect(full.unseen.isEmpty)
    }

    @Test func `A stretch without looks is shown as one, and not bridged`() {
        let samples = (0..<50).map { sample(Double($0), used: 5) } + (200..<250).map { sample(Double($0), used: 5) }
        let timeline = Timeline(samples, [], from: 0, to: 250)
        #expect(timeline.unseen.count == 1)
        #expect(timeline.unseen.first?.upperBound == 800)
        #expect(timeline.line.filter { $0 == "M" }.count == 2)
    }

    @Test func `Between looks that are rarer than columns the last one holds`() {
        let samples = stride(from: 0.0, through: 250, by: 10).map { sample($0, used: 5) }
        #expect(Timeline(samples, [], from: 0, to: 250).unseen.isEmpty)
    }

    @Test func `Of several looks in a column the highest counts`() {
        let timeline = Timeline(
            [sample(0.1, used: 2), sample(0.2, used: 9), sample(0.3, used: 1)],
            [],
            from: 0,
            to: 250
        )
        #expect(timeline.line.hasPrefix("M0 40"))
        #expect(timeline.peak?.used == 9)
    }

    @Test func `Refusals and kills are marked where they happened`() {
        let refused = sample(125, used: 10, isRefused: true)
        let kills = [1.0, 1.1, 300]
            .map {
                GuardEvent(time: $0, kind: .kill, change: .noted, level: .ok, subject: "1", message: "killed")
            }
        let timeline = Timeline([refused], kills, from: 0, to: 250)
        #expect(timeline.refusals.map(\.x) == [502])
        #expect(timeline.kills == [Timeline.Mark(x: 6, text: "2 sessions ended")])
        #expect(timeline.refusedLooks == 1)
        #expect(timeline.killCount == 2)
    }

    @Test func `More in use than the limit allows, after it was lowered, stays within the drawing`() {
        let timeline = Timeline([sample(1, used: 30, limit: 10)], [], from: 0, to: 250)
        #expect(timeline.line.hasPrefix("M4 20"))
    }
}
