import NIOCore
import Synchronization
import Testing

@testable import HeadroomWeb

struct RequestClockTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000_000) + .seconds(seconds) }

    @Test func `A connection has 10 s for its first request's head, however it drips, and 30 s between requests`() {
        var clock = RequestClock(now: at(0))
        #expect(clock.deadline == at(10))
        #expect(clock.isIncomplete)
        clock.headCame(at: at(3))
        clock.requestEnded(at: at(3))
        #expect(clock.deadline == nil)
        #expect(!clock.isIncomplete)
        clock.answered(at: at(100))
        #expect(clock.deadline == at(130))
        #expect(clock.isIncomplete)
    }

    @Test func `A body has 20 s and what its bytes take at 8 kB a second, not 20 s for each byte`() {
        var clock = RequestClock(now: at(0))
        clock.headCame(at: at(1))
        for _ in 0..<100 { clock.bodyCame(1) }
        #expect(clock.deadline == at(21))
        clock.bodyCame(8192 * 60)
        #expect(clock.deadline == at(81))
        #expect(clock.isIncomplete)
    }

    @Test func `What is left of a body after the answer has 5 s`() {
        var clock = RequestClock(now: at(0))
        clock.headCame(at: at(1))
        clock.bodyCame(8192 * 60)
        clock.answered(at: at(4))
        #expect(clock.deadline == at(9))
    }

    @Test func `A client that takes nothing of its answer has 30 s, and one that does has no end`() {
        var clock = RequestClock(now: at(0))
        clock.headCame(at: at(1))
        clock.requestEnded(at: at(1))
        clock.canWrite(false, at: at(2))
        clock.canWrite(false, at: at(20))
        #expect(clock.deadline == at(32))
        // Whoever comes when all connections are taken comes in its place.
        #expect(clock.isIncomplete)
        clock.canWrite(true, at: at(31))
        #expect(clock.deadline == nil)
    }

    @Test func `Requests that come before the answers are answered each, and no deadline runs meanwhile`() {
        var clock = RequestClock(now: at(0))
        for _ in 0..<3 {
            clock.headCame(at: at(1))
            clock.requestEnded(at: at(1))
        }
        clock.answered(at: at(2))
        clock.answered(at: at(3))
        #expect(clock.deadline == nil)
        clock.answered(at: at(4))
        #expect(clock.deadline == at(34))
    }

    @Test func `A client that has four requests unanswered and sends another waits for no answer`() {
        var clock = RequestClock(now: at(0))
        for count in 1...5 {
            clock.headCame(at: at(1))
            clock.requestEnded(at: at(1))
            #expect(clock.isFlooding == (count == 5))
        }
    }

    @Test func `A client that has not signed in has 16 requests at once, and four a second`() {
        var clock = RequestClock(now: at(0))
        for _ in 0..<16 {
            #expect(clock.strangersNext <= at(0) + .milliseconds(-250))
            clock.headCame(at: at(0))
            clock.answered(at: at(0))
        }
        #expect(clock.strangersNext == at(0))
        for _ in 0..<8 { clock.headCame(at: at(0)) }
        #expect(clock.strangersNext == at(2))
        // Who was silent for long has no more than the 16.
        clock.headCame(at: at(1000))
        #expect(clock.strangersNext == at(996) + .milliseconds(250))
    }
}

struct ConnectionTableTests {
    @Test func `Who comes gets in, and who has owed a request for longest goes`() {
        var table = ConnectionTable<Int>(most: 3)
        for id in 1...3 { #expect(table.open(id, from: nil) == .admitted) }
        table.note(1, isIncomplete: false)
        #expect(table.open(4, from: nil) == .instead(of: 2))
        #expect(table.open(5, from: nil) == .instead(of: 3))
        // Its request was answered, so that it has waited for a shorter time than 4.
        table.note(1, isIncomplete: true)
        #expect(table.open(6, from: nil) == .instead(of: 4))
        #expect(table.open(7, from: nil) == .instead(of: 5))
        #expect(table.open(8, from: nil) == .instead(of: 1))
        #expect(table.count == 3)
    }

    @Test func `Who has signed in goes last, and who is being answered never`() {
        var table = ConnectionTable<Int>(most: 2)
        _ = table.open(1, from: nil)
        table.noteKnown(1)
        _ = table.open(2, from: nil)
        #expect(table.open(3, from: nil) == .instead(of: 2))
        table.note(3, isIncomplete: false)
        #expect(table.open(4, from: nil) == .instead(of: 1))
        table.note(4, isIncomplete: false)
        #expect(table.open(5, from: nil) == .refused)
        table.close(4)
        #expect(table.open(6, from: nil) == .admitted)
    }

    @Test func `An address has an eighth of all, and takes no other's`() {
        var table = ConnectionTable<Int>(most: 80)
        for id in 0..<10 { #expect(table.open(id, from: "192.0.2.1") == .admitted) }
        #expect(table.open(10, from: "192.0.2.1") == .instead(of: 0))
        #expect(table.open(11, from: "192.0.2.2") == .admitted)
        for id in 1...10 { table.note(id, isIncomplete: false) }
        #expect(table.open(12, from: "192.0.2.1") == .refused)
        #expect(table.count == 11)
    }

    @Test func `However many come, no more are held than may be`() {
        var table = ConnectionTable<Int>(most: 50)
        var random = SystemRandomNumberGenerator()
        for id in 0..<20_000 {
            _ = table.open(id, from: Bool.random(using: &random) ? nil : "\(id % 7)")
            table.note(Int.random(in: 0...id, using: &random), isIncomplete: Bool.random(using: &random))
            if id % 11 == 0 { table.close(Int.random(in: 0...id, using: &random)) }
            #expect(table.count <= 50)
        }
    }
}

struct AddressRangeTests {
    @Test func `Whoever has an address of IPv6 has all of its half, and no more`() {
        #expect(AddressRange.of("2001:db8::1") == AddressRange.of("2001:db8::ffff:1"))
        #expect(AddressRange.of("2001:db8::1") != AddressRange.of("2001:db8:0:1::1"))
        #expect(AddressRange.of("::ffff:192.0.2.1") == "192.0.2.1")
        #expect(AddressRange.of("192.0.2.1") == "192.0.2.1")
        #expect(AddressRange.of("local") == "local")
    }
}

struct LiveStreamsTests {
    @Test func `A session's streams end with it, and no other's; a session has 32, all together 256`() {
        let streams = LiveStreams()
        let ended = Mutex(0)
        for _ in 0..<32 { #expect(streams.add(session: "a", end: { ended.withLock { $0 += 1 } }) != nil) }
        #expect(streams.add(session: "a", end: {}) == nil)
        #expect(streams.add(session: "b", end: { Issue.record("That session goes on.") }) != nil)
        streams.end(session: "a")
        #expect(ended.withLock(\.self) == 32)
        for _ in 33..<256 { #expect(streams.add(session: nil, end: {}) != nil) }
        #expect(streams.add(session: nil, end: {}) == nil)
        streams.remove(1)
        #expect(streams.add(session: nil, end: {}) != nil)
    }
}
