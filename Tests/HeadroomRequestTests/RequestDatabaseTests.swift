import Headroom
import HeadroomRequest
import Hummingbird
import Synchronization
import TestSupport
import Testing

/// One connection at most for a request: when it opens, who gets it, and when it closes.
@Suite("A request's connection", .sandbox(), .timeLimit(.minutes(3)))
struct RequestDatabaseTests {
    @Test("Nothing is opened for a request that does not ask")
    func lazy() async throws {
        let settings = try SuiteServer.settings("ten1")
        try await TestApplication.with(settings) { router in
            router.get("hello") { _, _ in "hello" }
        } _: { application in
            let response = try await application.request("GET /hello")
            #expect(response.body == "hello")
            #expect(application.database.statistics.opened == 0)
        }
    }

    @Test("Asking again gives the same connection: later, inside, and after an error")
    func sameConnection() async throws {
        let settings = try SuiteServer.settings("ten2")
        try await TestApplication.with(settings) { router in
            router.get("ids") { _, context in
                let database = context.database
                var ids: [UInt64] = []
                try await database.withConnection { connection in
                    ids.append(connection.sessionID)
                    try await database.withConnection { ids.append($0.sessionID) }
                    _ = try? await connection.query("SELECT nonsense")
                }
                ids.append(try await database.withConnection(\.sessionID))
                return "\(Set(ids).count) of \(ids.count)"
            }
        } _: { application in
            let response = try await application.request("GET /ids")
            #expect(response.body == "1 of 3")
            #expect(application.database.statistics.opened == 1)
        }
    }

