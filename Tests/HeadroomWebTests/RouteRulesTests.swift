import FoundationEssentials
import HTTPTypes
import Headroom
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import HeadroomWeb

/// What holds for every route: they are taken from the router itself, so that a new one is in it too.
struct RouteRulesTests {
    /// What a route asks of who asks.
    private enum Rule {
        /// Everybody may.
        case open
        /// Who has signed in may look.
        case look
        /// Who has signed in may do it, with the form's token, from our own pages.
        case deed
    }

    /// Every route; one that is missing here fails the test.
    private static let rules: [String: Rule] = [
        "GET /assets/{name}": .open, "GET /healthz": .open, "GET /readyz": .open, "GET /sign-in": .open,
        "POST /sign-in": .open,
        // A program of this host may look at them by itself: see the rule for metrics.
        "GET /metrics": .open,
        "POST /sign-out": .deed,
        "GET /": .look, "GET /timeline": .look, "GET /events": .look,
        "GET /sessions/{id}/end": .look, "POST /sessions/{id}/end": .deed,
        "GET /holders/{pid}/hang-up": .look, "POST /holders/{pid}/hang-up": .deed,
        "GET /imports": .look, "POST /imports": .deed, "GET /imports/upload": .look, "GET /imports/{id}": .look,
        "GET /imports/{id}/rejects.csv": .look,
        "GET /imports/{id}/cancel": .look, "POST /imports/{id}/cancel": .deed,
        "GET /imports/{id}/retry": .look, "POST /imports/{id}/retry": .deed,
        "GET /imports/{id}/delete": .look, "POST /imports/{id}/delete": .deed,
        "GET /api/v1/openapi.json": .look, "GET /api/v1/account": .look, "GET /api/v1/history": .look,
        "GET /api/v1/jobs": .look, "POST /api/v1/jobs": .deed,
        "GET /api/v1/jobs/{id}": .look, "DELETE /api/v1/jobs/{id}": .deed, "GET /api/v1/jobs/{id}/rejects": .look,
        "POST /api/v1/jobs/{id}/cancel": .deed, "POST /api/v1/jobs/{id}/retry": .deed,
        "POST /api/v1/sessions/{id}/end": .deed,
    ]

    private static let token = "0123456789abcdef0123456789abcdef"
    private static let metricsToken = "fedcba9876543210fedcba9876543210"
    private static let bearer: HTTPFields = [.authorization: "Bearer \(token)"]

    /// What a test asks.
    private struct Site: Sendable {
        var client: any TestClientProtocol
        var routes: [(method: HTTPRequest.Method, path: String, rule: Rule)]
        var dashboard: Dashboard
        var uploads: String
        var log: LinesLog

        /// A session of a browser.
        func session(_ name: String = "anna", lasting seconds: Int = 3600) -> (SessionCookie.Session, HTTPFields) {
            let cookie = dashboard.recognition.cookie
            let session = SessionCookie.Session(
                user: name,
                expires: Recognition.now + seconds,
                id: Secret.text(bytes: 16)
            )
            return (session, [.cookie: "\(cookie.name)=\(cookie.value(of: session))"])
        }
    }

    /// Keeps what is logged.
    private final class LinesLog: Sendable {
        let lines = Mutex<[String]>([])
    }

    private struct LinesHandler: LogHandler {
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.notice
        let log: LinesLog

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }

    /// Serves a dashboard whose database is not there: what is refused is refused without it.
    private func serve(
        users: String? = nil,
        _ change: (inout WebOptions) -> Void = { _ in },
        _ body: @escaping @Sendable (Site) async throws -> Void
    ) async throws {
        let folder = TemporaryFolder()
        let loaded = try SettingsSources(
            overrides: [
                "DB_SOCKET": "/nonexistent/mysqld.sock", "DB_USERNAME": "app", "DB_PASSWORD": "hush",
                "HEADROOM_STATE_DIR": folder.path,
            ],
            environment: [:]
        )
        .load(programName: "headroom serve")
        var options = WebOptions()
        options.uploadFolder = "\(folder.path)/uploads"
        options.hostNames = ["localhost"]
        change(&options)
        let log = LinesLog()
        let recognition = Recognition(
            try Credentials(users: users, token: Self.token, metricsToken: Self.metricsToken),
            cookie: SessionCookie(isSecure: options.isSecure)
        )
        let dashboard = try Dashboard(
            loaded,
            options,
            recognition,
            logger: Logger(label: "test") { _ in LinesHandler(log: log) }
        )
        let router = WebServer.router(dashboard, try HostNames(options))
        let routes = router.routes.map { ($0.method, "\($0.path)") }
        let application = Application(router: router, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await application.test(.router) { client in
            let site = Site(
                client: client,
                routes: routes.compactMap { method, path in
                    Self.rules["\(method) \(path)"].map { (method, path, $0) }
                },
                dashboard: dashboard,
                uploads: "\(folder.path)/uploads",
                log: log
            )
            let others = Set(routes.map { "\($0) \($1)" }).symmetricDifference(Self.rules.keys)
            #expect(others.isEmpty, "These are not both in the router and in the list.")
            try await body(site)
        }
        _ = folder
    }

    /// A path with something in the place of each parameter.
    private static func uri(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false)
            .map { part in part.first == "{" ? "1" : String(part) }
            .joined(separator: "/")
    }

    /// A body such as the route takes, with everything but the form's token.
    private static func body(_ path: String) -> (HTTPFields, ByteBuffer) {
        if path == "/imports" {
            let text =
                "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nmpan\n\r\n--x--\r\n"
            return ([.contentType: "multipart/form-data; boundary=x"], ByteBuffer(string: text))
        }
        return ([.contentType: "application/x-www-form-urlencoded"], ByteBuffer(string: "transaction=yes"))
    }

