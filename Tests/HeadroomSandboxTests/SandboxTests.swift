import Glibc
import Headroom
import TestSupport
import Testing

@testable import HeadroomSandbox

/// A private server is there when asked for, is nobody else's, and goes with its owner, however that ends.
@Suite struct SandboxTests {
    private struct Stop: Error {}

    private func database(_ sandbox: Sandbox, as user: String? = nil) throws -> Database {
        var settings = try SettingsSources(environment: sandbox.environment).load().database
        if let user {
            settings.username = user
            settings.password = ""
        }
        // These tests are about the server and its limits, not about the budget.
        return Database(settings, share: .reserve)
    }

    private func isRunning(_ process: Int32?) -> Bool {
        guard let process else { return false }
        return kill(process, 0) == 0
    }

    @Test func `the account has its limit, its database, and one count for socket and TCP`() async throws {
        var options = SandboxOptions(limit: 2)
        options.tcp = true
        options.password = "it's \\ \"quoted\""
        try await Sandbox.with(options) { sandbox in
            let overSocket = try database(sandbox)
            var settings = overSocket.settings
            settings.endpoint = .tcp(host: "127.0.0.1", port: try #require(sandbox.port))
            let overTCP = Database(settings, share: .reserve)
            try await overSocket.withConnection { connection in
                try await connection.query("CREATE TABLE t (a INT)")
                try await overTCP.withConnection { _ in
                    let error = await #expect(throws: DatabaseError.self) {
                        try await overSocket.withConnection { _ in }
                    }
                    #expect(error?.limit == 2)
                }
            }
        }
    }

    @Test func `the administrator comes in through the socket only, and the folder is its owner's alone`() async throws
    {
        var options = SandboxOptions()
        options.tcp = true
        try await Sandbox.with(options) { sandbox in
            let accounts = try await database(sandbox, as: "root")
                .withConnection {
                    try await $0.query("SELECT CONCAT(User, '@', Host) FROM mysql.user WHERE User <> 'mariadb.sys'")
                        .decode(String.self)
                }
            #expect(accounts.sorted() == ["app@%", "root@localhost"])
            var information = stat()
            #expect(stat(sandbox.directory, &information) == 0)
            #expect(information.st_mode & 0o777 == 0o700)
        }
    }

