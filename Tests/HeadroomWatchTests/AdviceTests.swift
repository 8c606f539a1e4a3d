import Headroom
import Testing

@testable import HeadroomWatch

/// What a report says beside its numbers: groups, what is hidden, and the one thing to do.
@Suite struct AdviceTests {
    private func session(
        _ id: UInt64,
        idle: Int = 1,
        command: String = "Sleep",
        program: String? = "php-fpm",
        transaction: Bool? = false,
        own: Bool = false,
        ofAccount: Bool = true
    ) -> Session {
        Session(
            id: id,
            user: "app",
            host: "10.0.0.\(id % 2):4000\(id)",
            database: "shop",
            command: command,
            duration: .seconds(idle),
            inTransaction: transaction,
            program: program,
            isOwn: own,
            owner: ofAccount ? .account : .another
        )
    }

    private func report(
        _ sessions: [Session],
        limit: Int? = 10,
        transactions: TransactionKnowledge = .known,
        refusal: DatabaseError? = nil
    ) -> AccountReport {
        AccountReport(
            account: "app@%",
            serverVersion: "10.11",
            limit: AccountLimit(value: limit, source: .account),
            sessions: sessions,
            maxIdle: .seconds(300),
            transactions: transactions,
            refusal: refusal
        )
    }

    @Test(arguments: [(0, Level.ok), (999, .ok), (1_000, .caution), (4_999, .caution), (5_000, .warning)])
    func `while somebody waits it is never said that there is nothing to do`(milliseconds: Int, level: Level) {
        var report = report([session(1), session(2)])
        report.waiting = WaitingLine(count: 3, longest: .milliseconds(milliseconds))
        #expect(report.level == level)
        #expect(report.advice(nil).hasPrefix("3 wait for a place"), "\(report.advice(nil))")
        report.waiting = nil
        #expect(report.level == .ok && report.advice(nil) == "Nothing to do.")
    }

    @Test func `a line never makes a level better`() {
        for level in Level.allCases where level != .unknown {
            for seconds in 0..<8 {
                let raised = level.raised(by: WaitingLine(count: 1, longest: .seconds(seconds)))
                #expect(raised.severity >= level.severity)
            }
        }
    }

    @Test func `sessions are grouped without our own, dying ones and other accounts'`() {
        let groups = report([
            session(1, idle: 400), session(2), session(3, command: "Query"), session(4, program: nil),
            session(5, command: "Killed"), session(6, own: true), session(7, ofAccount: false),
        ])
        .groups { $0.program }
        #expect(groups.map(\.name) == ["php-fpm", nil])
        #expect(groups.first?.sessions == 3)
        #expect(groups.first?.active == 1)
        #expect(groups.first?.idle == 1)
        #expect(groups.first?.oldestIdle == .seconds(400))
    }

    @Test func `hosts are grouped without their ports`() {
        #expect(
            Set(report([session(1), session(2), session(3)]).groups { $0.hostName }.map(\.name)) == [
                "10.0.0.0", "10.0.0.1",
            ]
        )
    }

    @Test func `the advice names one thing, by what is the matter`() {
        func advice(_ sessions: [Session]) -> String { report(sessions).advice(nil) }
        #expect(advice([session(1)]) == "Nothing to do.")
        #expect(advice([session(1, idle: 301)]).contains("kill-idle"))
        #expect(advice((1...9).map { session($0, idle: 400) }).contains("kill-idle --max-idle 300"))
        #expect(advice((1...9).map { session($0) }).contains("php-fpm's: lower its pool"))
        #expect(
            advice([session(1, idle: 400, transaction: true)]).contains("Session 1 (php-fpm) idles in a transaction")
        )
        let full = DatabaseError(.accountLimitReached, message: "")
        #expect(report([], refusal: full).advice(nil).contains("headroom rescue"))
        let whole = DatabaseError(.serverLimitReached, message: "", advice: "Wait.")
        #expect(report([], refusal: whole).advice(nil) == "Wait.")
        // A cron line looks for these words.
        #expect(!advice([session(1)]).contains("WARNING") && !advice([session(1)]).contains("CAUTION"))
    }

    @Test func `what more rights would show is said, and only that`() {
        #expect(report([session(1)]).hidden.isEmpty)
        #expect(report([session(1)], transactions: .noPrivilege).hidden.first?.contains("GRANT PROCESS") == true)
        #expect(report([session(1, program: nil)]).hidden.first?.contains("performance_schema") == true)
    }
}
