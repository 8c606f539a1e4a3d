import HeadroomSandbox
import TestSupport
import Testing

/// What goes wrong is said as somebody needs it who has never seen the program: what, why, and what next.
@Suite(.sandbox()) struct MessageTests {
    @Test(
        arguments: [
            (["jobs", "list"], [:], "headroom migrate"), (["work", "--once"], [:], "headroom migrate"),
            (["jobs", "list"], ["DB_DATABASE": ""], "DB_DATABASE"), (["migrate"], ["DB_DATABASE": ""], "DB_DATABASE"),
            (["status"], ["HEADROOM_BUDGET": "many"], "a number from 1"),
            (["migrate"], ["DB_PASSWORD": "x"], "DB_PASSWORD"),
            (["migrate"], ["DB_DATABASE": "nowhere"], "DB_DATABASE"),
            (["migrate"], ["DB_SOCKET": "/nowhere.sock"], "DB_HOST=127.0.0.1"),
            (["slots"], ["HEADROOM_STATE_DIR": "/proc/nowhere"], "HEADROOM_STATE_DIR"),
            (["run", "--", "no-such-program"], [:], "PATH"), (["jobs", "show", "1"], [:], "headroom migrate"),
            (["status", "--env-file", "/nowhere.env"], [:], "Check the path"),
            (["stauts"], [:], "did you mean 'status'"),
            (["work", "--once", "--queue", "a/b"], [:], "Use letters"),
        ] as [([String], [String: String], String)]
    )
    func `an error says what to do next, in few lines`(
        arguments: [String],
        changes: [String: String],
        next: String
    ) async throws {
        let environment = try SuiteServer.sandbox.environment.merging(changes) { $1 }
        let run = try await HeadroomProgram.run(arguments, environment: environment)
        #expect(run.status != 0)
        let lines = run.errors.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("headroom: ") }, "\(run.errors)")
        #expect(lines.contains { $0.hasPrefix("  next: ") && $0.contains(next) }, "\(run.errors)")
        #expect(lines.count <= 3, "\(run.errors)")
    }

    @Test func `a result that cannot be written is an error, and a reader that has gone is none`() async throws {
        let script = #""$0" config list >/dev/full; echo $?; "$0" config list >&-; echo $?; "$0" config list | true"#
        let run = try await HeadroomProgram.run("/bin/sh", ["-c", script, HeadroomProgram.path])
        #expect(run.output == "74\n74\n")
        #expect(run.errors.split(separator: "\n").count { $0.contains("cannot be written: ") } == 2, "\(run.errors)")
        #expect(run.errors.contains("No space left"), "\(run.errors)")
    }
}
