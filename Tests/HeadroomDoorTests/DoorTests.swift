import CLibrary
import TestSupport
import Testing

@testable import Headroom
@testable import HeadroomDoor

/// Programs that know nothing of slots wait in the line of the host, and what they do is what the server would have done.
@Suite(.sandbox(tcp: true)) struct DoorTests {
    /// A door before the suite's server, for as long as the body runs.
    private func withDoor(
        _ account: String,
        overTCP: Bool = false,
        wait: Duration = .seconds(20),
        mostWaiting: Int = 100,
        atMost: [String: Int] = [:],
        reserve: Int = 0,
        parks: Bool = true,
        budget: Int? = nil,
        _ body: (_ door: Door, _ client: Database) async throws -> Void
    ) async throws {
        let folder = TemporaryFolder()
        var settings = try SuiteServer.settings(account, overTCP: overTCP)
        settings.programName = "headroom door"
        (settings.reserve, settings.budget) = (reserve, budget)
        let path = "\(folder.path)/door"
        var own = DoorSettings(places: [.unix(path: path)], account: account, password: settings.password)
        if !parks { own.password = nil }
        (own.wait, own.mostWaiting, own.atMost) = (wait, mostWaiting, atMost)
        let door = try Door(Database(settings), own) { _ in }
        let ready = EventFlag()
        let task = Task { try await door.run { ready.raise() } }
        await ready.wait()
        // The clients take no slots of their own: they stand for programs that know of none.
        settings.endpoint = .socket(path: path)
        settings.programName = "a program"
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(door, Database(settings, share: .reserve)))
        } catch {
            result = .failure(error)
        }
        task.cancel()
        try await task.value
        try result.get()
    }

    private func id(_ connection: Connection) async throws -> Int {
        try await connection.query("SELECT CONNECTION_ID()").first(Int.self) ?? -1
    }

    /// A socket of a client of the test's own.
    private func connected(_ database: Database) throws -> Int32 {
        guard case .socket(let path) = database.settings.endpoint else { return -1 }
        let descriptor = kernel_stream_socket(AF_UNIX)
        try #require(DoorListener.unixAddress(path) { connect(descriptor, $0, $1) } == 0)
        return descriptor
    }

    @Test(arguments: [false, true])
    func `never more sessions than the budget, and nobody is refused`(overTCP: Bool) async throws {
        let account = overTCP ? "two1" : "two2"
        try await withDoor(account, overTCP: overTCP) { door, client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for number in 0..<12 {
                            let answer = try await client.withConnection {
                                try await $0.query("SELECT \(number), REPEAT('x', 100000)").first(Int.self, String.self)
                            }
                            #expect(answer?.0 == number && answer?.1.utf8.count == 100_000)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(door.refusedClients == 0)
            #expect(try await SuiteServer.sessions(of: account) == 0)
        }
    }

    @Test func `who waits in vain is told how long, how many places there are and who has them`() async throws {
        try await withDoor("one1", wait: .milliseconds(300)) { door, client in
            try await client.withConnection { holder in
                try await holder.query("SET @a = 7")
                let error = await #expect(throws: DatabaseError.self) { try await client.withConnection { _ in } }
                #expect(error?.code == .budgetExhausted)
                #expect(error?.message.contains("no place came free in 0.3 s") == true)
                #expect(error?.message.contains("1 places: ") == true)
                #expect(try await holder.query("SELECT @a").first(Int.self) == 7)
            }
            #expect(door.refusedClients == 1)
            try await client.withConnection { _ in }
        }
    }

    @Test func `more than may wait are told at once`() async throws {
        try await withDoor("one2", mostWaiting: 0) { _, client in
            // The first finds a place free, and waits for nothing.
            try await client.withConnection { holder in
                try await holder.query("SET @a = 1")
                let error = await #expect(throws: DatabaseError.self) { try await client.withConnection { _ in } }
                #expect(error?.code == .budgetExhausted)
            }
        }
    }

    @Test func `an idle session gives its place up, and its client goes on as if it had not`() async throws {
        try await withDoor("one3") { door, client in
            try await client.withConnection { first in
                try await first.query("SET time_zone = '+03:00'")
                let before = try await id(first)
                let other = try await client.withConnection { try await id($0) }
                #expect(other != before)
                #expect(door.parked == 1)
                #expect(try await first.query("SELECT @@time_zone").first(String.self) == "+03:00")
                #expect(try await id(first) > other)
                #expect(try await first.query("SELECT DATABASE()").first(String.self) == "app")
                #expect(try await first.query("SELECT @@character_set_client").first(String.self) == "utf8mb4")
            }
        }
    }

    @Test func `a program of Headroom's waits in the same line`() async throws {
        try await withDoor("one4") { door, client in
            try await client.withConnection { first in
                try await first.query("SELECT 1")
                var settings = try SuiteServer.settings("one4")
                settings.reserve = 0
                try await Database(settings).withConnection { _ = try await id($0) }
                #expect(door.parked == 1)
                try await first.query("SELECT 1")
            }
        }
    }

    @Test(
        arguments: zip(
            [
                "SET @a = 1", "BEGIN", "SELECT GET_LOCK('door', 0)", "CREATE TEMPORARY TABLE only_here (a int)",
                "INSERT INTO numbered VALUES (NULL)", "SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI')",
            ],
            1...6
        )
    )
    func `a session with state of its own is never taken from its client`(statement: String, number: Int) async throws {
        try await SuiteServer.administrator()
            .withConnection {
                try await $0.query("CREATE TABLE IF NOT EXISTS app.numbered (a INT AUTO_INCREMENT PRIMARY KEY)")
            }
        try await withDoor("ten\(number)", wait: .milliseconds(400), budget: 1) { door, client in
            try await client.withConnection { first in
                try await first.query(SQL(raw: statement))
                let before = try await id(first)
                await #expect(throws: DatabaseError.self) { try await client.withConnection { _ in } }
                #expect(door.parked == 0)
                #expect(try await id(first) == before)
            }
        }
    }

    @Test(arguments: [false, true])
    func `where a client begins anew it is hung up on, but only when somebody waits`(changesUser: Bool) async throws {
        let account = changesUser ? "one11" : "one12"
        try await withDoor(account, parks: false) { door, client in
            let persistent = try PersistentClient(to: client.settings)
            defer { persistent.leave() }
            try #require(persistent.ask([14]) == 0)
            let waiter = Task { try await client.withConnection { try await id($0) } }
            #expect(try await eventually { await door.onLoop { door.waiting } == 1 })
            let change: [UInt8] = [17] + Array(account.utf8) + [0, 0, 0, 45, 0]
            #expect(persistent.ask(changesUser ? change : [14]) == nil)
            #expect(try await waiter.value > 0)
            #expect(await door.onLoop { door.hungUp } == 1)
        }
    }

    @Test func `a client with state is not hung up on at its PING`() async throws {
        try await withDoor("one13", wait: .milliseconds(400)) { door, client in
            let persistent = try PersistentClient(to: client.settings)
            defer { persistent.leave() }
            try #require(persistent.ask([3] + Array("SET @a = 1".utf8)) == 0)
            let waiter = Task { try await client.withConnection { _ in } }
            #expect(try await eventually { await door.onLoop { door.waiting } == 1 })
            #expect(persistent.ask([14]) == 0)
            await #expect(throws: DatabaseError.self) { try await waiter.value }
        }
    }

    @Test func `what asks for the statement before gets no answer rather than a wrong one`() async throws {
        try await withDoor("one6") { door, client in
            _ = try? await client.withConnection { first in
                try await first.query("UPDATE app.nothing SET a = 1 WHERE 1 = 0")
            }
            _ = try? await client.withConnection { first in
                try await first.query("SELECT 1")
                _ = try await client.withConnection { try await id($0) }
                #expect(door.parked == 1)
                await #expect(throws: DatabaseError.self) { try await first.query("SELECT FOUND_ROWS()") }
            }
        }
    }

    @Test func `a client that leaves in the middle of a statement has it ended`() async throws {
        try await withDoor("two5", reserve: 1) { door, client in
            let task = Task {
                try await client.withConnection { try await $0.query("SELECT BENCHMARK(20000000000, 1 + 1)") }
            }
            #expect(try await eventually { try await isBusy("two5") })
            // As a program that is killed: no goodbye, and no KILL of its own.
            await door.onLoop { for client in door.present { client.cut() } }
            #expect(try await eventually { try await SuiteServer.sessions(of: "two5") == 0 })
            task.cancel()
            _ = try? await task.value
            try await client.withConnection { _ in }
        }
    }

    private func isBusy(_ account: String) async throws -> Bool {
        try await SuiteServer.administrator()
            .withConnection {
                try await $0
                    .query(
                        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = \(account) AND INFO LIKE 'SELECT BENCH%'"
                    )
                    .first(Int.self) == 1
            }
    }

    @Test func `a session that the server ends ends its client, and its place is free`() async throws {
        try await withDoor("one8") { _, client in
            _ = try? await client.withConnection { first in
                try await first.query("SET @a = 1")
                try await SuiteServer.endSessions(of: "one8")
                try await client.withConnection { _ in }
                await #expect(throws: DatabaseError.self) { try await first.query("SELECT 1") }
            }
        }
    }

    @Test func `a waiter that has gone never reaches the server`() async throws {
        try await withDoor("one9") { door, client in
            try await client.withConnection { holder in
                try await holder.query("SET @a = 1")
                let before = await door.onLoop { door.opened }
                for _ in 0..<5 {
                    let waiter = try connected(client)
                    #expect(try await eventually { await door.onLoop { door.present.count } == 2 })
                    close(waiter)
                    #expect(try await eventually { await door.onLoop { door.present.count } == 1 })
                }
                #expect(await door.onLoop { door.opened } == before)
            }
            #expect(door.refusedClients == 0)
        }
    }

    @Test(arguments: [true, false])
    func `who finds the account full beyond the budget is let in later, where the door can log in`(
        knowsPassword: Bool
    ) async throws {
        let account = knowsPassword ? "two5" : "two6"
        // As another host has them, or a door that was killed has left them.
        let others = try SuiteServer.database(account, share: .reserve)
        let release = EventFlag()
        try await withDoor(account, parks: knowsPassword) { door, client in
            async let first: Void = others.withConnection { _ in await release.wait() }
            async let second: Void = others.withConnection { _ in await release.wait() }
            #expect(try await eventually { try await SuiteServer.sessions(of: account) == 2 })
            let asking = Task {
                try await client.withConnection { connection in
                    try await connection.query("SET time_zone = '+03:00'")
                    return try await connection.query("SELECT @@time_zone, DATABASE()").first(String.self, String.self)
                }
            }
            #expect(try await eventually { await door.onLoop { door.opened } > (knowsPassword ? 2 : 0) })
            if !knowsPassword {
                // The server's own words.
                let error = await #expect(throws: DatabaseError.self) { try await asking.value }
                #expect(error?.code == .accountLimitReached)
            }
            release.raise()
            _ = try await (first, second)
            if knowsPassword {
                let (zone, database) = try #require(try await asking.value)
                #expect(zone == "+03:00" && database == "app")
            }
            #expect(door.refusedClients == 0)
        }
    }

    @Test func `nobody logs in but the account`() async throws {
        try await withDoor("one10") { _, client in
            var settings = client.settings
            settings.username = "root"
            settings.password = ""
            let error = await #expect(throws: DatabaseError.self) {
                try await Database(settings, share: .reserve).withConnection { _ in }
            }
            #expect(error?.serverCode == 1045)
            #expect(error?.message.contains("root") == true || error?.advice.isEmpty == false)
        }
    }

    @Test func `a program takes no more than it may, whatever is free`() async throws {
        try await withDoor("two4", wait: .milliseconds(300), atMost: [programName: 1]) { _, client in
            try await client.withConnection { first in
                try await first.query("SELECT 1")
                await #expect(throws: DatabaseError.self) { try await client.withConnection { _ in } }
                var settings = try SuiteServer.settings("two4")
                settings.reserve = 0
                try await Database(settings).withConnection { _ in }
            }
            try await client.withConnection { _ in }
        }
    }

    /// As the kernel names this process.
    private var programName: String {
        String(
            decoding: ((try? RegularFile.read("/proc/self/comm", atMost: 64)) ?? []).filter { $0 > 0x20 },
            as: UTF8.self
        )
    }

    @Test func `another door takes the place of the first, which serves those it has`() async throws {
        try await withDoor("two3") { first, client in
            var settings = try SuiteServer.settings("two3")
            settings.programName = "headroom door"
            settings.reserve = 0
            let second = try Door(Database(settings), first.settings) { _ in }
            try await client.withConnection { old in
                try await old.query("SET @a = 5")
                let ready = EventFlag()
                let task = Task { try await second.run(replacing: true) { ready.raise() } }
                await ready.wait()
                try await client.withConnection { _ in }
                #expect(second.served >= 1)
                #expect(try await old.query("SELECT @a").first(Int.self) == 5)
                task.cancel()
                try await task.value
            }
        }
    }

    @Test func `a socket file that nobody listens at is taken away, and one that somebody listens at is not`() throws {
        let folder = TemporaryFolder()
        let place = DoorPlace.unix(path: "\(folder.path)/s")
        let first = try DoorListener(place, mode: 0o600, group: nil)
        #expect(throws: DatabaseError.self) { try DoorListener(place, mode: 0o600, group: nil) }
        // As one that was killed leaves it.
        close(first.descriptor)
        let second = try DoorListener(place, mode: 0o620, group: nil)
        var facts = stat()
        #expect(stat("\(folder.path)/s", &facts) == 0 && facts.st_mode & 0o777 == 0o620)
        second.close(isLeft: false)
        #expect(stat("\(folder.path)/s", &facts) != 0)
    }
}

