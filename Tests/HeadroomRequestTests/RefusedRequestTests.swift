import Headroom
import HeadroomRequest
import Hummingbird
import Logging
import NIOEmbedded
import TestSupport
import Testing

/// What clients see of a database that cannot be had.
@Suite("A request that gets no connection", .sandbox(), .timeLimit(.minutes(3)))
struct RefusedRequestTests {
    @Test("It waits no longer than it may, and is told when to come back, without a name of anything inside")
    func budget() async throws {
        try await application(try SuiteServer.settings("one1"), waitTimeout: .milliseconds(200)) { application in
            try await application.database.withConnection { _ in
                let response = try await application.request("GET /one")
                #expect(response.status == 503)
                #expect(response["retry-after"] == "1")
                #expect(response.body.contains("The service is busy."))
                expectNoNames(response)
            }
            #expect(try await application.request("GET /one").status == 200)
        }
    }

    @Test("Connections of other programs, past the budget, are waited for, and then a 503 too")
    func others() async throws {
        let other = Database(try SuiteServer.settings("one2"), share: .reserve)
        try await application(try SuiteServer.settings("one2"), waitTimeout: .milliseconds(200)) { application in
            let response = try await application.request("GET /one")
            #expect(response.status == 200)
            try await other.withConnection { _ in
                let response = try await application.request("GET /one")
                #expect(response.status == 503)
                #expect(response["retry-after"] != nil)
                expectNoNames(response)
            }
        }
    }

    @Test("An hourly limit is a 503 for the rest of the hour")
    func hourly() async throws {
        try await application(try SuiteServer.settings("hourly")) { application in
            var response = try await application.request("GET /one")
            for _ in 0..<25 where response.status == 200 { response = try await application.request("GET /one") }
            #expect(response.status == 503)
            #expect(response["retry-after"] == "3600")
            expectNoNames(response)
        }
    }

    @Test("A server that is down is a 503, a wrong password a 500")
    func down() async throws {
        var settings = try SuiteServer.settings("ten1")
        settings.endpoint = .socket(path: "/nowhere/mysqld.sock")
        try await application(settings) { application in
            let response = try await application.request("GET /one")
            #expect(response.status == 503)
            #expect(response["retry-after"].flatMap { Int($0) }.map { (5...10).contains($0) } == true)
            expectNoNames(response)
        }
        settings = try SuiteServer.settings("ten1")
        settings.password = "wrong"
        try await application(settings) { application in
            let response = try await application.request("GET /one")
            #expect(response.status == 500)
            #expect(response["retry-after"] == nil)
            expectNoNames(response)
        }
    }

    @Test("A statement that takes longer than the request may hold its connection is a 504, and is ended")
    func heldTooLong() async throws {
        try await application(try SuiteServer.settings("ten2"), timeout: .milliseconds(300)) { application in
            let response = try await application.request("GET /sleep")
            #expect(response.status == 504)
            #expect(try await eventually(within: .seconds(10)) { try await SuiteServer.sessions(of: "ten2") == 0 })
        }
    }

    @Test("A client that does not read its stream loses the connection when the request's time is over")
    func stalledReader() async throws {
        try await application(try SuiteServer.settings("ten3"), timeout: .milliseconds(500)) { application in
            try await application.withClient { client in
                try await client.send("GET /rows")
                #expect(try await eventually { try await SuiteServer.sessions(of: "ten3") == 1 })
                #expect(try await eventually(within: .seconds(10)) { try await SuiteServer.sessions(of: "ten3") == 0 })
                #expect(try await eventually { application.database.statistics.open == 0 })
            }
        }
    }

    @Test("Without the middleware, asking says what is missing")
    func noMiddleware() async throws {
        let context = BasicDatabaseRequestContext(
            source: ApplicationRequestContextSource(channel: NIOAsyncTestingChannel(), logger: .init(label: "test"))
        )
        await #expect(throws: DatabaseError(.settingsMissing, message: "")) {
            try await context.database.withConnection { _ in }
        }
    }

    private func application(
        _ settings: DatabaseSettings,
        waitTimeout: Duration = .seconds(5),
        timeout: Duration = .seconds(60),
        _ body: (TestApplication) async throws -> Void
    ) async throws {
        try await TestApplication.with(settings, waitTimeout: waitTimeout, timeout: timeout) { router in
            router.get("one") { _, context in
                try await context.database.withConnection { "\(try await $0.query("SELECT 1").first(Int.self) ?? 0)" }
            }
            router.get("sleep") { _, context in
                try await context.database.withConnection { connection in
                    try await connection.query("SELECT SLEEP(30)")
                    return ""
                }
            }
            router.get("rows") { _, context in
                let rows = try await context.database.rows("SELECT REPEAT('x', 1000) FROM seq_1_to_1000000") {
                    row,
                    buffer in
                    buffer.writeString(try row.decode(String.self, at: 0))
                }
                return Response(status: .ok, body: rows)
            }
        } _: { application in
            try await body(application)
        }
    }

    private func expectNoNames(_ response: TestResponse) {
        for name in [
            "one1", "one2", "hourly", "ten1", "sock", "mysql", "MariaDB", "app", "process", "1226", "HEADROOM",
        ] {
            #expect(!response.body.contains(name), "\(response.body)")
        }
    }
}