    @Test func `a server goes with its scope, on return and on throw`() async throws {
        var seen: [(directory: String, process: Int32?)] = []
        try await Sandbox.with { seen.append(($0.directory, $0.processID)) }
        await #expect(throws: Stop.self) {
            try await Sandbox.with { sandbox in
                seen.append((sandbox.directory, sandbox.processID))
                throw Stop()
            }
        }
        #expect(seen.count == 2)
        for (directory, process) in seen {
            #expect(process != nil)
            #expect(!isRunning(process))
            #expect(!Files.exists(directory))
        }
    }

    @Test func `the port of a server is none that an outgoing connection may be given before it listens`() throws {
        let range = try #require(Files.read("/proc/sys/net/ipv4/ip_local_port_range")).split { $0.isWhitespace }
        let first = try #require(range.first.flatMap { Int($0) })
        // A host may have widened the range; there is nothing to be had then.
        guard first >= 32_768 else { return }
        for _ in 0..<100 {
            let port = try Readiness.freePort()
            #expect(port < first && port >= 1024)
        }
    }

    @Test func `a restart keeps the data`() async throws {
        let first = try await Sandbox.start(SandboxOptions())
        try await database(first)
            .withConnection {
                try await $0.query("CREATE TABLE kept (a INT)")
                try await $0.query("INSERT INTO kept VALUES (7)")
            }
        let second = try await first.restart()
        let value = try await database(second).withConnection { try await $0.number("SELECT a FROM kept") }
        #expect(value == 7)
        await second.stop()
        #expect(!Files.exists(second.directory))
    }

    @Test func `options reach the server`() async throws {
        var options = SandboxOptions()
        options.performanceSchema = true
        options.serverLimit = 33
        options.serverArguments = ["--max-connect-errors=77"]
        try await Sandbox.with(options) { sandbox in
            let row = try await database(sandbox)
                .withConnection {
                    try await $0.query("SELECT @@performance_schema, @@max_connections, @@max_connect_errors")
                        .first(Int.self, Int.self, Int.self)
                }
            #expect(row?.0 == 1)
            #expect(row?.1 == 33)
            #expect(row?.2 == 77)
        }
    }

    @Test func `a server that cannot start says why, at once, and leaves nothing`() async throws {
        var options = SandboxOptions()
        options.serverArguments = ["--no-such-option"]
        let error = await #expect(throws: SandboxError.self) { try await Sandbox.with(options) { _ in } }
        #expect(error?.code == .startFailed)
        #expect(error?.description.contains("no-such-option") == true)
    }

    @Test(.enabled(if: !SuiteServer.isMariaDB, "It takes a MySQL: scripts/test --server mysql."))
    func `a MySQL has its limit, lets the administrator in through the socket only, and keeps its data`() async throws {
        var options = SandboxOptions(limit: 2)
        options.server = SuiteServer.server
        options.tcp = true
        options.tls = true
        let first = try await Sandbox.start(options)
        let row = try await database(first)
            .withConnection {
                try await $0.query("CREATE TABLE kept (a INT)")
                try await $0.query("INSERT INTO kept VALUES (7)")
                return try await $0.query("SELECT @@version, @@max_user_connections").first(String.self, Int.self)
            }
        #expect(row?.0.hasPrefix("9.") == true)
        #expect(row?.1 == 2)
        let accounts = try await database(first, as: "root")
            .withConnection {
                try await $0.query("SELECT CONCAT(User, '@', Host) FROM mysql.user WHERE User NOT LIKE 'mysql.%'")
                    .decode(String.self)
            }
        #expect(accounts.sorted() == ["app@%", "root@localhost"])
        let second = try await first.restart()
        let value = try await database(second).withConnection { try await $0.number("SELECT a FROM kept") }
        #expect(value == 7)
        await second.stop()
        #expect(!Files.exists(second.directory))
    }

    @Test func `a folder with no MySQL in it is told at once`() async throws {
        var options = SandboxOptions()
        options.server = .mySQL(root: "/nowhere")
        let error = await #expect(throws: SandboxError.self) { try await Sandbox.with(options) { _ in } }
        #expect(error?.code == .serverMissing)
        #expect(error?.description.contains("/nowhere") == true)
    }

    @Test func `two at once from an empty cache both get a whole data folder`() async throws {
        let cache = TemporaryFolder()
        func run() async throws -> Int32 {
            try await HeadroomProgram.run(
                ["sandbox", "run", "--", "true"],
                environment: ["HEADROOM_CACHE": "\(cache.path)/c"]
            )
            .status
        }
        async let first = run()
        async let second = run()
        let statuses = try await [first, second]
        #expect(statuses == [0, 0])
        await Program.remove("\(cache.path)/c")
    }

    /// A running `headroom sandbox run`, its server and its folder.
    private struct Owner {
        let process: pid_t
        let server: pid_t
        let directory: String
        let run: Task<HeadroomProgram.Output, any Error>
    }

    private func startOwner(_ folder: TemporaryFolder) async throws -> Owner {
        let note = "\(folder.path)/note"
        let script = "echo $PPID $DB_SOCKET > \(note).new; mv \(note).new \(note); exec sleep 60"
        let run = Task { try await HeadroomProgram.run(["sandbox", "run", "--", "sh", "-c", script]) }
        #expect(try await eventually(within: .seconds(30)) { Files.exists(note) })
        let words = try #require(Files.read(note)).split { $0.isWhitespace }
        let directory = words[1].split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        return Owner(
            process: try #require(words.first.flatMap { pid_t($0) }),
            server: try #require(SandboxFolder(path: directory).runningServer),
            directory: directory,
            run: run
        )
    }

    @Test func `kill -9 of the owner takes the server and its folder with it`() async throws {
        let folder = TemporaryFolder()
        let owner = try await startOwner(folder)
        #expect(isRunning(owner.server))
        kill(owner.process, SIGKILL)
        #expect(try await owner.run.value.status == -SIGKILL)
        #expect(
            try await eventually(within: .seconds(30)) { !isRunning(owner.server) && !Files.exists(owner.directory) }
        )
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `Ctrl-C and SIGTERM end the command, the server and the folder`(signal: Int32) async throws {
        let folder = TemporaryFolder()
        let owner = try await startOwner(folder)
        kill(owner.process, signal)
        #expect(try await owner.run.value.status == 128 + signal)
        #expect(!isRunning(owner.server))
        #expect(!Files.exists(owner.directory))
    }

    @Test func `the exit status of the command is passed on, and its environment is the account's`() async throws {
        let run = try await HeadroomProgram.run([
            "sandbox", "run", "--limit", "3", "--", "sh", "-c",
            "test -S $DB_SOCKET && test -S $HEADROOM_SANDBOX_ADMIN_SOCKET && echo $DB_USERNAME $DB_DATABASE; exit 7",
        ])
        #expect(run.status == 7)
        #expect(run.output == "app app\n")
        let missing = try await HeadroomProgram.run(["sandbox", "run", "--", "no-such-program"])
        #expect(missing.status == 127)
        #expect(missing.errors.contains("no-such-program"))
    }

    @Test func `start, stop and start again keep the data, and stop ends only that server`() async throws {
        let folder = TemporaryFolder()
        let directory = "\(folder.path)/s"
        func run(_ arguments: String...) async throws -> HeadroomProgram.Output {
            try await HeadroomProgram.run(["sandbox"] + arguments + ["--dir", directory])
        }
        let started = try await run("start", "--limit", "4")
        #expect(started.status == 0)
        #expect(started.output.contains("export DB_SOCKET='\(directory)/mysqld.sock'"))
        #expect(try await run("start").errors.contains("already"))
        let status = try await HeadroomProgram.run(["status", "--env-file", "\(directory)/env"])
        #expect(status.status == 0)
        #expect(status.output.contains("0 of 4"))
        #expect(try await run("stop").status == 0)
        #expect(SandboxFolder(path: directory).runningServer == nil)
        let again = try await run("stop")
        #expect(again.status == 1)
        #expect(again.errors.contains("nothing to stop"))

        // A process id that has become somebody else's is nobody we stop.
        try Files.write("\(getpid())\n", to: "\(directory)/mysqld.pid")
        #expect(try await run("stop").status == 1)
        #expect(try await run("start").status == 0)
        #expect(try await run("stop").status == 0)
        await Program.remove(directory)
    }

    @Test func `a folder that is not a sandbox's is left alone`() async throws {
        let folder = TemporaryFolder()
        folder.write("precious", to: "data.txt")
        for verb in ["start", "stop"] {
            let run = try await HeadroomProgram.run(["sandbox", verb, "--dir", folder.path])
            #expect(run.status == 1)
        }
        #expect(Files.read("\(folder.path)/data.txt") == "precious")
    }
}
