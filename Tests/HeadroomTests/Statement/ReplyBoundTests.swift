import Glibc
import TestSupport
import Testing

@testable import Headroom

/// What a server sends is bounded.
@Suite struct ReplyBoundTests {
    private func isWithin(_ bound: inout ReplyBound, _ bytes: [UInt8], columns: Int = 1, pieces: Int = .max) -> Bool {
        var rest = bytes[...]
        var isWithin = true
        while !rest.isEmpty {
            isWithin = rest.prefix(pieces).withUnsafeBufferPointer { bound.take($0, columns: columns) }
            rest = rest.dropFirst(pieces)
        }
        return isWithin
    }

    @Test(arguments: [1, 2, 3, 5, 100])
    func `packets in pieces count as packets that come whole`(pieces: Int) {
        let packets = (0..<50).flatMap { HostileServer.packet([UInt8](repeating: 1, count: $0), 1) }
        // 50 packets of 0 to 49 bytes, of one column.
        let cost = 50 * (64 + 9) + (0..<50).reduce(0, +)
        var enough = ReplyBound(cost)
        #expect(isWithin(&enough, packets, pieces: pieces))
        var tooLittle = ReplyBound(cost - 1)
        #expect(!isWithin(&tooLittle, packets, pieces: pieces))
        #expect(enough.largestPacket == 49)
    }

    @Test func `a packet counts by its header, and each reply begins anew`() {
        var bound = ReplyBound(1 << 20)
        #expect(!isWithin(&bound, [0xFF, 0xFF, 0xFF, 0]))
        bound.begin()
        #expect(isWithin(&bound, [1]))
    }

    private func settings(_ port: Int) -> DatabaseSettings {
        var settings = DatabaseSettings(
            endpoint: .tcp(host: "127.0.0.1", port: port),
            username: "app",
            password: "p",
            connectTimeout: .seconds(20),
            closeTimeout: .milliseconds(100),
            tls: TLS(mode: .disabled)
        )
        settings.stateFolder = "/proc/nowhere"
        return settings
    }

