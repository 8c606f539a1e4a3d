import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// `verify` with its steps, as its users meet it.
@Suite(.sandbox(performanceSchema: true)) struct VerifyTests {
    let folder = TemporaryFolder()

    private func environment(_ account: String, _ changes: [String: String] = [:]) throws -> [String: String] {
        try SuiteServer.sandbox.environment.merging(["DB_USERNAME": account, "DB_PASSWORD": "sandbox"]) { $1 }
            .merging(changes) { $1 }
    }

    @Test(arguments: ["one1", "ten1", "app"])
    func `the quick run takes five steps in under 2 s and leaves nothing`(account: String) async throws {
        let start = ContinuousClock.now
        let run = try await HeadroomProgram.run(["verify"], environment: environment(account))
        #expect(start.duration(to: .now) < .seconds(2))
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.split(separator: "\n").count { $0.hasPrefix("pass   ") } == 5, "\(run.output)")
        #expect(run.output.hasSuffix("PASS  5 passed, 0 failed\n"))
        #expect(try await eventually { try await SuiteServer.sessions(of: account) == 0 })
    }

    @Test func `each step is in the JSON by its name`() async throws {
        let run = try await HeadroomProgram.run(["verify", "--quick", "--json"], environment: environment("two1"))
        #expect(run.status == 0, "\(run.errors)")
        for name in ["open", "count", "close", "gone", "persistent"] {
            #expect(run.output.contains("\"name\" : \"\(name)\""), "\(run.output)")
        }
        #expect(run.output.contains("\"mode\" : \"quick\""))
        #expect(run.output.contains("\"has_passed\" : true"))
    }

    @Test func `a full account fails the open step, says why, and leaves the others`() async throws {
        try await SuiteServer.database("one2", share: .reserve)
            .withConnection { _ in
                let run = try await HeadroomProgram.run(["verify"], environment: environment("one2"))
                #expect(run.status == 1)
                #expect(run.output.hasPrefix("FAIL   "), "\(run.output)")
                #expect(run.output.contains("4 skipped"))
                #expect(run.errors.contains("headroom: open: "), "\(run.errors)")
            }
    }
}
