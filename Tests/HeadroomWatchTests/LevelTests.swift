import Headroom
import Testing

@testable import HeadroomWatch

/// The level is strict: exactly 60 % is still OK, exactly 80 % is still CAUTION.
@Suite struct LevelTests {
    @Test(arguments: [
        (0, 5, Level.ok), (3, 5, .ok), (4, 5, .caution), (5, 5, .warning), (6, 10, .ok), (7, 10, .caution),
        (8, 10, .caution), (9, 10, .warning), (18, 30, .ok), (19, 30, .caution), (24, 30, .caution), (25, 30, .warning),
    ])
    func `over 60 percent is CAUTION, over 80 percent is WARNING`(used: Int, limit: Int, level: Level) {
        #expect(Level(used: used, limit: limit) == level)
    }

    @Test func `without a limit there is no level`() {
        #expect(Level(used: 3, limit: nil) == .unknown)
        #expect(Level(used: 3, limit: 0) == .unknown)
    }

    @Test func `the exit codes are a monitoring plugin's`() {
        #expect(Level.allCases.map(\.exitCode) == [0, 1, 2, 2, 3])
    }

    private func session(_ id: UInt64, _ command: String, _ seconds: Int, own: Bool = false) -> Session {
        Session(
            id: id,
            user: "app",
            host: "localhost",
            database: nil,
            command: command,
            duration: .seconds(seconds),
            isOwn: own
        )
    }

    @Test func `our own look and sessions that are dying are not counted`() {
        let report = AccountReport(
            account: "app@%",
            serverVersion: "10.11",
            limit: AccountLimit(value: 5, source: .account),
            sessions: [
                session(1, "Sleep", 301), session(2, "Sleep", 300), session(3, "Query", 1), session(4, "Killed", 9),
                session(5, "Query", 0, own: true),
            ],
            maxIdle: .seconds(300)
        )
        #expect(report.used == 3)
        #expect(report.percent == 60)
        #expect(report.level == .ok)
        #expect(report.active == 1)
        #expect(report.sleeping == 2)
        // Over 300 s, not at 300 s.
        #expect(report.idle == 1)
    }

    @Test func `where the limit is the server's, what is used is what all accounts use`() {
        func report(_ connected: Int?, _ source: AccountLimit.Source) -> AccountReport {
            AccountReport(
                account: "app@%",
                serverVersion: "10.11",
                limit: AccountLimit(value: 10, source: source),
                sessions: [session(1, "Sleep", 1), session(2, "Query", 0, own: true)],
                maxIdle: .seconds(300),
                server: ServerUse(limit: 10, status: connected.map { ["Threads_connected": $0] } ?? [:])
            )
        }
        #expect((report(10, .server).used, report(10, .server).level) == (9, .warning))
        #expect((report(10, .account).used, report(10, .account).level) == (1, .ok))
        #expect(report(nil, .server).used == 1)
        #expect(report(0, .server).used == 1)
        #expect(GuardSample(report(10, .server), at: 0, isHolding: false).used == 9)
    }

    @Test func `a count above the limit is said to be wrong, and is no percentage`() {
        let report = AccountReport(
            account: "app@%",
            serverVersion: "10.11",
            limit: AccountLimit(value: 2, source: .account),
            sessions: (1...3).map { session($0, "Sleep", 1) },
            maxIdle: .seconds(300)
        )
        #expect(report.isOverCounted)
        #expect((report.used, report.percent, report.level) == (3, nil, .warning))
    }

    @Test func `the number of an hourly limit is not one of connections`() {
        let refusal = DatabaseError(.hourlyLimitReached, message: "used up", serverCode: 1226, limit: 2)
        let sample = GuardSample(refusal, at: 0)
        #expect((sample.used, sample.limit, sample.level) == (nil, nil, .exhausted))
    }

    @Test func `a refusal by a limit is EXHAUSTED, any other failure UNKNOWN`() {
        func level(_ code: DatabaseError.Code) -> Level {
            AccountReport(
                account: nil,
                serverVersion: nil,
                limit: AccountLimit(value: 3, source: .refusal),
                sessions: [],
                maxIdle: .seconds(300),
                refusal: DatabaseError(code, message: "")
            )
            .level
        }
        #expect(level(.accountLimitReached) == .exhausted)
        #expect(level(.serverLimitReached) == .exhausted)
        #expect(level(.accessDenied) == .unknown)
        #expect(level(.serverUnreachable) == .unknown)
    }

    @Test(
        arguments: [
            (5, 5, 0, 151, 5, AccountLimit.Source.account), (0, nil, 0, 151, 151, .server),
            (7, nil, 7, 151, 7, .global),
            (7, 7, 7, 151, 7, .account), (5, nil, 9, 151, 5, .account),
        ] as [(Int, Int?, Int, Int, Int, AccountLimit.Source)]
    )
    func `the limit in force is found with its source`(
        inForce: Int,
        option: Int?,
        global: Int,
        server: Int,
        value: Int,
        source: AccountLimit.Source
    ) {
        let limit = AccountLimit.inForce(inForce, option: option, global: global, server: server)
        #expect(limit == AccountLimit(value: value, source: source))
    }

    @Test func `resource options are read from grants, and nothing else is`() {
        let mariaDB = AccountOptions(
            grants: "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*ABC' WITH MAX_QUERIES_PER_HOUR 1000 "
                + "MAX_CONNECTIONS_PER_HOUR 50 MAX_USER_CONNECTIONS 5"
        )
        #expect(mariaDB.connections == 5)
        #expect(mariaDB.connectionsPerHour == 50)
        #expect(mariaDB.queriesPerHour == 1000)
        #expect(AccountOptions(grants: "GRANT USAGE ON *.* TO `app`@`%`") == AccountOptions())
        #expect(CycleDrill.mostCycles(under: mariaDB) == 25)
        #expect(CycleDrill.mostCycles(under: AccountOptions()) == nil)
    }
}