    @Test("Tasks of a request that ask at the same time are served one after the other")
    func serialised() async throws {
        let settings = try SuiteServer.settings("ten3")
        try await TestApplication.with(settings) { router in
            router.get("both") { _, context in
                let database = context.database
                let crowd = Crowd()
                try await withThrowingTaskGroup { group in
                    for _ in 0..<8 {
                        group.addTask {
                            try await database.withConnection { connection in
                                crowd.enter()
                                try await connection.query("DO SLEEP(0.01)")
                                crowd.leave()
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                return "\(crowd.most)"
            }
        } _: { application in
            let response = try await application.request("GET /both")
            #expect(response.body == "1")
            #expect(application.database.statistics.opened == 1)
        }
    }

    @Test("A child task that would wait for its own parent is told so instead")
    func noDeadlock() async throws {
        let settings = try SuiteServer.settings("ten4")
        try await TestApplication.with(settings) { router in
            router.get("child") { _, context in
                let database = context.database
                return try await database.withConnection { connection in
                    async let child = database.withConnection(\.sessionID)
                    do {
                        return "\(try await child)"
                    } catch let error as DatabaseError {
                        return "\(error.code)"
                    }
                }
            }
        } _: { application in
            let response = try await application.request("GET /child")
            #expect(response.body == "connection_busy")
        }
    }

    @Test("A connection that was lost is replaced for who asks next; one that was closed early too")
    func replaced() async throws {
        let settings = try SuiteServer.settings("ten5")
        try await TestApplication.with(settings) { router in
            router.get("lost") { _, context in
                let database = context.database
                _ = try? await database.withConnection { connection in
                    try await connection.query(SQL(raw: "KILL \(connection.sessionID)"))
                    try await connection.query("SELECT 1")
                }
                return "\(try await database.withConnection { try await $0.query("SELECT 7").first(Int.self) ?? 0 })"
            }
            router.get("early") { _, context in
                let database = context.database
                let first = try await database.withConnection(\.sessionID)
                await database.close()
                let second = try await database.withConnection { connection in
                    // Inside the closure it is closed when the closure ends.
                    await database.close()
                    return try await connection.query("SELECT CONNECTION_ID()").first(UInt64.self) ?? 0
                }
                let third = try await database.withConnection(\.sessionID)
                return "\(Set([first, second, third]).count)"
            }
        } _: { application in
            let response = try await application.request("GET /lost")
            #expect(response.body == "7")
            #expect(try await application.request("GET /early").body == "3")
        }
    }

    @Test(
        "When a response has arrived the server has let the connection go: 300 at a limit of 1",
        arguments: ["plain", "rows", "fail", "empty"]
    )
    func closedBeforeTheEnd(_ path: String) async throws {
        let accounts = ["plain": "one1", "rows": "one2", "fail": "one3", "empty": "one4"]
        let settings = try SuiteServer.settings(accounts[path] ?? "")
        let direct = Database(settings, share: .reserve)
        try await TestApplication.with(settings) { router in
            router.get("plain") { _, context in
                try await context.database.withConnection { connection in
                    "\(try await connection.query("SELECT 1").first(Int.self) ?? 0)"
                }
            }
            router.get("rows") { _, context in
                let rows = try await context.database.rows("SELECT 1 UNION SELECT 2") { row, buffer in
                    buffer.writeString("\(try row.decode(Int.self, at: 0))\n")
                }
                return Response(status: .ok, body: rows)
            }
            router.get("fail") { _, context -> Response in
                try await context.database.withConnection { _ in throw HTTPError(.notFound) }
            }
            router.get("empty") { _, context -> Response in
                try await context.database.withConnection { _ in Response(status: .noContent) }
            }
        } _: { application in
            // The very next connection, past all slots, finds the account's only place free.
            for _ in 0..<300 {
                let response = try await application.request("GET /\(path)")
                try await direct.withConnection { _ in }
                #expect(response.status == ["fail": 404, "empty": 204][path, default: 200])
                if path == "rows" { #expect(response.body == "1\n2\n") }
            }
        }
    }

    @Test("A stream holds its connection while it is written, and its memory does not grow with it")
    func streaming() async throws {
        let settings = try SuiteServer.settings("ten6")
        try await TestApplication.with(settings) { router in
            router.get("rows") { _, context in
                let rows = try await context.database.rows(
                    "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000",
                    heading: "n,x\n"
                ) { row, buffer in
                    buffer.writeString("\(try row.decode(Int.self, at: 0)),\(try row.decode(String.self, at: 1))\n")
                }
                return Response(status: .ok, body: rows)
            }
        } _: { application in
            try await application.withClient { client in
                try await client.send("GET /rows")
                _ = try await client.some()
                // 20 MB do not fit into what lies between: the rest is still on the server.
                try await Task.sleep(for: .milliseconds(200))
                #expect(application.database.statistics.inUse == 1)
            }
            let response = try await application.request("GET /rows")
            let lines = response.body.split(separator: "\n")
            #expect(lines.count == 20_001)
            #expect(lines.last?.hasPrefix("20000,x") == true)
        }
    }

    @Test("A body of unknown length may ask while it is written; one of known length has no connection any more")
    func bodies() async throws {
        let settings = try SuiteServer.settings("ten7")
        try await TestApplication.with(settings) { router in
            router.get("stream") { _, context in
                let database = context.database
                let before = try await database.withConnection(\.sessionID)
                return Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        let after = try await database.withConnection(\.sessionID)
                        try await writer.write(ByteBuffer(string: "\(before == after)"))
                        try await writer.finish(nil)
                    }
                )
            }
            router.get("known") { _, context in
                let database = context.database
                return Response(
                    status: .ok,
                    body: ResponseBody(contentLength: 4) { writer in
                        try await database.withConnection { _ in }
                        try await writer.write(ByteBuffer(string: "true"))
                        try await writer.finish(nil)
                    }
                )
            }
        } _: { application in
            let response = try await application.request("GET /stream")
            #expect(response.body == "true")
            await #expect(throws: TestClient.ServerClosed.self) { try await application.request("GET /known") }
            #expect(application.database.statistics.opened == 1)
        }
    }

    @Test("A wrong statement is a 500 without a word of it, also when its rows were to be streamed")
    func wrongStatement() async throws {
        let settings = try SuiteServer.settings("ten8")
        try await TestApplication.with(settings) { router in
            router.get("rows") { _, context in
                Response(status: .ok, body: try await context.database.rows("SELECT secret FROM nowhere") { _, _ in })
            }
        } _: { application in
            let response = try await application.request("GET /rows")
            #expect(response.status == 500)
            #expect(response.body.isEmpty)
        }
    }

    @Test("HEAD, kept-alive and pipelined requests are answered, each with a connection of its own")
    func keepAlive() async throws {
        let settings = try SuiteServer.settings("one5")
        try await TestApplication.with(settings, options: .autoGenerateHeadEndpoints) { router in
            router.get("n/:n") { _, context in
                let number = try context.parameters.require("n", as: Int.self)
                return try await context.database.withConnection { connection in
                    "\(try await connection.query("SELECT \(number)").first(Int.self) ?? 0)"
                }
            }
            router.get("rows") { _, context in
                Response(status: .ok, body: try await context.database.rows("SELECT 1") { _, _ in })
            }
        } _: { application in
            try await application.withClient { client in
                for n in 1...3 {
                    try await client.send("GET /n/\(n)")
                    #expect(try await client.response().body == "\(n)")
                }
                for n in 4...6 { try await client.send("GET /n/\(n)") }
                for n in 4...6 { #expect(try await client.response().body == "\(n)") }
                try await client.send("HEAD /rows")
                try await client.send("GET /n/7")
                #expect(try await client.some()?.contains("200") == true)
            }
            #expect(try await eventually { try await SuiteServer.sessions(of: "one5") == 0 })
        }
    }
}

/// Counts how many are inside at a time.
private final class Crowd: Sendable {
    private let counts = Mutex((inside: 0, most: 0))

    var most: Int { counts.withLock(\.most) }

    func enter() {
        counts.withLock { counts in
            counts.inside += 1
            counts.most = max(counts.most, counts.inside)
        }
    }

    func leave() { counts.withLock { $0.inside -= 1 } }
}
