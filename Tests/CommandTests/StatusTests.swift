import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// `status` in its forms, and `kill-idle`, as their users meet them.
@Suite(.sandbox(performanceSchema: true)) struct StatusTests {
    private func environment(_ account: String) throws -> [String: String] {
        try SuiteServer.sandbox.environment.merging(["DB_USERNAME": account, "DB_PASSWORD": "sandbox"]) { $1 }
    }

    @Test func `--nagios is one line with performance data, whose limits are where the levels begin`() async throws {
        let run = try await HeadroomProgram.run(["status", "--nagios"], environment: environment("ten1"))
        #expect(
            run.output.hasPrefix("HEADROOM OK - 0/10 (0.0%) used, 0 idle for over 300 s | 'connections'=0;6;8;0;10 ")
        )
        #expect(run.output.split(separator: "\n").count == 1)
        #expect(run.status == 0)
        try await SuiteServer.database("one1", share: .reserve)
            .withConnection { _ in
                let full = try await HeadroomProgram.run(["status", "--nagios"], environment: environment("one1"))
                #expect(full.output.hasPrefix("HEADROOM EXHAUSTED - 1/1 (100.0%) used"))
                #expect(full.status == 2)
            }
    }

    @Test func `--prometheus has a head for each metric, and values in base units`() async throws {
        try await SuiteServer.database("ten2", share: .reserve)
            .withConnection { _ in
                let run = try await HeadroomProgram.run(["status", "--prometheus"], environment: environment("ten2"))
                let lines = run.output.split(separator: "\n")
                for line in [
                    "headroom_up 1", "headroom_account_connections{state=\"idle\"} 1",
                    "headroom_account_connections_limit 10", "headroom_account_utilization_ratio 0.1",
                    "headroom_account_connections_limit_source_info{source=\"account\"} 1",
                ] {
                    #expect(lines.contains(Substring(line)), "\(line)")
                }
                let names = Set(lines.filter { !$0.hasPrefix("#") }.map { $0.prefix { $0 != "{" && $0 != " " } })
                for name in names {
                    #expect(lines.count { $0.hasPrefix("# HELP \(name) ") } == 1, "\(name)")
                    #expect(lines.count { $0 == "# TYPE \(name) gauge" } == 1, "\(name)")
                }
            }
    }

    @Test func `status shows what holds the account: locks, slots, the whole server, and says what it cannot see`()
        async throws
    {
        let environment = try environment("ten3")
        let process = try HeadroomProcess(
            ["run", "--lock", "import", "--slots", "1", "--", "sleep", "30"],
            environment: environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
        )
        defer { process.signal(SIGTERM) }
        var output = ""
        let isShown = try await eventually {
            output = try await HeadroomProgram.run(["status"], environment: environment).output
            return output.contains("lock import") && output.contains("1 of 9 held")
        }
        #expect(isShown, "\(output)")
        #expect(output.contains("1 of 9 held"))
        #expect(output.contains("connections of all accounts"))
        #expect(output.contains("not known: this account lacks the PROCESS privilege"))
        #expect(output.contains("next: "))
    }

    @Test func `--watch --json is an object a line, and Ctrl-C ends it with no session left`() async throws {
        let folder = TemporaryFolder()
        let process = try HeadroomProcess(
            ["status", "--watch", "--json", "--interval", "200ms"],
            environment: environment("ten4"),
            output: "\(folder.path)/said"
        )
        defer { process.signal(SIGKILL) }
        let isThere = try await eventually { GuardTests.text("\(folder.path)/said").split(separator: "\n").count >= 2 }
        #expect(isThere)
        process.signal(SIGINT)
        _ = try await process.ended()
        let lines = GuardTests.text("\(folder.path)/said").split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten4") == 0 })
    }

    @Test func `--watch on a terminal draws on the other screen, and gives the terminal back on Ctrl-C`() async throws {
        let folder = TemporaryFolder()
        let (said, id) = ("\(folder.path)/said", "\(folder.path)/id")
        let command = "exec script -qefc \"echo \\$\\$ > \(id); exec $0 status --watch --interval 200ms\" /dev/null"
        let terminal = try HeadroomProcess(
            [],
            environment: environment("ten5").merging(["SHELL": "/bin/sh"]) { $1 },
            output: said,
            through: ["/bin/sh", "-c", command]
        )
        defer { terminal.signal(SIGKILL) }
        let isDrawn = try await eventually { GuardTests.text(said).contains("0 of 10 connections in use") }
        #expect(isDrawn)
        let process = try #require(Int32(GuardTests.text(id).filter(\.isNumber)))
        kill(process, SIGINT)
        _ = try await terminal.ended()
        #expect(GuardTests.text(said).contains("\u{1B}[?1049h\u{1B}[?25l"))
        #expect(GuardTests.text(said).hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
    }

    @Test func `Ctrl-C ends a look whose output nobody reads`() async throws {
        let folder = TemporaryFolder()
        let pipe = "\(folder.path)/pipe"
        try #require(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        defer { close(reader) }
        let full = [UInt8](repeating: 0x20, count: 4096)
        while write(reader, full, full.count) > 0 {}
        let process = try HeadroomProcess(["status"], environment: environment("ten4"), output: pipe)
        defer { process.signal(SIGKILL) }
        // One says that it is to end, the next one that it has to.
        let hasEnded = try await eventually {
            process.signal(SIGINT)
            try await Task.sleep(for: .milliseconds(200))
            return waitpid(process.id, nil, WNOHANG) == process.id
        }
        #expect(hasEnded)
    }

    @Test(arguments: [
        ["--json", "--nagios"], ["--env-file"], ["--env-file", "--json"], ["--jsn"], ["--json", "more"],
    ])
    func `What status does not understand is explained by the parser`(arguments: [String]) async throws {
        let run = try await HeadroomProgram.run(["status"] + arguments, environment: environment("ten1"))
        #expect(run.status == 64)
        #expect(run.errors.contains("Usage: headroom status"))
    }

    @Test func `status is the same whether the parser reads it or not`() async throws {
        let environment = try environment("ten8")
        for (form, start) in [
            ([], "OK  0 of 10"), (["--json"], "{\n"), (["--nagios"], "HEADROOM OK - 0/10"),
            (["--prometheus"], "# HELP"),
        ] {
            let plain = try await HeadroomProgram.run(["status"] + form, environment: environment)
            let parsed = try await HeadroomProgram.run(
                ["status"] + form + ["--max-idle", "300"],
                environment: environment
            )
            for run in [plain, parsed] {
                #expect(run.output.hasPrefix(start))
                #expect(run.status == 0)
            }
        }
    }

    @Test func `--all-accounts lists the others with PROCESS, and does not count them`() async throws {
        try await SuiteServer.administrator()
            .withConnection { try await $0.query("GRANT PROCESS ON *.* TO ten6@'%'") }
        try await SuiteServer.database("two1", share: .reserve)
            .withConnection { other in
                let run = try await HeadroomProgram.run(["status", "--all-accounts"], environment: environment("ten6"))
                #expect(run.output.hasPrefix("OK  0 of 10"))
                #expect(run.output.contains("\(other.sessionID)"))
                #expect(run.output.contains("another account, not counted"))
            }
    }

    @Test func `kill-idle frees the places of idle sessions, writes them down, and --json has the facts`() async throws
    {
        let folder = TemporaryFolder()
        try await SuiteServer.database("ten7", share: .reserve)
            .withConnection { idle in
                try await idle.query("SELECT 1")
                try await Task.sleep(for: .milliseconds(SuiteServer.isMariaDB ? 100 : 2_100))
                let arguments = ["kill-idle", "--max-idle", SuiteServer.isMariaDB ? "50ms" : "0", "--log", "kills.log"]
                let dry = try await HeadroomProgram.run(
                    arguments + ["--dry-run"],
                    environment: environment("ten7"),
                    in: folder.path
                )
                #expect(dry.output.contains("dry run: 1 session would be killed"))
                try await idle.query("SELECT 1")
                try await Task.sleep(for: .milliseconds(SuiteServer.isMariaDB ? 100 : 2_100))
                let run = try await HeadroomProgram.run(arguments, environment: environment("ten7"), in: folder.path)
                #expect(run.output.contains("freed 1 of 1 slots in "))
                #expect(run.output.contains("GRANT PROCESS"))
                #expect(run.status == 0)
                let log = try await HeadroomProgram.run("/bin/cat", ["kills.log"], in: folder.path)
                #expect(log.output.contains("action=would_kill session=\(idle.sessionID) "))
                #expect(log.output.contains("action=killed session=\(idle.sessionID) "))
                let json = try await HeadroomProgram.run(
                    ["kill-idle", "--json"],
                    environment: environment("ten7")
                )
                for key in ["killed", "freed", "schema_version", "transactions", "sessions", "caveat"] {
                    #expect(json.output.contains("\"\(key)\" :"), "\(key)")
                }
            }
    }
}
