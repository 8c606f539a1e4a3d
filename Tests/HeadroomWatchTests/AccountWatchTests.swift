import Headroom
import TestSupport
import Testing

@testable import HeadroomWatch

/// What is seen of an account on a real server, without any privilege.
@Suite(.sandbox(tcp: true, performanceSchema: true)) struct AccountWatchTests {
    @Test func `the limit, its source and the sessions are those of the account`() async throws {
        var settings = try SuiteServer.settings("ten1")
        settings.programName = "holder-program"
        let holder = Database(settings)
        try await holder.withConnection { held in
            try await held.query("SELECT 1")
            let watch = AccountWatch(try SuiteServer.settings("ten1"))
            // The session that learned of the account may still be on the server's list.
            let isAlone = try await eventually { try await watch.report().used == 1 }
            #expect(isAlone)
            let report = try await watch.report()
            #expect(report.account == "ten1@%")
            #expect(report.limit == AccountLimit(value: 10, source: .account))
            #expect(report.sleeping == 1)
            #expect(report.level == .ok)
            #expect(report.sessions.count { $0.isOwn } == 1)
            let session = try #require(report.sessions.first { $0.id == held.sessionID })
            #expect(session.program == "holder-program")
            #expect(session.processID != nil)
            // Without the PROCESS privilege nobody can know.
            #expect(session.inTransaction == nil)
        }
    }

    @Test func `socket and TCP are one account, and count together`() async throws {
        try await SuiteServer.database("ten2", overTCP: true)
            .withConnection { _ in
                // A server may count one that has just gone for a moment longer.
                let isCounted = try await eventually {
                    let report = try await AccountWatch(SuiteServer.settings("ten2")).report()
                    // Some list the sessions of their user's other rows too; one from another address may be of such a row.
                    let isSure = ServerVersion(report.serverVersion ?? "")?.listsOneRow ?? false
                    return report.used == 1 || !isSure && report.unclear == 1
                }
                #expect(isCounted)
            }
    }

    @Test func `an account without an option has the server's limit`() async throws {
        let report = try await AccountWatch(SuiteServer.settings()).report()
        #expect(report.limit == AccountLimit(value: 151, source: .server))
    }

    @Test func `a full account is EXHAUSTED, with the limit that the refusal names`() async throws {
        let settings = try SuiteServer.settings("one1")
        try await Database(settings)
            .withConnection { _ in
                let report = try await AccountWatch(settings).report()
                #expect(report.level == .exhausted)
                #expect(report.limit == AccountLimit(value: 1, source: .refusal))
                #expect(report.used == 1)
                #expect(report.percent == 100)
            }
    }

    @Test func `a wrong password is UNKNOWN, not a lockout`() async throws {
        var settings = try SuiteServer.settings("one2")
        settings.password = "wrong"
        let report = try await AccountWatch(settings).report()
        #expect(report.level == .unknown)
        #expect(report.refusal?.code == .accessDenied)
    }

    @Test func `cycles at a limit of 1 are not refused, and a refusal is counted`() async throws {
        let result = try await CycleDrill(SuiteServer.settings("one3"), cycles: 300).run()
        #expect(result.cycles == 300)
        #expect(result.refused == 0)
        #expect(result.median > .zero)
        #expect(result.p99 >= result.median)

        let full = try SuiteServer.settings("one4")
        try await Database(full)
            .withConnection { _ in
                let refused = try await CycleDrill(full, cycles: 5).run()
                #expect(refused.refused == 5)
                #expect(refused.lastRefusal?.limit == 1)
            }
    }

    @Test func `cycles run beside connections that are held`() async throws {
        let settings = try SuiteServer.settings("two1")
        #expect(try await CycleDrill(settings, cycles: 50, held: 1).run().refused == 0)
        #expect(try await CycleDrill(settings, cycles: 5, held: 1).run().refused == 0)
        await #expect(throws: DatabaseError(.accountLimitReached, message: "", serverCode: 1226)) {
            _ = try await CycleDrill(settings, cycles: 5, held: 3).run()
        }
    }

    @Test func `an hourly limit is read, and running into it stops the drill`() async throws {
        let settings = try SuiteServer.settings("hourly")
        #expect(try await AccountWatch(settings).options().connectionsPerHour == 20)
        let error = await #expect(throws: DatabaseError.self) { try await CycleDrill(settings, cycles: 100).run() }
        #expect(error?.code == .hourlyLimitReached)
        #expect(error?.waitingCanHelp == false)
    }
}

/// A server whose init_connect fails ends every session.
@Suite(.sandbox()) struct InitConnectTests {
    @Test func `a session that init_connect ends says so, and status has its line`() async throws {
        let name = "began"
        try await SuiteServer.administrator()
            .withConnection { connection in
                try await connection.query(SQL(raw: "CREATE USER \(name)@'%' IDENTIFIED BY 'sandbox'"))
                try await connection.query("SET GLOBAL init_connect = 'SELECT nosuch'")
            }
        var settings = try SuiteServer.settings(name)
        settings.database = nil
        let report = try await AccountWatch(settings).report()
        #expect(report.level == .unknown)
        #expect(report.refusal?.message.contains("init_connect") == true, "\(report.refusal as Any)")
    }
}
