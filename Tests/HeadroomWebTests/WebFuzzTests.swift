import HTTPTypes
import Headroom
import HeadroomJobs
import Hummingbird
import Logging
import NIOEmbedded
import TestSupport
import Testing

@testable import HeadroomWeb

/// Whatever comes in over HTTP, and stands in the dashboard's own files and in the rows that it shows.
@Suite struct WebFuzzTests {
    @Test func `forms: parts of any kind, in pieces of any size`() async throws {
        let sample =
            "--xyz\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nhh\r\n--xyz\r\n"
            + "Content-Disposition: form-data; name=\"file\"; filename=\"a%22b.csv\"\r\nContent-Type: text/csv\r\n\r\n"
            + "one,two\r\n--xy\r\n--xyz--\r\n"
        try await Fuzz.run(.multipart, [Array(sample.utf8)]) { input, random in
            let text = String(decoding: input.prefix(120), as: UTF8.self)
            _ = try? MultipartScanner(contentType: "multipart/form-data;\(text)")
            var scanner = try MultipartScanner(contentType: "multipart/form-data; boundary=xyz")
            var rest = input[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...50, using: &random))
                rest = rest.dropFirst(piece.count)
                guard let parts = try? scanner.feed(piece) else { break }
                for case .fileBegan(_, let name) in parts {
                    #expect(!UploadForm.shown(name).unicodeScalars.contains { $0 == "/" || $0.value < 0x20 })
                }
            }
        }
    }

    @Test func `credentials: user files, hashes, cookies`() async throws {
        let cookie = SessionCookie(key: [UInt8](repeating: 1, count: 32))
        let value = cookie.value(of: cookie.begin("ann", at: 1_764_000_000))
        let samples = [
            value, "# users\nann:$scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ=$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        ]
        try await Fuzz.run(.credentials, texts: samples) { input, _ in
            let session = cookie.session(input, at: 1_764_000_000)
            #expect(session == nil || input == value || session?.user == "ann")
            _ = try? Credentials(users: input)
        }
    }

    @Test func `requests: paths, queries, headers and bodies`() async throws {
        let token = "0123456789abcdef0123456789abcdef"
        let folder = TemporaryFolder()
        let loaded = try SettingsSources(
            overrides: [
                "DB_SOCKET": "\(folder.path)/nothing.sock", "DB_USERNAME": "app", "DB_DATABASE": "app",
                "HEADROOM_STATE_DIR": folder.path,
            ],
            environment: [:]
        )
        .load(programName: "fuzz")
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let options = WebOptions()
        let recognition = Recognition(try Credentials(token: token), cookie: SessionCookie(isSecure: false))
        let dashboard = try Dashboard(loaded, options, recognition, logger: logger)
        let router = WebServer.router(dashboard, try HostNames(options, certified: [])).buildResponder()
        let samples = [
            "/", "/?range=hour", "/timeline?range=day", "/imports?part=jobs", "/imports/12/rejects.csv",
            "/sessions/7/end",
            "/api/v1/jobs?limit=20&status=failed", "/api/v1/jobs/9223372036854775807", "/api/v1/sessions/1", "/metrics",
            "/sign-in", "/assets/style.css", "/holders/4294967296/hang-up?inode=1", "form_token=a&password=b%20c",
            "{\"job\":1}",
        ]
        // Not by the client of HummingbirdTesting: it makes a channel for each request and never closes it, which leaves 5 kB
        // of each, and what ours leave could not be told from that.
        try await Fuzz.run(.requests, texts: samples, count: 150, mostGrowth: 128 << 20) { input, random in
            var path = input.utf8.filter { $0 > 0x20 && $0 < 0x7F }.map { String(UnicodeScalar($0)) }.joined()
            if !path.hasPrefix("/") { path = "/\(path)" }
            // The stream has no end.
            guard !path.contains("events") else { return }
            let body = ByteBuffer(string: input)
            var headers: HTTPFields = [.contentLength: "\(body.readableBytes)"]
            if random.isOne(in: 2) { headers[.authorization] = "Bearer \(token)" }
            if random.isOne(in: 2) { headers[.cookie] = "headroom=\(path)" }
            if random.isOne(in: 3) { headers[.contentType] = "multipart/form-data; boundary=\(path.prefix(60))" }
            let head = HTTPRequest(
                method: random.pick([.get, .get, .post, .put, .delete, .head]),
                scheme: "http",
                authority: "localhost",
                path: path,
                headerFields: headers
            )
            let channel = NIOAsyncTestingChannel()
            let response = try await router.respond(
                to: Request(head: head, body: RequestBody(buffer: body)),
                context: WebContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
            )
            #expect(response.status.code < 600)
            try await response.body.write(Discarded())
            _ = try await channel.finish()
        }
    }
}

/// An answer that nobody reads.
private struct Discarded: ResponseBodyWriter {
    mutating func write(_ buffer: ByteBuffer) async throws {}
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