    /// The most memory that the process has had at a time, in bytes.
    private var peak: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(0), &usage)
        return usage.ru_maxrss * 1024
    }

    fileprivate static let head: [UInt8] = {
        var bytes = HostileServer.packet([1], 1)
        bytes += HostileServer.packet(HostileServer.column, 2)
        bytes += HostileServer.packet(HostileServer.end, 3)
        return bytes
    }()

    fileprivate static func many(_ count: Int, _ payload: [UInt8], _ number: UInt8) -> [UInt8] {
        Array(repeatElement(HostileServer.packet(payload, number), count: count).joined())
    }

    /// A reply that says that another follows.
    fileprivate static let okAndMore: [UInt8] = [0, 0, 0, 10, 0, 0, 0]

    /// A result of rows that says that another follows.
    fileprivate static func result(many count: Int, of length: Int) -> [UInt8] {
        let row = HostileServer.packet([UInt8](repeating: 0x61, count: length).lengthPrefixed, 4)
        let end = HostileServer.packet([0xFE, 0, 0, 10, 0], 5)
        return head + Array(repeatElement(row, count: count).joined()) + end
    }

    /// Replies that never end: what begins one, and what comes over and over.
    enum Endless: CaseIterable {
        case rows
        case shortRows
        case columns
        case progress
        case packet
        case results
        case emptyResults
        case successes

        var script: HostileServer.Script {
            let (head, reply): ([UInt8], [UInt8]) =
                switch self {
                case .rows:
                    (
                        ReplyBoundTests.head,
                        ReplyBoundTests.many(256, [UInt8](repeating: 0x61, count: 21).lengthPrefixed, 4)
                    )
                case .shortRows: (ReplyBoundTests.head, ReplyBoundTests.many(4096, [0], 4))
                case .columns:
                    (
                        HostileServer.packet([0xFD, 0xFF, 0xFF, 0xFF], 1),
                        ReplyBoundTests.many(256, HostileServer.column, 2)
                    )
                case .progress: ([], ReplyBoundTests.many(256, [0xFF, 0xFF, 0xFF, 1, 1, 1, 0, 0, 0, 0], 1))
                case .results: ([], ReplyBoundTests.result(many: 16, of: 100_000))
                case .emptyResults:
                    ([], Array(repeatElement(ReplyBoundTests.result(many: 0, of: 0), count: 64).joined()))
                case .successes: ([], ReplyBoundTests.many(1_000, ReplyBoundTests.okAndMore, 1))
                case .packet: ([], [0xFF, 0xFF, 0xFF, 1] + [UInt8](repeating: 1, count: 0xFF_FFFF))
                }
            return HostileServer.Script(reply: reply, repeats: 1 << 20, head: head)
        }
    }

    @Test(arguments: Endless.allCases)
    func `a reply without an end ends, and memory with it`(reply: Endless) async throws {
        let server = try HostileServer(reply.script)
        let before = peak
        let client = try await Client.opened(settings(server.port), limits: Limits(), isPlain: true)
        let error = await #expect(throws: DatabaseError.self) {
            _ = try await client.send("SELECT 1", fetching: .whole, limits: Limits(deadline: .now + .seconds(60)))
        }
        #expect(error?.code == .replyTooLarge, "\(String(describing: error))")
        client.free()
        // Tests beside this one have memory of their own.
        #expect(peak - before < 300 << 20)
    }

    @Test func `a stream has as many rows as there are`() async throws {
        let row = [UInt8](repeating: 0x61, count: 100_000).lengthPrefixed
        let server = try HostileServer(
            HostileServer.Script(reply: HostileServer.packet(row, 4), repeats: 2_000, head: Self.head)
        )
        let client = try await Client.opened(settings(server.port), limits: Limits(), isPlain: true)
        let limits = Limits(deadline: .now + .seconds(120))
        let reply = try await client.send("SELECT 1", fetching: .rowByRow, limits: limits)
        var bytes = 0
        // 200 MB; then the server waits for the next statement, and says nothing more.
        for _ in 0..<2_000 {
            let row = try #require(try await reply.reader?.next(limits: limits))
            bytes += row.text(at: 0)?.utf8.count ?? 0
        }
        #expect(bytes == 200_000_000)
        reply.reader?.abandon()
        client.free()
    }

    @Test(arguments: [Limits(deadline: .now + .milliseconds(300)), Limits()])
    func `what never stops coming is given up`(limits: Limits) async throws {
        // Rows of a stream that nobody wants: no bound ends them.
        let rows = Self.many(1_000, [1, 0x61], 4)
        let server = try HostileServer(HostileServer.Script(reply: rows, repeats: 1 << 20, head: Self.head))
        let task = Task { [settings = settings(server.port)] in
            let client = try await Client.opened(settings, limits: Limits(), isPlain: true)
            defer { client.free() }
            let reply = try await client.send("SELECT 1", fetching: .rowByRow, limits: Limits())
            if limits.deadline == nil { withUnsafeCurrentTask { $0?.cancel() } }
            defer { reply.reader?.abandon() }
            var rows = 0
            while rows < 2_000_000, try await reply.reader?.next(limits: limits) != nil { rows += 1 }
        }
        let error = await #expect(throws: Interruption.self) { try await task.value }
        #expect(error == (limits.deadline == nil ? .cancelled : .deadlinePassed))
    }

    @Test func `a login has little to say`() async throws {
        // An error of 16 MB in the place of the answer to the login.
        let server = try HostileServer(
            HostileServer.Script(isLoudAtLogin: true)
        )
        let error = await #expect(throws: DatabaseError.self) {
            _ = try await Client.opened(settings(server.port), limits: Limits(), isPlain: true)
        }
        #expect(error?.code == .serverUnreachable)
    }
}

extension [UInt8] {
    /// As a value of a row: its length, and itself.
    fileprivate var lengthPrefixed: [UInt8] {
        count < 251
            ? [UInt8(count)] + self : [0xFD, UInt8(count & 0xFF), UInt8(count >> 8 & 0xFF), UInt8(count >> 16)] + self
    }
}
