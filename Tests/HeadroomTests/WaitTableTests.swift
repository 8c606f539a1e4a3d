import Testing

@testable import Headroom

/// A wait ends exactly once, in whatever order its ready event, its deadline and its cancellation come.
@Suite struct WaitTableTests {
    private let now = ContinuousClock.now

    @Test func `a wait ends when its descriptor is ready, and only once`() {
        var table = WaitTable<String>()
        let refused = table.register(1, waiter: "a", descriptor: 7, deadline: nil)
        #expect(refused?.waiter == nil)
        let ended = table.end(1, .ready)
        #expect(ended?.waiter == "a")
        #expect(ended?.descriptor == 7)
        #expect(ended?.outcome == .ready)
        let again = table.end(1, .ready)
        #expect(again?.waiter == nil)
        let expired = table.expire(at: now + .seconds(100))
        #expect(expired.isEmpty)
    }

    @Test func `a cancellation before the registration ends the wait at once`() {
        var table = WaitTable<String>()
        let early = table.cancel(1)
        #expect(early?.waiter == nil)
        let ended = table.register(1, waiter: "a", descriptor: 7, deadline: nil)
        #expect(ended?.outcome == .cancelled)
        // It was never watched, so there is no descriptor to take back.
        #expect(ended?.descriptor == nil)
        let count = table.count
        #expect(count == 0)
    }

    @Test func `a cancellation after the end leaves nothing once it is forgotten`() {
        var table = WaitTable<String>()
        _ = table.register(1, waiter: "a", descriptor: 7, deadline: nil)
        _ = table.end(1, .ready)
        let late = table.cancel(1)
        #expect(late?.waiter == nil)
        table.forget(1)
        let count = table.count
        #expect(count == 0)
    }

    @Test func `forgetting does not end a wait under way`() {
        var table = WaitTable<String>()
        _ = table.register(1, waiter: "a", descriptor: 7, deadline: nil)
        table.forget(1)
        let ended = table.end(1, .ready)
        #expect(ended?.waiter == "a")
    }

    @Test func `the earliest deadline comes first, and ends only what is due`() {
        var table = WaitTable<String>()
        _ = table.register(1, waiter: "late", descriptor: nil, deadline: now + .seconds(2))
        _ = table.register(2, waiter: "soon", descriptor: nil, deadline: now + .seconds(1))
        _ = table.register(3, waiter: "never", descriptor: nil, deadline: nil)
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
}
