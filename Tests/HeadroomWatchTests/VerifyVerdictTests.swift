import Testing

@testable import HeadroomWatch

/// What a run of verify comes to, and what its drills may use: decisions alone, no server.
@Suite struct VerifyVerdictTests {
    private func step(_ result: VerifyStep.Result) -> VerifyStep { VerifyStep("step", "do it", result, why: "") }

    @Test func `a run has passed when nothing failed; what was skipped is no failure`() {
        #expect(VerifyVerdict([step(.passed), step(.skipped)]).hasPassed)
        #expect(!VerifyVerdict([step(.passed), step(.failed), step(.skipped)]).hasPassed)
        #expect(!VerifyVerdict([step(.failed)]).hasPassed)
    }

    @Test func `a run in which nothing passed has proved nothing`() {
        #expect(!VerifyVerdict().hasPassed)
        #expect(!VerifyVerdict([step(.skipped)]).hasPassed)
    }

    @Test func `a drill asks before it uses over half of what is free, and needs as many as it holds`() {
        #expect(DrillRoom(free: nil).decision("It", needing: 3) == .run)
        #expect(DrillRoom(free: 6).decision("It", needing: 3) == .run)
        guard case .ask(let question) = DrillRoom(free: 5).decision("It", needing: 3) else {
            Issue.record("3 of 5 is over half")
            return
        }
        #expect(question.contains("3 of the 5"))
        guard case .skip = DrillRoom(free: 2).decision("It", needing: 3) else {
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
        #expect(LeftSessions(sessions, opened: [1, 2], program: "headroom verify").ids == [2, 3])
    }
}
