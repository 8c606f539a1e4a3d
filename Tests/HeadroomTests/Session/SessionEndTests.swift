import Glibc
import HeadroomSandbox
import TestSupport
import Testing

@testable import Headroom

/// What proves that a session has ended, and what does not; and that a slot is released with nothing less.
@Suite(.sandbox(tcp: true)) struct SessionEndTests {
    /// A database that reaches the suite's server through a port of the test's.
    private func settings(_ account: String, through port: Int) throws -> DatabaseSettings {
        var settings = try SuiteServer.settings(account, overTCP: true)
        settings.endpoint = .tcp(host: "127.0.0.1", port: port)
        return settings
    }

    private func relay(milliseconds: UInt32 = 100) throws -> SlowHangUp {
        try SlowHangUp(to: try #require(SuiteServer.sandbox.port), milliseconds: milliseconds)
    }

    /// The account of the settings is known after this, so that what follows is no first login.
    private func meet(_ settings: DatabaseSettings) async throws {
        try await Database(settings).withConnection { _ in }
    }

    /// Cancels a statement at work, which has no deadline that the server knows of.
    private func giveUp(_ database: Database, _ account: String) async throws {
        let task = Task {
            try await database.withConnection { try await $0.query("SELECT BENCHMARK(20000000000, 1 + 1)") }
        }
        #expect(
            try await eventually {
                try await SuiteServer.administrator()
                    .withConnection {
                        try await $0
                            .query(
                                """
                                SELECT COUNT(*) FROM information_schema.PROCESSLIST
                                WHERE USER = \(account) AND INFO LIKE 'SELECT BENCHMARK%'
                                """
                            )
                            .first(Int.self) == 1
                    }
            }
        )
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test(arguments: [false, true])
    func `a scope returns when the server has hung up, not before`(throwing: Bool) async throws {
        struct Stop: Error {}
        let relay = try relay()
        let database = Database(try settings(throwing ? "one1" : "one2", through: relay.port))
        for _ in 0..<3 {
            do {
                try await database.withConnection { connection in
                    try await connection.query("SELECT 1")
                    if throwing { throw Stop() }
                }
            } catch is Stop {}
            #expect(relay.open == 0)
        }
        #expect(database.statistics.refused.isEmpty)
    }

    @Test func `a kept connection that is given up is released when the server has hung up, not before`() async throws {
        let relay = try relay()
        let settings = try settings("one3", through: relay.port)
        try await meet(settings)
        let keeping = Database(settings, reuse: .keep())
        try await keeping.withConnection { try await $0.query("SELECT 1") }
        #expect(relay.open == 1)
        // The account's only slot: the other database has it once the first one's session has ended.
        let other = Database(settings)
        try await other.withConnection { _ in #expect(relay.open == 1) }
        #expect(other.statistics.refused.isEmpty)
    }

    @Test(arguments: ["nowhere", "mysql"])
    func `a login that is refused for its database's sake counts until the server has hung up`(
        database: String
    ) async throws {
        let relay = try relay()
        var settings = try settings("one4", through: relay.port)
        settings.database = database
        let wrong = Database(settings)
        for _ in 0..<3 {
            let error = await #expect(throws: DatabaseError.self) { try await wrong.withConnection { _ in } }
            #expect(error?.code == .databaseDenied || error?.code == .databaseUnknown)
            #expect(relay.open == 0)
        }
    }

    @Test(arguments: [1040, 1045, 1129, 1130, 1203, 1226, 1698])
    func `a login that was refused before it was counted needs no hang-up`(number: Int) {
        #expect(proves(number))
    }

    @Test(arguments: [0, 1044, 1049, 1053, 1927, 2006, 2013, 2026, 4151])
    func `no other refusal proves anything`(number: Int) {
        #expect(!proves(number))
    }

    @Test func `a session that is not let go in time keeps its slot, and drains`() async throws {
        let relay = try relay(milliseconds: 1_500)
        var settings = try settings("two1", through: relay.port)
        settings.closeTimeout = .milliseconds(50)
        try await meet(settings)
        let database = Database(settings)
        try await database.withConnection { try await $0.query("SELECT 1") }
        #expect(database.drainingSessions == 1)
        #expect(database.admission?.ownSlots.count == 1)
        #expect(try await eventually { database.drainingSessions == 0 })
        #expect(database.admission?.ownSlots.isEmpty == true)
    }

    @Test func `a KILL is repeated until the server knows no such session`() async throws {
        let kills = Recording()
        let port = try #require(SuiteServer.sandbox.port)
        let relay = try SlowHangUp(to: port) { bytes in
            guard bytes.dropFirst(4).starts(with: [3] + Array("KILL".utf8)) else { return nil }
            kills.add([1])
            // As a server does whose thread does not look for a KILL yet: it agrees three times, and then it is gone.
            return kills.all.count < 4 ? Reply.ok : Reply.error(1094)
        }
        let settings = try settings("two2", through: relay.port)
        try await meet(settings)
        let database = Database(settings)
        try await giveUp(database, "two2")
        #expect(kills.all.count == 4)
        #expect(database.drainingSessions == 0)
        #expect(database.admission?.ownSlots.isEmpty == true)
        try await SuiteServer.endSessions(of: "two2")
    }

    @Test(arguments: [1095, 1317])
    func `a KILL that ends otherwise proves nothing`(number: Int) async throws {
        let port = try #require(SuiteServer.sandbox.port)
        let relay = try SlowHangUp(to: port) { bytes in
            bytes.dropFirst(4).starts(with: [3] + Array("KILL".utf8)) ? Reply.error(number) : nil
        }
        let account = number == 1095 ? "two3" : "two4"
        let settings = try settings(account, through: relay.port)
        try await meet(settings)
        let database = Database(settings)
        try await giveUp(database, account)
        #expect(database.drainingSessions == 1)
        #expect(database.admission?.ownSlots.count == 1)
        try await SuiteServer.endSessions(of: account)
        #expect(try await eventually { database.drainingSessions == 0 })
        #expect(database.admission?.ownSlots.isEmpty == true)
    }

    @Test func `a server that was reached and has not greeted has let nobody in`() async throws {
        let silent = try Silence()
        var settings = try settings("one5", through: silent.port)
        settings.connectTimeout = .milliseconds(200)
        settings.tls = TLS(mode: .disabled)
        let database = Database(settings)
        let error = await #expect(throws: DatabaseError.self) { try await database.withConnection { _ in } }
        #expect(error?.code == .connectTimedOut)
        #expect(database.drainingSessions == 0)
    }
}

/// A slot and its two kinds.
@Suite struct SlotTests {
    private let folder = TemporaryFolder()

    private func taken() throws -> (admission: Admission, slot: UnusedSlot) {
        let admission = try Admission(folder: folder.path, policy: .init(budget: 1, reserve: 0), program: "tests")
        let holder = Holder.thisProcess(program: "tests", label: "", site: "")
        return (admission, try #require(admission.admitAtOnce(holder)))
    }

    @Test func `a slot without a connection is released when nothing refers to it any more`() throws {
        var (admission, slot): (Admission, UnusedSlot?) = try taken()
        #expect(slot != nil)
        #expect(admission.ownSlots.count == 1)
        slot = nil
        #expect(admission.ownSlots.isEmpty)
        admission.lookWhetherWanted()
    }

    @Test func `a slot with a connection that is dropped stays taken until its session has ended, and is counted`()
        async throws
    {
        let (admission, unused) = try taken()
        let recorder = Recorder(name: "tests")
        let draining = DrainingSessions(recorder)
        var ends: [Int32] = [0, 0]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends)
        do {
            let slot = try #require(unused.use(draining))
            slot.note(session: 7, serverStartedAt: 1, socket: SessionSocket(duplicating: ends[0], isUnix: true))
        }
        close(ends[0])
        #expect(recorder.statistics.dropped == 1)
        #expect(admission.ownSlots.count == 1)
        #expect(draining.count == 1)
        close(ends[1])
        #expect(try await eventually { draining.count == 0 })
        #expect(admission.ownSlots.isEmpty)
    }

    @Test func `a slot is released when each attempt in it is proven to have ended`() throws {
        let (admission, unused) = try taken()
        let slot = try #require(unused.use(DrainingSessions(Recorder(name: "tests"))))
        slot.claimAgain()
        slot.release(try proof())
        #expect(admission.ownSlots.count == 1)
        slot.release(try proof())
        #expect(admission.ownSlots.isEmpty)
    }

    @Test func `a slot is used once, and is as good as new after a proof`() throws {
        let (admission, unused) = try taken()
        let draining = DrainingSessions(Recorder(name: "tests"))
        let slot = try #require(unused.use(draining))
        #expect(unused.use(draining) == nil)
        #expect(!unused.release())
        #expect(admission.ownSlots.count == 1)
        let again = slot.reopened(try proof())
        #expect(admission.ownSlots.count == 1)
        again.release()
        #expect(admission.ownSlots.isEmpty)
    }
}

/// Whether a refused login proves that its session is not counted.
private func proves(_ number: Int) -> Bool {
    guard let end = SessionEnd(refusedWith: number) else { return false }
    return end.cause == .refused
}

private func proof() throws -> SessionEnd {
    guard let end = SessionEnd(refusedWith: 1045) else { throw DatabaseError(.accessDenied, message: "") }
    return end
}

/// A server's replies, as packets that answer a command.
private enum Reply {
    static let ok: [UInt8] = [7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]

    static func error(_ number: Int) -> [UInt8] {
        let body = [0xFF, UInt8(number & 0xFF), UInt8(number >> 8)] + Array("#HY000no".utf8)
        return [UInt8(body.count), 0, 0, 1] + body
    }
}

/// Accepts connections and never says a word.
private final class Silence: Sendable {
    let port: Int
    private let listener: Int32

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        try #require(isBound)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(listener) }
}
