import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// `headroom run`: one at a time by a lock of the host, and within the budget by slots, for any program.
@Suite(.sandbox()) struct RunCommandTests {
    private let folder = TemporaryFolder()

    private func environment(_ account: String = "app") throws -> [String: String] {
        try SuiteServer.sandbox.environment.merging(["DB_USERNAME": account, "DB_PASSWORD": "sandbox"]) { $1 }
    }

    private func run(_ arguments: [String], _ account: String = "app") async throws -> HeadroomProgram.Output {
        try await HeadroomProgram.run(["run"] + arguments, environment: environment(account))
    }

    /// Starts `headroom run` with a program that says in a file that it runs, and goes on until it is killed.
    private func start(_ arguments: [String], _ account: String = "app") async throws -> (HeadroomProcess, pid_t) {
        let mark = "\(folder.path)/running-\(UInt32.random(in: 0...(.max)))"
        let process = try HeadroomProcess(
            ["run"] + arguments + [
                "--", "/bin/sh", "-c", "echo $$ > \(mark).new; mv \(mark).new \(mark); exec sleep 60",
            ],
            environment: environment(account)
        )
        #expect(try await eventually { access(mark, F_OK) == 0 })
        let file = try #require(fopen(mark, "r"))
        defer { fclose(file) }
        var text = [CChar](repeating: 0, count: 32)
        fgets(&text, 32, file)
        return (process, pid_t(atoi(text)))
    }

    @Test func `output and exit status are the command's own, and no database is needed`() async throws {
        let state = try SuiteServer.sandbox.environment["HEADROOM_STATE_DIR"]
        let run = try await HeadroomProgram.run(
            ["run", "--lock", "mine", "--", "/bin/sh", "-c", "echo out; echo err >&2; exit 7"],
            environment: ["HEADROOM_STATE_DIR": try #require(state)]
        )
        #expect(run.status == 7)
        #expect(run.output == "out\n")
        #expect(run.errors == "err\n")
        #expect(try await self.run(["--", "/no/such/program"]).status == 127)
    }

    @Test func `a second run with the same lock is not started, and says who has it`() async throws {
        let (holder, child) = try await start(["--lock", "import", "--label", "nightly"])
        let second = try await run(["--lock", "import", "--", "true"])
        #expect(second.status == 75)
        #expect(second.errors.contains("The lock 'import' is held by /bin/sh"))
        #expect(second.errors.contains("process \(child), nightly"))
        let quiet = try await run(["--lock", "import", "--quiet", "--", "true"])
        #expect(quiet.status == 75)
        #expect(quiet.errors.isEmpty)
        #expect(try await run(["--lock", "another", "--", "true"]).status == 0)
        // The child keeps the lock with headroom gone, by kill -9 here: a second one must not begin beside it.
        holder.signal(SIGKILL)
        _ = try await holder.ended()
        #expect(kill(child, 0) == 0)
        #expect(try await run(["--lock", "import", "--", "true"]).status == 75)
        kill(child, SIGKILL)
        #expect(try await run(["--lock", "import", "--wait", "20", "--", "true"]).status == 0)
        let (closed, left) = try await start(["--lock", "import", "--close"])
        closed.signal(SIGKILL)
        _ = try await closed.ended()
        #expect(try await run(["--lock", "import", "--", "true"]).status == 0)
        kill(left, SIGKILL)
    }

    @Test func `a run that waits starts when the lock is free`() async throws {
        let (holder, child) = try await start(["--lock", "wait"])
        let waiting = Task { try await run(["--lock", "wait", "--wait", "30", "--", "echo", "in"]) }
        try await Task.sleep(for: .milliseconds(200))
        kill(child, SIGTERM)
        #expect(try await holder.ended() == 128 + SIGTERM)
        #expect(try await waiting.value.output == "in\n")
    }

    @Test func `signals reach the command, and its end is passed on`() async throws {
        let (process, _) = try await start(["--lock", "signals"])
        process.signal(SIGTERM)
        #expect(try await process.ended() == 128 + SIGTERM)
    }

    @Test func `a signal that comes as soon as the command has begun is not lost`() async throws {
        try await withThrowingTaskGroup(of: Int32.self) { group in
            for round in 0..<24 {
                // The command sends it itself: at the earliest moment at which there is one to be ended.
                group.addTask {
                    try await run([
                        "--lock", "at-once-\(round)", "--", "/bin/sh", "-c", "kill -TERM $PPID; exec sleep 20",
                    ])
                    .status
                }
            }
            for try await status in group { #expect(status == 128 + SIGTERM) }
        }
    }

    @Test func `a second run with the same lock is not waited for, whatever slots it asks for`() async throws {
        let (holder, _) = try await start(["--lock", "nightly"], "two2")
        defer { holder.signal(SIGTERM) }
        let start = ContinuousClock.now
        let second = try await run(["--lock", "nightly", "--slots", "1", "--", "true"], "two2")
        #expect(second.status == 75 && second.errors.contains("The lock 'nightly' is held"), "\(second)")
        // The default for slots is 30 s.
        #expect(start.duration(to: .now) < .seconds(20))
    }

    @Test func `a program is given the settings when that is asked for, and the door's place without slots`()
        async throws
    {
        let script = "echo $DB_USERNAME $DB_PASSWORD $DB_DATABASE $DB_HOST $DB_SOCKET"
        let without = try await run(["--", "/bin/sh", "-c", "echo ${DB_NAME:-none}"], "two3")
        #expect(without.output == "none\n")
        let file = folder.write(
            """
            DB_SOCKET=\(try SuiteServer.sandbox.socket)
            DB_USERNAME=two3
            DB_PASSWORD=sandbox
            DB_DATABASE=app
            HEADROOM_DOOR_LISTEN=/nowhere/door.sock
            """,
            to: "settings.env"
        )
        func given(_ flags: [String]) async throws -> String {
            try await HeadroomProgram.run(
                ["run", "--with-settings", "--env-file", file] + flags + ["--", "/bin/sh", "-c", script],
                environment: ["HEADROOM_STATE_DIR": folder.path]
            )
            .output
        }
        #expect(try await given([]) == "two3 sandbox app localhost /nowhere/door.sock\n")
        #expect(try await given(["--slots", "1"]) == "two3 sandbox app localhost \(try SuiteServer.sandbox.socket)\n")
    }

    @Test func `slots are held while the command runs, and no longer`() async throws {
        let settings = try SuiteServer.settings("two1")
        let (process, child) = try await start(["--slots", "1", "--label", "batch"], "two1")
        let held = try #require(try SlotReport(settings).held.first?.holder)
        #expect(held.label == "batch")
        #expect(held.state == .program)
        // The command may have begun a moment before that is noted.
        #expect(try await eventually { try SlotReport(settings).held.first?.holder.processID == child })
        let second = try await run(["--slots", "1", "--wait", "0.2", "--", "true"], "two1")
        #expect(second.status == 75)
        #expect(second.errors.contains("/bin/sh"))
        // No wait helps, so that it is said at once, and to whom asks for silence too.
        let tooMany = try await run(["--slots", "5", "--quiet", "--", "true"], "two1")
        #expect(tooMany.status == 126)
        #expect(tooMany.errors.contains("budget of 1"))
        // The program runs on, and what it was given stays with it.
        process.signal(SIGKILL)
        _ = try await process.ended()
        #expect(try await run(["--slots", "1", "--wait", "0.2", "--", "true"], "two1").status == 75)
        kill(child, SIGKILL)
        #expect(try await eventually { try SlotReport(settings).held.isEmpty })
        let third = try await run(["--slots", "1", "--", "/bin/sh", "-c", "echo $HEADROOM_SLOTS"], "two1")
        #expect(third.output == "1\n")
        #expect(try SlotReport(settings).held.isEmpty)
    }

    @Test func `what runs within it uses the slots that it was given`() async throws {
        let inner =
            "$HEADROOM run --slots 1 --wait 0 -- sh -c '$HEADROOM jobs list > /dev/null 2>&1; echo $HEADROOM_SLOTS'"
        let outer = try await run(
            ["--slots", "1", "--", "/bin/sh", "-c", "HEADROOM=\(HeadroomProgram.path); export HEADROOM; \(inner)"],
            "two2"
        )
        #expect(outer.output == "1\n", "\(outer.errors)")
    }

    @Test(arguments: [SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGHUP, SIGWINCH, SIGCONT, SIGXCPU])
    func `every signal that can be is handed on`(_ number: Int32) async throws {
        let mark = "\(folder.path)/trapping-\(number)"
        let loop = "trap 'exit 5' \(number); : > \(mark); while :; do sleep 0.05; done"
        let process = try HeadroomProcess(
            ["run", "--lock", "signals\(number)", "--", "/bin/sh", "-c", loop],
            environment: environment()
        )
        #expect(try await eventually { access(mark, F_OK) == 0 })
        process.signal(number)
        #expect(try await process.ended() == 5)
    }

    @Test func `several slots are gathered without two programs waiting for each other`() async throws {
        try await withThrowingTaskGroup { group in
            for _ in 0..<6 {
                group.addTask {
                    let run = try await run(["--slots", "6", "--wait", "30", "--", "sleep", "0.05"], "ten1")
                    #expect(run.status == 0, "\(run.errors)")
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(arguments: ["", "../up", "a/b", ".hidden", "a b"])
    func `a name that is no name for a lock is refused`(name: String) async throws {
        let run = try await run(["--lock", name, "--", "true"])
        #expect(run.status == 126)
        #expect(run.errors.contains("cannot be the name of a lock"))
    }

    @Test func `a command must be given`() async throws {
        let run = try await run(["--lock", "x"])
        #expect(run.status == 64)
        #expect(run.errors.contains("headroom run -- COMMAND"))
    }
}
