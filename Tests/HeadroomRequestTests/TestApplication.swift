import Headroom
import HeadroomRequest
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// An application in this process, on a free port, with a database of its own.
struct TestApplication {
    typealias Context = BasicDatabaseRequestContext

    let database: Database
    let port: Int

    /// Runs the body with an application, which ends with it.
    static func with(
        _ settings: DatabaseSettings,
        waitTimeout: Duration = .seconds(5),
        timeout: Duration = .seconds(60),
        options: RouterOptions = [],
        routes: (Router<Context>) -> Void,
        _ body: (TestApplication) async throws -> Void
    ) async throws {
        let database = Database(settings)
        let router = Router(context: Context.self, options: options)
        router.add(
            middleware: RequestDatabaseMiddleware(database, waitTimeout: waitTimeout, timeout: timeout)
        )
        routes(router)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (ports, source) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { source.yield($0.localAddress?.port ?? 0) },
            logger: logger
        )
        let running = Task { try await application.run() }
        do {
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(TestApplication(database: database, port: port))
        } catch {
            running.cancel()
            _ = try? await running.value
            throw error
        }
        running.cancel()
        _ = try? await running.value
    }

    /// Sends a request on a connection of its own, and reads the whole response.
    func request(_ line: String, body: String = "") async throws -> TestResponse {
        try await withClient { client in
            try await client.send(line, body: body)
            return try await client.response()
        }
    }

    /// Runs the body with a connection to the application, closed when it returns.
    func withClient<Result: Sendable>(
        _ body: (inout TestClient) async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var client = TestClient(
                channel: channel.channel,
                inbound: inbound.makeAsyncIterator(),
                outbound: outbound
            )
            return try await body(&client)
        }
    }
}

/// A response as it came over the wire.
struct TestResponse: Sendable {
    var status: Int
    var headers: [String: String]
    var body: String

    subscript(name: String) -> String? { headers[name] }
}

/// A client that speaks HTTP/1.1 by hand, so that a test decides when it leaves.
struct TestClient {
    let channel: any Channel
    var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var unread = ""

    init(
        channel: any Channel,
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.inbound = inbound
        self.outbound = outbound
    }

    func send(_ line: String, body: String = "") async throws {
        let text = "\(line) HTTP/1.1\r\nhost: test\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Goes away: both directions at once, as a browser does.
    func leave() async throws {
        try await channel.close()
    }

    /// Closes the sending side only.
    func closeOutput() async throws {
        try await channel.close(mode: .output)
    }

    /// Reads one response, to its very last byte and no further.
    mutating func response() async throws -> TestResponse {
        let head = try await text(upTo: "\r\n\r\n")
        let lines = head.split(separator: "\r\n")
        let status = try #require(Int(lines.first?.split(separator: " ").dropFirst().first ?? ""))
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        var body = ""
        if let length = headers["content-length"].flatMap({ Int($0) }) {
            body = try await text(count: length)
        } else if headers["transfer-encoding"] == "chunked" {
            while true {
                let size = try #require(Int(try await text(upTo: "\r\n"), radix: 16))
                body += try await text(count: size)
                _ = try await text(upTo: "\r\n")
                if size == 0 { break }
            }
        }
        return TestResponse(status: status, headers: headers, body: body)
    }

    /// Reads some of what comes; `nil` when the server has closed.
    mutating func some() async throws -> String? {
        try await inbound.next(isolation: #isolation).map { String(buffer: $0) }
    }

    private mutating func text(upTo end: String) async throws -> String {
        while true {
            if let range = unread.firstRange(of: end) {
                let text = String(unread[..<range.lowerBound])
                unread = String(unread[range.upperBound...])
                return text
            }
            try await readOn()
        }
    }

    private mutating func text(count: Int) async throws -> String {
        while unread.utf8.count < count { try await readOn() }
        let text = String(decoding: unread.utf8.prefix(count), as: UTF8.self)
        unread = String(decoding: unread.utf8.dropFirst(count), as: UTF8.self)
        return text
    }

    private mutating func readOn() async throws {
        guard let more = try await inbound.next(isolation: #isolation) else { throw ServerClosed() }
        unread += String(buffer: more)
    }

    /// The server has closed the connection before the response was complete.
    struct ServerClosed: Error {}
}
