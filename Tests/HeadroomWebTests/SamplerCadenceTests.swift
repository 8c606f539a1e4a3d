import Headroom
import Testing

@testable import HeadroomWeb

struct SamplerCadenceTests {
    private let start = ContinuousClock.now

    @Test func `Nobody watches: nothing is looked at`() {
        let cadence = SamplerCadence(interval: .seconds(2))
        #expect(cadence.decision(at: start) == .rest)
    }

    @Test func `A hundred viewers cost one look an interval`() {
        var cadence = SamplerCadence(interval: .seconds(2))
        for _ in 0..<100 { cadence.viewerCame() }
        var looks = 0
        for tenth in 0..<100 {
            let now = start + .milliseconds(100 * tenth)
            if cadence.decision(at: now) == .look {
                looks += 1
                cadence.lookBegan(at: now)
                cadence.lookEnded(at: now, error: nil)
            }
        }
        #expect(looks == 5)
    }

    @Test func `What is asked for while it is fresh, or being looked at, opens no connection`() {
        var cadence = SamplerCadence(interval: .seconds(2))
        #expect(cadence.isDue(at: start))
        cadence.lookBegan(at: start)
        #expect(!cadence.isDue(at: start + .seconds(10)))
        cadence.lookEnded(at: start + .milliseconds(5), error: nil)
        #expect(!cadence.isDue(at: start + .milliseconds(1999)))
        #expect(cadence.isDue(at: start + .seconds(2)))
    }

    @Test func `A wrong password is tried less and less often, a full account at every turn`() {
        var cadence = SamplerCadence(interval: .seconds(2))
        cadence.viewerCame()
        let denied = DatabaseError(.accessDenied, message: "", advice: "")
        cadence.lookBegan(at: start)
        cadence.lookEnded(at: start, error: denied)
        cadence.lookBegan(at: start)
        cadence.lookEnded(at: start, error: denied)
        #expect(cadence.decision(at: start + .seconds(7)) == .wait(until: start + .seconds(8)))
        let full = DatabaseError(.accountLimitReached, message: "", advice: "")
        cadence.lookBegan(at: start)
        cadence.lookEnded(at: start, error: full)
        #expect(cadence.decision(at: start + .seconds(2)) == .look)
    }

    @Test func `The last viewer leaves: no more looks`() {
        var cadence = SamplerCadence(interval: .seconds(2))
        cadence.viewerCame()
        #expect(cadence.decision(at: start) == .look)
        cadence.viewerLeft()
        #expect(cadence.decision(at: start) == .rest)
    }
}
