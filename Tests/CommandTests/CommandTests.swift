import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The command as its users meet it: what it prints, how it exits, and what it leaves behind.
@Suite(.sandbox(tcp: true)) struct CommandTests {
    private let folder = TemporaryFolder()

    private func environment(_ account: String = "app", _ changes: [String: String] = [:]) throws -> [String: String] {
        try SuiteServer.sandbox.environment
            .merging(["DB_USERNAME": account, "DB_PASSWORD": "sandbox"]) { $1 }
            .merging(changes) { $1 }
    }

    @Test func `status prints the level, and exits as a monitoring plugin`() async throws {
        let environment = try environment("ten1")
        let database = try SuiteServer.database("ten1", share: .reserve)
        /// Runs status while that many connections are held.
        func status(holding count: Int) async throws -> HeadroomProgram.Output {
            guard count > 0 else { return try await HeadroomProgram.run(["status"], environment: environment) }
            return try await database.withConnection { _ in try await status(holding: count - 1) }
        }
        for (held, word, code) in [
            (0, "OK", 0), (6, "OK", 0), (7, "CAUTION", 1), (8, "CAUTION", 1), (9, "WARNING", 2), (10, "EXHAUSTED", 2),
        ] {
            let run = try await status(holding: held)
            #expect(run.status == Int32(code), "\(held) held")
            #expect(run.output.hasPrefix("\(word)  \(held) of 10 connections in use"), "\(held) held")
        }
    }

    @Test func `status --json has the facts under their names`() async throws {
        let run = try await HeadroomProgram.run(["status", "--json"], environment: environment("ten2"))
        for key in [
            "level", "limit", "value", "source", "used", "percent", "active", "sleeping", "idle", "max_idle_seconds",
            "sessions", "id", "user", "host", "database", "command", "seconds", "in_transaction", "program", "pid",
        ] {
            #expect(run.output.contains("\"\(key)\" :"), "\(key)")
        }
        #expect(run.output.contains("\"level\" : \"OK\""))
        #expect(run.status == 0)
    }

    @Test func `status when it cannot tell exits with 3`() async throws {
        let run = try await HeadroomProgram.run(["status"], environment: environment("app", ["DB_PASSWORD": "wrong"]))
        #expect(run.status == 3)
        #expect(run.output.hasPrefix("UNKNOWN"))
        #expect(run.errors.contains("DB_PASSWORD"))
    }

    @Test func `settings are found in the .env of the working directory, and a readable password is a warning`()
        async throws
    {
        let text = try environment("ten3").map { "\($0.key)=\"\($0.value)\"\n" }.joined()
        folder.write(text, to: ".env", mode: 0o644)
        let run = try await HeadroomProgram.run(["status"], in: folder.path)
        #expect(run.status == 0)
        #expect(run.output.contains("ten3@%"))
        #expect(run.errors.contains("chmod 640 .env"))
        #expect(!run.errors.contains("sandbox\""))
    }

    @Test func `verify reports its cycles, also as JSON`() async throws {
        let run = try await HeadroomProgram.run(
            ["verify", "--cycles", "300", "--json"],
            environment: environment("one1")
        )
        #expect(run.status == 0)
        for key in ["cycles", "refused", "median_microseconds", "p99_microseconds"] {
            #expect(run.output.contains("\"\(key)\" :"), "\(key)")
        }
        #expect(run.output.contains("\"refused\" : 0"))
    }

    @Test func `verify does not use up an hourly limit`() async throws {
        let run = try await HeadroomProgram.run(["verify", "--cycles", "15"], environment: environment("hourly"))
        #expect(run.status == 1)
        #expect(run.errors.contains("--cycles 10"))
    }

    @Test func `a file goes from the queue into the database`() async throws {
        let environment = try environment()
        func run(_ arguments: String...) async throws -> HeadroomProgram.Output {
            try await HeadroomProgram.run(arguments, environment: environment)
        }
        #expect(try await run("migrate").output.contains("added table meter_readings"))
        #expect(try await run("migrate").output == "Nothing is missing: all tables are there.\n")
        #expect(try await run("work", "--once").output == "The queue is empty.\n")

        let file = folder.write("start,value\n2024-01-01 00:00,1.5\n2024-01-01 00:30,x\n", to: "readings.csv")
        let added = try await run("jobs", "add", file, "--type", "hh", "--mpan", "M1", "--timezone", "UTC")
        #expect(added.output.hasPrefix("queued job 1"))
        let worked = try await run("work", "--once")
        #expect(worked.status == 0)
        #expect(worked.output.contains("2 rows read"))
        #expect(worked.output.contains("1 row rejected"))
        #expect(worked.output.contains("line 3: value is 'x'"))
        #expect(try await run("jobs", "list").output.contains("completed"))
        #expect(try await run("jobs", "show", "1").output.contains("1 reading stored"))
        #expect(try await run("jobs", "show", "1", "--json").output.contains("\"readings_stored\" : 1"))
        #expect(try await run("jobs", "show", "99").status == 1)
        #expect(try await run("work", "--once", "--quiet").output.isEmpty)
        #expect(try await eventually { try await SuiteServer.sessions(of: "app") == 0 })
    }

    /// Errors that a newcomer meets: each one clear message with the next step, a non-zero exit, no stack trace.
    @Test(
        arguments: [
            (["status"], ["DB_SOCKET": "/nowhere/db.sock"], "no database server socket", "DB_SOCKET"),
            (
                ["status"], ["DB_SOCKET": "", "DB_HOST": "127.0.0.1", "DB_PORT": "1"], "No database server answers",
                "DB_PORT"
            ),
            (["status"], ["DB_SOCKET": "", "DB_HOST": "no..such.host"], "has no address", "DB_HOST"),
            (["verify"], ["DB_PASSWORD": "wrong"], "does not accept", "DB_PASSWORD"),
            (["verify"], ["DB_DATABASE": "nowhere"], "'nowhere'", "DB_DATABASE"),
            (
                ["migrate"],
                [
                    "DB_SOCKET": "", "DB_DATABASE": "", "DB_USERNAME": "", "DB_PASSWORD": "", "DB_HOST": "",
                    "DB_PORT": "",
                ],
                "No setting says", "DB_USERNAME"
            ),
            (["jobs", "add", "/nowhere.csv", "--type", "hh"], [:], "/nowhere.csv cannot be read", "Check the path"),
            (["jobs", "add", "/", "--type", "hh"], [:], "cannot be read", "Name a file"),
            (["jobs", "add", "/bin/true", "--type", "hh", "--mpan", "1"], [:], "not a CSV file", "Export it"),
            (["work", "--once", "--env-file", "/nowhere.env"], [:], "/nowhere.env cannot be read", "Check the path"),
        ] as [([String], [String: String], String, String)]
    )
    func `each error is one clear message with the next step`(
        arguments: [String],
        changes: [String: String],
        message: String,
        next: String
    ) async throws {
        let run = try await HeadroomProgram.run(arguments, environment: environment("app", changes))
        #expect(run.status != 0)
        #expect(run.errors.contains(message), "\(run.errors)")
        #expect(run.errors.contains(next), "\(run.errors)")
        #expect(!run.errors.contains("Fatal"))
        #expect(run.errors.split(separator: "\n").count <= 3, "\(run.errors)")
        // Other tests use the account too, for moments.
        #expect(try await eventually { try await SuiteServer.sessions(of: "app") == 0 })
    }

    @Test(arguments: [
        ("a,b\n1,2\n", "--mpan", "column"), ("start,value\n1,2\n", "--priority=high", "--mpan"),
    ])
    func `wrong columns and a missing meter are said when the file is queued`(
        text: String,
        flag: String,
        message: String
    ) async throws {
        let file = folder.write(text, to: "wrong.csv")
        let flags = flag == "--mpan" ? [flag, "1"] : [flag]
        let run = try await HeadroomProgram.run(
            ["jobs", "add", file, "--type", "hh"] + flags,
            environment: environment()
        )
        #expect(run.status == 1)
        #expect(run.errors.contains(message), "\(run.errors)")
    }

    @Test func `a full account is one clear message too`() async throws {
        let database = try SuiteServer.database("one2")
        let environment = try environment("one2", ["HEADROOM_WAIT_TIMEOUT": "1"])
        try await database.withConnection { _ in
            let run = try await HeadroomProgram.run(["jobs", "list"], environment: environment)
            #expect(run.status == 1)
            #expect(run.errors.contains("The budget's only connection was in use for 1"))
            #expect(run.errors.contains("next: "))
        }
    }

    @Test func `a job for a file that is gone fails, and says so`() async throws {
        // A database of its own, as the other tests use the queue too.
        _ = try await SuiteServer.newDatabase("gone")
        let environment = try environment("app", ["DB_DATABASE": "gone"])
        _ = try await HeadroomProgram.run(["migrate"], environment: environment)
        try await SuiteServer.administrator()
            .withConnection {
                try await $0.query(
                    """
                    INSERT INTO gone.import_jobs (batch_id, filename, file_path, import_type)
                    VALUES ('b', 'f', '/nowhere/f.csv', 'hh')
                    """
                )
            }
        let run = try await HeadroomProgram.run(["work", "--once", "--quiet"], environment: environment)
        #expect(run.status == 1)
        #expect(run.errors.contains("/nowhere/f.csv cannot be read"))
        #expect(
            try await HeadroomProgram.run(["work", "--once"], environment: environment).output
                == "The queue is empty.\n"
        )
    }

    @Test func `help has examples, and a password is never a flag`() async throws {
        for command in [["status"], ["verify"], ["work"], ["jobs", "add"], ["migrate"], ["sandbox", "run"]] {
            let help = try await HeadroomProgram.run(command + ["--help"]).output
            #expect(help.contains("Example"), "\(command)")
            #expect(!help.contains("--password"), "\(command)")
        }
        #expect(try await HeadroomProgram.run(["--version"]).output == "0.1.0\n")
    }
}
