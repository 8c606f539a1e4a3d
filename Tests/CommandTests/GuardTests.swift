import Glibc
import Headroom
import HeadroomHistory
import HeadroomSandbox
import HeadroomWatch
import TestSupport
import Testing

/// `guard` as its users meet it: alerts, history, its own connections.
@Suite(.sandbox(performanceSchema: true)) struct GuardTests {
    private func environment(_ account: String) throws -> [String: String] {
        try SuiteServer.sandbox.environment.merging(
            ["DB_USERNAME": account, "DB_PASSWORD": "sandbox", "PATH": "/usr/sbin:/usr/bin:/bin"]
        ) { $1 }
    }

    /// Runs the body while the account's connections are taken.
    private func filled(_ account: String, _ count: Int, _ body: () async throws -> Void) async throws {
        guard count > 0 else { return try await body() }
        try await SuiteServer.database(account, share: .reserve)
            .withConnection { _ in try await filled(account, count - 1, body) }
    }

    @Test func `an account filled and emptied is told of once each, also across a restart of the guard`() async throws {
        let folder = TemporaryFolder()
        let told = "\(folder.path)/told"
        let file = "\(folder.path)/history.sqlite"
        let command =
            "echo \"$HEADROOM_LEVEL $HEADROOM_ALERT $HEADROOM_CHANGE $HEADROOM_USED/$HEADROOM_LIMIT\" >> \(told)"
        let arguments = [
            "guard", "--interval", "200ms", "--foretell", "0", "--history-file", file, "--alert-command", command,
        ]
        let first = try HeadroomProcess(arguments, environment: environment("ten1"))
        defer { first.signal(SIGKILL) }
        try await filled("ten1", 10) {
            let isTold = try await eventually { Self.text(told).contains("EXHAUSTED level raised 10/10") }
            #expect(isTold, "\(Self.text(told))")
            try await Task.sleep(for: .seconds(1))
            first.signal(SIGTERM)
            #expect(try await first.ended() == 0)
            let second = try HeadroomProcess(arguments, environment: environment("ten1"))
            try await Task.sleep(for: .seconds(1))
            second.signal(SIGTERM)
            #expect(try await second.ended() == 0)
        }
        let third = try HeadroomProcess(arguments, environment: environment("ten1"))
        defer { third.signal(SIGKILL) }
        let isOver = try await eventually { Self.text(told).contains("OK level recovered 0/10") }
        #expect(isOver)
        try await Task.sleep(for: .seconds(1))
        third.signal(SIGTERM)
        #expect(try await third.ended() == 0)
        #expect(Self.text(told).split(separator: "\n") == ["EXHAUSTED level raised 10/10", "OK level recovered 0/10"])
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten1") == 0 })
        let past = try await HeadroomProgram.run(
            ["guard", "--history", "--history-file", file],
            environment: environment("ten1")
        )
        #expect(past.status == 0)
        #expect(past.output.contains("EXHAUSTED, was OK") && past.output.contains("!"), "\(past.output)")
        let json = try await HeadroomProgram.run(
            ["guard", "--history", "--json", "--history-file", file],
            environment: environment("ten1")
        )
        #expect(json.output.contains("\"is_refused\" : true"))
    }

    @Test func `--once prints nothing when all is well, and exits with the level's code`() async throws {
        let folder = TemporaryFolder()
        let arguments = ["guard", "--once", "--history-file", "\(folder.path)/history.sqlite"]
        let well = try await HeadroomProgram.run(arguments, environment: environment("ten2"))
        #expect(well.status == 0)
        #expect(well.output == "" && well.errors == "")
        try await filled("ten2", 7) {
            let caution = try await HeadroomProgram.run(arguments, environment: environment("ten2"))
            #expect(caution.status == 1)
            #expect(caution.output.hasPrefix("level raised: CAUTION, was OK: 7 of 10 connections are in use"))
            let again = try await HeadroomProgram.run(arguments, environment: environment("ten2"))
            #expect(again.status == 1)
            // It was said, and stays: cron sends no mail each minute.
            #expect(again.output == "")
        }
        let away = try await HeadroomProgram.run(
            arguments,
            environment: environment("ten2").merging(["DB_SOCKET": "/nowhere/socket"]) { $1 }
        )
        #expect(away.status == 3)
        // The looks are of now, so the past has them, and what is reckoned over time can be.
        let past = try await HeadroomProgram.run(
            ["guard", "--history", "--history-file", "\(folder.path)/history.sqlite"],
            environment: environment("ten2")
        )
        #expect(past.output.hasPrefix("the last 24 hours: 4 samples, most in use 7 of 10"), "\(past.output)")
    }

    @Test func `--reserve keeps one connection, looks and acts when the account is full, and gives it back`()
        async throws
    {
        let folder = TemporaryFolder()
        let file = "\(folder.path)/history.sqlite"
        let process = try HeadroomProcess(
            [
                "guard", "--reserve", "--interval", "300ms", "--auto-kill-idle",
                SuiteServer.isMariaDB ? "500ms" : "2", "--kills-per-round", "2", "--history-file", file,
            ],
            environment: environment("ten3")
        )
        defer { process.signal(SIGKILL) }
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten3") == 1 })
        try await filled("ten3", 9) {
            // Full for others: one gets in only because the guard has ended an idle session.
            let isLetIn = try await eventually {
                (try? await SuiteServer.database("ten3", share: .reserve).withConnection { _ in }) != nil
            }
            #expect(isLetIn)
        }
        let history = try GuardHistory(reading: file)
        var kills: [GuardEvent] = []
        let isWritten = try await eventually {
            kills = try await history.events(since: 0).filter { $0.kind == .kill && $0.message.hasSuffix(": killed.") }
            return !kills.isEmpty
        }
        #expect(isWritten)
        let samples = try await history.samples(since: 0)
        #expect(samples.contains { $0.level == .exhausted && $0.used == 9 })
        #expect(samples.allSatisfy { $0.error == nil })
        for sample in samples { #expect(kills.count { $0.time == sample.time } <= 2) }
        // Ended from outside it is there again at the next look, and that was no outage.
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten3") == 1 })
        try await SuiteServer.endSessions(of: "ten3")
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten3") == 1 })
        try await Task.sleep(for: .milliseconds(600))
        #expect(try await history.samples(since: 0).allSatisfy { $0.error == nil })
        process.signal(SIGTERM)
        #expect(try await process.ended() == 0)
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten3") == 0 })
    }

    @Test func `the only place of an account is not kept by --reserve`() async throws {
        let folder = TemporaryFolder()
        let process = try HeadroomProcess(
            ["guard", "--reserve", "--interval", "500ms", "--history-file", "\(folder.path)/history.sqlite"],
            environment: environment("one1")
        )
        defer { process.signal(SIGKILL) }
        var letIn = 0
        for _ in 0..<20 {
            if (try? await SuiteServer.database("one1", share: .reserve).withConnection { _ in }) != nil { letIn += 1 }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(letIn >= 15)
    }

    @Test func `a second guard of the account says who is at work`() async throws {
        let folder = TemporaryFolder()
        let arguments = ["guard", "--interval", "300ms", "--history-file", "\(folder.path)/history.sqlite"]
        let process = try HeadroomProcess(arguments, environment: environment("ten4"))
        defer { process.signal(SIGKILL) }
        #expect(try await eventually { access("\(folder.path)/history.sqlite", F_OK) == 0 })
        let second = try await HeadroomProgram.run(arguments, environment: environment("ten4"))
        #expect(second.status == 3)
        #expect(second.errors.contains("headroom guard"), "\(second.errors)")
    }

    @Test func `a history that cannot be written is said, and the guard looks all the same`() async throws {
        let folder = TemporaryFolder()
        let file = "\(folder.path)/history.sqlite"
        try Self.write("this is no database, and long enough for nobody to take it for an empty one", to: file)
        try await filled("ten8", 7) {
            let run = try await HeadroomProgram.run(
                ["guard", "--once", "--history-file", file],
                environment: environment("ten8")
            )
            #expect(run.status == 1)
            #expect(run.output.contains("CAUTION, was OK: 7 of 10"))
            #expect(run.output.contains("history raised: The history cannot be written: \(file)"), "\(run.output)")
        }
    }

    @Test func `systemd is told that it is ready, how the account is, and that it goes on`() async throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/notify"
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let process = try HeadroomProcess(
            ["guard", "--interval", "300ms", "--history-file", "\(folder.path)/history.sqlite"],
            environment: environment("ten5")
                .merging(["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"]) { $1 }
        )
        defer { process.signal(SIGKILL) }
        var heard: [String] = []
        func hear() {
            var bytes = [UInt8](repeating: 0, count: 1000)
            while true {
                let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
                guard count > 0 else { return }
                heard.append(String(decoding: bytes[..<count], as: UTF8.self))
            }
        }
        #expect(
            try await eventually {
                hear()
                return heard.count { $0 == "WATCHDOG=1" } >= 3
            }
        )
        process.signal(SIGTERM)
        #expect(try await process.ended() == 0)
        hear()
        #expect(heard.first?.hasPrefix("READY=1") == true)
        #expect(heard.contains("STATUS=OK, 0 of 10 connections in use"))
        #expect(heard.last == "STOPPING=1")
    }

    @Test func `mail goes out through the host's sendmail, with the facts in it`() async throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/sendmail"
        try Self.write("#!/bin/sh\necho \"$@\" > \(folder.path)/arguments\ncat > \(folder.path)/mail\n", to: path)
        chmod(path, 0o755)
        try await filled("ten6", 9) {
            let run = try await HeadroomProgram.run(
                [
                    "guard", "--once", "--mail-to", "ops@example.org", "--history-file",
                    "\(folder.path)/history.sqlite",
                ],
                environment: environment("ten6").merging(["PATH": "\(folder.path):/usr/bin:/bin"]) { $1 }
            )
            #expect(run.status == 2, "\(run.errors)")
        }
        #expect(Self.text("\(folder.path)/arguments") == "-t -i\n")
        let mail = Self.text("\(folder.path)/mail")
        #expect(mail.hasPrefix("To: ops@example.org\nSubject: [headroom] WARNING ten6: level raised\n"), "\(mail)")
        #expect(mail.contains("used: 9\nlimit: 10\n"))
    }

    @Test func `an alert's command is told what happened, and given nothing else of the guard's environment`()
        async throws
    {
        let folder = TemporaryFolder()
        try await filled("ten9", 9) {
            let run = try await HeadroomProgram.run(
                [
                    "guard", "--once", "--alert-command", "env > \(folder.path)/told", "--history-file",
                    "\(folder.path)/history.sqlite",
                ],
                environment: environment("ten9")
                    .merging([
                        "SMTP_PASSWORD": "hush", "API_TOKEN": "hush", "MYSQL_HISTFILE": "hush", "TZ": "UTC",
                        "LANG": "C",
                    ]) { $1 }
            )
            #expect(run.status == 2, "\(run.errors)")
        }
        let told = Self.text("\(folder.path)/told")
        let names = Set(
            told.split(separator: "\n").compactMap { $0.firstMatch(of: /^[A-Za-z_]+(?==)/).map { String($0.output) } }
        )
        let own: Set = ["PATH", "HOME", "LANG", "TZ", "USER", "PWD", "OLDPWD", "SHLVL", "_"]
        let facts = names.subtracting(own)
        #expect(facts.isSuperset(of: ["HEADROOM_LEVEL", "HEADROOM_MESSAGE", "HEADROOM_USED"]))
        let documented: Set = [
            "LEVEL", "ALERT", "CHANGE", "SUBJECT", "MESSAGE", "ADVICE", "USED", "LIMIT", "ACCOUNT", "TIME",
            "HOSTNAME",
        ]
        #expect(facts.subtracting(documented.map { "HEADROOM_\($0)" }).isEmpty, "\(facts)")
        #expect(!told.contains("hush") && !told.contains("sandbox") && !told.contains("DB_"), "\(told)")
    }

    @Test func `a webhook gets one request with the facts as JSON`() async throws {
        let folder = TemporaryFolder()
        let server = try OneRequestServer()
        try await filled("ten7", 7) {
            let run = try await HeadroomProgram.run(
                ["guard", "--once", "--history-file", "\(folder.path)/history.sqlite"],
                environment: environment("ten7")
                    .merging(["HEADROOM_WEBHOOK": "http://127.0.0.1:\(server.port)/hook?key=1"]) { $1 }
            )
            #expect(run.status == 1, "\(run.errors)")
            #expect(!run.errors.contains("could not be sent"), "\(run.errors)")
        }
        let text = server.request()
        #expect(text.hasPrefix("POST /hook?key=1 HTTP/1.1"), "\(text)")
        #expect(text.contains("\"level\":\"CAUTION\"") && text.contains("\"change\":\"raised\""))
    }

    @Test func `a webhook that answers with an error has told nobody, and that is said`() async throws {
        let folder = TemporaryFolder()
        // Not one that curl tries again.
        let server = try OneRequestServer(status: "403 Forbidden")
        try await filled("ten10", 7) {
            let run = try await HeadroomProgram.run(
                ["guard", "--once", "--history-file", "\(folder.path)/history.sqlite"],
                environment: environment("ten10")
                    .merging(["HEADROOM_WEBHOOK": "http://127.0.0.1:\(server.port)/hook"]) { $1 }
            )
            #expect(run.errors.contains("could not be sent"), "\(run.errors)")
        }
        #expect(server.request().hasPrefix("POST /hook"))
    }

    @Test func `a webhook that sends elsewhere is not followed, and that is said without its address`() async throws {
        let folder = TemporaryFolder()
        let elsewhere = try OneRequestServer()
        let server = try OneRequestServer(location: "http://127.0.0.1:\(elsewhere.port)/taken")
        try await filled("ten11", 7) {
            let run = try await HeadroomProgram.run(
                ["guard", "--once", "--history-file", "\(folder.path)/history.sqlite"],
                environment: environment("ten11")
                    .merging(["HEADROOM_WEBHOOK": "http://127.0.0.1:\(server.port)/hook?key=hush"]) { $1 }
            )
            #expect(run.status == 1, "\(run.errors)")
            #expect(run.errors.contains("could not be sent"), "\(run.errors)")
            #expect(!run.errors.contains("hush"))
        }
        #expect(server.request().hasPrefix("POST /hook?key=hush"))
        #expect(elsewhere.request().isEmpty)
    }

    static func text(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "we"))
        defer { fclose(file) }
        fputs(text, file)
    }
}
