import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// `doctor` gathers what a bug report needs, whatever is wrong, and no secret.
@Suite(.sandbox()) struct DoctorTests {
    private let folder = TemporaryFolder()

    private func doctor(_ arguments: [String] = [], _ environment: [String: String]) async throws
        -> HeadroomProgram.Output
    {
        try await HeadroomProgram.run(["doctor"] + arguments, environment: environment, in: folder.path)
    }

    @Test func `the page for support says what is full, who holds it and what to ask for, without a secret`()
        async throws
    {
        let environment = try SuiteServer.sandbox.environment.merging(["DB_USERNAME": "one5", "DB_PASSWORD": "sandbox"])
        { $1 }
        let free = try await HeadroomProgram.run(["doctor", "--for-support"], environment: environment)
        #expect(free.status == 0 && free.output.contains("lets us in at this moment"), "\(free)")
        try await SuiteServer.database("one5", share: .reserve)
            .withConnection { _ in
                let full = try await HeadroomProgram.run(["doctor", "--for-support"], environment: environment)
                #expect(full.status == 0, "\(full)")
                for words in ["does not let us in", "1226", "its limit", "USER = 'one5'", "What we ask for"] {
                    #expect(full.output.contains(words), "\(words): \(full.output)")
                }
                #expect(!full.output.contains("PASSWORD"))
            }
    }

    @Test func `it says what a bug report needs`() async throws {
        let environment = try SuiteServer.sandbox.environment.merging(["DB_USERNAME": "ten1"]) { $1 }
        let run = try await doctor([], environment)
        #expect(run.status == 0)
        for fact in [
            "version", "libmariadb", "kernel", "yama ptrace_scope", "DB_USERNAME", "the environment", "level", "limit",
            "10, the account's own option", "state folder", "locks", "slots", "libraries", "other users' processes",
            "cron",
            "hanging up a process's connection", "address space",
        ] {
            #expect(run.output.contains(fact), "\(fact)")
        }
        // The look that it took is kept, and its files' rights are told.
        let again = try await doctor(["--json"], environment)
        #expect(again.output.contains("\"title\" : \"last look\""))
        #expect(again.output.contains("memory/snapshot-"))
    }

    @Test func `secrets planted wherever there is room for one are in none of its words`() async throws {
        let secrets = (0..<9).map { "zq\($0)-S3cr3t" }
        folder.write("DB_PASSWORD=\(secrets[0])\nDATABASE_URL=mysql://u:\(secrets[1])@127.0.0.1:1/d\n", to: ".env")
        folder.write("[client]\npassword=\"\(secrets[2])\"\n[headroom]\nadmin-password=\(secrets[3])\n", to: "my.cnf")
        folder.write(secrets[4], to: "headroom-webhook")
        let environment = [
            "HEADROOM_ADMIN_USERNAME": "a", "HEADROOM_ADMIN_PASSWORD": secrets[5],
            "CREDENTIALS_DIRECTORY": folder.path, "HEADROOM_STATE_DIR": "\(folder.path)/state",
            "HEADROOM_ALERT_COMMAND": "curl -H 'Authorization: \(secrets[6])' https://h",
            // A password where none belongs: the server says it back in its error.
            "DB_USERNAME": "app password=\(secrets[7])", "HEADROOM_RESERV": "x",
            // And one in the wrong place, which no pattern would find.
            "DB_DATABASE": secrets[5],
            "HEADROOM_DATABASE_URL": "mysql://u:\(secrets[8])%21@127.0.0.1:1/d",
        ]
        for arguments in [["--defaults-file", "my.cnf"], ["--defaults-file", "my.cnf", "--json"]] {
            let run = try await doctor(arguments, environment)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("HEADROOM_ADMIN_PASSWORD"))
            for secret in secrets { #expect(!(run.output + run.errors).contains(secret), "\(secret)") }
        }
        _ = try await HeadroomProgram.run("/bin/rm", ["-rf", "\(folder.path)/state"])
    }

    @Test func `labels and arguments of programs that hold a lock stay out of it`() async throws {
        let environment = try SuiteServer.sandbox.environment.merging(["DB_USERNAME": "ten2"]) { $1 }
        let ready = "\(folder.path)/ready"
        let run = try await HeadroomProgram.run(
            [
                "run", "--lock", "doctor-test", "--slots", "1", "--label", "hush-label", "--", "/bin/sh", "-c",
                "\"$0\" doctor > '\(ready)'; : --password=hush-word", HeadroomProgram.path,
            ],
            environment: environment
        )
        #expect(run.status == 0, "\(run.errors)")
        let text = try SourceFiles.text(ready)
        #expect(text.contains("work") || text.contains("doctor-test"))
        #expect(text.contains("slot "))
        #expect(!text.contains("hush"))
    }

    @Test func `it works when the account is full`() async throws {
        let environment = try SuiteServer.sandbox.environment.merging(["DB_USERNAME": "one1"]) { $1 }
        try await SuiteServer.database("one1")
            .withConnection { _ in
                let run = try await doctor([], environment)
                #expect(run.status == 0)
                #expect(run.output.contains("account_limit_reached"))
                #expect(run.output.contains("EXHAUSTED"))
                #expect(run.output.contains("slot 0"))
            }
    }

    @Test func `it works without a server, and with settings that cannot be used`() async throws {
        let away = try await doctor([], ["DB_SOCKET": "/nowhere.sock", "DB_USERNAME": "u"])
        #expect(away.status == 0)
        #expect(away.output.contains("socket_not_found"))
        let wrong = try await doctor([], ["HEADROOM_BUDGET": "x", "DB_SOCKET": "/nowhere.sock", "DB_USERNAME": "u"])
        #expect(wrong.status == 0)
        #expect(wrong.output.contains("HEADROOM_BUDGET in the environment is 'x'"))
        #expect(try await doctor([], [:]).output.contains("settings_missing"))
    }
}
