import FoundationEssentials
import HTTPTypes
import Headroom
import HeadroomJobs
import HeadroomSandbox
import Hummingbird
import HummingbirdTesting
import Logging
import TestSupport
import Testing

@testable import HeadroomWeb

@Suite(.sandbox(performanceSchema: true)) struct WebServerTests {
    private static let token = "0123456789abcdef0123456789abcdef"
    private static let bearer: HTTPFields = [.authorization: "Bearer \(token)"]

    private func serve<Result>(
        account: String = "ten3",
        interval: Duration = .milliseconds(50),
        uploadFolder: String? = nil,
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Result
    ) async throws -> Result {
        var options = WebOptions()
        options.interval = interval
        options.uploadFolder = uploadFolder
        let sandbox = try SuiteServer.sandbox
        let loaded = try SettingsSources(
            overrides: [
                "DB_SOCKET": sandbox.socket, "DB_USERNAME": account, "DB_PASSWORD": "sandbox",
                "DB_DATABASE": sandbox.options.database,
                "HEADROOM_STATE_DIR": sandbox.environment["HEADROOM_STATE_DIR"] ?? "",
            ],
            environment: [:]
        )
        .load(programName: "headroom serve")
        if let uploadFolder { options.importFolders = try ImportFolders(loaded, uploads: uploadFolder) }
        let application = try WebServer.application(
            loaded,
            options,
            Credentials(token: Self.token),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        return try await application.test(.router, body)
    }

    private func cookie(_ client: any TestClientProtocol) async throws -> String {
        try await client.execute(uri: "/sign-in", method: .post, body: ByteBuffer(string: "password=\(Self.token)")) {
            response in
            #expect(response.status == .seeOther)
            return String(try #require(response.headers[.setCookie]).prefix { $0 != ";" })
        }
    }

    @Test func `Who has not signed in sees the sign-in page and what is for machines, and no name of anything`()
        async throws
    {
        try await serve { client in
            for path in ["/", "/events", "/timeline", "/imports", "/sessions/1/end", "/holders/1/hang-up"] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.status == .seeOther, "\(path)")
                    #expect(response.headers[.location] == "/sign-in")
                }
            }
            try await client.execute(uri: "/api/v1/account", method: .get) { #expect($0.status == .unauthorized) }
            for path in ["/healthz", "/readyz", "/metrics", "/sign-in"] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.status == .ok, "\(path)")
                    let text = String(buffer: response.body)
                    #expect(!text.contains("ten3@") && !text.contains(".sock"), "\(path)")
                }
            }
        }
    }

    @Test func `Every answer forbids code from elsewhere and within the page, and is not kept`() async throws {
        try await serve { client in
            for path in ["/sign-in", "/", "/nothing", "/metrics"] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.headers[.contentSecurityPolicy] == SecurityHeaders.policy)
                    #expect(response.headers[.cacheControl] == "no-store")
                    #expect(response.headers[.xContentTypeOptions] == "nosniff")
                }
            }
        }
        #expect(!SecurityHeaders.policy.contains("unsafe"))
    }

    @Test func `A cookie opens the page, and stops to when its owner signs out`() async throws {
        try await serve { client in
            let cookie = try await cookie(client)
            let headers: HTTPFields = [.cookie: cookie]
            let page = try await client.execute(uri: "/", method: .get, headers: headers) { response in
                #expect(response.status == .ok)
                return String(buffer: response.body)
            }
            #expect(page.contains("class=\"tile free\""))
            #expect(page.utf8.count < 30_000)
            let field = try #require(page.firstRange(of: "name=\"form_token\" value=\""))
            let token = page[field.upperBound...].prefix { $0 != "\"" }
            try await client.execute(
                uri: "/sign-out",
                method: .post,
                headers: headers,
                body: ByteBuffer(string: "form_token=no")
            ) {
                #expect($0.status == .forbidden)
            }
            try await client.execute(
                uri: "/sign-out",
                method: .post,
                headers: headers,
                body: ByteBuffer(string: "form_token=\(token)")
            ) { #expect($0.status == .seeOther) }
            try await client.execute(uri: "/", method: .get, headers: headers) { #expect($0.status == .seeOther) }
        }
    }

    @Test func `A change from another site is refused, whatever it carries`() async throws {
        try await serve { client in
            var headers = Self.bearer
            headers[.secFetchSite] = "cross-site"
            try await client.execute(uri: "/api/v1/sessions/1/end", method: .post, headers: headers) {
                #expect($0.status == .forbidden)
            }
            let cookie = try await cookie(client)
            try await client.execute(uri: "/sessions/1/end", method: .post, headers: [.cookie: cookie]) {
                #expect($0.status == .forbidden)
            }
        }
    }

    @Test func `The sixth wrong token in a row is not even looked at`() async throws {
        try await serve { client in
            var statuses: [HTTPResponse.Status] = []
            for _ in 0..<6 {
                let status = try await client.execute(
                    uri: "/sign-in",
                    method: .post,
                    body: ByteBuffer(string: "password=x")
                ) {
                    $0.status
                }
                statuses.append(status)
            }
            #expect(statuses == Array(repeating: .unauthorized, count: 5) + [.tooManyRequests])
        }
    }

    @Test func `A full account: the page stays up and says so, and the numbers say that they cannot be had`()
        async throws
    {
        try await serve(account: "two9") { client in
            try await client.execute(uri: "/readyz", method: .get) { #expect($0.status == .ok) }
            let database = try SuiteServer.database("two9", share: .reserve)
            try await database.withConnection { _ in
                try await database.withConnection { _ in
                    try await Task.sleep(for: .milliseconds(60))
                    try await lockedOut(client)
                }
            }
        }
    }

    private func lockedOut(_ client: any TestClientProtocol) async throws {
        try await client.execute(uri: "/readyz", method: .get) { #expect($0.status == .serviceUnavailable) }
        try await client.execute(uri: "/", method: .get, headers: Self.bearer) { response in
            #expect(response.status == .ok)
            let text = String(buffer: response.body)
            #expect(text.contains("EXHAUSTED") && text.contains("The account lets nobody in"))
        }
        try await client.execute(uri: "/metrics", method: .get) { response in
            let text = String(buffer: response.body)
            #expect(text.contains("headroom_up 0\n"))
            #expect(text.contains("headroom_last_success_timestamp_seconds "))
            #expect(text.contains("headroom_connect_refused_total{code=\"1226\""))
        }
        try await client.execute(uri: "/api/v1/account", method: .get, headers: Self.bearer) { response in
            #expect(response.status == .ok)
            #expect(String(buffer: response.body).contains("\"level\":\"EXHAUSTED\""))
        }
    }

    @Test func `An idle session is ended through the API, one in a transaction only when that is said`() async throws {
        try await serve { client in
            let victim = try SuiteServer.database("ten3", share: .reserve)
            try? await victim.withConnection { connection in
                let id = connection.sessionID
                try await client.execute(uri: "/api/v1/sessions/\(id)/end", method: .post, headers: Self.bearer) {
                    response in
                    // Without the PROCESS privilege it is not known, so it is spared.
                    #expect(response.status == .conflict)
                }
                let uri = "/api/v1/sessions/\(id)/end?include_transaction=true"
                try await client.execute(uri: uri, method: .post, headers: Self.bearer) { response in
                    #expect(response.status == .ok)
                    #expect(String(buffer: response.body) == "{\"result\":\"killed\"}")
                }
                await #expect(throws: DatabaseError.self) { try await connection.query("SELECT 1") }
            }
        }
    }

    @Test func `A file with HTML in it comes back as text, in every way to see it`() async throws {
        let sandbox = try SuiteServer.sandbox
        let folder = TemporaryFolder()
        let migrated = try await HeadroomProgram.run(
            ["migrate"],
            environment: sandbox.environment.merging(["DB_USERNAME": "ten6", "DB_PASSWORD": "sandbox"]) { $1 }
        )
        try #require(migrated.status == 0, "\(migrated.errors)")
        let evil = "<script>alert(1)</script>"
        try await serve(account: "ten6", uploadFolder: folder.path) { client in
            let file = ByteBuffer(string: "mpan,datetime,kwh\n1,2024-01-01 00:00,1\n\(evil),soon,2\n")
            let name = "%3Cscript%3Ealert(1)%3C%2Fscript%3E.csv"
            let place = try await client.execute(
                uri: "/api/v1/jobs?type=hh&filename=\(name)",
                method: .post,
                headers: Self.bearer,
                body: file
            ) { response in
                #expect(response.status == .created, "\(String(buffer: response.body))")
                return try #require(response.headers[.location])
            }
            let id = try #require(place.split(separator: "/").last.flatMap { Int($0) })
            try await SuiteServer.database("ten6")
                .withConnection { connection in
                    _ = try await connection.query(
                        """
                        INSERT INTO headroom_rejected_rows (job_id, line, column_name, cell, reason, content)
                        VALUES (\(id), 3, 'datetime', 'soon', \(evil), \(evil + ",soon,2"))
                        """
                    )
                }
            for path in ["/imports", "/imports/\(id)", "/imports/\(id)/cancel", "/imports/\(id)/delete"] {
                try await client.execute(uri: path, method: .get, headers: Self.bearer) { response in
                    #expect(response.status == .ok, "\(path)")
                    #expect(!String(buffer: response.body).contains("<script>alert"), "\(path)")
                }
            }
            let types = [
                "/imports/\(id)/rejects.csv": "text/csv", "/api/v1/jobs/\(id)": "application/json",
                "/api/v1/jobs/\(id)/rejects": "application/json",
            ]
            for (path, type) in types {
                try await client.execute(uri: path, method: .get, headers: Self.bearer) { response in
                    #expect(response.status == .ok, "\(path)")
                    #expect(response.headers[.contentType]?.hasPrefix(type) == true, "\(path)")
                    #expect(response.headers[.xContentTypeOptions] == "nosniff")
                    if type == "text/csv" {
                        #expect(response.headers[.contentDisposition]?.hasPrefix("attachment") == true)
                    }
                    #expect(String(buffer: response.body).contains("alert(1)") || path == "/api/v1/jobs/\(id)")
                }
            }
        }
    }

    @Test func `OpenMetrics ends with its mark, and its counters' families have no _total`() async throws {
        try await serve { client in
            let headers: HTTPFields = [.accept: "application/openmetrics-text; version=1.0.0"]
            try await client.execute(uri: "/metrics", method: .get, headers: headers) { response in
                let text = String(buffer: response.body)
                #expect(text.hasSuffix("# EOF\n"))
                #expect(text.contains("# TYPE headroom_connect_refused counter\n"))
                #expect(response.headers[.contentType]?.hasPrefix("application/openmetrics-text") == true)
            }
        }
    }

    @Test func `Scrapes and pages within the interval cost one look`() async throws {
        try await serve(account: "ten5", interval: .seconds(60)) { client in
            for _ in 0..<20 {
                try await client.execute(uri: "/metrics", method: .get) { #expect($0.status == .ok) }
                try await client.execute(uri: "/", method: .get, headers: Self.bearer) { #expect($0.status == .ok) }
            }
            // One for the account, and after it one for the queue's health.
            let logins =
                try await SuiteServer.administrator()
                .withConnection { connection in
                    try await connection.query(
                        "SELECT TOTAL_CONNECTIONS FROM performance_schema.users WHERE USER = 'ten5'"
                    )
                    .first(Int.self)
                }
            #expect(logins == 2)
        }
    }
}
