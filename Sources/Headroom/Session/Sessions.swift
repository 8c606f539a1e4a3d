import CLibrary

/// Opens the sessions of one database, each in a slot, and knows what has become of them.
struct Sessions: Sendable {
    let settings: DatabaseSettings
    let connector: Connector

    /// The way to the account's slots; `nil` for sessions that take none.
    let gate: AccountAdmission?

    let recorder: Recorder

    /// Whether spans are begun: the program has set up a tracer before it made the database.
    let isTraced = DatabaseSpan.isWanted

    let draining: DrainingSessions

    init(connector: Connector, gate: AccountAdmission?, recorder: Recorder) {
        settings = connector.settings
        self.connector = connector
        self.gate = gate
        self.recorder = recorder
        draining = DrainingSessions(recorder)
    }

    /// Ends sessions that were given up.
    var killer: SessionKiller { SessionKiller(sessions: self) }

    /// Waits for a slot and opens a session in it.
    ///
    /// - Parameters:
    ///   - holder: Who asks.
    ///   - deadline: The deadline of the scope, or of its beginning.
    ///   - waiting: How long to wait for a slot, and for a full account; the settings' time when `nil`.
    ///   - holding: How long the scope may last once it has begun; until the same deadline when `nil`.
    ///   - reuse: Whether it may be kept afterwards.
    /// - Returns: The open session, perhaps one that was kept from another scope.
    /// - Throws: ``DatabaseError``, or `CancellationError`.
    func open(
        _ holder: Holder,
        until deadline: ContinuousClock.Instant?,
        waiting: Duration? = nil,
        holding: Duration? = nil,
        reuse: Reuse
    ) async throws -> Session {
        try Task.checkCancellation()
        try EventLoop.start()
        let own = ContinuousClock.Instant.after(waiting ?? settings.waitTimeout)
        let limits = Limits(deadline: min(own, deadline ?? own))
        let scope = holding ?? deadline.map { ContinuousClock.now.duration(to: $0) }
        guard let gate else { return try await connect(in: nil, Limits(deadline: deadline), scope: scope, reuse) }
        let admission = try await gate.admission(limits)
        let unused: UnusedSlot
        switch try await admit(holder, admission, limits) {
        case .slot(let slot): unused = slot
        case .session(let kept): if let session = kept.take() { return session } else { throw CancellationError() }
        }
        let start = ContinuousClock.now
        let (client, slot) = try await connect(in: unused, of: admission, waiting: limits, Limits(deadline: deadline))
        recorder.opened(in: start.duration(to: .now))
        // First what the server has to do, then what it does not wait for.
        let session = Session(client, slot, self, scope: scope, livesUntil: .now + reuse.lifetimeOfOne())
        slot.note(session: client.sessionID, serverStartedAt: admission.serverStartedAt, socket: client.socket)
        do {
            let answer = ContinuousClock.now + settings.answerTimeout
            try await settle(session, slot, gate, admission, Limits(deadline: min(answer, deadline ?? answer)))
        } catch {
            await session.close()
            throw error
        }
        return session
    }

    /// Opens a session at once, in a slot or in none.
    ///
    /// - Throws: ``DatabaseError``, or `CancellationError`.
    func connect(
        in unused: UnusedSlot?,
        _ limits: Limits,
        scope: Duration? = nil,
        _ reuse: Reuse = .never
    ) async throws -> Session {
        try Task.checkCancellation(in: limits)
        try EventLoop.start()
        let slot = unused?.use(draining)
        switch await connect(in: slot, limits) {
        case .connected(let client):
            slot?.note(session: client.sessionID, serverStartedAt: 0, socket: client.socket)
            return Session(client, slot, self, scope: scope, livesUntil: .now + reuse.lifetimeOfOne())
        case .failed(let error, let end):
            slot?.release(end)
            throw error
        case .abandoned(let error):
            throw error
        }
    }

    /// Opens a client in a slot, and tries again while the account or the server is full.
    private func connect(
        in unused: UnusedSlot,
        of admission: Admission,
        waiting: Limits,
        _ limits: Limits
    ) async throws -> (Client, Slot) {
        var unused = unused
        let afterDeath = unused.predecessor != nil
        var retry = ConnectRetry(admission.connectTurn, limits: waiting)
        defer { retry.end() }
        while true {
            do {
                try await retry.turn()
            } catch let error as DatabaseError where retry.isAfterRefusal {
                throw AdmissionFailure.refused(error, admission)
            }
            guard let slot = unused.use(draining) else { throw CancellationError() }
            switch await connect(in: slot, limits) {
            case .connected(let client):
                return (client, slot)
            case .abandoned(let error):
                throw retry.refusal(behind: error).map { AdmissionFailure.refused($0, admission) } ?? error
            case .failed(let error, let end):
                unused = slot.reopened(end)
                if let refusal = retry.refusal(behind: error) { throw AdmissionFailure.refused(refusal, admission) }
                guard let error = error as? DatabaseError, error.isConnectionLimit else { throw error }
                recorder.refused(error, afterDeath: afterDeath)
                admission.noteRefusal(error)
                retry.refused(error)
            }
        }
    }

