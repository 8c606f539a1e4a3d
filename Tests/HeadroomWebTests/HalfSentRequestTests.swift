import Glibc
import TestSupport
import Testing

/// Clients that hold connections, with requests that are not whole or whose answers they do not read, against the built program.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HalfSentRequestTests {
    enum Kind: CaseIterable {
        case silent
        case head
        case body
        case handshake
        case whole
        case endless

        var beginning: String {
            switch self {
            case .silent: ""
            case .head: "GET /sign-in HTTP/1.1\r\n"
            case .body: "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
            // The beginning of a record of 512 bytes.
            case .handshake: "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}"
            case .whole: Self.request
            case .endless: String(repeating: Self.request, count: 1000)
            }
        }

        var drop: String {
            switch self {
            case .silent: ""
            case .head: "X: y\r\n"
            case .body: "a"
            case .handshake: "\u{0}"
            case .whole, .endless: beginning
            }
        }

        private static let request = "GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n"
    }

    @Test(arguments: Kind.allCases, [256, nil])
    func
        `1,200 clients with half a request, or with more than they read, keep nobody else out, and cost no more than the limits`(
            _ kind: Kind,
            _ limit: Int?
        ) async throws
    {
        let folder = TemporaryFolder()
        // Under that name at any port.
        var arguments = ["--host-name", "localhost"]
        if kind == .handshake {
            let (key, chain) = ("\(folder.path)/key.pem", "\(folder.path)/cert.pem")
            let run = try await HeadroomProgram.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", chain,
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                ]
            )
            try #require(run.status == 0, "\(run.errors)")
            arguments += ["--tls-certificate", chain, "--tls-key", key]
        }
        let dashboard = try await ServedDashboard(
            arguments,
            folder: folder,
            environment: ["HEADROOM_WEB_TOKEN": "0123456789abcdef"],
            descriptors: limit
        )
        let clients = HalfSentRequests(
            1200,
            port: dashboard.port,
            beginning: Array(kind.beginning.utf8),
            drop: Array(kind.drop.utf8)
        )
        var answered = 0
        for round in 0..<12 {
            clients.drip()
            if round % 3 == 2 {
                if try await dashboard.status("/healthz") == 200 { answered += 1 }
                let form = ["--data", "password=0123456789abcdef"]
                if try await dashboard.status("/sign-in", form) == 303 { answered += 1 }
                #expect(dashboard.descriptors < limit ?? 700)
                #expect(dashboard.memory < 300_000)
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        // A client may be among those whom so many new ones push out, and comes again.
        #expect(answered >= 6, "\(answered) of 8")
        // These are closed before there are too many.
        if kind != .endless { #expect(dashboard.log.contains("too many connections")) }
        // The clients stay, and send no more: they are gone by themselves.
        #expect(try await eventually(within: .seconds(90)) { dashboard.descriptors < 60 })
        #expect(try await dashboard.status("/healthz") == 200)
        withExtendedLifetime(clients) {}
        dashboard.process.signal(SIGTERM)
        #expect(try await dashboard.process.ended() == 0)
    }

    @Test func `Who has not signed in is answered four requests a second, and who has without a wait`() async throws {
        let token = "0123456789abcdef"
        let dashboard = try await ServedDashboard(environment: ["HEADROOM_WEB_TOKEN": token])
        for (headers, isSlow) in [([], true), (["--header", "Authorization: Bearer \(token)"], false)] {
            let start = ContinuousClock.now
            // All over one connection, one after the other.
            _ = try await dashboard.status("/healthz?[1-56]", headers)
            #expect((ContinuousClock.now - start > .seconds(5)) == isSlow)
        }
    }

    @Test func `A limit that is too low to serve anybody is said`() async throws {
        let run = try await HeadroomProgram.run(
            "/bin/sh",
            ["-c", "ulimit -n 40; exec \"$0\" serve", HeadroomProgram.path],
            environment: ["DB_SOCKET": "/nonexistent", "DB_USERNAME": "app", "HEADROOM_WEB_TOKEN": "0123456789abcdef"]
        )
        #expect(run.status == 1 || run.status == 71)
        #expect(run.errors.contains("64 descriptors") && run.errors.contains("ulimit -n"), "\(run.errors)")
    }
}
