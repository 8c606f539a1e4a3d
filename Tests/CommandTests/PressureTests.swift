import FoundationEssentials
import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The budget over real processes: many at once, killed at any moment, beside others that know nothing of it.
@Suite(.sandbox()) struct PressureTests {
    private func environment(_ account: String, _ changes: [String: String] = [:]) throws -> [String: String] {
        try SuiteServer.sandbox.environment
            .merging(["DB_USERNAME": account, "DB_PASSWORD": "sandbox", "HEADROOM_RESERVE": "0"]) { $1 }
            .merging(changes) { $1 }
    }

    @Test func `processes under pressure are never refused, and share alike`() async throws {
        let run = try await HeadroomProgram.run(
            [
                "verify", "--pressure", "--processes", "4", "--tasks", "12", "--seconds", isFullRun ? "30" : "3",
                "--json",
            ],
            environment: environment("ten1")
        )
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("\"refused\" : 0,"))
        #expect(run.output.contains("\"errors\" : 0,"))
        #expect(run.output.contains("\"budget\" : 10,"))
        #expect(try number("completed", run.output) > 100)
        #expect(try number("most_sessions", run.output) <= 10)
        // A process that came too late would have nothing. (How alike the shares are is the benchmark's to say.)
        #expect(try number("most_by_process", run.output) < 2 * number("fewest_by_process", run.output))
        #expect(try number("longest_wait_seconds", run.output) < 5)
    }

    @Test func `with others coming and going there is still no error`() async throws {
        var settings = try SuiteServer.settings("ten2")
        settings.programName = "a foreign program"
        let foreign = Database(settings, share: .reserve)
        let traffic = Task {
            await withTaskGroup { group in
                for _ in 0..<2 {
                    group.addTask {
                        while !Task.isCancelled {
                            // Refused or not: it knows nothing of the budget, and tries again in a moment.
                            _ = try? await foreign.withConnection { _ in
                                try await Task.sleep(for: .milliseconds(Int.random(in: 0...20)))
                            }
                            try? await Task.sleep(for: .milliseconds(Int.random(in: 0...20)))
                        }
                    }
                }
            }
        }
        let run = try await HeadroomProgram.run(
            [
                "verify", "--pressure", "--processes", "3", "--tasks", "8", "--seconds", isFullRun ? "30" : "3",
                "--json",
            ],
            environment: environment("ten2")
        )
        traffic.cancel()
        await traffic.value
        // Where the others were quicker a slot's connection was refused, and tried again.
        #expect([0, 1].contains(run.status), "\(run.errors)")
        #expect(run.output.contains("\"errors\" : 0,"))
    }

    @Test func `an account with an hourly limit is spared`() async throws {
        let run = try await HeadroomProgram.run(
            ["verify", "--pressure", "--seconds", "1"],
            environment: environment("hourly")
        )
        #expect(run.status == 1)
        #expect(run.errors.contains("hourly limit"))
    }

    @Test func `processes that are killed at random moments lose no slot and leave none to two`() async throws {
        let environment = try environment("ten3")
        var settings = try SuiteServer.settings("ten3")
        settings.reserve = 0
        try await Database(settings).withConnection { _ in }
        func worker() throws -> HeadroomProcess {
            try HeadroomProcess(
                ["verify", "--pressure", "--worker", "--tasks", "6", "--seconds", "600"],
                environment: environment
            )
        }
        var workers = try (0..<6).map { _ in try worker() }
        for _ in 0..<(isFullRun ? 500 : 40) {
            try await Task.sleep(for: .microseconds(Int.random(in: 0...40_000)))
            let index = Int.random(in: 0..<workers.count)
            workers[index].signal(SIGKILL)
            #expect(try await workers[index].ended() == -SIGKILL)
            workers[index] = try worker()
        }
        // A task that comes now is served in its turn, and not refused for the sake of the living.
        let database = Database(settings)
        for _ in 0..<20 { try await database.withConnection { try await $0.query("SELECT 1") } }
        let statistics = database.statistics
        #expect(statistics.refused.values.reduce(0, +) == statistics.refusedAfterDeath)
        for worker in workers {
            worker.signal(SIGKILL)
            _ = try await worker.ended()
        }
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten3") == 0 })
        #expect(try SlotReport(settings).held.isEmpty)
        // All ten can be had, at the same time and at once; and an eleventh cannot.
        settings.waitTimeout = .milliseconds(100)
        let all = Database(settings)
        func hold(_ count: Int) async throws {
            guard count > 0 else {
                let error = await #expect(throws: DatabaseError.self) { try await all.withConnection { _ in } }
                #expect(error?.code == .budgetExhausted)
                return
            }
            try await all.withConnection { _ in try await hold(count - 1) }
        }
        try await hold(10)
    }

    @Test func `a process that is stopped in the line does not hold up those behind it`() async throws {
        let environment = try environment("one1")
        let database = Database(try SuiteServer.settings("one1"))
        let isHeld = AsyncStream.makeStream(of: Void.self)
        let mayEnd = AsyncStream.makeStream(of: Void.self)
        let holder = Task {
            try await database.withConnection { _ in
                isHeld.continuation.finish()
                for await _ in mayEnd.stream {}
            }
        }
        for await _ in isHeld.stream {}
        let stopped = try HeadroomProcess(
            ["verify", "--pressure", "--worker", "--tasks", "1", "--seconds", "30"],
            environment: environment
        )
        let settings = try SuiteServer.settings("one1")
        #expect(
            try await eventually { try SlotReport(settings).waiting.contains { $0.holder.processID == stopped.id } }
        )
        stopped.signal(SIGSTOP)
        let behind = Task { try await Database(settings).withConnection { try await $0.query("SELECT 1") } }
        #expect(try await eventually { try SlotReport(settings).waiting.count == 2 })
        mayEnd.continuation.finish()
        try await holder.value
        _ = try await behind.value
        stopped.signal(SIGKILL)
        _ = try await stopped.ended()
    }

    @Test func `fifty tasks that wait cost no processor time`() async throws {
        let settings = try SuiteServer.settings("one3")
        try await Database(settings)
            .withConnection { _ in
                let waiting = try HeadroomProcess(
                    ["verify", "--pressure", "--worker", "--tasks", "50", "--seconds", "60"],
                    environment: environment("one3")
                )
                #expect(try await eventually { try SlotReport(settings).waiting.first?.tasks == 50 })
                // What its start still has to do.
                try await Task.sleep(for: .milliseconds(500))
                let before = try ticks(of: waiting.id)
                try await Task.sleep(for: isFullRun ? .seconds(10) : .seconds(2))
                // One tick may fall on one of its looks over the line, which take microseconds.
                #expect(try ticks(of: waiting.id) <= before + 1)
                waiting.signal(SIGKILL)
                _ = try await waiting.ended()
            }
    }

    /// The processor time that a process has used, in ticks of 10 ms.
    private func ticks(of process: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
    }

    @Test func `slots lists holders and waiters, also when the account is full`() async throws {
        var settings = try SuiteServer.settings("one2")
        settings.programName = "the-shop"
        settings.holdWarning = .milliseconds(1)
        let database = Database(settings)
        let environment = try environment("one2", ["HEADROOM_RESERVE": "1"])
        try await database.withConnection(label: "nightly") { connection in
            let waiting = Task { try await database.withConnection { _ in } }
            #expect(try await eventually { database.statistics.waiting == 1 })
            let text = try await HeadroomProgram.run(["slots"], environment: environment)
            #expect(text.status == 0)
            #expect(text.output.hasPrefix("1 of 1 slots held, 1 waiting\n"))
            for word in ["the-shop", "\(getpid())", "nightly", "\(connection.sessionID)", "PressureTests.swift:"] {
                #expect(text.output.contains(word), "\(word) in \(text.output)")
            }
            let json = try await HeadroomProgram.run(["slots", "--json"], environment: environment)
            #expect(json.output.contains("\"label\" : \"nightly\""))
            #expect(json.output.contains("\"tasks\" : 1"))
            #expect(json.output.contains("\"held_too_long\" : true"))
            waiting.cancel()
            _ = try? await waiting.value
        }
        let unknown = try await HeadroomProgram.run(["slots"], environment: self.environment("ten4"))
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("No program of this host has logged in"))
    }

    private func number(_ name: String, _ json: String) throws -> Double {
        let line = try #require(json.split(separator: "\n").first { $0.contains("\"\(name)\" :") })
        let digits = String(line.split(separator: ":")[1].filter { $0.isNumber || $0 == "." })
        return try #require(Double(digits))
    }
}
