import Headroom
import Testing

@testable import HeadroomWatch

/// What the guard says and when, without a server, a clock or a task.
struct GuardStateMachineTests {
    /// A sample of an account with a limit of 10.
    private func sample(_ used: Int, at time: Double, limit: Int = 10) -> GuardSample {
        var sample = GuardSample(time: time, level: Level(used: used, limit: limit))
        sample.limit = limit
        sample.used = used
        return sample
    }

    private func refused(at time: Double, code: DatabaseError.Code = .accountLimitReached) -> GuardSample {
        GuardSample(DatabaseError(code, message: "full", serverCode: 1226, limit: 10), at: time)
    }

    private func away(at time: Double) -> GuardSample {
        GuardSample(DatabaseError(.serverUnreachable, message: "away"), at: time)
    }

    private func said(_ machine: inout GuardStateMachine, _ sample: GuardSample, _ facts: GuardFacts = GuardFacts())
        -> [String]
    {
        machine.take(sample, facts).map { "\($0.kind.rawValue) \($0.change.rawValue)" }
    }

    @Test func `60 % and 80 % are not yet caution and warning, and each level is said once`() {
        var rules = GuardRules()
        rules.foretell = 0
        var machine = GuardStateMachine(rules)
        #expect(said(&machine, sample(6, at: 0)) == [])
        let caution = machine.take(sample(7, at: 30), GuardFacts())
        #expect(caution.map(\.message) == ["CAUTION, was OK: 7 of 10 connections are in use (70.0 %)."])
        #expect(said(&machine, sample(8, at: 60)) == [])
        #expect(said(&machine, sample(9, at: 90)) == ["level raised"])
        #expect(said(&machine, sample(9, at: 120)) == [])
    }

    @Test func `an account that swings around a boundary is said once`() {
        var machine = GuardStateMachine()
        var said: [String] = []
        for round in 0..<100 { said += self.said(&machine, sample(round % 2 == 0 ? 7 : 6, at: Double(round) * 3600)) }
        #expect(said == ["level raised"])
    }

    @Test func `better is said after three looks in a row, at once below the margin, and as the worst of the three`() {
        var machine = GuardStateMachine()
        _ = said(&machine, sample(9, at: 0))
        #expect(said(&machine, sample(8, at: 3600)) == [])
        #expect(said(&machine, sample(8, at: 7200)) == [])
        let third = machine.take(sample(8, at: 10800), GuardFacts())
        #expect(third.first?.message.hasPrefix("CAUTION, was WARNING") == true)
        #expect(third.first?.change == .recovered)
        #expect(said(&machine, sample(5, at: 14400)) == ["level recovered"])
        #expect(!machine.isAlarmed)
    }

    @Test func `a full account is said once, again when another limit refuses, and once when it is over`() {
        var machine = GuardStateMachine()
        #expect(said(&machine, refused(at: 0)) == ["level raised"])
        #expect(said(&machine, refused(at: 30)) == [])
        #expect(said(&machine, refused(at: 60, code: .serverLimitReached)) == ["level raised"])
        #expect(said(&machine, refused(at: 90, code: .serverLimitReached)) == [])
        #expect(said(&machine, sample(0, at: 120)) == ["level recovered"])
    }

