import Testing

@testable import Headroom

/// A server that is near is polled for; one that is far is not, except now and then.
@Suite struct AdaptivePollTests {
    @Test func `a server that answers in time is always polled for`() {
        var wait = AdaptivePoll()
        for _ in 0..<1_000 {
            let polls = wait.shouldPoll()
            #expect(polls)
            wait.polled(answered: true)
        }
    }

    @Test func `a server that is slow is soon polled for one wait in 32 at most`() {
        var wait = AdaptivePoll()
        var polls = 0
        for _ in 0..<3_200 where wait.shouldPoll() {
            polls += 1
            wait.polled(answered: false)
        }
        #expect(polls <= 4 + 3_200 / 31)
        #expect(polls >= 3_200 / 40)
    }

    @Test func `one answer in time brings the polls back`() {
        var wait = AdaptivePoll()
        for _ in 0..<10 where wait.shouldPoll() { wait.polled(answered: false) }
        while !wait.shouldPoll() {}
        wait.polled(answered: true)
        let polls = wait.shouldPoll()
        #expect(polls)
    }
}
