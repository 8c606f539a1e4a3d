/// An open session on the server, with its slot.
///
/// ``Sessions`` opens it; a scope's ``Connection`` uses it, and it may be kept for another (``IdleSession``). It ends once: by
/// ``close()``, or as a ``SessionEnding`` when it was given up in the middle of something. Not Sendable: one task at a time uses it.
struct Session: ~Copyable {
    /// The client library's half of it.
    let client: Client

    /// Its slot; `nil` for a session outside of the budget.
    let slot: Slot?

    /// What the server was told of how long it may last.
    var limits: SessionLimits

    /// When it is not kept any longer.
    let livesUntil: ContinuousClock.Instant

    /// Whether another scope had it before.
    var isReused = false

    private let sessions: Sessions

    /// Takes over an open client, and tells its server how long the session may last.
    init(
        _ client: Client,
        _ slot: Slot?,
        _ sessions: Sessions,
        scope: Duration?,
        livesUntil: ContinuousClock.Instant
    ) {
        self.client = client
        self.slot = slot
        self.sessions = sessions
        self.livesUntil = livesUntil
        limits = sessions.limits(client, slot)
        // Not waited for: the first statement reads the answer before its own.
        client.sendAhead(limits.beginning(scope: scope))
    }

    /// Whether the server has neither hung up nor said anything unasked: costs no round trip.
    var isQuiet: Bool { client.socket?.isQuiet ?? false }

    /// Runs a statement outside of a scope, and reads all of its rows.
    ///
    /// - Throws: ``DatabaseError``, or `CancellationError` when the task is cancelled and the limits allow it.
    @discardableResult
    func query(_ sql: SQL, _ limits: Limits) async throws -> QueryResult {
        try await client.query(sql, limits)
    }

    /// Makes the session as good as new for another scope.
    ///
    /// What leaves the server's count right differs: MariaDB 10.11 drops a session that was reset (COM_RESET_CONNECTION)
    /// from its account's count, so there the user is "changed" to the same one; MySQL refuses that at the limit, but
    /// resets well. Both end the transaction and drop variables, locks and temporary tables, and the session's limits too,
    /// which are set again.
    mutating func renew(_ limits: Limits) async throws {
        try await client.renew(sessions.connector.currentSettings, limits: limits)
        self.limits = sessions.limits(client, slot)
        client.sendAhead(self.limits.beginning(scope: nil))
    }

    /// Begins to end a session that was given up in the middle of something, while its caller goes on.
    func beginEnding(_ activity: SessionEnding.Activity) -> SessionEnding? {
        client.socket.map { SessionEnding(client.sessionID, $0, slot, while: activity, sessions) }
    }

    /// Says goodbye, waits until the server has let the session go, and releases its slot.
    ///
    /// What the server has not let go in time drains: its slot stays taken until it has.
    ///
    /// - Parameters:
    ///   - time: How long to wait; the settings' time when `nil`.
    ///   - isKiller: Whether it was there to end another. It is not ended by a third then: on a server that answers nobody that
    ///     would never end.
    consuming func close(within time: Duration? = nil, isKiller: Bool = false) async {
        // A statement that was given up is still at work, and a goodbye would not reach it.
        if client.isCutOff, !isKiller, let ending = beginEnding(.working) {
            await ending.finish()
            return client.free()
        }
        client.free()
        guard let socket = client.socket else { return }
        guard let end = await socket.end(by: .now + (time ?? sessions.settings.closeTimeout)) else {
            return sessions.draining.watch(socket, slot)
        }
        if case .unconfirmed = end.cause { sessions.recorder.unconfirmed() }
        let isPassedOn = slot?.release(end) ?? false
        // On a shared thread the task that has got a slot runs before the one that gave it back: slots are what is scarce.
        if isPassedOn, EventLoop.shared.isOnThread { await Task.yield() }
    }
}

/// A session that is kept between two scopes, on its way from one task to another.
///
/// `@unchecked Sendable`: one task puts the session in and keeps no reference, and one task takes it out.
final class IdleSession: @unchecked Sendable {
    /// The session's slot.
    let slot: Slot

    /// When it is not kept any longer.
    let livesUntil: ContinuousClock.Instant

    private var session: Session?

    /// Keeps a session that has this slot.
    init(_ session: consuming Session, _ slot: Slot) {
        self.slot = slot
        livesUntil = session.livesUntil
        session.isReused = true
        self.session = consume session
    }

    /// Takes the session; `nil` the second time.
    func take() -> Session? { session.take() }

    /// Closes the session.
    func close() async {
        guard let session = take() else { return }
        await session.close()
    }
}

/// Ends a session whose caller has given up, while the caller already has its error.
///
/// Closing the socket does not end a statement that is at work: a server notices after 5 s, or only when the statement is
/// done. A KILL from a second connection does, within about 2 ms. Where no second connection is to be had the session is
/// left to drain: it keeps its place, and its slot, until the server has let it go.
///
/// It runs in a task of its own because it must finish although its caller's task is cancelled; ``finish()`` waits for it.
struct SessionEnding: Sendable {
    /// What the session was doing when it was given up.
    enum Activity: Sendable {
        /// The server works on a statement.
        case working
        /// The server is sending rows that are no longer wanted.
        case sending
    }

    private let task: Task<Void, Never>

    init(_ sessionID: UInt64, _ socket: SessionSocket, _ slot: Slot?, while activity: Activity, _ sessions: Sessions) {
        slot?.note(.draining)
        task = Task {
            if let end = await Self.end(sessionID, socket, activity, sessions) {
                slot?.release(end)
            } else {
                sessions.draining.watch(socket, slot)
            }
        }
    }

    /// Waits until the session is gone, or is known to drain.
    func finish() async {
        await task.value
    }

    private static func end(
        _ sessionID: UInt64,
        _ socket: SessionSocket,
        _ activity: Activity,
        _ sessions: Sessions
    ) async -> SessionEnd? {
        if activity == .sending, socket.refuseReading() {
            // The server's next write fails, which ends the session with no second connection; unless it is busy finding
            // the next row.
            if let end = await socket.end(by: .now + .milliseconds(50)) { return end }
        } else {
            socket.halfClose()
            // A server that was restarted meanwhile gives the same id to another session; but then our socket has ended.
            if let end = socket.endSeen { return end }
        }
        return await sessions.killer.kill(sessionID, until: .now + sessions.settings.closeTimeout)
    }
}