    private func connect(in slot: Slot?, _ limits: Limits) async -> ConnectOutcome {
        await connector.connect(limits: limits) { [draining] client in
            draining.watch(client, slot)
        } goingOn: {
            slot?.claimAgain()
        }
    }

    /// What a session's server is to be told of how long the session may last.
    func limits(_ client: Client, _ slot: Slot?) -> SessionLimits {
        SessionLimits(isMariaDB: client.isMariaDB, idle: settings.sessionIdleTimeout, mark: slot?.mark)
    }

    /// The account's slots.
    ///
    /// - Throws: ``DatabaseError``, or `CancellationError`.
    func admission(_ limits: Limits) async throws -> Admission {
        guard let gate else {
            throw DatabaseError(
                .settingsInvalid,
                message: "This database takes its connections from the reserve, which has no slots.",
                advice: "Create one with share: .budget."
            )
        }
        return try await gate.admission(limits)
    }

    /// Waits for a slot with no connection in it.
    ///
    /// - Throws: ``DatabaseError``, or `CancellationError`.
    func slot(_ holder: Holder, _ admission: Admission, _ limits: Limits) async throws -> UnusedSlot {
        switch try await admit(holder, admission, limits) {
        case .slot(let slot):
            return slot
        case .session(let kept):
            // A kept connection holds it: that is closed, and its slot taken in turn.
            await kept.close()
            return try await slot(holder, admission, limits)
        }
    }

    private func admit(
        _ holder: Holder,
        _ admission: Admission,
        _ limits: Limits
    ) async throws -> Admission.Admitted {
        if let slot = admission.admitAtOnce(holder) { return .slot(slot) }
        let start = ContinuousClock.now
        do throws(Interruption) {
            let admitted = try await admission.admit(holder, limits: limits)
            recorder.waited(start.duration(to: .now), inTime: true)
            return admitted
        } catch .cancelled {
            recorder.waited(start.duration(to: .now), inTime: true)
            throw CancellationError()
        } catch {
            recorder.waited(start.duration(to: .now), inTime: false)
            throw AdmissionFailure.noSlot(admission, after: start.duration(to: .now), settings)
        }
    }

    /// Does what a new session owes to the account before its scope may use it.
    private func settle(
        _ session: borrowing Session,
        _ slot: Slot,
        _ gate: AccountAdmission,
        _ admission: Admission,
        _ limits: Limits
    ) async throws {
        if gate.isStale(admission) || (slot.predecessor != nil && admission.serverStartedAt == 0) {
            try gate.note(await session.accountFacts(limits), admission, hasSlot: true)
        }
        // Its server notices a dead client at once when the session is idle, but late or never while a statement runs.
        guard let predecessor = slot.predecessor,
            predecessor.isOlder(than: session.client.sessionID, serverStartedAt: admission.serverStartedAt)
        else { return }
        do {
            try await session.query(SQL(raw: "KILL \(predecessor.sessionID)"), limits)
        } catch let error as DatabaseError where error.serverCode == 1094 || error.serverCode == 1095 {
            // It is gone, or the id is another account's.
        }
    }
}

/// Watches the sessions that were given up and that the server has not let go yet.
///
/// They still count against the account, and so keep their slots. Each is watched until its server hangs up; should the
/// server's host be gone, the kernel's keep-alive ends the wait.
final class DrainingSessions: Sendable {
    private let sessions = Locked(0)
    private let recorder: Recorder

    init(_ recorder: Recorder) {
        self.recorder = recorder
    }

    /// The number of sessions not yet let go.
    var count: Int { sessions.withLock(\.self) }

    /// Watches a session until it is gone; then its slot is released.
    func watch(_ socket: SessionSocket, _ slot: Slot?) {
        sessions.withLock { $0 += 1 }
        slot?.note(.draining)
        // A task of its own: the call that opened the session has returned by now.
        Task {
            if let end = await socket.end(by: nil) {
                if case .unconfirmed = end.cause { recorder.unconfirmed() }
                slot?.release(end)
            }
            sessions.withLock { $0 -= 1 }
        }
    }

    /// Watches what is left of a connect that was given up.
    func watch(_ client: Client, _ slot: Slot?) {
        client.free()
        if let end = SessionEnd(neverLoggedIn: client) {
            slot?.release(end)
        } else if let socket = client.socket {
            watch(socket, slot)
        }
    }

    /// Takes over a slot that was dropped without a proof: a fault of ours, which must not cost the account a connection more.
    ///
    /// The slot stays taken until its session has ended; without a session to watch, until the process ends.
    func takeOver(dropped slot: Slot, _ socket: SessionSocket?) {
        recorder.dropped()
        guard let socket else {
            sessions.withLock { $0 += 1 }
            slot.note(.draining)
            return withExtendedLifetime(Unmanaged.passRetained(slot)) {}
        }
        watch(socket, slot)
    }
}
