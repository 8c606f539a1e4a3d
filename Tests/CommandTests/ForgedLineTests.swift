import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// No text that somebody else has chosen begins a line of what a command prints, or of what an alert's command is told.
@Suite(.sandbox(performanceSchema: true)) struct ForgedLineTests {
    private let folder = TemporaryFolder()

    /// Ends of lines of every kind, each with what would be a line of its own.
    private static let forged = ["\n", "\r\n", "\r", "\u{85}", "\u{B}", "\u{2028}", "\u{2029}"]
        .map { "\($0)FORGED" }.joined()

    /// The lines that a text forges, whatever ends lines where it is shown.
    private static func lines(_ text: String) -> [Substring] {
        text.unicodeScalars.split { [0xA, 0xB, 0xC, 0xD, 0x85, 0x2028, 0x2029].contains($0.value) }.map(Substring.init)
            .filter { $0.hasPrefix("FORGED") }
    }

    private func expectNone(_ text: String, _ what: [String]) {
        #expect(Self.lines(text).isEmpty, "\(what): \(text)")
    }

    /// Puts the text at the end of every column of text of the queue's tables, as far as the column takes it.
    private func plant(_ queue: DrillQueue) async throws -> Int {
        let columns =
            try await queue.query(
                """
                SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME), LEAST(CHARACTER_MAXIMUM_LENGTH, 60000)
                FROM information_schema.COLUMNS
                WHERE TABLE_SCHEMA = \(queue.name) AND (TABLE_NAME = 'import_jobs' OR TABLE_NAME LIKE 'headroom%')
                  AND DATA_TYPE IN ('char', 'varchar', 'text', 'mediumtext')
                  AND COLUMN_NAME NOT IN ('token', 'checkpoint', 'header', 'host')
                """
            )
            .decode(String.self, Int.self)
        for (column, most) in columns {
            let names = column.split(separator: ".")
            let kept = max(2, most - Self.forged.unicodeScalars.count)
            try await queue.query(
                """
                UPDATE \(raw: String(names[0])) SET \(raw: String(names[1])) =
                LEFT(CONCAT(LEFT(COALESCE(\(raw: String(names[1])), 'x'), \(kept)), \(Self.forged)), \(most))
                """
            )
        }
        return columns.count
    }

    @Test func `no text of a row begins a line of a command, or of an alert`() async throws {
        let queue = try await DrillQueue("forged", in: SuiteServer.sandbox)
        folder.write(DrillFiles.daily(rows: 60), to: "a.csv")
        let done = try await queue.insert("\(folder.path)/a.csv", type: "daily", batch: "a")
        let failed = try await queue.insert("\(folder.path)/none.csv", batch: "b")
        #expect(try await queue.work().status == 1)
        let held = try await queue.insert("\(folder.path)/c.csv", batch: "c")
        try await queue.query("UPDATE import_jobs SET status = 'processing', started_at = NOW() WHERE id = \(held)")
        try await queue.query(
            """
            INSERT INTO headroom_leases (job_id, token, host, process_id, process_start, hostname, expires_at)
            VALUES (\(held), REPEAT('a', 32), 'elsewhere', 1, 1, 'h', UTC_TIMESTAMP() + INTERVAL 1 HOUR)
            """
        )
        #expect(try await plant(queue) >= 10)
        let summary = """
            {"warnings": ["w\\nFORGED\\u2028FORGED"], "first_rejections": ["r\\r\\nFORGED"], "rows_read": 3,
            "firstRejections": ["r\\r\\nFORGED"]}
            """
        try await queue.query("UPDATE import_jobs SET summary = \(summary) WHERE id = \(failed)")
        for (index, path) in ["/none\(Self.forged).csv", "\(folder.path)/none.csv"].enumerated() {
            let job = try await queue.insert(path, batch: "n\(index)")
            try await queue.query("UPDATE import_jobs SET filename = \("n\(Self.forged)") WHERE id = \(job)")
        }
        let told = "\(folder.path)/told"
        let commands = [
            ["jobs", "list"], ["jobs", "show", "\(done)"], ["jobs", "show", "\(failed)"], ["jobs", "show", "\(held)"],
            ["jobs", "health"], ["jobs", "rejects", "\(done)"], ["status"], ["doctor"], ["slots"],
            ["work", "--once", "--limit", "9", "--alert-command", "env >> \(told)"], ["jobs", "list", "--json"],
            ["jobs", "retry", "\(failed)"], ["jobs", "cancel", "\(done)"], ["jobs", "cancel", "\(failed)"],
            ["jobs", "delete", "\(failed)"], ["jobs", "prune", "--days", "0"],
        ]
        var all = ""
        for command in commands {
            let run = try await HeadroomProgram.run(command, environment: queue.environment)
            expectNone(run.output, command)
            expectNone(run.errors, command)
            all += run.output + run.errors
        }
        let text = try await HeadroomProgram.run("/bin/cat", [told]).output
        expectNone(text, ["alert"])
        // They were all there to be seen.
        #expect(text.contains("HEADROOM_JOB_FILE=n") && text.contains("FORGED"))
        #expect(all.components(of: "FORGED") > 20, "\(all)")
    }

    @Test func `no program's name begins a line of a look at the account`() async throws {
        let environment = try SuiteServer.sandbox.environment
            .merging(["DB_USERNAME": "ten1", "DB_PASSWORD": "sandbox"]) { $1 }
        var settings = try SuiteServer.settings("ten1")
        settings.programName = "p\nFORGED\u{2028}FORGED"
        let database = Database(settings, share: .reserve)
        let told = "\(folder.path)/told"
        let commands = [
            ["status"], ["status", "--nagios"], ["status", "--prometheus"], ["status", "--all-accounts"], ["slots"],
            ["guard", "--once", "--history-file", "\(folder.path)/h.sqlite", "--alert-command", "env >> \(told)"],
            ["guard", "--history", "--history-file", "\(folder.path)/h.sqlite"], ["kill-idle", "--dry-run"], ["rescue"],
            ["doctor"],
        ]
        var all = ""
        func look(_ depth: Int) async throws {
            guard depth == 0 else { return try await database.withConnection { _ in try await look(depth - 1) } }
            for command in commands {
                let run = try await HeadroomProgram.run(command, environment: environment)
                expectNone(run.output, command)
                expectNone(run.errors, command)
                all += run.output
            }
        }
        try await look(8)
        expectNone(try await HeadroomProgram.run("/bin/cat", [told]).output, ["alert"])
        #expect(all.contains("FORGED"), "\(all)")
    }

    @Test(arguments: LyingServer.Moment.allCases)
    fileprivate func `no word of a server begins a line`(moment: LyingServer.Moment) async throws {
        let server = try LyingServer(moment, Self.forged)
        defer { server.stop() }
        let told = "\(folder.path)/told"
        let environment = [
            "DB_HOST": "127.0.0.1", "DB_PORT": "\(server.port)", "DB_USERNAME": "u", "DB_PASSWORD": "p",
            "DB_DATABASE": "d", "HEADROOM_STATE_DIR": folder.path, "HEADROOM_CONNECT_TIMEOUT": "1",
        ]
        let commands = [
            ["status"], ["status", "--nagios"], ["status", "--prometheus"], ["doctor"], ["jobs", "list"], ["rescue"],
            ["guard", "--once", "--history-file", "\(folder.path)/h.sqlite", "--alert-command", "env >> \(told)"],
        ]
        var all = ""
        for command in commands {
            let run = try await HeadroomProgram.run(command, environment: environment)
            expectNone(run.output, command)
            expectNone(run.errors, command)
            all += run.output + run.errors
        }
        expectNone(try await HeadroomProgram.run("/bin/cat", [told]).output, ["alert"])
        // Where words of a server are repeated at all.
        if moment == .statement { #expect(all.contains("FORGED"), "\(all)") }
    }

    @Test func `JSON turns no line of a terminal round`() async throws {
        let queue = try await DrillQueue("turned", in: SuiteServer.sandbox)
        try await queue.insert("/a\u{202E}b\u{2066}\u{9B}31m\u{E0041}é.csv", batch: "t")
        let run = try await HeadroomProgram.run(["jobs", "list", "--json"], environment: queue.environment)
        #expect(run.output.contains(#"/a\u202eb\u2066\u009b31m\udb40\udc41é.csv"#), "\(run.output)")
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}

/// A server that lets everybody in up to a moment, and then says something in an error.
private final class LyingServer: Sendable {
    enum Moment: CaseIterable { case greeting, login, statement }

    let port: UInt16
    private let listener: Int32
    private let moment: Moment
    private let words: String

    private static func packet(_ payload: [UInt8], _ number: UInt8) -> [UInt8] {
        [UInt8(payload.count), 0, 0, number] + payload
    }

    /// An error of the server: 1040, or the unknown one.
    private func refusal(_ code: UInt8, _ number: UInt8) -> [UInt8] {
        Self.packet([0xFF, code, 0x04] + Array("#HY000It says\(words)".utf8), number)
    }

    private var greeting: [UInt8] {
        var payload: [UInt8] = [10] + Array("8.4.0\(words)".utf8) + [0, 1, 0, 0, 0] + [UInt8](repeating: 65, count: 8)
        payload += [0, 0x09, 0xA2, 45, 2, 0, 0x28, 0, 21] + [UInt8](repeating: 0, count: 10)
        payload += [UInt8](repeating: 65, count: 12) + [0] + Array("mysql_native_password".utf8) + [0]
        return Self.packet(payload, 0)
    }

    init(_ moment: Moment, _ words: String) throws {
        (self.moment, self.words) = (moment, words)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { server in
                server.map { Unmanaged<LyingServer>.fromOpaque($0).takeRetainedValue().answer() }
                return nil
            },
            Unmanaged.passRetained(self).toOpaque()
        )
        pthread_detach(thread)
    }

    private func answer() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            func say(_ bytes: [UInt8]) { send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
            var bytes = [UInt8](repeating: 0, count: 4096)
            say(moment == .greeting ? refusal(0x10, 0) : greeting)
            var isIn = false
            var rest: [UInt8] = []
            conversation: while true {
                let count = recv(client, &bytes, bytes.count, 0)
                guard count > 0 else { break }
                rest += bytes[..<count]
                // Several statements may come at once, and each waits for its answer.
                while rest.count >= 4, rest.count >= 4 + Int(rest[0]) + Int(rest[1]) << 8 {
                    // COM_QUIT: whoever leaves waits until the server has hung up.
                    guard !isIn || rest.dropFirst(4).first != 1 else { break conversation }
                    rest.removeFirst(4 + Int(rest[0]) + Int(rest[1]) << 8)
                    say(
                        isIn
                            ? refusal(0x51, 1)
                            : moment == .login ? refusal(0x51, 2) : Self.packet([0, 0, 0, 2, 0, 0, 0], 2)
                    )
                    guard moment == .statement else { break conversation }
                    isIn = true
                }
            }
            close(client)
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
