public import Logging

/// A database, reached with one account; opens a connection for each scope and closes it again.
///
/// Creating one opens nothing. For example:
///
/// ```swift
/// let settings = try SettingsSources(environment: ProcessInfo.processInfo.environment).load()
/// let database = Database(settings.database)
/// let names = try await database.withConnection { connection in
///     try await connection.query("SELECT name FROM sites WHERE is_active = \(true)").decode(String.self)
/// }
/// ```
public final class Database: Sendable {
    /// Where the connections come from.
    public enum Share: Sendable, Hashable {
        /// From the budget that all processes of this host share; a scope waits until a slot is free.
        case budget
        /// From what the budget leaves of the limit: for a tool that looks at the account, and must not wait to do so.
        case reserve
    }

    /// Where the database is and who logs in.
    public let settings: DatabaseSettings

    private let share: Share
    private let logger: Logger?
    let sessions: Sessions
    private let reuse: Reuse
    private let idle: IdleSessions<IdleSession>?
    private let isKnownToKeep = Locked(false)

    /// Creates a database from its settings.
    ///
    /// - Parameters:
    ///   - settings: Where it is and who logs in.
    ///   - share: Where the connections come from.
    ///   - reuse: Whether connections are kept open between scopes.
    ///   - logger: What to log with; by default the task's own (`Logger.current`).
    public init(
        _ settings: DatabaseSettings,
        share: Share = .budget,
        reuse: Reuse = .never,
        logger: Logger? = nil
    ) {
        self.settings = settings
        self.share = share
        self.reuse = reuse
        self.logger = logger
        let connector = Connector(settings)
        let recorder = Recorder(name: settings.programName)
        sessions = Sessions(
            connector: connector,
            gate: share == .budget && settings.givenSlots == 0 ? AccountAdmission(connector, recorder: recorder) : nil,
            recorder: recorder
        )
        idle = reuse.idle.map { time in
            IdleSessions(idle: time) { session, reason in
                recorder.closedKept(reason)
                // A timer and other processes give sessions up, and neither can wait for the close.
                Task { await session.close() }
            }
        }
    }

    deinit {
        for session in idle?.takeAll() ?? [] { idle?.giveUp(session, .idle) }
    }

    /// The number of sessions that were given up in the middle of a statement and that the server has not let go yet.
    ///
    /// 0 in normal use: closing waits until the server has let go.
    public var drainingSessions: Int { sessions.draining.count }

    /// What this database has done so far and does at this moment; also told to swift-metrics.
    public var statistics: ConnectionStatistics {
        var statistics = sessions.recorder.statistics
        statistics.draining = sessions.draining.count
        let admission = sessions.gate?.current
        statistics.waiting = admission?.waiting ?? 0
        sessions.recorder.publish(statistics, budget: admission?.budget.slots)
        return statistics
    }

    /// How many connections all processes of this host may hold together; `nil` while the account is not known yet.
    public var budget: Int? { admission?.budget.slots }

    /// The account's slots, as far as the account is known.
    var admission: Admission? { sessions.gate?.current }

    /// Has the next connection to be opened read the limit again.
    func forgetLimit() {
        admission?.changeHead { $0.limitReadAt = 0 }
    }

    /// Waits for a slot, opens a connection, runs the body with it, and closes it before it returns, on every path.
    ///
    /// Closing is confirmed: the server has hung up, so that the next connection finds the place free even at a limit of 1.
    /// When a statement is given up in the middle (cancellation, deadline), its session is ended on the server by a KILL
    /// from a second connection. Where none is to be had the session drains: the call returns without it, its slot stays
    /// taken, and ``drainingSessions`` counts it until it is gone.
    ///
    /// - Parameters:
    ///   - timeout: How long the scope may take, waiting included; by default as long as the body does. At the deadline a
    ///     statement under way throws `deadlineExceeded`, and an idle connection is closed under the body: its next use
    ///     throws.
    ///   - label: What the connection is for, shown with the slots and with the server's sessions.
    ///   - file: The place that opens it, shown with the slots.
    ///   - line: The line of that place.
    ///   - body: What to do with the connection, which must not be kept beyond it.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabaseError`` when no connection can be had (`budgetExhausted` when no slot comes free within
    ///   ``DatabaseSettings/waitTimeout``), `CancellationError` when the task is cancelled before there is one, or what the
    ///   body throws.
    @discardableResult
    public func withConnection<Result>(
        timeout: Duration? = nil,
        label: String = "",
        file: StaticString = #fileID,
        line: UInt = #line,
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        let deadline = timeout.map { ContinuousClock.Instant.after($0) }
        return try await run(in: beginScope(until: deadline, label: label, file: file, line: line), body)
    }

    /// The same for short statements, which have ``DatabaseSettings/answerTimeout`` from when the connection is open.
    ///
    /// - Throws: The same; `deadlineExceeded` where the server has let us in and then does not answer; what
    ///   ``Connection/withinAnswerTime(lockWait:_:)`` says of a lock.
    @discardableResult
    package func withBriefConnection<Result>(
        label: String = "",
        file: StaticString = #fileID,
        line: UInt = #line,
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        let time = settings.answerTimeout
        let scope = try await beginScope(until: nil, holding: time, label: label, file: file, line: line)
        do {
            return try await run(in: scope) { connection in
                try await connection.withinAnswerTime { try await body(connection) }
            }
        } catch let error as DatabaseError where error.code == .deadlineExceeded {
            throw DatabaseError(
                .deadlineExceeded,
                message:
                    "The server has let this program in, but has not answered within \(time.components.seconds) s.",
                advice: "See what keeps it busy, and whether it is the right server; then try again."
            )
        }
    }

