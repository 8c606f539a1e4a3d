import Synchronization
import TestSupport
import Testing

@testable import Headroom

/// One account and several hosts, on a real server: each host is a state folder of its own.
@Suite(.sandbox()) struct SharedAccountTests {
    /// Makes the settings of a host: it shares nothing with the others but the account.
    private func host(_ name: String, of hosts: Int?, _ account: String) throws -> DatabaseSettings {
        var settings = try SuiteServer.settings(account)
        settings.reserve = 0
        settings.hosts = hosts
        settings.stateFolder = settings.stateFolder.map { "\($0)/\(account)-\(name)" }
        return settings
    }

    /// How many there were at the same time.
    private final class Peak: Sendable {
        private let counts = Mutex((now: 0, most: 0))

        var most: Int { counts.withLock(\.most) }

        func add(_ number: Int) {
            counts.withLock { counts in
                counts.now += number
                counts.most = max(counts.most, counts.now)
            }
        }
    }

    private func book(_ settings: DatabaseSettings) async throws -> ShareTable {
        try await Database(try SuiteServer.settings(), share: .reserve)
            .withConnection { connection in
                let text =
                    try await connection.query(
                        "SELECT hosts FROM headroom_shares WHERE account = \(settings.username + "@%")"
                    )
                    .first(String.self)
                return try #require(ShareTable(text: text ?? ""))
            }
    }

    @Test func `hosts that share an account are never refused, and each is served`() async throws {
        let databases = try (0..<3).map { Database(try host("h\($0)", of: 3, "ten11")) }
        // All go on until each has been served often, however slow the machine is.
        let (least, most) = (ContinuousClock.now + .seconds(isFullRun ? 60 : 2), ContinuousClock.now + .seconds(90))
        @Sendable func goesOn() -> Bool {
            let now = ContinuousClock.now
            return now < least || now < most && databases.contains { $0.statistics.opened <= 50 }
        }
        try await withThrowingTaskGroup { group in
            for database in databases {
                for _ in 0..<6 {
                    group.addTask {
                        while goesOn() {
                            try await database.withConnection { connection in
                                try await connection.query("SELECT 1")
                                try await Task.sleep(for: .milliseconds(2))
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        for database in databases {
            #expect(database.statistics.refused.isEmpty)
            #expect(database.statistics.opened > 50)
        }
    }

    @Test func `what one host does not use another has`() async throws {
        let (one, two) = (
            Database(try host("one", of: 2, "ten12")), Database(try host("two", of: 2, "ten12"))
        )
        /// Holds as many connections at the same time as it can.
        func most(_ database: Database, _ tasks: Int, for time: Duration) async throws -> Int {
            let peak = Peak()
            try await withThrowingTaskGroup { group in
                for _ in 0..<tasks {
                    group.addTask {
                        try await database.withConnection { _ in
                            peak.add(1)
                            try await Task.sleep(for: time)
                            peak.add(-1)
                        }
                    }
                }
                try await group.waitForAll()
            }
            return peak.most
        }
        // Of ten, each host has one set aside to ask with.
        #expect(try await eventually(within: .seconds(30)) { try await most(one, 8, for: .milliseconds(200)) == 8 })
        #expect(try await eventually(within: .seconds(30)) { try await most(two, 8, for: .milliseconds(200)) == 8 })
        #expect(one.statistics.refused.isEmpty && two.statistics.refused.isEmpty)
    }

    @Test func `a host that is idle gives all back, and holds nothing`() async throws {
        let settings = try host("one", of: 2, "ten10")
        let database = Database(settings)
        try await database.withConnection { _ in }
        #expect(try await book(settings).entries.map(\.share) == [1])
        // At its next look it has nothing to renew.
        #expect(try await eventually(within: .seconds(30)) { try await book(settings).entries.isEmpty })
        let isGivenBack = try await eventually { database.admission?.hostShare.share == 0 && database.budget == 0 }
        #expect(isGivenBack)
    }

    @Test func `a share whose time is up goes to others when its sessions have been ended`() async throws {
        let settings = try host("one", of: 2, "ten9")
        // Makes table and row.
        try await Database(settings).withConnection { _ in }
        var gone = ShareTable.Entry(host: "00000000deadbeef")
        gone.share = 7
        gone.budget = 10
        gone.setAside = 2
        gone.expires = 1
        let observer = Database(try SuiteServer.settings(), share: .reserve)
        var plain = settings
        plain.hosts = nil
        let dead = Database(plain, share: .reserve)
        try await dead.withConnection { session in
            try await session.query("SELECT GET_LOCK('headroom.00000000deadbeef.3', 0)")
            let text = ShareTable(entries: [gone]).text
            try await observer.withConnection { connection in
                try await connection.query(
                    "UPDATE headroom_shares SET version = version + 1, hosts = \(text) WHERE account = \(settings.username + "@%")"
                )
            }
            let other = Database(try host("two", of: 2, "ten9"))
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await other.withConnection { _ in try await Task.sleep(for: .milliseconds(300)) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(other.statistics.refused.isEmpty)
            await #expect(throws: DatabaseError.self) { try await session.query("SELECT 1") }
        }
        // Whoever asks next finds the session gone.
        let next = Database(try host("three", of: 2, "ten9"))
        let isGone = try await eventually {
            try await next.withConnection { _ in }
            return try await !book(settings).entries.contains { $0.host == gone.host }
        }
        #expect(isGone)
    }

    @Test func `a fixed share needs no table, and is all that the host holds`() async throws {
        var settings = try host("one", of: nil, "ten8")
        settings.fixedShare = 3
        let database = Database(settings)
        try await database.withConnection { _ in #expect(database.budget == 3) }
    }

    @Test func `the book comes back from its text as it was`() throws {
        var entry = ShareTable.Entry(
            host: "a",
            share: 3,
            inUse: 2,
            wanted: 4,
            expires: 5,
            since: 6,
            budget: 7,
            setAside: 8
        )
        entry.clockError = -9
        entry.name = "web 1\tof\nmany"
        let book = ShareTable(entries: [entry, ShareTable.Entry(host: "b")])
        var expected = book
        expected.entries[0].name = "web 1 of many"
        #expect(ShareTable(text: book.text) == expected)
        #expect(ShareTable(text: "a\t1") == nil)
    }
}
