import Synchronization
import Testing

@testable import Alerting

@Suite struct AlertCourierTests {
    /// A channel that sends nothing before it is opened, and then refuses what it is told to.
    private final class SlowChannel: AlertChannel {
        struct Refusal: Error {}

        let name = "slow"
        let isOpen = AsyncStream<Void>.makeStream()
        let refused: String?
        let sent = Mutex<[String]>([])

        init(refusing refused: String? = nil) {
            self.refused = refused
        }

        func send(_ alert: Alert) async throws {
            for await _ in isOpen.stream { break }
            try Task.checkCancellation()
            if alert.message == refused { throw Refusal() }
            sent.withLock { $0.append(alert.message) }
        }
    }

    private func alert(_ message: String) -> Alert { Alert(title: "", message: message, advice: "", facts: []) }

    @Test func `alerts go out in their order, and only what went out is noted as sent`() async {
        let channel = SlowChannel(refusing: "2")
        let failures = Mutex<[String]>([])
        let noted = Mutex<[String]>([])
        let courier = AlertCourier([channel]) { name, _ in failures.withLock { $0.append(name) } }
        for message in ["1", "2", "3"] { courier.post(alert(message)) { noted.withLock { $0.append(message) } } }
        channel.isOpen.continuation.finish()
        await courier.finish(within: .seconds(30))
        let (sent, notes, given) = (channel.sent.withLock(\.self), noted.withLock(\.self), failures.withLock(\.self))
        #expect(sent == ["1", "3"])
        #expect(notes == ["1", "3"])
        #expect(given == ["slow"])
    }

    @Test func `of more alerts than may wait the oldest are given up, and that is said`() async {
        let channel = SlowChannel()
        let failures = Mutex<[String]>([])
        let courier = AlertCourier([channel]) { _, error in failures.withLock { $0.append("\(error)") } }
        for number in 1...150 { courier.post(alert("\(number)")) }
        channel.isOpen.continuation.finish()
        await courier.finish(within: .seconds(30))
        let (sent, given) = (channel.sent.withLock(\.self), failures.withLock(\.self))
        // One may have been on its way already.
        #expect((100...101).contains(sent.count) && sent.last == "150")
        #expect(sent.count + given.count == 150)
        #expect(given.allSatisfy { $0.contains("100 alerts wait already") })
    }

    @Test func `what a channel has not sent in time is given up, and that is said`() async {
        let channel = SlowChannel()
        let failures = Mutex(0)
        let courier = AlertCourier([channel]) { _, _ in failures.withLock { $0 += 1 } }
        courier.post(alert("1")) { Issue.record("It was not sent.") }
        await courier.finish(within: .milliseconds(20))
        let (sent, given) = (channel.sent.withLock(\.self), failures.withLock(\.self))
        #expect(sent.isEmpty)
        #expect(given == 1)
    }
}