    private func run<Result>(in scope: OpenScope, _ body: (Connection) async throws -> Result) async throws -> Result {
        do {
            let result = try await body(scope.connection)
            await end(scope, after: nil)
            return result
        } catch {
            await end(scope, after: error)
            throw error
        }
    }

    /// Opens a connection for a scope that is no closure's; ``end(_:after:)`` must follow, whatever happens.
    ///
    /// - Parameters:
    ///   - deadline: When to give up opening it.
    ///   - waiting: How long to wait for a slot, and for a full account; the settings' time when `nil`.
    ///   - holding: How long the scope may last from when the connection is open; until the same deadline when `nil`.
    ///   - label: What the connection is for.
    ///   - file: The place that opens it.
    ///   - line: The line of that place.
    ///   - atDeadline: Is told when the scope has lasted too long, unless it has ended by then; must not wait.
    /// - Returns: The open scope.
    /// - Throws: ``DatabaseError``, or `CancellationError`.
    package func beginScope(
        until deadline: ContinuousClock.Instant?,
        waiting: Duration? = nil,
        holding: Duration? = nil,
        label: String,
        file: StaticString,
        line: UInt,
        atDeadline: (@Sendable () -> Void)? = nil
    ) async throws -> OpenScope {
        if let deadline, deadline <= .now { throw DatabaseError.deadlineExceeded }
        let holder = Holder.thisProcess(program: settings.programName, label: label, site: "\(file):\(line)")
        let session = try await traced(DatabaseSpan.connecting(sessions, label: label)) {
            try await self.session(holder, until: deadline, waiting: waiting, holding: holding)
        }
        let (isReused, slot) = (session.isReused, session.slot)
        let connection = Connection(
            session,
            sessions,
            deadline: holding.map { ContinuousClock.Instant.after($0) } ?? deadline,
            atDeadline: atDeadline
        )
        sessions.recorder.began(reused: isReused)
        let watch = settings.holdWarning.map { limit in
            LeakDetection(
                limit: limit,
                holder: holder,
                slot: slot,
                sessionID: connection.sessionID,
                logger: logger ?? .current,
                recorder: sessions.recorder
            )
        }
        return OpenScope(connection: connection, beganAt: .now, watch: watch)
    }

    /// Closes a scope's connection, confirmed, or keeps it.
    ///
    /// - Parameters:
    ///   - scope: The scope.
    ///   - error: What it has failed with.
    package func end(_ scope: OpenScope, after error: (any Error)?) async {
        await scope.connection.endUse()
        let reason = await finish(scope.connection, after: error)
        let held = scope.beganAt.duration(to: .now)
        sessions.recorder.ended(after: held, closed: reason)
        scope.watch?.end(after: held)
    }

    /// Closes a scope's connection, or keeps it; returns why it was closed.
    private func finish(_ connection: Connection, after error: (any Error)?) async -> CloseReason? {
        guard let idle, error == nil, let slot = connection.slot, connection.livesUntil > .now,
            slot.admission.waiting > 0 || !slot.isMaybeWanted, let session = await connection.renewed()
        else {
            await connection.close()
            return connection.closeReason
        }
        let kept = IdleSession(session, slot)
        // To a task of this process that waits, as long as it is the first of all; then nothing has to be opened.
        if slot.admission.waiting > 0, slot.admission.handOver(kept) { return nil }
        if slot.isMaybeWanted {
            await kept.close()
            return .wanted
        }
        slot.note(.idle)
        idle.put(kept, livesUntil: kept.livesUntil)
        tellWhenWanted(slot)
        // A task that began to wait a moment before was told that there was none.
        if slot.admission.waiting > 0 || slot.isMaybeWanted { Self.offer(idle) }
        return nil
    }

    private func tellWhenWanted(_ slot: Slot) {
        let isNew = isKnownToKeep.withLock { isKnown in
            defer { isKnown = true }
            return !isKnown
        }
        guard isNew else { return }
        slot.admission.whenWanted { [weak self] in
            if let idle = self?.idle { Self.offer(idle) }
        }
    }

    /// Hands the kept sessions to this process's tasks that wait, as far as it is their turn, and gives the others up
    /// while another task waits.
    private static func offer(_ idle: IdleSessions<IdleSession>) {
        for kept in idle.takeAll() where !kept.slot.admission.handOver(kept) {
            if kept.slot.isMaybeWanted {
                idle.giveUp(kept, .wanted)
            } else {
                idle.put(kept, livesUntil: kept.livesUntil)
            }
        }
    }

    private func session(
        _ holder: Holder,
        until deadline: ContinuousClock.Instant?,
        waiting: Duration?,
        holding: Duration?
    ) async throws -> Session {
        while let kept = idle?.take(), let session = kept.take() {
            // The server's answer to what it was told last has long been there: this waits for nothing.
            try? await session.client.collectReplies(Limits(deadline: .now + settings.closeTimeout))
            guard session.isQuiet else {
                sessions.recorder.closedKept(.lost)
                await session.close()
                continue
            }
            kept.slot.pass(to: holder)
            return session
        }
        return try await sessions.open(holder, until: deadline, waiting: waiting, holding: holding, reuse: reuse)
    }
}

/// A connection that was opened for a scope, until the scope ends.
///
/// See ``Database/beginScope(until:waiting:holding:label:file:line:atDeadline:)``.
package struct OpenScope: Sendable {
    /// The scope's connection.
    package let connection: Connection

    let beganAt: ContinuousClock.Instant
    let watch: LeakDetection?
}
