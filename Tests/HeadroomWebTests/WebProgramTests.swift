import Glibc
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

    private func add(_ name: String, _ file: String) async throws -> HeadroomProgram.Output {
        try await HeadroomProgram.run(
            "/bin/sh",
            [
                "-c", "echo 'correct horse' | \"$0\" serve --user-file \"$1\" --add-user \"$2\"",
                HeadroomProgram.path, file, name,
            ],
            environment: environment
        )
    }

    @Test(arguments: Planted.allCases)
    func `Whatever stands in the place of the users' file, the dashboard ends in time, with words`(
        planted: Planted
    ) async throws {
        let folder = TemporaryFolder()
        let file = "\(folder.path)/users"
        // Users of nobody's.
        let other = folder.write("mine", to: "other", mode: 0o644)
        guard planted.plant(file, beside: other) else { return #expect(planted == .device) }
        let serving = try await HeadroomProgram.run(
            "/usr/bin/timeout",
            ["-s", "KILL", "60", HeadroomProgram.path, "serve", "--user-file", file],
            environment: environment
        )
        #expect(serving.status == 1 && serving.errors.contains(file), "\(serving)")
        let adding = try await add("anna", file)
        #expect(adding.status == 1 && adding.errors.contains(file), "\(adding)")
        #expect(try SourceFiles.text(other) == "mine")
        #expect(access("\(other).none", F_OK) != 0)
    }

    @Test func `A user is added with a hash, and replaced; a file that everybody may read is refused`() async throws {
        let folder = TemporaryFolder()
        let file = "\(folder.path)/users"
        for _ in 0..<2 {
            let run = try await add("anna", file)
            #expect(run.status == 0, "\(run.errors)")
        }
        let kept = try await HeadroomProgram.run("/bin/sh", ["-c", "stat -c %a \"$0\"; cat \"$0\"", file])
        let lines = kept.output.split(separator: "\n")
        #expect(lines.first == "600")
        #expect(lines.count == 2)
        #expect(lines.last?.hasPrefix("anna:$scrypt$") == true)
        #expect(!kept.output.contains("correct horse"))
        // What stands under a name that could be guessed is left alone, and rights that were changed stay.
        let other = folder.write("mine", to: "other")
        for name in ["users.new", "users~"] { symlink(other, "\(folder.path)/\(name)") }
        _ = try await HeadroomProgram.run("/bin/chmod", ["640", file])
        _ = try await add("bert", file)
        #expect(
            try await HeadroomProgram.run("/bin/sh", ["-c", "stat -c %a \"$0\"; cat \"$0\"", file]).output
                .split(separator: "\n").map { $0.prefix(5) } == ["640", "anna:", "bert:"]
        )
        #expect(try SourceFiles.text(other) == "mine")
        _ = try await HeadroomProgram.run("/bin/chmod", ["644", file])
        let run = try await HeadroomProgram.run(["serve", "--user-file", file], environment: environment)
        #expect(run.status == 1)
        #expect(run.errors.contains("chmod 600"))
    }
}
