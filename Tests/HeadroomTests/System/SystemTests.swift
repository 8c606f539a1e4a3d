import CLibrary
import TestSupport
import Testing

@testable import Headroom

/// What the library asks of a system, whichever half of it is built: see `Sources/Headroom/System`.
@Suite struct SystemTests {
    /// Something to wait for.
    private final class Flag: Sendable {
        let wakeUp = WakeUp()
        var descriptor: Int32 { wakeUp.descriptor }
        init(isUp: Bool) { if isUp { wakeUp.raise() } }
    }

    private func next(_ queue: EventQueue) -> [UInt64] {
        var found: [UInt64] = []
        while found.isEmpty { queue.wait { identifier, _ in found.append(identifier) } }
        return found
    }

    /// What the queue has to say before a millisecond is over.
    private func soon(_ queue: EventQueue) -> [UInt64] {
        queue.setTimer(after: .milliseconds(1))
        var found: [UInt64] = []
        while found.last != EventQueue.timerIdentifier { found += next(queue) }
        queue.noteTimer()
        return found.dropLast()
    }

    @Test func `a descriptor that is watched once is reported once, until it is watched again`() throws {
        let (queue, flag) = (try EventQueue(), Flag(isUp: true))
        #expect(queue.watchOnce(flag.descriptor, events: Int32(POLLIN), as: 7))
        #expect(next(queue) == [7])
        #expect(soon(queue) == [])
        #expect(queue.watchOnce(flag.descriptor, events: Int32(POLLIN), as: 8))
        #expect(next(queue) == [8])
        withExtendedLifetime(flag) {}
    }

    @Test func `a watched descriptor is reported for as long as it can be read`() throws {
        let (queue, flag) = (try EventQueue(), Flag(isUp: true))
        queue.watch(flag.descriptor, as: 7)
        #expect(next(queue) == [7])
        #expect(next(queue) == [7])
        flag.wakeUp.lower()
        #expect(soon(queue) == [])
        flag.wakeUp.raise()
        #expect(next(queue) == [7])
    }

    @Test func `a forgotten descriptor is not reported, and one that cannot be watched is refused`() throws {
        let (queue, flag) = (try EventQueue(), Flag(isUp: true))
        #expect(queue.watchOnce(flag.descriptor, events: Int32(POLLIN), as: 7))
        queue.forget(flag.descriptor)
        #expect(soon(queue) == [])
        #expect(!queue.watchOnce(-1, events: Int32(POLLIN), as: 8))
        withExtendedLifetime(flag) {}
    }

    @Test func `whoever begins to watch is heard by a thread that sleeps already`() throws {
        let (queue, flag) = (try EventQueue(), Flag(isUp: true))
        // Its sleep would end by itself only now; sooner by a change.
        queue.setTimer(after: .seconds(3600))
        try startDetachedThread(named: "test-watch") {
            usleep(20_000)
            _ = queue.watchOnce(flag.descriptor, events: Int32(POLLIN), as: 7)
        }
        #expect(next(queue) == [7])
        try startDetachedThread(named: "test-timer") {
            usleep(20_000)
            queue.setTimer(after: .milliseconds(1))
        }
        #expect(next(queue) == [EventQueue.timerIdentifier])
    }

    @Test func `a wake-up is seen however often it is raised, until it is lowered`() {
        let flag = Flag(isUp: false)
        #expect(!EventQueue.poll(flag.descriptor, events: Int32(POLLIN), within: .zero))
        // More than a pipe holds.
        for _ in 0..<70_000 { flag.wakeUp.raise() }
        #expect(EventQueue.poll(flag.descriptor, events: Int32(POLLIN), within: .zero))
        flag.wakeUp.lower()
        #expect(!EventQueue.poll(flag.descriptor, events: Int32(POLLIN), within: .zero))
    }

    @Test func `all who listen to a file hear that it is rung, also before they wait`() async throws {
        let folder = TemporaryFolder()
        let path = folder.write("", to: "bell")
        let listeners = try (0..<3).map { _ in try #require(FileWatch(path)) }
        let signal = try StateFolder.openShared(path)
        defer { close(signal) }
        for _ in 0..<3 {
            FileWatch.post(signal)
            FileWatch.post(signal)
            for listener in listeners {
                #expect(await listener.wait(until: .now + .seconds(30)) == .ready)
                #expect(await listener.wait(until: .now + .milliseconds(1)) == .deadlinePassed)
            }
        }
    }

    @Test func `a listener that is told hears every ring until it is gone`() async throws {
        let folder = TemporaryFolder()
        let path = folder.write("", to: "bell")
        let signal = try StateFolder.openShared(path)
        defer { close(signal) }
        let (heard, hears) = AsyncStream.makeStream(of: Bool.self)
        var rings = heard.makeAsyncIterator()
        do {
            let listener = try #require(FileWatch(path))
            listener.tell { hears.yield($0.wasPosted) }
            for _ in 0..<3 {
                FileWatch.post(signal)
                #expect(await rings.next() == true)
            }
            withExtendedLifetime(listener) {}
        }
        FileWatch.post(signal)
        let silence = try #require(FileWatch(path))
        #expect(await silence.wait(until: .now + .milliseconds(50)) == .deadlinePassed)
        hears.finish()
        #expect(await rings.next() == nil)
    }

    @Test func `a process that runs has a start, and an id that is nobody's has none`() throws {
        #expect(Machine.start(of: getpid()) != nil)
        #expect(Machine.start(of: getpid()) == Machine.start(of: getpid()))
        #expect(Machine.start(of: 0x7fff_fff0) == nil)
        #expect(!Machine.bootID.isEmpty)
    }
}
