import Headroom

/// A step of `headroom verify`: a promise that is put to the test on the user's own server.
package enum VerifyStep: String, Sendable, CaseIterable {
    case open, count, close, gone, persistent
    case files, look, grants, budget, tables, clock
    case secondDoor = "second_door"
    case lock
    case reopen, cycles
    case killedChild = "killed_child"
    case idleWorker = "idle_worker"
    case killIdle = "kill_idle"
    case spareTransaction = "spare_transaction"

    /// What is done, in words.
    package var what: String {
        switch self {
        case .open: "open a connection within the budget"
        case .count: "query, and find itself in the server's list"
        case .close: "close it"
        case .gone: "see it gone from the server"
        case .persistent: "look for sessions of this program that stayed"
        case .files: "look at who may read the settings and use the state folder"
        case .look: "look at the account"
        case .grants: "look for grants that are missing or excessive"
        case .budget: "compare the limit with the budget and the reserve"
        case .tables: "look whether the tables of Headroom hold all that is stored in them"
        case .clock: "compare the server's clock with this host's"
        case .secondDoor: "go in by the second door"
        case .lock: "start twice under one lock"
        case .reopen: "open again right after a close"
        case .cycles: "open, query and close again and again"
        case .killedChild: "kill -9 a program that holds a slot, and have the slot back"
        case .idleWorker: "start a worker and count the connections that it holds while idle"
        case .killIdle: "end an idle session of its own with kill-idle"
        case .spareTransaction: "have kill-idle spare a transaction of its own"
        }
    }
}

/// What came of a step.
package struct Finding: Sendable, Hashable {
    /// Whether the promise held; the raw values are what `--json` prints.
    package enum Result: String, Sendable {
        case passed = "pass"
        case failed = "fail"
        /// It could not be put to the test, or was not to be.
        case skipped
    }

    package var result: Result

    /// Why: the numbers seen when it passed, what was wrong when it failed, what was missing when it was skipped.
    package var why: String

    /// What to do next; empty when there is nothing.
    package var next = ""

    package static func passed(_ why: String) -> Finding { Finding(result: .passed, why: why) }
    package static func failed(_ why: String, next: String = "") -> Finding {
        Finding(result: .failed, why: why, next: next)
    }
    package static func skipped(_ why: String, next: String = "") -> Finding {
        Finding(result: .skipped, why: why, next: next)
    }

    /// A failure that an error explains.
    package static func failed(_ error: any Error) -> Finding {
        let known = error as? DatabaseError
        return .failed(known?.message ?? "\(error)", next: known?.advice ?? "")
    }
}

/// What a whole run came to.
package struct VerifyReport: Sendable {
    /// The steps in the order in which they were taken, and how long each took.
    package var steps: [(step: VerifyStep, finding: Finding, duration: Duration)] = []

    /// Whether the run has all steps, and not the five quick ones alone.
    package var isFull: Bool

    package init(isFull: Bool = false) { self.isFull = isFull }

    /// Whether every promise that was put to the test held.
    ///
    /// What was skipped is no failure; but a run in which nothing passed has proved nothing.
    package var hasPassed: Bool { count(.failed) == 0 && count(.passed) > 0 }

    /// How many steps came to this.
    package func count(_ result: Finding.Result) -> Int { steps.count { $0.finding.result == result } }
}
