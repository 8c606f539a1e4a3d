import Glibc
import TestSupport
import Testing

/// `headroom deploy` on this host, with settings of a test's own.
struct DeployTests {
    @Test func `the lines for cron name the program, the settings and the user, and go into a file as they are`()
        async throws
    {
        let folder = TemporaryFolder()
        let file = folder.write("DB_HOST=127.0.0.1\nDB_USERNAME=app\n", to: "env", mode: 0o640)
        let run = try await HeadroomProgram.run(["deploy", "cron", "--user", "daemon", "--env-file", file])
        let lines = run.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            lines == [
                "* * * * * daemon \(HeadroomProgram.path) work --once --quiet --env-file \(file)",
                "* * * * * daemon \(HeadroomProgram.path) guard --once --env-file \(file)",
            ],
            "\(run.output)\(run.errors)"
        )
        // Whether something is wrong on the machine of the tests is not theirs to know; that it is said is.
        #expect(run.errors.contains("next: ") == (run.status == 1))
        #expect([0, 1].contains(run.status))
    }

    @Test func `the units are what systemd-analyze takes`() async throws {
        let folder = TemporaryFolder()
        let file = folder.write("DB_HOST=127.0.0.1\nDB_USERNAME=app\n", to: "env", mode: 0o640)
        let run = try await HeadroomProgram.run(["deploy", "systemd", "--user", "daemon", "--env-file", file, "--json"])
        #expect(
            run.output.contains(#""path" : "/etc/systemd/system/headroom-worker.service"#),
            "\(run.output)\(run.errors)"
        )
        #expect(run.output.contains("User=daemon"))
        #expect(run.output.contains("work --env-file \(file)"))
        #expect(run.output.contains(#""findings" : ["#))
    }

    @Test func `without a settings file it says what to name`() async throws {
        let run = try await HeadroomProgram.run(["deploy", "cron", "--env-file", "/nowhere/.env"])
        #expect(run.status == 1)
        #expect(run.errors.contains("There is no file /nowhere/.env."))
        #expect(run.errors.contains("--env-file"))
    }
}
