import Glibc
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
        for name in ["schema_version", "tool", "version", "generated_at"] {
            #expect(run.output.contains("\n  \"\(name)\" : "), "\(name) in \(run.output)")
        }
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

    /// The result of a step in the JSON.
    private func result(_ name: String, _ json: String) -> Substring? {
        let lines = json.split(separator: "\n")
        guard let index = lines.firstIndex(where: { $0.contains("\"name\" : \"\(name)\"") }) else { return nil }
        // The keys are in the order of the alphabet.
        let result = lines[index...].first { $0.contains("\"result\" :") }
        return result?.split(separator: "\"").dropFirst(3).first
    }

    @Test func `the full run proves every promise that it can, and leaves nothing`() async throws {
        let environment = try environment("ten1", ["HEADROOM_QUEUE": "verify-full"])
        #expect(try await HeadroomProgram.run(["migrate"], environment: environment).status == 0)
        try await grantProcess("ten1")
        let run = try await HeadroomProgram.run(
            ["verify", "--full", "--cycles", "50", "--json"],
            environment: environment
        )
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let steps = [
            "open", "count", "close", "gone", "persistent", "files", "look", "grants", "budget", "clock", "lock",
            "reopen",
            "cycles", "killed_child", "idle_worker", "kill_idle", "spare_transaction",
        ]
        for step in steps { #expect(result(step, run.output) == "pass", "\(step) in \(run.output)") }
        #expect(result("second_door", run.output) == "skipped")
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten1") == 0 })
        #expect(try SlotReport(SuiteServer.settings("ten1")).held.isEmpty)
    }

    private func grantProcess(_ account: String) async throws {
        try await SuiteServer.administrator()
            .withConnection { try await $0.query("GRANT PROCESS ON *.* TO \(raw: account)@'%'") }
    }

    @Test func `without PROCESS a transaction is not put at risk, and nobody else's session is ended`() async throws {
        try await SuiteServer.database("ten2", share: .reserve)
            .withConnection { bystander in
                let run = try await HeadroomProgram.run(
                    ["verify", "--full", "--cycles", "5", "--yes", "--json"],
                    environment: environment("ten2")
                )
                #expect(run.status == 0, "\(run.output)\(run.errors)")
                #expect(result("kill_idle", run.output) == "pass")
                #expect(result("spare_transaction", run.output) == "skipped")
                try await bystander.query("SELECT 1")
            }
    }

    @Test func `a drill that would use over half of what is free is skipped where nobody can be asked`() async throws {
        let run = try await HeadroomProgram.run(["verify", "--full", "--json"], environment: environment("one3"))
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        for step in ["reopen", "cycles", "killed_child", "kill_idle"] {
            #expect(result(step, run.output) == "skipped", "\(step) in \(run.output)")
        }
        #expect(run.output.contains("no terminal"))
        let yes = try await HeadroomProgram.run(
            ["verify", "--full", "--yes", "--json"],
            environment: environment("one3")
        )
        #expect(yes.status == 0, "\(yes.output)\(yes.errors)")
        for step in ["reopen", "cycles", "killed_child"] {
            #expect(result(step, yes.output) == "pass", "\(step) in \(yes.output)")
        }
        #expect(result("kill_idle", yes.output) == "skipped")
    }

    @Test func `a budget over the limit fails its step and the run`() async throws {
        let environment = try environment("ten3", ["HEADROOM_BUDGET": "20"])
        let run = try await HeadroomProgram.run(["verify", "--full", "--cycles", "2"], environment: environment)
        #expect(run.status == 1)
        #expect(run.errors.contains("headroom: budget: the budget is 20, and the limit 10"), "\(run.errors)")
        #expect(run.output.contains("1 failed"), "\(run.output)")
    }

    @Test func `a password that others may read fails its step and the run`() async throws {
        let text = try environment("ten4").map { "\($0.key)=\"\($0.value)\"\n" }.joined()
        folder.write(text, to: ".env", mode: 0o644)
        let run = try await HeadroomProgram.run(["verify", "--full", "--cycles", "2", "--json"], in: folder.path)
        #expect(run.status == 1)
        #expect(result("files", run.output) == "fail", "\(run.output)")
        #expect(run.output.contains("\"failed\" : 1"), "\(run.output)")
    }

    @Test func `the second door must open when there is one`() async throws {
        let door = ["HEADROOM_ADMIN_USERNAME": "two2", "HEADROOM_ADMIN_PASSWORD": "sandbox"]
        let arguments = ["verify", "--full", "--cycles", "2", "--json"]
        let open = try await HeadroomProgram.run(arguments, environment: environment("ten5", door))
        #expect(result("second_door", open.output) == "pass", "\(open.output)")
        let wrong = door.merging(["HEADROOM_ADMIN_PASSWORD": "wrong"]) { $1 }
        let closed = try await HeadroomProgram.run(arguments, environment: environment("ten5", wrong))
        #expect(result("second_door", closed.output) == "fail", "\(closed.output)")
        #expect(closed.status == 1)
    }

    @Test func `the full run leaves an hourly limit half of its logins`() async throws {
        let run = try await HeadroomProgram.run(["verify", "--full", "--json"], environment: environment("hourly"))
        #expect(result("cycles", run.output) == "skipped", "\(run.output)")
    }

    @Test func `a run that is cancelled leaves no connection and no process behind`() async throws {
        let environment = try environment("ten6", ["HEADROOM_QUEUE": "verify-cancel"])
        #expect(try await HeadroomProgram.run(["migrate"], environment: environment).status == 0)
        let settings = try SuiteServer.settings("ten6")
        // In the cycles, and in each of the drills behind them.
        for (pause, cycles) in [(50, 100_000), (400, 100_000), (200, 1), (300, 1), (500, 1), (800, 1), (1_000, 1)] {
            let process = try HeadroomProcess(
                ["verify", "--full", "--cycles", "\(cycles)", "--yes"],
                environment: environment
            )
            try await Task.sleep(for: .milliseconds(pause))
            process.signal(SIGTERM)
            let status = try await process.ended()
            // Before it listens for signals it has no connection either, and a fast machine may be done.
            #expect([128 + SIGTERM, -SIGTERM, 0].contains(status), "\(pause) ms: \(status)")
            #expect(try await eventually { try await SuiteServer.sessions(of: "ten6") == 0 }, "\(pause) ms")
            let isHeld = (try? !SlotReport(settings).held.isEmpty) ?? false
            #expect(!isHeld, "\(pause) ms")
            let locks = HostLockReport.held(stateFolder: settings.stateFolder).map(\.name)
            #expect(!locks.contains("work.verify-cancel"), "a worker outlives the run after \(pause) ms")
        }
    }
}
