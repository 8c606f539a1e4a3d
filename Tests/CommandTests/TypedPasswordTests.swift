import HeadroomSandbox
import TestSupport
import Testing

/// A person may type the password, and nobody sees it.
@Suite(.sandbox()) struct TypedPasswordTests {
    /// Runs a command on a terminal of its own, types when it has asked, and returns all that the terminal showed.
    private func type(_ keys: String, into arguments: String, password: String?) async throws -> String {
        let folder = TemporaryFolder()
        let script = """
            cd \(folder.path); mkfifo keys; : >shown
            script -qefc "'$0' \(arguments)" shown <keys >/dev/null 2>&1 & terminal=$!
            exec 3>keys
            for _ in $(seq 200); do grep -q 'Password: ' shown && break; sleep 0.05; done
            printf '\(keys)' >&3
            wait $terminal; echo "exit $?" >>shown; cat shown
            """
        var environment = try SuiteServer.sandbox.environment
        environment["DB_PASSWORD"] = password ?? environment["DB_PASSWORD"]
        return try await HeadroomProgram.run("/bin/sh", ["-c", script, HeadroomProgram.path], environment: environment)
            .output
    }

    @Test func `a typed password wins, and is not shown`() async throws {
        let right = try #require(try SuiteServer.sandbox.environment["DB_PASSWORD"])
        let shown = try await type("\(right)\\r", into: "status --ask-pass", password: "wrong")
        #expect(shown.contains("Password: "), "\(shown)")
        #expect(shown.contains("exit 0"), "\(shown)")
        #expect(!shown.contains(right), "\(shown)")
    }

    @Test func `Ctrl-C at the question ends the program, and the terminal shows again what is typed`() async throws {
        let shown = try await type("abc\\003", into: "status --ask-pass; stty -a", password: nil)
        #expect(shown.contains(/[ ;]echo[ ;]/), "\(shown)")
        #expect(!shown.contains("connections in use"), "\(shown)")
    }

    @Test func `without a terminal it says what to do instead`() async throws {
        let run = try await HeadroomProgram.run(
            "/usr/bin/setsid",
            ["--wait", HeadroomProgram.path, "status", "--ask-pass"],
            environment: SuiteServer.sandbox.environment
        )
        #expect(run.status != 0)
        #expect(run.errors.contains("DB_PASSWORD_FILE"), "\(run.errors)")
    }
}
