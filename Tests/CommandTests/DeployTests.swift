import Glibc
import TestSupport
import Testing

/// `headroom deploy` on this host, with settings of a test's own.
struct DeployTests {
    @Test func `the lines for cron name the program, the settings and the user, and go into a file as they are`()
        async throws
    {
        let folder = TemporaryFolder()
        let file = folder.write("DB_HOST=127.0.0.1\nDB_PORT=1\nDB_USERNAME=app\n", to: "env", mode: 0o640)
        let arguments = ["deploy", "cron", "--user", "daemon", "--env-file", file]
        func lines(_ flags: String...) async throws -> [Substring] {
            let run = try await HeadroomProgram.run(arguments + flags)
            #expect([0, 1].contains(run.status))
            // Whether something starts the same on the machine of the tests is not theirs to know; that it is said is.
            #expect(run.errors.contains("why: ") == (run.status == 1), "\(run.errors)")
            // The database does not answer here, so whether it has a queue is not known.
            #expect(run.errors.contains("could not be asked") == flags.isEmpty, "\(run.errors)")
            return run.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
        }
        let watch = "* * * * * daemon \(HeadroomProgram.path) guard --once --env-file \(file)"
        let work = "* * * * * daemon \(HeadroomProgram.path) work --once --quiet --env-file \(file)"
        #expect(try await lines() == [watch[...]])
        #expect(try await lines("--worker") == [work[...], watch[...]])
        #expect(try await lines("--no-worker") == [watch[...]])
    }

    @Test func `the units are what systemd-analyze takes`() async throws {
        let folder = TemporaryFolder()
        let file = folder.write("DB_HOST=127.0.0.1\nDB_USERNAME=app\n", to: "env", mode: 0o640)
        let run = try await HeadroomProgram.run([
            "deploy", "systemd", "--user", "daemon", "--worker", "--env-file", file, "--json",
        ])
        #expect(
            run.output.contains(#""path" : "/etc/systemd/system/headroom-worker.service"#),
            "\(run.output)\(run.errors)"
        )
        #expect(run.output.contains("User=daemon"))
        #expect(run.output.contains("work --wait-for-lock --env-file \(file)"))
        #expect(run.output.contains(#""findings" : ["#))
    }

    @Test(.enabled(if: geteuid() != 0, "Root reads the folder of crontabs itself."))
    func `what starts Headroom twice is said, a line that stands in the own crontab twice too`() async throws {
        let folder = TemporaryFolder()
        let file = folder.write("DB_HOST=127.0.0.1\nDB_USERNAME=app\n", to: "env", mode: 0o640)
        let line = "* * * * * headroom guard --once --env-file \(file)"
        let crontab = folder.write("#!/bin/sh\nprintf '%s\\n' '\(line)' '\(line)'\n", to: "crontab", mode: 0o755)
        let run = try await HeadroomProgram.run(
            ["deploy", "systemd", "--no-worker", "--env-file", file],
            environment: ["PATH": "\(crontab.dropLast("/crontab".count)):/usr/bin:/bin"]
        )
        #expect(run.status == 1)
        #expect(run.errors.contains("started 3 times"), "\(run.errors)")
    }

    @Test func `without a settings file it says what to name`() async throws {
        let run = try await HeadroomProgram.run(["deploy", "cron", "--env-file", "/nowhere/.env"])
        #expect(run.status == 1)
        #expect(run.errors.contains("There is no file /nowhere/.env."))
        #expect(run.errors.contains("--env-file"))
    }
}
