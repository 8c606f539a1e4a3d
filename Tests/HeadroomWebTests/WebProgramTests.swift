import TestSupport
import Testing

/// The program as a user starts it, without a server.
struct WebProgramTests {
    private let environment = ["DB_SOCKET": "/nonexistent/mysqld.sock", "DB_USERNAME": "app", "HEADROOM_WEB_TOKEN": ""]

    @Test func `Other hosts are not served without TLS, nor without anybody who could sign in`() async throws {
        var environment = environment
        let open = try await HeadroomProgram.run(["serve", "--listen", "0.0.0.0:0"], environment: environment)
        #expect(open.status == 1)
        #expect(open.errors.contains("Nobody could sign in"))
        environment["HEADROOM_WEB_TOKEN"] = "0123456789abcdef"
        let clear = try await HeadroomProgram.run(["serve", "--listen", "0.0.0.0:0"], environment: environment)
        #expect(clear.status == 1)
        #expect(clear.errors.contains("in the clear"))
        #expect(clear.errors.contains("next: Give --tls-certificate"))
        #expect(!clear.errors.contains("0123456789abcdef"))
    }

    @Test func `A user is added with a hash, and replaced; a file that everybody may read is refused`() async throws {
        let folder = TemporaryFolder()
        let file = "\(folder.path)/users"
        for _ in 0..<2 {
            let run = try await HeadroomProgram.run(
                "/bin/sh",
                [
                    "-c", "echo 'correct horse' | \"$0\" serve --user-file \"$1\" --add-user anna",
                    HeadroomProgram.path, file,
                ],
                environment: environment
            )
            #expect(run.status == 0, "\(run.errors)")
        }
        let kept = try await HeadroomProgram.run("/bin/sh", ["-c", "stat -c %a \"$0\"; cat \"$0\"", file])
        let lines = kept.output.split(separator: "\n")
        #expect(lines.first == "600")
        #expect(lines.count == 2)
        #expect(lines.last?.hasPrefix("anna:$scrypt$") == true)
        #expect(!kept.output.contains("correct horse"))
        _ = try await HeadroomProgram.run("/bin/chmod", ["644", file])
        let run = try await HeadroomProgram.run(["serve", "--user-file", file], environment: environment)
        #expect(run.status == 1)
        #expect(run.errors.contains("chmod 600"))
    }
}
