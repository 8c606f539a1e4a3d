/// Decides which of Headroom's programs run on a host: what is started, when again after it has ended, and in which order all end.
package struct Supervision: Sendable {
    /// A program; the raw value is its subcommand.
    package enum Program: String, Sendable, CaseIterable {
        case door
        case guardian = "guard"
        case worker = "work"
    }

    /// Something to do.
    package enum Action: Sendable, Hashable {
        /// Start the program.
        case start(Program)
        /// Ask it to end (SIGTERM).
        case end(Program)
        /// End it by force: it was asked, and goes on.
        case kill(Program)
        /// Become the program that is to go on, such as a newer version.
        case become
        /// End.
        case exit
    }

    private enum State: Hashable {
        /// Transitions: to `running` when it is time, to `over` when all is to end.
        case waiting(until: Duration)
        /// Transitions: to `ending`, or, when it ends by itself, to `waiting`.
        case running(since: Duration)
        /// Transitions: to `over` when it has ended.
        case ending(since: Duration, isForced: Bool)
        case over
    }

    private enum Goal: Hashable {
        case keep
        /// End all, and then itself.
        case stop
        /// End what takes no harm by it, and become another program, which takes over the rest.
        case renew(endingDoor: Bool)
    }

    private var goal = Goal.keep
    private var states: [Program: State]
    private var failures: [Program: Int] = [:]

    /// A run that is shorter counts as a failure to start: 10 s.
    package static let steady = Duration.seconds(10)

    /// The longest pause between two starts: 60 s.
    package static let longestPause = Duration.seconds(60)

    /// How long a program has to end: 60 s, in which a worker stores the chunk that it has in hand.
    package static let patience = Duration.seconds(60)

    /// Begins with all of them to be started.
    package init(_ programs: some Sequence<Program>, at now: Duration) {
        states = Dictionary(programs.map { ($0, .waiting(until: now)) }) { first, _ in first }
    }

    /// What is to be done now; it counts as done.
    package mutating func actions(at now: Duration) -> [Action] {
        // Pages need the door to the last.
        let order = Program.allCases.reversed().filter { states[$0] != nil }
        var actions: [Action] = []
        switch goal {
        case .keep:
            for program in order.reversed() {
                guard case .waiting(let time)? = states[program], time <= now else { continue }
                states[program] = .running(since: now)
                actions.append(.start(program))
            }
        case .stop:
            let first = order.filter { $0 != .door }
            actions += end(first, at: now)
            if areOver(first) { actions += end(order, at: now) }
            if areOver(order) { actions.append(.exit) }
        case .renew(let endingDoor):
            let all = order.filter { $0 != .door || endingDoor }
            actions += end(all, at: now)
            if areOver(all) { actions.append(.become) }
        }
        return actions
    }

    private func areOver(_ programs: [Program]) -> Bool { programs.allSatisfy { states[$0] == .over } }

    private mutating func end(_ programs: [Program], at now: Duration) -> [Action] {
        var actions: [Action] = []
        for program in programs {
            switch states[program] {
            case .waiting?: states[program] = .over
            case .running?:
                states[program] = .ending(since: now, isForced: false)
                actions.append(.end(program))
            case .ending(let time, false)? where time + Self.patience <= now:
                states[program] = .ending(since: time, isForced: true)
                actions.append(.kill(program))
            case .ending?, .over?, nil: break
            }
        }
        return actions
    }

    /// Notes that a program has ended, or could not be started.
    ///
    /// - Returns: After how long it is started again; `nil` when it is not to be.
    @discardableResult
    package mutating func ended(_ program: Program, at now: Duration) -> Duration? {
        switch states[program] {
        case .ending?:
            states[program] = .over
            return nil
        case .running(let start)?:
            let failed = start + Self.steady > now ? failures[program, default: 0] + 1 : 0
            failures[program] = failed
            // At once the first time; one that ends again and again is not to take the processor for itself.
            let pause = failed < 2 ? Duration.zero : min(Self.longestPause, .seconds(1 << min(failed - 2, 10)))
            states[program] = .waiting(until: now + pause)
            return goal == .keep ? pause : nil
        case .waiting?, .over?, nil: return nil
        }
    }

    /// Ends all: the worker and the guard, then the door.
    package mutating func stop() { goal = .stop }

    /// Ends what takes no harm by it, to become another program.
    ///
    /// - Parameter endingDoor: Whether the door ends too, as it listens elsewhere than the next one will.
    package mutating func renew(endingDoor: Bool) {
        guard goal == .keep else { return }
        goal = .renew(endingDoor: endingDoor)
    }

    /// Goes on as before: the other program could not be had.
    package mutating func goOn(at now: Duration) {
        guard goal != .stop else { return }
        goal = .keep
        for (program, state) in states where state == .over { states[program] = .waiting(until: now) }
    }

    /// Whether a program is to become another one, or to end.
    package var isLeaving: Bool { goal != .keep }
}