    @Test func `Who has not signed in sees and does nothing, on any route but the open ones`() async throws {
        try await serve { site in
            for (method, path, rule) in site.routes where rule != .open {
                var (headers, body) = Self.body(path)
                for cookie in [nil, "headroom_session=", "headroom_session=00.9999999999.00.00"] {
                    headers[.cookie] = cookie
                    try await site.client.execute(uri: Self.uri(path), method: method, headers: headers, body: body) {
                        if path.hasPrefix("/api/") {
                            #expect($0.status == .unauthorized, "\(method) \(path)")
                        } else {
                            #expect($0.status == .seeOther && $0.headers[.location] == "/sign-in", "\(method) \(path)")
                        }
                    }
                }
            }
            #expect(
                try !FileManager.default.fileExists(atPath: site.uploads)
                    || FileManager.default.contentsOfDirectory(atPath: site.uploads).isEmpty
            )
        }
    }

    @Test func `Every deed takes the form's token of the session, and is refused from another site`() async throws {
        try await serve { site in
            let (session, cookie) = site.session()
            let (_, other) = site.session()
            let right = site.dashboard.recognition.cookie.formToken(session)
            for (method, path, rule) in site.routes where rule == .deed {
                let (type, body) = Self.body(path)
                var tries: [HTTPFields] = []
                // A browser without the form's token, or with another session's.
                tries.append(type + cookie)
                tries.append(type + other + [.formToken: right])
                // All that is right, from elsewhere.
                for site in ["cross-site", "same-site"] {
                    tries.append(type + cookie + [.formToken: right, .secFetchSite: site])
                    tries.append(type + Self.bearer + [.secFetchSite: site])
                }
                tries.append(type + cookie + [.formToken: right, .origin: "http://evil.example"])
                tries.append(type + Self.bearer + [.origin: "null"])
                for headers in tries {
                    try await site.client.execute(uri: Self.uri(path), method: method, headers: headers, body: body) {
                        #expect($0.status == .forbidden, "\(method) \(path) \(headers)")
                    }
                }
            }
            #expect((try? FileManager.default.contentsOfDirectory(atPath: site.uploads))?.isEmpty ?? true)
        }
    }

    @Test func `No room is made for an upload that another site sends`() async throws {
        try await serve { site in
            let (session, cookie) = site.session()
            let (type, body) = Self.body("/imports")
            let right: HTTPFields = [.formToken: site.dashboard.recognition.cookie.formToken(session)]
            let elsewhere: [HTTPFields] = [
                [.secFetchSite: "cross-site"], [.secFetchSite: "same-site"], [.origin: "http://evil.example"],
            ]
            for sender in elsewhere {
                try await site.client.execute(
                    uri: "/imports",
                    method: .post,
                    headers: type + cookie + right + sender,
                    body: body
                ) {
                    #expect($0.status == .forbidden)
                }
            }
            // The folder is made with the room.
            #expect(!FileManager.default.fileExists(atPath: site.uploads))
        }
    }

    @Test func `Every answer says what a browser may do with it, and none is kept but the assets`() async throws {
        try await serve { site in
            let (_, cookie) = site.session()
            for (method, path, _) in site.routes where path != "/events" {
                let (type, body) = Self.body(path)
                for headers in [type, type + cookie, type + Self.bearer] {
                    try await site.client.execute(uri: Self.uri(path), method: method, headers: headers, body: body) {
                        response in
                        let what: Comment = "\(method) \(path)"
                        #expect(response.headers[.contentSecurityPolicy] == SecurityHeaders.policy, what)
                        #expect(response.headers[.xContentTypeOptions] == "nosniff", what)
                        #expect(response.headers[.xFrameOptions] == "DENY", what)
                        #expect(response.headers[.cacheControl] == "no-store", what)
                        let text = String(buffer: response.body)
                        #expect(!text.contains("hush") && !text.contains(Self.token), what)
                        let type = response.headers[.contentType] ?? ""
                        if path.hasPrefix("/api/") { #expect(type.isEmpty || type == "application/json", what) }
                    }
                }
            }
            for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
                #expect(SecurityHeaders.policy.contains(directive))
            }
            for (name, file) in site.dashboard.assets.files {
                try await site.client.execute(uri: "/assets/\(name)", method: .get) { response in
                    #expect(response.headers[.contentType] == file.type)
                    #expect(response.headers[.cacheControl]?.contains("immutable") == true)
                }
            }
        }
    }

    @Test func `Under a name that is not its own it answers nothing but that it lives`() async throws {
        let change: (inout WebOptions) -> Void = { options in
            options.hostNames = ["db.example.org"]
            options.place = .tcp(host: "192.0.2.1", port: 1)
            options.isBehindProxy = true
        }
        try await serve(change) { site in
            // The test's requests are for "localhost".
            for (method, path, _) in site.routes where !["/healthz", "/readyz"].contains(path) {
                let (type, body) = Self.body(path)
                try await site.client.execute(
                    uri: Self.uri(path),
                    // Of a stream that is served all the same there would be no end.
                    method: path == "/events" ? .head : method,
                    headers: type + Self.bearer,
                    body: body
                ) { response in
                    #expect(response.status == .misdirectedRequest, "\(method) \(path)")
                    #expect(response.headers[.contentSecurityPolicy] == SecurityHeaders.policy)
                }
            }
            try await site.client.execute(uri: "/nothing", method: .get) { #expect($0.status == .misdirectedRequest) }
            try await site.client.execute(uri: "/healthz", method: .get) { #expect($0.status == .ok) }
        }
    }

    @Test func `A second Host is refused`() async throws {
        try await serve { site in
            let second = try #require(HTTPField.Name("Host"))
            try await site.client.execute(uri: "/sign-in", method: .get, headers: [second: "localhost"]) {
                #expect($0.status == .badRequest)
            }
        }
    }

    @Test func `The metrics are open to a program of this host that comes by itself, and to nobody else`() async throws
    {
        try await serve { site in
            try await site.client.execute(uri: "/metrics", method: .get) { #expect($0.status == .ok) }
            let plain: HTTPFields = [
                .userAgent: "Prometheus/3.5.0", .accept: "text/plain;version=1.0.0", .acceptEncoding: "gzip",
                .connection: "keep-alive",
            ]
            try await site.client.execute(uri: "/metrics", method: .get, headers: plain) { #expect($0.status == .ok) }
            try await site.client.execute(uri: "/metrics", method: .get, headers: [.connection: "close"]) {
                #expect($0.status == .unauthorized)
            }
            for name in [
                "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via",
                "CF-Connecting-IP", "True-Client-IP", "Fly-Client-IP", "X-Envoy-External-Address", "CDN-Loop",
                "X-A-Proxy-Of-Tomorrow", "Cookie", "Accept-Language",
            ] {
                let field = try #require(HTTPField.Name(name))
                for value in ["127.0.0.1", ""] {
                    try await site.client.execute(uri: "/metrics", method: .get, headers: [field: value]) {
                        #expect($0.status == .unauthorized, "\(name)")
                    }
                    try await site.client.execute(uri: "/metrics", method: .get, headers: Self.bearer + [field: value])
                    { #expect($0.status == .ok, "\(name)") }
                }
            }
        }
        for change: (inout WebOptions) -> Void in [
            { $0.isBehindProxy = true }, { $0.place = .socket(path: "/run/x.sock") },
            { $0.place = .tcp(host: "0.0.0.0", port: 1) },
        ] {
            try await serve(change) { site in
                try await site.client.execute(uri: "/metrics", method: .get) { #expect($0.status == .unauthorized) }
                try await site.client.execute(uri: "/metrics", method: .get, headers: Self.bearer) {
                    #expect($0.status == .ok)
                }
            }
        }
    }

    @Test func `The token for the metrics opens them, and nothing else`() async throws {
        let isBehindProxy: (inout WebOptions) -> Void = { $0.isBehindProxy = true }
        try await serve(isBehindProxy) { site in
            let scraper: HTTPFields = [.authorization: "Bearer \(Self.metricsToken)"]
            for (method, path, rule) in site.routes where rule != .open {
                try await site.client.execute(uri: Self.uri(path), method: method, headers: scraper) {
                    #expect($0.status == .unauthorized || $0.headers[.location] == "/sign-in", "\(method) \(path)")
                }
            }
            try await site.client.execute(uri: "/metrics", method: .get, headers: scraper) { #expect($0.status == .ok) }
            let form = ByteBuffer(string: "password=\(Self.metricsToken)")
            try await site.client.execute(uri: "/sign-in", method: .post, body: form) {
                #expect($0.status == .unauthorized)
            }
        }
    }

    @Test
    func `A wrong token goes no further on any route, is counted and logged, and does not lock the right one out`()
        async throws
    {
        try await serve { site in
            let wrong: HTTPFields = [.authorization: "Bearer wrong-wrong-wrong-wrong"]
            var statuses: [HTTPResponse.Status] = []
            for (method, path, _) in site.routes {
                statuses.append(
                    try await site.client.execute(uri: Self.uri(path), method: method, headers: wrong) { $0.status }
                )
            }
            #expect(statuses.prefix(5).allSatisfy { $0 == .unauthorized })
            #expect(statuses.dropFirst(6).allSatisfy { $0 == .tooManyRequests || $0 == .unauthorized })
            #expect(statuses.count { $0 == .tooManyRequests } > statuses.count - 8)
            #expect(site.dashboard.refusedTries == statuses.count)
            let lines = site.log.lines.withLock(\.self)
            #expect(lines.count { $0.hasPrefix("token refused") && $0.contains("web.address") } >= 5)
            #expect(lines.count { $0.hasPrefix("too many tries to sign in") } == 1)
            #expect(!lines.contains { $0.contains("wrong-wrong") })
            try await site.client.execute(uri: "/api/v1/openapi.json", method: .get, headers: Self.bearer) {
                #expect($0.status == .ok)
            }
            let form = ByteBuffer(string: "password=\(Self.token)")
            try await site.client.execute(uri: "/sign-in", method: .post, body: form) {
                #expect($0.status == .seeOther)
            }
            try await site.client.execute(uri: "/metrics", method: .get) {
                #expect(String(buffer: $0.body).contains("headroom_web_sign_ins_refused_total \(statuses.count)\n"))
            }
        }
    }

    @Test
    func `A browser that its user has signed in with is not locked out by others' tries, and no name reaches the log`()
        async throws
    {
        let line = try await Credentials.line(name: "anna", password: "correct horse")
        try await serve(users: line) { site in
            @Sendable func tries(_ name: String, _ password: String, cookie: String? = nil) async throws -> (
                HTTPResponse.Status, [String]
            ) {
                var headers: HTTPFields = [:]
                headers[.cookie] = cookie
                let form = ByteBuffer(string: "name=\(name)&password=\(password)")
                return try await site.client.execute(uri: "/sign-in", method: .post, headers: headers, body: form) {
                    ($0.status, $0.headers[values: .setCookie])
                }
            }
            let (status, cookies) = try await tries("anna", "correct+horse")
            #expect(status == .seeOther)
            #expect(
                cookies.allSatisfy {
                    $0.contains("HttpOnly") && $0.contains("SameSite=Strict") && $0.contains("Path=/")
                }
            )
            #expect(cookies.contains { $0.hasPrefix("headroom_session=") && $0.contains("Max-Age=43200") })
            let browser = try #require(cookies.first { $0.hasPrefix("headroom_browser=") }).prefix { $0 != ";" }
            for _ in 0..<8 { _ = try await tries("typed-into-the-wrong-field", "x") }
            #expect(try await tries("anna", "correct+horse").0 == .tooManyRequests)
            #expect(try await tries("bert", "x", cookie: String(browser)).0 == .tooManyRequests)
            #expect(try await tries("anna", "correct+horse", cookie: String(browser)).0 == .seeOther)
            // And nobody guesses for ever with it.
            for _ in 0..<5 { #expect(try await tries("anna", "x", cookie: String(browser)).0 == .unauthorized) }
            #expect(try await tries("anna", "x", cookie: String(browser)).0 == .tooManyRequests)
            let lines = site.log.lines.withLock(\.self)
            #expect(lines.contains { $0.hasPrefix("sign-in refused") && $0.contains("unknown") })
            #expect(!lines.contains { $0.contains("typed-into") || $0.contains("correct") })
        }
    }

    @Test func `Over TLS cookies carry a prefix that no neighbour can set, and the mark that keeps them there`()
        async throws
    {
        let isBehindProxy: (inout WebOptions) -> Void = { $0.isBehindProxy = true }
        try await serve(isBehindProxy) { site in
            let form = ByteBuffer(string: "password=\(Self.token)")
            let value = try await site.client.execute(uri: "/sign-in", method: .post, body: form) {
                $0.headers[.setCookie] ?? ""
            }
            #expect(value.hasPrefix("__Host-headroom_session=") && value.contains("Secure") && value.contains("Path=/"))
            #expect(!value.contains("Domain"))
            let cookie = String(value.prefix { $0 != ";" })
            try await site.client.execute(uri: "/", method: .get, headers: [.cookie: cookie]) {
                #expect($0.status == .ok)
            }
            let plain = String(cookie.dropFirst("__Host-".count))
            try await site.client.execute(uri: "/", method: .get, headers: [.cookie: plain]) {
                #expect($0.status == .seeOther)
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `A stream ends with its session: when somebody signs out, and when its time is over`()
        async throws
    {
        try await serve { site in
            let (session, cookie) = site.session()
            let (_, short) = site.session(lasting: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for headers in [cookie, cookie, short] {
                    group.addTask {
                        try await site.client.execute(uri: "/events", method: .get, headers: headers) {
                            #expect($0.headers[.contentType]?.hasPrefix("text/event-stream") == true)
                        }
                    }
                }
                #expect(try await eventually { site.dashboard.streams.count == 3 })
                // One to which no picture comes that could end it.
                let ended = Mutex(0)
                let silent = site.dashboard.streams.add(session: session.id) { ended.withLock { $0 += 1 } }
                let form = ByteBuffer(string: "form_token=\(site.dashboard.recognition.cookie.formToken(session))")
                try await site.client.execute(uri: "/sign-out", method: .post, headers: cookie, body: form) {
                    #expect($0.status == .seeOther)
                    #expect($0.headers[.setCookie]?.contains("Max-Age=0") == true)
                }
                #expect(ended.withLock(\.self) == 1)
                site.dashboard.streams.remove(try #require(silent))
                // All three return, or the time limit says that they did not.
                try await group.waitForAll()
            }
            #expect(try await eventually { site.dashboard.streams.count == 0 })
            for path in ["/", "/events"] {
                try await site.client.execute(uri: path, method: .get, headers: cookie) {
                    #expect($0.status == .seeOther)
                }
                try await site.client.execute(uri: path, method: .get, headers: short) {
                    #expect($0.status == .seeOther)
                }
            }
        }
    }

    @Test func `A form is bounded, whatever its route`() async throws {
        try await serve { site in
            let (_, cookie) = site.session()
            let large = ByteBuffer(string: "form_token=" + String(repeating: "x", count: 1 << 20))
            for (method, path, rule) in site.routes
            where rule == .deed && path != "/imports" && !path.hasPrefix("/api/") {
                try await site.client.execute(uri: Self.uri(path), method: method, headers: cookie, body: large) {
                    #expect($0.status == .badRequest, "\(method) \(path)")
                }
            }
        }
    }
}

extension HTTPFields {
    fileprivate static func + (one: HTTPFields, other: HTTPFields) -> HTTPFields {
        var all = one
        all.append(contentsOf: other)
        return all
    }
}