/// A client that is left open between two requests, as PHP leaves a persistent one.
private struct PersistentClient {
    private let descriptor: Int32

    /// Connects and logs in.
    init(to settings: DatabaseSettings) throws {
        guard case .socket(let path) = settings.endpoint else { throw Missing() }
        descriptor = kernel_stream_socket(AF_UNIX)
        guard DoorListener.unixAddress(path, { connect(descriptor, $0, $1) }) == 0, let first = Self.packet(descriptor),
            let greeting = ServerGreeting(first[...]),
            let method = [greeting.method, "mysql_native_password"]
                .first(where: { PasswordProof.proof("", by: $0, greeting.nonce) != nil }),
            let proof = PasswordProof.proof(settings.password, by: method, greeting.nonce),
            var login = Conversation.response(Conversation.usual).withUnsafeBytes({ Login(response: $0) })
        else { throw Missing() }
        login.user = Array(settings.username.utf8)
        guard send(login.response(proof: proof, method: method), sequence: 1) else { throw Missing() }
        // By caching_sha2_password a first login takes the password itself.
        var answer = Self.packet(descriptor)
        if answer == [1, 4], send(Array(settings.password.utf8) + [0], sequence: 3) {
            answer = Self.packet(descriptor)
        }
        if answer == [1, 3] { answer = Self.packet(descriptor) }
        guard answer?.first == 0 else { throw Missing() }
    }

    struct Missing: Error {}

    /// Sends a command; returns how the reply begins, or `nil` when the connection is hung up on.
    func ask(_ command: [UInt8]) -> UInt8? { send(command, sequence: 0) ? Self.packet(descriptor)?.first : nil }

    func leave() { close(descriptor) }

    private func send(_ payload: [UInt8], sequence: UInt8) -> Bool {
        let packet = DoorPacket.framed(payload, sequence: sequence)
        return CLibrary.send(descriptor, packet, packet.count, Int32(MSG_NOSIGNAL)) == packet.count
    }

    private static func packet(_ descriptor: Int32) -> [UInt8]? {
        guard let header = bytes(descriptor, 4) else { return nil }
        return bytes(descriptor, Int(header[0]) | Int(header[1]) << 8)
    }

    private static func bytes(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
        var found: [UInt8] = []
        while found.count < count {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 20_000) > 0 else { return nil }
            var part = [UInt8](repeating: 0, count: count - found.count)
            let size = recv(descriptor, &part, part.count, 0)
            guard size > 0 else { return nil }
            found += part.prefix(size)
        }
        return found
    }
}
