import Testing

@testable import HeadroomWatch

/// What a run of verify comes to, and what its drills may use: decisions alone, no server.
@Suite struct VerifyVerdictTests {
    private func report(_ findings: Finding...) -> VerifyReport {
        var report = VerifyReport()
        report.steps = findings.map { (.open, $0, .zero) }
        return report
    }

    @Test func `a run has passed when nothing failed; what was skipped is no failure`() {
        #expect(report(.passed(""), .skipped("")).hasPassed)
        #expect(!report(.passed(""), .failed(""), .skipped("")).hasPassed)
        #expect(!report(.failed("")).hasPassed)
    }

    @Test func `a run in which nothing passed has proved nothing`() {
        #expect(!report().hasPassed)
        #expect(!report(.skipped("")).hasPassed)
    }

    @Test func `a drill asks before it uses over half of what is free, and needs as many as it holds`() {
        #expect(DrillPermission("it", needing: 3, free: nil) == .run)
        #expect(DrillPermission("it", needing: 3, free: 6) == .run)
        guard case .ask(let question) = DrillPermission("it", needing: 3, free: 5) else {
            Issue.record("3 of 5 is over half")
            return
        }
        #expect(question.contains("3 of the account's 5"))
        guard case .skip = DrillPermission("it", needing: 3, free: 2) else {
            Issue.record("2 places are not 3")
            return
        }
    }

    @Test func `of the account's sessions those of this run and sleepers of an earlier one are left over`() {
        func session(_ id: UInt64, _ program: String?, for duration: Duration, isOwn: Bool = false) -> Session {
            Session(
                id: id,
                user: "app",
                host: "localhost",
                database: nil,
                command: "Sleep",
                duration: duration,
                program: program,
                isOwn: isOwn
            )
        }
        let sessions = [
            session(1, "headroom verify", for: .zero, isOwn: true), session(2, nil, for: .zero),
            session(3, "headroom verify", for: .seconds(60)), session(4, "headroom verify", for: .seconds(1)),
            session(5, "php", for: .seconds(900)),
        ]
        let finding = Finding.leftSessions(sessions, opened: [1, 2], program: "headroom verify")
        #expect(finding.result == .failed && finding.why == "still there: 2, 3")
        let rest = sessions.filter { ![2, 3].contains($0.id) }
        #expect(Finding.leftSessions(rest, opened: [1, 2], program: "headroom verify").result == .passed)
    }
}
