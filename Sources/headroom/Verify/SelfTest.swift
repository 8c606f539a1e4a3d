import CommandSupport
import Glibc
import Headroom
import HeadroomWatch

/// `headroom verify [--quick|--full]`: puts the promises to the test on the user's own server, one step after the other.
///
/// Every connection is a scope's, so cancelling leaves none behind; no connection is open while somebody is asked.
final class SelfTest {
    let loaded: LoadedSettings
    let connection: ConnectionOptions
    /// How many cycles the full run opens, queries and closes.
    let cycles: Int
    /// Whether drills may use over half of what is free without asking.
    let isYes: Bool
    private let note: (VerifyReport) -> Void
    private(set) var report = VerifyReport()
    /// What is known of the account, once it was looked at.
    private var facts: Facts?
    /// The ids of the sessions that the run has opened itself.
    private var opened: Set<UInt64> = []

    /// Creates a run, which gives its report away each time that a step is over.
    init(
        _ loaded: LoadedSettings,
        _ connection: ConnectionOptions,
        cycles: Int?,
        isYes: Bool,
        _ note: @escaping (VerifyReport) -> Void
    ) {
        self.loaded = loaded
        self.connection = connection
        self.cycles = cycles ?? 200
        self.isYes = isYes
        self.note = note
    }

    var settings: DatabaseSettings { loaded.database }

    /// The settings for a connection of the run: it gives up soon where an application would wait.
    func hasty(_ patience: Duration) -> DatabaseSettings {
        var settings = settings
        settings.waitTimeout = min(settings.waitTimeout, patience)
        settings.connectTimeout = min(settings.connectTimeout, .seconds(10))
        return settings
    }

    /// Takes note of a session that the run has opened.
    func opens(_ connection: Connection) { opened.insert(connection.sessionID) }

    // MARK: Steps

    func add(_ step: VerifyStep, _ finding: Finding, took duration: Duration = .zero) {
        report.steps.append((step, finding, duration))
        note(report)
    }

    /// Takes a step: whatever goes wrong in it is its failure, and not the end of the run.
    ///
    /// - Throws: `CancellationError`.
    func take(_ step: VerifyStep, _ body: () async throws -> Finding) async throws {
        let start = ContinuousClock.now
        let finding = try await finding(body)
        add(step, finding, took: start.duration(to: .now))
    }

    /// Takes a step that goes by what is known of the account; one that holds connections asks before it uses much.
    func take(_ step: VerifyStep, needing needed: Int = 0, _ body: (Facts) async throws -> Finding) async throws {
        guard let facts else { return add(step, .skipped("the account could not be looked at")) }
        if needed > 0, let skipped = try await permission(step, needed, facts.free) { return add(step, skipped) }
        try await take(step) { try await body(facts) }
    }

    /// What a body finds, or the failure that it ends with.
    private func finding(_ body: () async throws -> Finding) async throws -> Finding {
        do {
            return try await body()
        } catch {
            try Task.checkCancellation()
            if error is CancellationError { throw error }
            return .failed(error)
        }
    }

    /// Why a drill is left; `nil` when it may run.
    private func permission(_ step: VerifyStep, _ needed: Int, _ free: Int?) async throws -> Finding? {
        switch DrillPermission(step.what, needing: needed, free: free) {
        case .run: return nil
        case .skip(let reason): return .skipped(reason)
        case .ask(let question):
            switch isYes ? true : try await Question.ask(question) {
            case true?: return nil
            case false?: return .skipped("you said no")
            case nil:
                return .skipped(
                    "it would use \(needed) of the \(free ?? 0) free connections, and there is no terminal to ask at",
                    next: "--yes answers."
                )
            }
        }
    }

    // MARK: The quick steps

    /// How long the quick steps wait for a slot: they are to be over in 2 s.
    static let quickPatience: Duration = .milliseconds(1500)

