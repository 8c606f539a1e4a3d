import Glibc
import HeadroomSandbox
import TestSupport
import Testing

@testable import Headroom

/// A server's first packet is judged before anything is sent.
@Suite struct GreetingTests {
    private static let greeting = HostileServer.packet(
        HostileServer.greeting("mysql_native_password", offersTLS: false),
        0
    )
    private static let encrypted = HostileServer.packet(
        HostileServer.greeting("mysql_native_password", offersTLS: true),
        0
    )

    private func finding(_ bytes: [UInt8], inPieces piece: Int = .max) -> Greeting.Finding {
        var greeting = Greeting()
        var rest = bytes[...]
        var last = Greeting.Finding.incomplete
        while !rest.isEmpty {
            last = greeting.take(rest.prefix(piece))
            rest = rest.dropFirst(piece)
            if last != .incomplete, !rest.isEmpty { return last }
        }
        return last
    }

    @Test(arguments: [1, 3, 7, 64, .max])
    func `a greeting in pieces says the same as one that comes whole`(piece: Int) {
        #expect(finding(Self.greeting, inPieces: piece) == .offer(isEncrypted: false, method: "mysql_native_password"))
        #expect(finding(Self.encrypted, inPieces: piece) == .offer(isEncrypted: true, method: "mysql_native_password"))
        for count in 1..<Self.greeting.count {
            #expect(finding(Array(Self.greeting.prefix(count)), inPieces: piece) == .incomplete)
        }
    }

    @Test func `what no server begins with is impossible`() {
        #expect(finding(Self.encrypted + [0]) == .impossible, "a word after the greeting, in plain text")
        #expect(finding([0, 0, 0, 0]) == .impossible, "nothing")
        #expect(finding([0xFF, 0xFF, 0xFF, 0]) == .impossible, "16 MB")
        #expect(finding([10, 0, 0, 0] + [10] + Array("8.4.0-log".utf8)) == .impossible, "no end")
        #expect(finding(HostileServer.packet([9] + Self.greeting.dropFirst(5), 0)) == .impossible, "an older protocol")
        #expect(finding(HostileServer.packet([0xFF, 0xFF, 0xFF, 1, 1, 1, 0, 0, 0, 0], 0)) == .impossible, "progress")
        #expect(finding(HostileServer.packet([0xFF, 0x10, 0x04] + Array("Too many".utf8), 0)) == .refusal)
    }

    @Test func `no bytes whatever trap it`() {
        var random = Seeded(1)
        for _ in 0..<20_000 {
            var bytes = Array(
                (Bool.random(using: &random) ? Self.greeting : Self.encrypted)
                    .prefix(Int.random(in: 0...90, using: &random))
            )
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = finding(bytes, inPieces: Int.random(in: 1...100, using: &random))
        }
    }

    private func connect(_ port: Int, _ mode: TLS.Mode, host: String = "127.0.0.1") async throws {
        var settings = DatabaseSettings(
            endpoint: .tcp(host: host, port: port),
            username: "app",
            password: "bare",
            connectTimeout: .seconds(20),
            closeTimeout: .seconds(2),
            tls: TLS(mode: mode)
        )
        let folder = TemporaryFolder()
        settings.stateFolder = folder.path
        let client = try await Connector(settings).connect(limits: Limits())
        client.free()
    }

    @Test(arguments: [TLS.Mode.required, .verifyCA, .verifyIdentity], HostileServer.Login.allCases)
    func `who insists on encryption sends not one byte to a server without`(
        mode: TLS.Mode,
        login: HostileServer.Login
    ) async throws {
        for isTrickling in [false, true] {
            // An address, and a name.
            for host in ["127.0.0.1", "127.1"] {
                let server = try HostileServer(HostileServer.Script(login: login, isTrickling: isTrickling))
                let error = await #expect(throws: DatabaseError.self) {
                    try await connect(server.port, mode, host: host)
                }
                #expect(error?.code == .tlsFailed)
                #expect(server.sent.isEmpty)
            }
        }
    }

    @Test(arguments: TLS.Mode.allCases, ["127.0.0.1", "127.1"])
    func `a server that says more than a greeting gets nothing`(mode: TLS.Mode, host: String) async throws {
        var scripts = [HostileServer.Script(offersTLS: true, afterGreeting: HostileServer.packet(HostileServer.ok, 2))]
        scripts.append(
            HostileServer.Script(greeting: [0xFF, 0xFF, 0xFF, 0, 10] + [UInt8](repeating: 0x61, count: 1 << 20))
        )
        scripts.append(
            HostileServer.Script(greeting: [0xF0, 0xFF, 0, 0, 0xFF] + [UInt8](repeating: 0x61, count: 1 << 16))
        )
        for script in scripts {
            let server = try HostileServer(script)
            let error = await #expect(throws: DatabaseError.self) { try await connect(server.port, mode, host: host) }
            #expect(error?.code == .serverUnreachable)
            #expect(server.sent.isEmpty)
        }
    }

    @Test func `a server that has begun to offer encryption is asked for it, and got nothing before`() async throws {
        let plain = try HostileServer(HostileServer.Script())
        var settings = DatabaseSettings(
            endpoint: .tcp(host: "127.0.0.1", port: plain.port),
            username: "app",
            password: "p"
        )
        let folder = TemporaryFolder()
        settings.stateFolder = folder.path
        let client = try await Client.opened(settings, limits: Limits(), isPlain: true)
        client.free()
        #expect(plain.sent.contains(Array("app".utf8)))
        let server = try HostileServer(HostileServer.Script(offersTLS: true))
        settings.endpoint = .tcp(host: "127.0.0.1", port: server.port)
        let second = try await Client.opened(settings, limits: Limits(), isPlain: true)
        #expect(second.isEncrypted)
        second.free()
        #expect(!server.sent.contains(Array("app".utf8)))
    }
}

/// Through a relay that takes the offer of encryption out of a real server's greeting.
@Suite(.sandbox(tcp: true, tls: true)) struct StrippedGreetingTests {
    @Test(arguments: [TLS.Mode.required, .verifyCA, .verifyIdentity])
    func `a relay that masks the offer is sent nothing, thirty times`(mode: TLS.Mode) async throws {
        let relay = try Relay(to: try #require(SuiteServer.sandbox.port), masksTLS: true)
        var settings = try SuiteServer.settings("ten1", overTCP: true)
        settings.endpoint = .tcp(host: "127.0.0.1", port: relay.port)
        settings.tls = TLS(mode: mode, authorities: try SuiteServer.sandbox.certificateAuthority)
        for _ in 0..<30 {
            let error = await #expect(throws: DatabaseError.self) {
                _ = try await Connector(settings).connect(limits: Limits())
            }
            #expect(error?.code == .tlsFailed)
        }
        #expect(relay.sent.isEmpty)
    }
}
