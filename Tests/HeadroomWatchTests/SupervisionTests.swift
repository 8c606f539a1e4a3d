import HeadroomWatch
import TestSupport
import Testing

/// What `headroom up` starts, when again, and in which order it ends.
@Suite struct SupervisionTests {
    @Test func `what ends is started at once, and what ends again and again after ever longer pauses, to a bound`() {
        var supervision = Supervision([.door, .guardian], at: .zero)
        #expect(supervision.actions(at: .zero) == [.start(.door), .start(.guardian)])
        #expect(supervision.actions(at: .zero) == [])
        var now = Duration.seconds(100)
        var pauses: [Duration] = []
        for _ in 0..<12 {
            let pause = supervision.ended(.door, at: now) ?? .seconds(-1)
            pauses.append(pause)
            if pause > .zero { #expect(supervision.actions(at: now + pause - .milliseconds(1)) == []) }
            now += pause
            #expect(supervision.actions(at: now) == [.start(.door)])
        }
        #expect(pauses == ([0, 0, 1, 2, 4, 8, 16, 32] + Array(repeating: 60, count: 4)).map { .seconds($0) })
        // One that has run for a while has not failed.
        now += Supervision.steady
        #expect(supervision.ended(.door, at: now) == .zero)
        #expect(supervision.actions(at: now) == [.start(.door)])
        #expect(supervision.ended(.door, at: now) == .zero)
    }

    @Test func `all end before the door, and then itself`() {
        var supervision = Supervision([.door, .guardian, .worker], at: .zero)
        _ = supervision.actions(at: .zero)
        supervision.stop()
        #expect(supervision.actions(at: .seconds(20)) == [.end(.worker), .end(.guardian)])
        supervision.ended(.worker, at: .seconds(21))
        #expect(supervision.actions(at: .seconds(21)) == [])
        supervision.ended(.guardian, at: .seconds(22))
        #expect(supervision.actions(at: .seconds(22)) == [.end(.door)])
        #expect(supervision.actions(at: .seconds(22) + Supervision.patience) == [.kill(.door)])
        supervision.ended(.door, at: .seconds(90))
        #expect(supervision.actions(at: .seconds(90)) == [.exit])
    }

    @Test(arguments: [false, true])
    func `to become another version it leaves the door running, unless that is to listen elsewhere`(endingDoor: Bool) {
        var supervision = Supervision([.door, .guardian], at: .zero)
        _ = supervision.actions(at: .zero)
        supervision.renew(endingDoor: endingDoor)
        #expect(supervision.actions(at: .seconds(1)) == [.end(.guardian)] + (endingDoor ? [.end(.door)] : []))
        supervision.ended(.guardian, at: .seconds(2))
        if endingDoor {
            #expect(supervision.actions(at: .seconds(2)) == [])
            supervision.ended(.door, at: .seconds(3))
        }
        #expect(supervision.actions(at: .seconds(3)) == [.become])
        // It could not be had: all goes on.
        supervision.goOn(at: .seconds(3))
        #expect(
            Set(supervision.actions(at: .seconds(3)))
                == Set([.start(.guardian)] + (endingDoor ? [Supervision.Action.start(.door)] : []))
        )
    }

    @Test func `whatever comes in whatever order, nothing runs twice, and a stop comes to its end`() {
        for seed in 0..<300 {
            var random = Seeded(UInt64(seed))
            let programs = Supervision.Program.allCases.filter { _ in random.isOne(in: 2) }
            var supervision = Supervision(programs, at: .zero)
            var (now, running, asked) = (Duration.zero, Set<Supervision.Program>(), Set<Supervision.Program>())
            var (isStopping, hasEnded) = (false, false)
            for step in 0..<400 where !hasEnded {
                for action in supervision.actions(at: now) {
                    switch action {
                    case .start(let program):
                        #expect(running.insert(program).inserted && !isStopping, "seed \(seed), step \(step)")
                    case .end(let program), .kill(let program):
                        #expect(running.contains(program), "seed \(seed), step \(step)")
                        #expect(program != .door || running == [.door] || !isStopping, "seed \(seed), step \(step)")
                        asked.insert(program)
                    case .become: if random.isOne(in: 2) { supervision.goOn(at: now) }
                    case .exit:
                        #expect(running.isEmpty && isStopping, "seed \(seed), step \(step)")
                        hasEnded = true
                    }
                }
                now += .milliseconds(Int.random(in: 0...9_000, using: &random))
                if let program = random.pick(Supervision.Program.allCases.map(Optional.some) + [nil]),
                    running.contains(program), asked.contains(program) || random.isOne(in: 3)
                {
                    running.remove(program)
                    asked.remove(program)
                    supervision.ended(program, at: now)
                }
                if random.isOne(in: 40) { supervision.renew(endingDoor: random.isOne(in: 2)) }
                if step > 200 {
                    isStopping = true
                    supervision.stop()
                }
            }
            #expect(hasEnded, "seed \(seed)")
        }
    }
}
