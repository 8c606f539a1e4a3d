import Testing

@testable import Headroom

/// Waits that another task stops, and moments that another has chosen.
struct StoppableWaitTests {
    @Test func `a wait that begins after all were stopped ends at once`() async {
        let waits = StoppableWait()
        waits.stop()
        let late = EventLoop.shared.reserve()
        waits.begin(late)
        // Else it would end by its time.
        #expect(await late.wait(until: .now + .seconds(20), cancellable: true) == .cancelled)
    }

    @Test(arguments: [Int64.min, -1, 0, 1, 4_000_000_000, .max])
    func `a time of any length is a moment from now on, in some hundred years at most`(seconds: Int64) {
        let before = ContinuousClock.now
        let distance = before.duration(to: .after(.seconds(seconds)))
        #expect(distance >= .zero && distance < .seconds(3_300_000_000))
        if seconds == 1 { #expect(distance < .seconds(3)) }
    }
}
