import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// `headroom rescue` on an account with a limit of 10 that two other programs have used up: 5 connections over the socket and
/// 5 over TCP, one of them at work in a transaction.
@Suite(.sandbox(tcp: true), .serialized) struct RescueTests {
    private static let nobody = 65_534

    /// MySQL counts how long a session has slept in whole seconds.
    private static let overTwoSeconds = Duration.milliseconds(SuiteServer.isMariaDB ? 2_300 : 3_300)

    private func environment(_ account: String, _ changes: [String: String] = [:]) throws -> [String: String] {
        try SuiteServer.sandbox.environment
            .merging(["DB_USERNAME": account, "DB_PASSWORD": "sandbox"]) { $1 }
            .merging(changes) { $1 }
    }

    private func administrate(_ statements: String...) async throws {
        try await SuiteServer.administrator()
            .withConnection { connection in
                for statement in statements { try await connection.query(SQL(raw: statement)) }
            }
    }

    /// Whether an account comes down to a number of sessions and stays there: the server lists a session for a moment after it
    /// has hung up.
    private func isLeft(with count: Int, _ account: String) async throws -> Bool {
        guard try await eventually({ try await SuiteServer.sessions(of: account) <= count }) else { return false }
        try await Task.sleep(for: .milliseconds(100))
        return try await SuiteServer.sessions(of: account) == count
    }

    private func fill(
        _ account: String,
        working: Int,
        user: Int? = nil,
        laterUser: Int? = nil
    ) async throws -> [ConnectionHolder] {
        let sandbox = try SuiteServer.sandbox
        try await administrate("CREATE TABLE IF NOT EXISTS app.held (n INT)")
        // Unix first: 0 to 2 and 0 to 1, then TCP: 3 to 4 and 2 to 4.
        func holder(_ unix: Int, _ tcp: Int, _ working: Int?) async throws -> ConnectionHolder {
            try await ConnectionHolder(
                sandbox,
                account: account,
                unix: unix,
                tcp: tcp,
                working: working,
                user: user,
                laterUser: laterUser
            )
        }
        return [
            try await holder(3, 2, working < 5 ? working : nil),
            try await holder(2, 3, working >= 5 ? working - 5 : nil),
        ]
    }

    /// Lets another user use the server's socket, and gives it a state folder of its own.
    private func environmentForNobody(_ account: String) throws -> [String: String] {
        let socket = try SuiteServer.sandbox.socket
        let folder = String(socket[..<(socket.lastIndex(of: "/") ?? socket.endIndex)])
        chmod(folder, 0o711)
        mkdir("\(folder)/nobody", 0o777)
        chown("\(folder)/nobody", uid_t(Self.nobody), gid_t(Self.nobody))
        return try environment(account, ["HEADROOM_STATE_DIR": "\(folder)/nobody"])
    }

    @Test func `the limit, its number and both programs are named, and nothing is ended without being told`()
        async throws
    {
        let holders = try await fill("ten1", working: 3)
        try await Task.sleep(for: .milliseconds(300))
        let run = try await HeadroomProgram.run(["rescue"], environment: environment("ten1"))
        #expect(run.status == 1)
        #expect(run.output.contains("its limit is 10 (error 1226)"))
        #expect(run.output.contains("that this host can see: 10"))
        for (holder, counts) in zip(holders, ["3     2", "2     3"]) {
            let line = run.output.split(separator: "\n").first { $0.hasPrefix("  \(holder.id)") }
            #expect(line?.contains(counts) == true, "\(run.output)")
            #expect(line?.contains("connection-holder") == true)
        }
        #expect(run.output.contains("still lets nobody in"))
        #expect(run.output.contains("KILL"))
        #expect(!run.output.contains("app sandbox "), "a password is shown")
        let json = try await HeadroomProgram.run(["rescue", "--json"], environment: environment("ten1"))
        for key in ["\"server_code\" : 1226", "\"value\" : 10", "\"pid\" : \(holders[0].id)", "\"silent_seconds\""] {
            #expect(json.output.contains(key), "\(key)")
        }
        #expect(try await SuiteServer.sessions(of: "ten1") == 10)
        #expect(!holders[0].hasLostTransaction)
    }

    @Test(arguments: [true, false])
    func `over TCP the one in a transaction survives, and the next connect succeeds`(isPrivileged: Bool) async throws {
        let account = isPrivileged ? "ten2" : "ten3"
        if isPrivileged {
            try await administrate("GRANT PROCESS ON *.* TO \(account)@'%'")
            // So that it knows that those from another address are of no other row of the user.
            try await administrate("GRANT SELECT ON mysql.user TO \(account)@'%'")
        }
        // Any of those over TCP.
        let working = try #require([3, 4, 7, 8, 9].randomElement())
        let holders = try await fill(account, working: working)
        try await Task.sleep(for: Self.overTwoSeconds)
        let environment = try environment(account)
        let dry = try await HeadroomProgram.run(["rescue", "--hang-up-idle", "2"], environment: environment)
        #expect(dry.output.contains("would be hung up"))
        #expect(try await SuiteServer.sessions(of: account) == 10)

        let run = try await HeadroomProgram.run(["rescue", "--hang-up-idle", "2", "--yes"], environment: environment)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("hung up, its place was free at once"), "\(run.output)")
        #expect(run.output.contains("GRANT PROCESS ON") != isPrivileged)
        #expect(run.output.contains("freed 8 of 8 slots"), "\(run.output)")
        #expect(try await isLeft(with: 1, account))
        try await Task.sleep(for: .milliseconds(300))
        #expect(holders.allSatisfy { !$0.hasLostTransaction && $0.isRunning }, "\(working)")
        try await SuiteServer.database(account, share: .reserve).withConnection { try await $0.query("SELECT 1") }
    }

    @Test func `no more is ended than is asked for`() async throws {
        let holders = try await fill("ten4", working: 4)
        try await Task.sleep(for: Self.overTwoSeconds)
        let arguments = ["rescue", "--hang-up-idle", "1", "--until-free", "3", "--yes"]
        let run = try await HeadroomProgram.run(arguments, environment: environment("ten4"))
        #expect(run.status == 0, "\(run.output)")
        #expect(try await isLeft(with: 7, "ten4"))
        #expect(!holders[0].hasLostTransaction)
    }

    @Test func `nothing is hung up that has not been silent for so long`() async throws {
        let holders = try await fill("ten5", working: 0)
        let arguments = ["rescue", "--hang-up-idle", "600", "--yes"]
        let run = try await HeadroomProgram.run(arguments, environment: environment("ten5"))
        #expect(run.status == 1)
        #expect(run.output.contains("nothing that may be hung up"))
        #expect(try await SuiteServer.sessions(of: "ten5") == 10)
        withExtendedLifetime(holders) {}
    }

    @Test func `a second account looks and ends, where the first one is not let in`() async throws {
        try await administrate(
            "CREATE USER mon@'%' IDENTIFIED BY 'm' WITH MAX_USER_CONNECTIONS 2",
            "GRANT PROCESS, \(SuiteServer.isMariaDB ? "CONNECTION ADMIN" : "CONNECTION_ADMIN") ON *.* TO mon@'%'"
        )
        let holders = try await fill("ten6", working: 8)
        try await Task.sleep(for: Self.overTwoSeconds)
        let environment = try environment(
            "ten6",
            ["HEADROOM_ADMIN_USERNAME": "mon", "HEADROOM_ADMIN_PASSWORD": "m"]
        )
        let arguments = ["rescue", "--max-idle", "1", "--until-free", "2", "--yes"]
        let run = try await HeadroomProgram.run(arguments, environment: environment)
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("the second account (mon at "), "\(run.output)")
        #expect(run.output.contains("): opened"))
        #expect(try await isLeft(with: 8, "ten6"))
        #expect(!holders[1].hasLostTransaction)
    }

    @Test func `the last look is shown with its age`() async throws {
        let environment = try environment("one1")
        _ = try await HeadroomProgram.run(["status"], environment: environment)
        try await SuiteServer.database("one1", share: .reserve)
            .withConnection { _ in
                let run = try await HeadroomProgram.run(["rescue"], environment: environment)
                #expect(run.status == 1)
                #expect(run.output.contains("The last look, "), "\(run.output)")
                #expect(run.output.contains("0 of 1 in use"), "\(run.output)")
            }
    }

    @Test func `one connection can be hung up by its process and descriptor, but not this program's own`() async throws
    {
        let holders = try await fill("ten7", working: 9)
        let environment = try environment("ten7")
        let json = try await HeadroomProgram.run(["rescue", "--json"], environment: environment)
        #expect(json.output.contains("\"fd\" : 4"))
        let run = try await HeadroomProgram.run(
            ["rescue", "--hang-up", "\(holders[0].id)", "--yes"],
            environment: environment
        )
        #expect(run.status == 0, "\(run.output)")
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten7") == 5 })
        #expect(!holders[1].hasLostTransaction)
        // The tests' own process started this rescue.
        try await SuiteServer.database("ten7", share: .reserve)
            .withConnection { _ in
                let own = try await HeadroomProgram.run(
                    ["rescue", "--hang-up", "\(getpid())", "--yes"],
                    environment: environment
                )
                #expect(own.output.contains("left alone, this program's own"), "\(own.output)")
                #expect(try await SuiteServer.sessions(of: "ten7") == 6)
            }
    }

    @Test func `where the kernel has no descriptors of processes, a program is ended all the same`() async throws {
        let holders = try await fill("ten9", working: 9)
        let environment = try environment("ten9")
        func rescue(_ arguments: [String]) async throws -> HeadroomProgram.Output {
            let words = ["pidfd", "--", HeadroomProgram.path, "rescue"] + arguments
            return try await HeadroomProgram.run(
                HeadroomProgram.beside("call-refuser"),
                words,
                environment: environment
            )
        }
        let hungUp = try await rescue(["--hang-up", "\(holders[0].id)", "--yes"])
        #expect(hungUp.output.contains("not supported by this kernel or container"), "\(hungUp)")
        #expect(holders[0].isRunning)
        let none = try await rescue(["--terminate", "4194300", "--yes"])
        #expect(none.output.contains("is none that runs"), "\(none)")
        let ended = try await rescue(["--terminate", "\(holders[0].id)", "--yes"])
        #expect(ended.output.contains("has ended"), "\(ended)")
        #expect(!holders[0].isRunning && holders[1].isRunning)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
    func `another user's programs are rescued by that user, too`() async throws {
        let environment = try environmentForNobody("ten8")
        let holders = try await fill("ten8", working: 3, user: Self.nobody)
        try await Task.sleep(for: Self.overTwoSeconds)
        let run = try await HeadroomProgram.run(
            ["rescue", "--hang-up-idle", "2", "--yes"],
            asUser: Self.nobody,
            environment: environment
        )
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.contains("hung up, its place was free at once"), "\(run.output)")
        #expect(try await isLeft(with: 1, "ten8"))
        #expect(!holders[0].hasLostTransaction)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
    func `a holder that dropped root without another program is named, with what can be done about it`() async throws {
        let environment = try environmentForNobody("ten9")
        let holders = try await fill("ten9", working: 3, laterUser: Self.nobody)
        func rescue(_ arguments: String...) async throws -> HeadroomProgram.Output {
            try await HeadroomProgram.run(
                ["rescue"] + arguments,
                asUser: Self.nobody,
                environment: environment
            )
        }
        try await Task.sleep(for: .milliseconds(1_300))
        let run = try await rescue("--hang-up-idle", "1", "--yes")
        #expect(run.status == 1, "\(run.output)")
        #expect(run.output.contains("that this host can see: 10"), "\(run.output)")
        for holder in holders { #expect(run.output.contains("maybe process \(holder.id)"), "\(run.output)") }
        #expect(run.output.contains("TCP silent for"))
        #expect(run.output.contains("may not be looked into"))
        #expect(run.output.contains("sudo headroom rescue"))
        #expect(run.output.contains("headroom rescue --terminate \(holders[0].id) --yes"))
        #expect(try await SuiteServer.sessions(of: "ten9") == 10)

        let ended = try await rescue("--terminate", "\(holders[1].id)", "--yes")
        #expect(ended.output.contains("process \(holders[1].id) has ended"), "\(ended.output)")
        #expect(ended.status == 0)
        #expect(!holders[1].isRunning)
        // Root may look into it.
        let root = try await HeadroomProgram.run(["rescue", "--json"], environment: self.environment("ten9"))
        #expect(root.output.contains("\"pid\" : \(holders[0].id)"))
        withExtendedLifetime(holders) {}
    }

    @Test func `what is no matter of places is told apart`() async throws {
        func output(_ account: String, _ changes: [String: String]) async throws -> String {
            let run = try await HeadroomProgram.run(["rescue"], environment: environment(account, changes))
            #expect(run.status == 1)
            return run.output
        }
        let wrong = try await output("app", ["DB_PASSWORD": "wrong"])
        #expect(wrong.contains("does not accept the user name"))
        #expect(!wrong.contains("KILL"))
        let down = try await output("app", ["DB_SOCKET": "/nowhere/mysqld.sock", "DB_HOST": "", "DB_PORT": ""])
        #expect(down.contains("no database server socket"))
        #expect(down.contains("nothing listens"))
        for _ in 1...30 {
            let database = try SuiteServer.database("hourly", share: .reserve)
            do { try await database.withConnection { _ in } } catch is DatabaseError { break }
        }
        let hourly = try await output("hourly", [:])
        #expect(hourly.contains("max_connections_per_hour of 20"), "\(hourly)")
        #expect(hourly.contains("FLUSH USER_RESOURCES"))
    }
}

/// `headroom rescue` on a server that is full.
@Suite(.enabled(if: SuiteServer.isMariaDB)) struct FullServerTests {
    @Test func `a full server is entered by the extra port that was seen in good times`() async throws {
        var options = SandboxOptions()
        options.tcp = true
        options.serverLimit = 10
        // A port that is free now; nobody else of this machine is likely to take it within a moment.
        let port = Int.random(in: 20_000...30_000)
        options.serverArguments = ["--extra-port=\(port)", "--extra-max-connections=2"]
        try await Sandbox.with(options) { sandbox in
            var environment = sandbox.environment
            let before = try await HeadroomProgram.run(["status"], environment: environment)
            #expect(before.status == 0)
            let holder = try await ConnectionHolder(sandbox, account: "app", unix: 5, tcp: 5)
            let run = try await HeadroomProgram.run(["rescue"], environment: environment)
            #expect(run.output.contains("error 1040"), "\(run.output)")
            #expect(run.output.contains("The limit was 10 at the last look"), "\(run.output)")
            #expect(run.output.contains("the server's extra_port (app at 127.0.0.1:\(port)): opened"), "\(run.output)")
            environment["HEADROOM_STATE_DIR"] = "\(sandbox.environment["HEADROOM_STATE_DIR"] ?? "")/other"
            // Whoever has never looked does not know of it.
            let blind = try await HeadroomProgram.run(["rescue"], environment: environment)
            #expect(blind.output.contains("no other door is known"), "\(blind.output)")
            #expect(blind.status == 1)
            try await Task.sleep(for: .milliseconds(1_200))
            let freed = try await HeadroomProgram.run(
                ["rescue", "--hang-up-idle", "1", "--until-free", "4", "--yes"],
                environment: environment
            )
            #expect(freed.status == 0, "\(freed.output)")
            withExtendedLifetime(holder) {}
        }
    }
}
