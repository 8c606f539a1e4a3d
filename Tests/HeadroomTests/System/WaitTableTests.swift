import Testing

@testable import Headroom

/// A wait ends exactly once, in whatever order what it waits for, its deadline and its cancellation come.
@Suite struct WaitTableTests {
    private let now = ContinuousClock.now

    @Test func `a wait ends when its descriptor is ready, and only once`() {
        var table = WaitTable<String>()
        let wait = table.reserve()
        #expect(table.restOutcome(wait, "a", descriptor: 7) == nil)
        let ended = table.endOutcome(wait, .ready)
        #expect(ended == "a ready 7")
        #expect(table.endOutcome(wait, .ready) == "too late")
        let expired = table.expire(at: now + .seconds(100))
        #expect(expired.isEmpty)
        let count = table.count
        #expect(count == 0)
    }

    @Test(arguments: [WaitTable<String>.Outcome.ready, .cancelled])
    func `an end before the waiter rests keeps it from resting`(outcome: WaitTable<String>.Outcome) {
        var table = WaitTable<String>()
        let wait = table.reserve()
        #expect(table.endOutcome(wait, outcome) == "early")
        // The first end holds: a grant after a cancellation is not taken, nor the other way round.
        #expect(table.endOutcome(wait, .ready) == "too late")
        #expect(table.endOutcome(wait, .cancelled) == "too late")
        #expect(table.restOutcome(wait, "a", descriptor: 7) == outcome)
        let count = table.count
        #expect(count == 0)
    }

    @Test func `a cancellation after the end leaves nothing behind`() {
        var table = WaitTable<String>()
        let wait = table.reserve()
        _ = table.restOutcome(wait, "a")
        _ = table.endOutcome(wait, .ready)
        #expect(table.endOutcome(wait, .cancelled) == "too late")
        let count = table.count
        #expect(count == 0)
    }

    @Test func `the earliest deadline comes first, and ends only what is due`() {
        var table = WaitTable<String>()
        for (name, deadline) in [("late", now + .seconds(2)), ("soon", now + .seconds(1)), ("never", nil)] {
            let wait = table.reserve()
            _ = table.restOutcome(wait, name, deadline: deadline)
        }
        let soonest = table.nextDeadline
        #expect(soonest == now + .seconds(1))
        let ended = table.expire(at: now + .seconds(1))
        #expect(ended.map(\.waiter) == ["soon"])
        #expect(ended.map(\.outcome) == [.deadlinePassed])
        let next = table.nextDeadline
        #expect(next == now + .seconds(2))
        let count = table.count
        #expect(count == 2)
    }

    @Test func `deadlines of waits that have ended do not pile up, and end nobody else`() {
        var table = WaitTable<String>()
        let patient = table.reserve()
        _ = table.restOutcome(patient, "patient", deadline: now + .seconds(60))
        for _ in 0..<10_000 {
            let wait = table.reserve()
            _ = table.restOutcome(wait, "a", deadline: now + .seconds(30))
            _ = table.endOutcome(wait, .ready)
        }
        let kept = table.deadlineCount
        #expect(kept < 100)
        let ended = table.expire(at: now + .seconds(60))
        #expect(ended.map(\.waiter) == ["patient"])
    }
}

extension WaitTable<String> {
    fileprivate mutating func restOutcome(
        _ wait: UInt64,
        _ waiter: String,
        descriptor: Int32? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) -> Outcome? {
        rest(wait, waiter: waiter, descriptor: descriptor, deadline: deadline)?.outcome
    }

    fileprivate mutating func endOutcome(_ wait: UInt64, _ outcome: Outcome) -> String {
        switch end(wait, outcome) {
        case .tooLate: "too late"
        case .early: "early"
        case .ended(let ended):
            "\(ended.waiter) \(ended.outcome)\(ended.descriptor.map { " \($0)" } ?? "")"
        }
    }
}
