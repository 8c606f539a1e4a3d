import Headroom

extension Verify {
    /// The names and words of the quick steps.
    private enum Quick {
        static let open = ("open", "open a connection within the budget")
        static let count = ("count", "query, and find itself in the server's list")
        static let close = ("close", "close it")
        static let gone = ("gone", "see it gone from the server")
        static let persistent = ("persistent", "look for sessions of this program that stayed")
        static let afterOpen = [count, close, gone, persistent]
    }

    /// How long the quick steps wait for a slot: they are to be over in 2 s.
    static let quickPatience: Duration = .milliseconds(1500)

    func quick(_ run: inout VerifyRun) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let database = Database(hasty(Self.quickPatience))
        var session: UInt64?
        var closing = clock.now
        do {
            try await database.withConnection(label: "verify") { connection in
                session = connection.sessionID
                seen.note(connection)
                let budget = database.budget.map { ", budget \($0)" } ?? ""
                run.add(
                    Finding.passed("session \(connection.sessionID) of \(connection.serverVersion)\(budget)")
                        .step(Quick.open.0, Quick.open.1, start.duration(to: clock.now))
                )
                try await run.take(Quick.count.0, Quick.count.1) { try await Self.count(connection) }
                closing = clock.now
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            run.add(Finding(error).step(Quick.open.0, Quick.open.1, start.duration(to: clock.now)))
        }
        guard let session else {
            for (name, what) in Quick.afterOpen {
                run.add(Finding.skipped("there is no connection").step(name, what, .zero))
            }
            return
        }
        let draining = database.drainingSessions
        let closed: Finding =
            draining == 0
            ? .passed("the server has hung up, nothing drains")
            : .failed("\(draining) session still drains", next: "Look at the server's load: headroom status")
        run.add(closed.step(Quick.close.0, Quick.close.1, closing.duration(to: clock.now)))
        try await seeGone(session, &run)
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

    /// Looks through a second connection, which is outside of the budget as every look at the account is.
    private func seeGone(_ session: UInt64, _ run: inout VerifyRun) async throws {
        let start = ContinuousClock.now
        do {
            try await Database(hasty(Self.quickPatience), share: .reserve)
                .withConnection(label: "verify") { connection in
                    seen.note(connection)
                    try await run.take(Quick.gone.0, Quick.gone.1) {
                        try await connection.waitUntilGone(session, within: .milliseconds(500))
                    }
                    try await run.take(Quick.persistent.0, Quick.persistent.1) {
                        try await leftSessions(connection)
                    }
                }
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            let taken = Set(run.verdict.steps.map(\.name))
            for (name, what) in [Quick.gone, Quick.persistent] where !taken.contains(name) {
                run.add(Finding(error).step(name, what, start.duration(to: .now)))
            }
        }
    }

    /// Looks for sessions that this run opened, or this process, and that are still there beside the one that looks.
    ///
    /// The list over-reads: it may show a session whose place is free already. So it is asked again for a while.
    func leftSessions(_ connection: Connection) async throws -> Finding {
        let deadline = ContinuousClock.now + .milliseconds(500)
        while true {
            let report = try await connection.accountReport(maxIdle: .seconds(300), patience: 0)
            let left = LeftSessions(report.sessions, opened: seen.all, program: settings.programName)
            if left.ids.isEmpty || deadline < .now { return left.finding }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

extension Connection {
    /// Waits until a session is off the server's list.
    func waitUntilGone(_ session: UInt64, within patience: Duration) async throws -> Finding {
        let start = ContinuousClock.now
        var backoff = Backoff(first: .microseconds(400), most: .milliseconds(20))
        var looks = 0
        while true {
            looks += 1
            let left = try await query("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = \(session)")
                .first(Int.self)
            if left == 0 { return .passed("off the list at look \(looks)") }
            guard start.duration(to: .now) < patience else {
                return .failed(
                    "session \(session) is still on the list after \(looks) looks",
                    next: "Something between here and the server keeps connections: a proxy or a pool."
                )
            }
            try await Task.sleep(for: backoff.next())
        }
    }
}
