import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The example application under load, within an account of 10 connections.
///
/// For 3 s, and for 60 s with `scripts/test --load`.
@Suite(
    "The example under load",
    .serialized,
    .enabled(if: Example.canBeLoaded, "wrk is not installed"),
    .timeLimit(.minutes(10))
)
struct WebLoadTests {
    private static let isLong = getenv("HEADROOM_TEST_LOAD") != nil
    private static let seconds = isLong ? 60 : 3

    @Test("64 clients, JSON and streamed CSV: answered, or told when to come back; nobody is refused, nothing is left")
    func load() async throws {
        let readings = "meters/\(Example.mpan)/readings"
        try await withExample { example in
            for path in ["meters", "\(readings)?month=2012-02", "\(readings).csv"] {
                var report = try await example.wrk(path, seconds: Self.seconds)
                // A busy machine may need longer for 64 streams of 35,000 rows.
                if report.answered == 0 { report = try await example.wrk(path, seconds: 10 * Self.seconds) }
                #expect(report.answered > 0 && report.other == 0 && report.unadvised == 0, "\(path): \(report)")
                #expect(report.socketErrors == 0, "\(path): \(report)")
                try await expectNothingLeft(example)
            }
        }
    }

    @Test("Clients that would wait too long get a 503 with Retry-After, and nothing else goes wrong")
    func impatient() async throws {
        try await withExample(arguments: ["--wait", "0.005"]) { example in
            let report = try await example.wrk("meters", seconds: Self.seconds)
            #expect(report.answered > 0 && report.busy > 0, "\(report)")
            #expect(report.unadvised == 0 && report.other == 0 && report.socketErrors == 0, "\(report)")
            try await expectNothingLeft(example)
        }
    }

    @Test("Clients that vanish leave nothing: wrk killed in the middle, and clients that close after sending")
    func vanishing() async throws {
        try await withExample { example in
            for path in ["meters/\(Example.mpan)/readings.csv", "meters"] {
                let wrk = try example.startWrk(path)
                try await Task.sleep(for: .seconds(Self.isLong ? 10 : 1))
                wrk.signal(SIGKILL)
                _ = try await wrk.ended()
                try await expectNothingLeft(example)
            }
            let application = TestApplication(database: Database(example.settings), port: example.port)
            try await withThrowingTaskGroup { group in
                for client in 0..<8 {
                    group.addTask {
                        for round in 0..<(Self.isLong ? 250 : 100) {
                            try await application.withClient { client in
                                try await client.send("GET /meters/\(Example.mpan)/readings.csv")
                                if round % 2 == 0 { _ = try await client.some() }
                                try await client.leave()
                            }
                        }
                        _ = client
                    }
                }
                try await group.waitForAll()
            }
            try await expectNothingLeft(example)
            #expect(try await application.request("GET /meters").status == 200)
        }
    }

    /// Runs the body with the example on a server of its own; afterwards the server must have refused nobody.
    private func withExample(arguments: [String] = [], _ body: (Example) async throws -> Void) async throws {
        var options = SandboxOptions(limit: 10)
        options.server = SuiteServer.server
        try await Sandbox.with(options) { sandbox in
            let example = try await Example.start(sandbox, arguments)
            do {
                let before = try await example.refusals()
                try await body(example)
                #expect(try await example.refusals() == before)
                // The counter counts: a connection too many is one more.
                try await example.provokeRefusal()
                #expect(try await example.refusals() > before)
            } catch {
                try await example.stop()
                throw error
            }
            try await example.stop()
        }
    }

    private func expectNothingLeft(_ example: Example) async throws {
        let end = ContinuousClock.now
        #expect(try await eventually(within: .seconds(5)) { try await example.sessions() == 0 })
        let time = end.duration(to: .now)
        // Asserted where the machine is given to the test alone.
        if Self.isLong { #expect(time < .milliseconds(100)) }
    }
}
