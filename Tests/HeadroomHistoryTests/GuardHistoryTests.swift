import HeadroomHistory
import HeadroomWatch
import TestSupport
import Testing

/// The guard's history as a file.
struct GuardHistoryTests {
    private func round(_ time: Double, events: [GuardEvent] = []) -> GuardRound {
        var sample = GuardSample(time: time, level: .caution)
        sample.limit = 10
        sample.used = 7
        return GuardRound(sample: sample, events: events, memory: GuardMemory())
    }

    @Test func `what was added is read again, by another process's eyes too`() async throws {
        let folder = TemporaryFolder()
        let history = try GuardHistory("\(folder.path)/history.sqlite")
        let event = GuardEvent(
            time: 5,
            kind: .level,
            change: .raised,
            level: .caution,
            message: "It's \"7\" of 10",
            advice: "do"
        )
        var gap = round(5, events: [event])
        gap.sample.gap = 300
        gap.sample.error = "server_unreachable"
        gap.sample.serverCode = 2002
        try await history.add(round(1))
        try await history.add(gap)
        let reader = try GuardHistory(reading: "\(folder.path)/history.sqlite")
        let samples = try await reader.samples(since: 0)
        #expect(samples == [round(1).sample, gap.sample])
        #expect(try await reader.samples(since: 2).count == 1)
        #expect(try await reader.events(since: 0) == [event])
        #expect(try await reader.memory() == GuardMemory())
    }

    @Test func `what is older than the days kept is pruned`() async throws {
        let folder = TemporaryFolder()
        let history = try GuardHistory("\(folder.path)/history.sqlite", days: 2)
        let day = 86_400.0
        for time in [1, day, 3 * day, 4 * day] { try await history.add(round(time)) }
        try await history.prune(at: 4 * day)
        let times = try await history.samples(since: 0).map(\.time)
        #expect(times == [3 * day, 4 * day])
    }

    @Test func `a file that is none is an error, not a crash`() throws {
        #expect(throws: (any Error).self) { try GuardHistory("/dev/null/history.sqlite") }
        #expect(throws: (any Error).self) { try GuardHistory(reading: "/nowhere/history.sqlite") }
    }
}