    /// Takes the five quick steps.
    func quick() async throws {
        let start = ContinuousClock.now
        let database = Database(hasty(Self.quickPatience))
        var (session, closing) = (UInt64?.none, start)
        let end = try await finding {
            try await database.withConnection(label: "verify") { connection in
                opens(connection)
                session = connection.sessionID
                let budget = database.budget.map { ", budget \($0)" } ?? ""
                let words = "session \(connection.sessionID) of \(connection.serverVersion)\(budget)"
                add(.open, .passed(words), took: start.duration(to: .now))
                try await take(.count) { try await Self.count(connection) }
                closing = .now
            }
            let draining = database.drainingSessions
            return draining == 0
                ? .passed("the server has hung up, nothing drains")
                : .failed("\(draining) session still drains", next: "Look at the server's load: headroom status")
        }
        guard let session else {
            add(.open, end, took: start.duration(to: .now))
            for step in [VerifyStep.count, .close, .gone, .persistent] { add(step, .skipped("there is no connection")) }
            return
        }
        add(.close, end, took: closing.duration(to: .now))
        // Through a second connection, which is outside of the budget as every look at the account is.
        let later = ContinuousClock.now
        let seen = try await finding {
            try await Database(hasty(Self.quickPatience), share: .reserve)
                .withConnection(label: "verify") { connection in
                    opens(connection)
                    try await take(.gone) {
                        try await Self.seeGone(session, within: .milliseconds(500), from: connection)
                    }
                    try await take(.persistent) { try await leftSessions(connection) }
                }
            return .passed("")
        }
        for step in [VerifyStep.gone, .persistent] where !report.steps.contains(where: { $0.step == step }) {
            add(step, seen, took: later.duration(to: .now))
        }
    }

    private static func count(_ connection: Connection) async throws -> Finding {
        let (own, all) =
            try await connection
            .query(
                """
                SELECT COALESCE(SUM(ID = CONNECTION_ID()), 0), COUNT(*) FROM information_schema.PROCESSLIST
                WHERE USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
                """
            )
            .first(Int.self, Int.self) ?? (0, 0)
        guard own == 1 else {
            return .failed("the server's list of sessions has \(own) of this one, and should have 1")
        }
        return .passed("1 of the account's \(all) sessions")
    }

    /// Waits until a session is off the server's list.
    static func seeGone(
        _ session: UInt64,
        within patience: Duration,
        from connection: Connection
    ) async throws -> Finding {
        let deadline = ContinuousClock.now + patience
        var backoff = Backoff(first: .microseconds(400), most: .milliseconds(20))
        for look in 1... {
            let left =
                try await connection
                .query("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = \(session)")
                .first(Int.self)
            if left == 0 { return .passed("off the list at look \(look)") }
            if deadline < .now { break }
            try await Task.sleep(for: backoff.next())
        }
        return .failed(
            "session \(session) is still on the server's list after \(fixed(patience.seconds, 1)) s",
            next: "Something between here and the server keeps connections: a proxy or a pool."
        )
    }

    /// Looks for sessions that this run opened, or this program, and that are still there beside the one that looks.
    ///
    /// The list over-reads: it may show a session whose place is free already. So it is asked again for a while.
    private func leftSessions(_ connection: Connection) async throws -> Finding {
        let deadline = ContinuousClock.now + .milliseconds(500)
        while true {
            let report = try await connection.accountReport(maxIdle: .seconds(300), patience: 0)
            let finding = Finding.leftSessions(report.sessions, opened: opened, program: settings.programName)
            if finding.result == .passed || deadline < .now { return finding }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    // MARK: All steps

    /// Takes the quick steps and then all others, the harmless ones first.
    func full() async throws {
        report.isFull = true
        try await quick()
        try await take(.files) { files() }
        try await take(.look) {
            let facts = try await look()
            self.facts = facts
            let free = facts.free.map { ", \($0) free" } ?? ""
            return .passed("\(facts.report.account ?? ""), limit \(facts.report.limit.value ?? 0)\(free)")
        }
        try await take(.grants) { .grants($0.grants) }
        try await take(.budget, budget)
        try await take(.tables) { $0.tables }
        try await take(.clock) { $0.clock }
        try await take(.secondDoor, secondDoor)
        try await take(.lock) { try await lock() }
        try await take(.reopen, needing: 1) { _ in try await reopen() }
        try await take(.cycles, needing: 1, runCycles)
        try await take(.killedChild, needing: 1) { _ in try await killedChild() }
        try await take(.idleWorker, needing: 1, idleWorker)
        var spare = Finding.skipped("nothing was ended")
        try await take(.killIdle, needing: 3) { _ in
            let (kill, spared) = try await killIdle()
            if let spared { spare = spared }
            return kill
        }
        add(.spareTransaction, spare)
    }

    /// What the later steps go by, from one look.
    struct Facts {
        var report: AccountReport
        var options: AccountOptions
        var grants: [String]
        var ports: ServerPorts
        var clock: Finding
        var missingTables: [String]
        var tables: Finding
        var waitingJobs: Int

        /// The connections of the limit that nobody uses.
        var free: Int? {
            guard let limit = report.limit.value, let used = report.used else { return nil }
            // The server's limit is shared by all accounts, and this one sees its own sessions only.
            let taken = report.limit.source == .server ? report.server?.connected.map { $0 - 1 } ?? used : used
            return limit - taken
        }

        /// How many of the account's hourly logins a drill may use up; `nil` without such a limit.
        var logins: Int? { CycleDrill.mostCycles(under: options) }
    }
}
