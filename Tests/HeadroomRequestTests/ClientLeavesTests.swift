import Headroom
import HeadroomRequest
import Hummingbird
import Synchronization
import TestSupport
import Testing

/// A client that goes away gives its connection back, whatever its request was doing.
@Suite("A client that goes away", .sandbox(), .timeLimit(.minutes(3)))
struct ClientLeavesTests {
    enum Way: CaseIterable {
        case closes, closesOutputOnly
    }

    @Test("In the middle of a statement: it is ended on the server", arguments: Way.allCases)
    func inAStatement(_ way: Way) async throws {
        let account = way == .closes ? "ten1" : "ten2"
        try await TestApplication.with(try SuiteServer.settings(account)) { router in
            router.get("slow") { _, context in
                try await context.database.withConnection { connection in
                    try await connection.query("SELECT BENCHMARK(1000000000000, MD5('x'))")
                    return "done"
                }
            }
        } _: { application in
            try await application.withClient { client in
                try await client.send("GET /slow")
                #expect(try await eventually { try await working(account) == 1 })
                try await way == .closes ? client.leave() : client.closeOutput()
                #expect(try await eventually(within: .seconds(10)) { try await SuiteServer.sessions(of: account) == 0 })
            }
            #expect(try await eventually { application.database.statistics.inUse == 0 })
            #expect(application.database.statistics.closed[.givenUp] == 1)
        }
    }

    @Test("At once after sending its request, a hundred times: no statement is left running")
    func afterSending() async throws {
        try await TestApplication.with(try SuiteServer.settings("ten3")) { router in
            router.get("slow") { _, context in
                try await context.database.withConnection { connection in
                    try await connection.query("SELECT SLEEP(60)")
                    return "done"
                }
            }
        } _: { application in
            for _ in 0..<100 {
                try await application.withClient { client in
                    try await client.send("GET /slow")
                    try await client.leave()
                }
            }
            // All have been taken note of, and nobody holds or waits for anything.
            #expect(
                try await eventually(within: .seconds(20)) {
                    let statistics = application.database.statistics
                    return statistics.open == 0 && statistics.waiting == 0
                }
            )
            #expect(try await eventually(within: .seconds(10)) { try await SuiteServer.sessions(of: "ten3") == 0 })
        }
    }

    @Test("In the middle of a stream that it does not read: the session is ended", arguments: Way.allCases)
    func inAStream(_ way: Way) async throws {
        let account = way == .closes ? "ten4" : "ten5"
        try await TestApplication.with(try SuiteServer.settings(account)) { router in
            router.get("rows") { _, context in
                let rows = try await context.database.rows("SELECT REPEAT('x', 1000) FROM seq_1_to_1000000") {
                    row,
                    buffer in
                    buffer.writeString(try row.decode(String.self, at: 0))
                }
                return Response(status: .ok, body: rows)
            }
        } _: { application in
            try await application.withClient { client in
                try await client.send("GET /rows")
                _ = try await client.some()
                #expect(try await SuiteServer.sessions(of: account) == 1)
                try await way == .closes ? client.leave() : client.closeOutput()
                #expect(try await eventually(within: .seconds(10)) { try await SuiteServer.sessions(of: account) == 0 })
            }
        }
    }

    @Test("While it waits for a slot: it leaves the line")
    func whileWaiting() async throws {
        let settings = try SuiteServer.settings("one1")
        try await TestApplication.with(settings) { router in
            router.get("quick") { _, context in
                try await context.database.withConnection { _ in "done" }
            }
        } _: { application in
            try await application.database.withConnection { _ in
                try await application.withClient { client in
                    try await client.send("GET /quick")
                    #expect(try await eventually { application.database.statistics.waiting == 1 })
                    try await client.leave()
                    #expect(try await eventually { application.database.statistics.waiting == 0 })
                }
            }
        }
    }

    @Test("While its handler does something else: an idle connection is closed under it")
    func whileIdle() async throws {
        let isReleased = EventFlag()
        try await TestApplication.with(try SuiteServer.settings("ten6")) { router in
            router.get("idle") { _, context in
                try await context.database.withConnection { _ in }
                // Does not heed its cancellation.
                await isReleased.wait()
                return "done"
            }
        } _: { application in
            try await application.withClient { client in
                try await client.send("GET /idle")
                #expect(try await eventually { try await SuiteServer.sessions(of: "ten6") == 1 })
                try await client.leave()
                #expect(try await eventually(within: .seconds(10)) { try await SuiteServer.sessions(of: "ten6") == 0 })
            }
            isReleased.raise()
        }
    }

    @Test("A handler that never asks for the database is not cancelled")
    func withoutDatabase() async throws {
        let hasLeft = EventFlag()
        let hasEnded = EventFlag()
        let wasCancelled = Atomic(false)
        try await TestApplication.with(try SuiteServer.settings("ten7")) { router in
            router.get("other") { _, _ in
                await hasLeft.wait()
                try? await Task.sleep(for: .milliseconds(100))
                wasCancelled.store(Task.isCancelled, ordering: .relaxed)
                hasEnded.raise()
                return "done"
            }
        } _: { application in
            try await application.withClient { client in
                try await client.send("GET /other")
                try await client.leave()
            }
            hasLeft.raise()
            await hasEnded.wait()
            let wasCancelled = wasCancelled.load(ordering: .relaxed)
            #expect(!wasCancelled)
        }
    }

    /// The number of the account's sessions that run a statement.
    private func working(_ account: String) async throws -> Int {
        try await SuiteServer.administrator()
            .withConnection { connection in
                try await connection
                    .query(
                        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = \(account) AND INFO LIKE '%BENCHMARK%'"
                    )
                    .first(Int.self) ?? 0
            }
    }
}