    @Test func `a server that is away is said after the second look, changes no level, and once when it is back`() {
        var machine = GuardStateMachine()
        _ = said(&machine, sample(7, at: 0))
        #expect(said(&machine, away(at: 30)) == [])
        #expect(said(&machine, away(at: 60)) == ["unreachable raised"])
        for round in 3..<2000 { #expect(said(&machine, away(at: Double(round) * 30)) == []) }
        let back = machine.take(sample(7, at: 60_000), GuardFacts())
        #expect(back.map(\.message) == ["The account can be seen again after 16 h 39 min."])
    }

    @Test func `the reserve's keeper sees a full account one connection earlier`() {
        let sessions = (1...9)
            .map { id in
                Session(
                    id: UInt64(id),
                    user: "a",
                    host: "",
                    database: nil,
                    command: "Sleep",
                    duration: .zero,
                    inTransaction: nil,
                    program: nil,
                    processID: nil,
                    isOwn: false,
                    owner: .account
                )
            }
        let report = AccountReport(
            account: "a@%",
            serverVersion: nil,
            limit: AccountLimit(value: 10, source: .account),
            sessions: sessions,
            maxIdle: .seconds(300)
        )
        #expect(GuardSample(report, at: 0, isHolding: true).level == .exhausted)
        #expect(GuardSample(report, at: 0, isHolding: false).level == .warning)
    }

    @Test func `missing samples are marked, late ones are not`() {
        var machine = GuardStateMachine()
        _ = said(&machine, sample(1, at: 1000))
        #expect(machine.marked(sample(1, at: 1040), pause: 30).gap == nil)
        let late = machine.marked(sample(1, at: 1300), pause: 30)
        #expect(late.gap == 300)
        #expect(said(&machine, late) == ["gap noted"])
    }

    @Test func `a scope held too long is said once, and once when it ends`() {
        var machine = GuardStateMachine()
        var facts = GuardFacts()
        var holder = Holder()
        holder.processID = 7
        holder.program = "shop"
        facts.heldTooLong = [holder]
        #expect(said(&machine, sample(1, at: 0), facts) == ["held_too_long raised"])
        #expect(said(&machine, sample(1, at: 30), facts) == [])
        #expect(said(&machine, sample(1, at: 60)) == ["held_too_long recovered"])
    }

    @Test func `a worker is missed after two looks, and doubled ones are said`() {
        var rules = GuardRules()
        rules.expectedWorkers = ["work.a"]
        var machine = GuardStateMachine(rules)
        var facts = GuardFacts()
        #expect(said(&machine, sample(1, at: 0), facts) == [])
        #expect(said(&machine, sample(1, at: 30), facts) == ["worker_missing raised"])
        facts.locks = ["work.a"]
        facts.workers = ["web1/10", "web2/11"]
        #expect(said(&machine, sample(1, at: 60), facts) == ["worker_missing recovered"])
        #expect(said(&machine, sample(1, at: 90), facts) == ["worker_doubled raised"])
        facts.workers = ["web1/10"]
        #expect(said(&machine, sample(1, at: 120), facts) == ["worker_doubled recovered"])
    }

    @Test func `a full account is foretold from the slope, not from two noisy looks, and not when it falls`() {
        var machine = GuardStateMachine()
        var said: [String] = []
        for (round, used) in [10, 11, 10, 11, 10, 11].enumerated() {
            said += self.said(&machine, sample(used, at: Double(round) * 30, limit: 100))
        }
        #expect(said == [])
        for round in 6..<12 {
            said += self.said(&machine, sample(10 + (round - 5) * 7, at: Double(round) * 30, limit: 100))
        }
        #expect(said == ["filling raised"])
        for round in 12..<40 { said += self.said(&machine, sample(52, at: Double(round) * 30, limit: 100)) }
        #expect(said == ["filling raised", "filling recovered"])
    }

    @Test func `what the guard ends counts for a whole hour, over its rounds`() {
        var allowance = KillAllowance(perRound: 5, perHour: 8)
        allowance.note(5, at: 1_000)
        #expect(allowance.left(at: 1_120) == 3)
        allowance.note(3, at: 1_120)
        #expect(allowance.left(at: 4_599) == 0)
        #expect(allowance.left(at: 4_600) == 5)
        allowance.note(1, at: 4_601)
        #expect(allowance.left(at: 4_601) == 4)
    }

    @Test func `the minutes until full are those of the line`() throws {
        var trend = Trend()
        for round in 0..<6 { trend.take(sample(10 + round * 10, at: Double(round) * 60, limit: 100)) }
        let minutes = try #require(trend.minutesUntilFull)
        #expect(abs(minutes - 4) < 0.01)
        var gap = sample(50, at: 360, limit: 100)
        gap.gap = 600
        trend.take(gap)
        #expect(trend.minutesUntilFull == nil)
    }

    @Test(
        arguments: [
            ("flat", Array(repeating: 5, count: 20)),
            ("a step, then flat", [0, 0, 0] + Array(repeating: 5, count: 20)),
            ("a step at the end", Array(repeating: 0, count: 20) + [5]), ("up and over", [0, 3, 5, 5, 5, 5, 4, 5, 5]),
            ("a quick start", [0, 2, 4, 5]), ("down", [9, 8, 7, 6, 5, 4, 3]),
            ("noise", [4, 6, 5, 4, 6, 5, 4, 6, 5, 4, 6]),
        ]
    )
    func `what does not rise for long foretells nothing`(name: String, uses: [Int]) {
        for interval in [1.0, 10, 30] {
            var trend = Trend()
            for (index, used) in uses.enumerated() { trend.take(sample(used, at: Double(index) * interval)) }
            #expect(trend.minutesUntilFull == nil, "\(name) every \(interval) s")
        }
    }

    @Test func `what a front door holds of its share is no rise`() {
        var (trend, beyond) = (Trend(), Trend())
        for round in 0..<8 {
            trend.take(sample(round / 2, at: Double(round) * 60), share: 4)
            beyond.take(sample(round, at: Double(round) * 60), share: 1)
        }
        #expect(trend.minutesUntilFull == nil)
        #expect(beyond.minutesUntilFull != nil)
    }

    @Test func `a look from cron leaves no gap behind for a service`() {
        var machine = GuardStateMachine()
        _ = said(&machine, sample(1, at: 1_000))
        #expect(machine.marked(sample(1, at: 5_000), pause: 1).gap != nil)
        machine.forgetTime()
        #expect(machine.marked(sample(1, at: 5_000), pause: 1).gap == nil)
    }

    @Test func `the server's refusals of others are said, and a restart that sets them to 0 is not`() {
        var machine = GuardStateMachine()
        var facts = GuardFacts()
        facts.serverRefused = 5
        #expect(said(&machine, sample(1, at: 0), facts) == [])
        facts.serverRefused = 9
        #expect(said(&machine, sample(1, at: 30), facts) == ["server_refuses raised"])
        facts.serverRefused = 0
        for round in 2..<5 { _ = said(&machine, sample(1, at: Double(round) * 30), facts) }
        #expect(!machine.isAlarmed)
    }

    @Test func `what was said is not said again by the next run`() {
        var machine = GuardStateMachine()
        _ = said(&machine, sample(9, at: 0))
        var next = GuardStateMachine(memory: machine.memory)
        #expect(said(&next, sample(9, at: 30)) == [])
    }

    @Test func `idle sessions are ended as well while somebody waits, and the reserve is no place that could be had`() {
        var waited = sample(1, at: 0)
        waited.waiting = WaitingLine(count: 1, longest: .zero)
        #expect(GuardStateMachine().killsAllowed(sample(1, at: 0), above: 60) == 0)
        #expect(GuardStateMachine().killsAllowed(waited, above: 60) > 0)
        var rules = GuardRules()
        rules.reserve = 1
        // 6 of 10 are 60 %, and 67 % of the 9 that can be had.
        #expect(GuardStateMachine(rules).killsAllowed(sample(6, at: 0), above: 60) > 0)
    }

    @Test
    func `a level that stands for who waits is over when it has been for some looks, not when few places are in use`() {
        var rule = LevelRule()
        #expect(rule.take(.warning, percent: 10, isOfWaiting: true) == .warning)
        #expect(rule.take(.ok, percent: 10) == nil)
        #expect(rule.take(.warning, percent: 10, isOfWaiting: true) == nil)
        for _ in 0..<2 { #expect(rule.take(.ok, percent: 10) == nil) }
        #expect(rule.take(.ok, percent: 10) == .ok)
        // One of places in use is over at once, well below its boundary.
        #expect(rule.take(.warning, percent: 85) == .warning)
        #expect(rule.take(.ok, percent: 10) == .ok)
    }

    @Test func `kills are bounded in a round and in an hour, and wait for the share of the limit`() {
        var rules = GuardRules()
        rules.killsPerRound = 3
        rules.killsPerHour = 5
        var machine = GuardStateMachine(rules)
        #expect(machine.killsAllowed(sample(6, at: 0), above: 60) == 0)
        #expect(machine.killsAllowed(sample(7, at: 0), above: 60) == 3)
        machine.noteKills(3, at: 0)
        #expect(machine.killsAllowed(sample(7, at: 30), above: 60) == 2)
        machine.noteKills(2, at: 30)
        #expect(machine.killsAllowed(sample(9, at: 60), above: 60) == 0)
        #expect(machine.killsAllowed(sample(9, at: 3601), above: 60) == 3)
    }

    @Test func `a wrong password is asked less and less often, a server that is away every interval`() {
        var pace = GuardPace(interval: .seconds(30))
        let denied = DatabaseError(.accessDenied, message: "")
        let away = DatabaseError(.serverUnreachable, message: "")
        #expect(pace.next(after: denied) == .seconds(60))
        #expect(pace.next(after: denied) == .seconds(120))
        for _ in 0..<100 { _ = pace.next(after: denied) }
        #expect(pace.next(after: denied) == .seconds(600))
        #expect(pace.next(after: away) == .seconds(30))
        #expect(pace.next(after: nil) == .seconds(30))
    }
}
