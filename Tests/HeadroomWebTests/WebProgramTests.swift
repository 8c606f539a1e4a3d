import CDispatch
import CLibrary
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

    /// Serves on a socket until it is there, or until the program has ended, with words.
    private func serve(socket: String, in folder: TemporaryFolder, mask: String = "022") async throws -> String? {
        let log = "\(folder.path)/serve-\(UInt64.random(in: 0...(.max)))"
        let process = try HeadroomProcess(
            ["serve", "--socket-path", socket],
            environment: environment.merging([
                "HEADROOM_WEB_TOKEN": "0123456789abcdef", "HEADROOM_STATE_DIR": "\(folder.path)/state",
                "PATH": "/usr/bin:/bin",
            ]) { $1 },
            output: log,
            through: ["/bin/sh", "-c", "umask \(mask); exec \"$0\" \"$@\""]
        )
        defer { process.signal(SIGKILL) }
        #expect(
            try await eventually {
                let text = ServedDashboard.text(log)
                return text.contains("dashboard is at") || text.contains("next: ")
            },
            "\(ServedDashboard.text(log))"
        )
        let text = ServedDashboard.text(log)
        return text.contains("dashboard is at") ? nil : text
    }

    /// What stands there, and whose it is.
    private func facts(_ path: String) -> (mode: mode_t, user: uid_t)? {
        var facts = stat()
        return lstat(path, &facts) == 0 ? (facts.st_mode, facts.st_uid) : nil
    }

    private func plantSocket(_ path: String, owner: uid_t) {
        mknod(path, S_IFSOCK | 0o600, 0)
        chown(path, owner, owner)
    }

    @Test(arguments: ["000", "022", "077"])
    func `The socket is for its owner and the group, whatever the umask, and one of an earlier run makes room`(
        mask: String
    ) async throws {
        let folder = TemporaryFolder()
        let socket = "\(folder.path)/web.sock"
        for _ in 0..<2 {
            let problem = try await serve(socket: socket, in: folder, mask: mask)
            #expect(problem == nil)
            #expect(facts(socket)?.mode == S_IFSOCK | 0o660)
        }
    }

    @Test func `What is no socket stays where the socket was to be made`() async throws {
        let folder = TemporaryFolder()
        let (file, other) = (folder.write("mine", to: "web.sock"), "\(folder.path)/other.sock")
        plantSocket(other, owner: geteuid())
        symlink(other, "\(folder.path)/link.sock")
        for path in [file, "\(folder.path)/link.sock"] {
            let problem = try await serve(socket: path, in: folder)
            #expect(problem?.contains("something else than a socket") == true, "\(problem ?? "")")
        }
        #expect(try SourceFiles.text(file) == "mine")
        #expect(facts("\(folder.path)/link.sock")?.mode == S_IFLNK | 0o777 && facts(other) != nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be led elsewhere by a user"))
    func `Root makes and removes no socket where a user's link leads, nor one of others`() async throws {
        let user: uid_t = 54_321
        let folder = TemporaryFolder()
        let (home, target) = ("\(folder.path)/home", "\(folder.path)/target")
        for path in [home, target] { mkdir(path, 0o755) }
        chown(home, user, user)
        symlink(target, "\(home)/run")
        plantSocket("\(target)/old.sock", owner: 0)
        for name in ["web.sock", "old.sock"] {
            let problem = try await serve(socket: "\(home)/run/\(name)", in: folder)
            #expect(problem?.contains("root does not follow") == true, "\(problem ?? "")")
        }
        #expect(facts("\(target)/web.sock") == nil && facts("\(target)/old.sock") != nil)
        plantSocket("\(home)/foreign.sock", owner: user + 1)
        let problem = try await serve(socket: "\(home)/foreign.sock", in: folder)
        #expect(problem?.contains("belongs to user \(user + 1)") == true, "\(problem ?? "")")
        #expect(facts("\(home)/foreign.sock") != nil)
        // The user's own makes room, in the user's folder.
        plantSocket("\(home)/web.sock", owner: user)
        let served = try await serve(socket: "\(home)/web.sock", in: folder)
        #expect(served == nil && facts("\(home)/web.sock")?.user == 0)
    }

    @Test func `A token that is made for a run stands in a file of its owner's, and not in the log`() async throws {
        let dashboard = try await ServedDashboard()
        let path = try #require(dashboard.log.firstMatch(of: /the token in (\S+)/)).output.1
        let token = try #require(ServedDashboard.text(String(path)).split(separator: "\n").first)
        #expect(token.count == 32)
        #expect(!dashboard.log.contains(token))
        let mode = try await HeadroomProgram.run("/usr/bin/stat", ["-c", "%a", String(path)])
        #expect(mode.output == "600\n")
        #expect(try await dashboard.status("/api/v1/openapi.json", ["--oauth2-bearer", String(token)]) == 200)
        #expect(try await dashboard.status("/api/v1/openapi.json", ["--oauth2-bearer", "x\(token)"]) == 401)
        #expect(try await dashboard.status("/sign-in", ["--data", "password=x\(token)"]) == 401)
        // Nor does a token that was shown to it come back in the log, right or wrong.
        #expect(!dashboard.log.contains(token))
        #expect(
            dashboard.log.contains("token refused") && dashboard.log.contains("sign-in refused"),
            "\(dashboard.log)"
        )
        // A link in the file's place is replaced, not followed.
        let victim = dashboard.folder.write("precious", to: "victim")
        _ = try await HeadroomProgram.run("/bin/ln", ["-sf", victim, String(path)])
        let again = try await ServedDashboard(folder: dashboard.folder)
        #expect(again.log.contains(path))
        #expect(ServedDashboard.text(victim) == "precious")
    }

    @Test func `Only who asks for a name of its own is answered, however the name is said`() async throws {
        let dashboard = try await ServedDashboard(["--host-name", "db.example.org"])
        for path in ["/sign-in", "/metrics", "/", "/events", "/nothing"] {
            #expect(
                try await dashboard.status(path, ["--header", "Host: evil.example:\(dashboard.port)"]) == 421,
                "\(path)"
            )
        }
        #expect(
            try await dashboard.status("/sign-in", ["--header", "Host: evil.example", "--data", "password=x"]) == 421
        )
        #expect(try await dashboard.status("/sign-in", ["--header", "Host: db.example.org"]) == 200)
        #expect(try await dashboard.status("/sign-in", ["--header", "Host: localhost:\(dashboard.port)"]) == 200)
        #expect(try await dashboard.status("/sign-in", ["--header", "Host: localhost:1"]) == 421)
        #expect(try await dashboard.status("/sign-in", ["--header", "Host: x@localhost:\(dashboard.port)"]) == 421)
        // HTTP/1.0 without a Host is no browser's, and a name in the target counts for nothing.
        #expect(try await dashboard.status("/sign-in", ["--http1.0", "--header", "Host:"]) == 421)
        #expect(try await dashboard.status("/healthz", ["--http1.0", "--header", "Host:"]) == 200)
        let target = ["--request-target", "http://db.example.org/sign-in"]
        #expect(try await dashboard.status("/", target + ["--header", "Host: evil.example"]) == 421)
        #expect(try await dashboard.status("/", target + ["--header", "Host: db.example.org"]) == 200)
        for target in [
            "http://evil.example/sign-in", "http://evil.example:\(dashboard.port)/sign-in", "evil.example/sign-in",
            "http://db.example.org@evil.example/sign-in", "HTTP://evil.example", "http:///sign-in",
            "x://evil.example/?http://db.example.org/", "evil.example:80",
        ] {
            let asked = ["--request-target", target, "--header", "Host: db.example.org"]
            // Without a scheme it is no target at all.
            let status = try await dashboard.status("/", asked)
            #expect(status == (target.contains("://") ? 421 : 400), "\(target) \(status)")
        }
        let twice =
            "exec 3<>/dev/tcp/127.0.0.1/$0; printf 'GET /sign-in HTTP/1.1\\r\\nHost: localhost:%s\\r\\n"
            + "Host: evil.example\\r\\nConnection: close\\r\\n\\r\\n' $0 >&3; head -n 1 <&3"
        let raw = try await HeadroomProgram.run("/bin/bash", ["-c", twice, "\(dashboard.port)"])
        #expect(raw.output.hasPrefix("HTTP/1.1 400"), "\(raw.output)")
    }

    @Test func `A head of many or long fields is refused`() async throws {
        let dashboard = try await ServedDashboard()
        let many = (0..<150).flatMap { ["--header", "X-\($0): y"] }
        #expect(try await dashboard.status("/sign-in", many) == 400)
        #expect(
            try await dashboard.status("/sign-in", ["--header", "X: \(String(repeating: "y", count: 20_000))"]) == 400
        )
        #expect(try await dashboard.status("/sign-in?" + String(repeating: "y", count: 20_000)) == 400)
        #expect(try await dashboard.status("/sign-in") == 200)
    }
}
