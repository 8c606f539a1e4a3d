import CLibrary

/// What the connections of a database have in common, and how one is opened.
struct DatabaseCore: Sendable {
    let settings: DatabaseSettings
    let connector: Connector

    /// The way to the account's slots; `nil` for connections that take none.
    let gate: AccountGate?

    let recorder: Recorder

    /// Whether spans are begun: the program has set up a tracer before it made the database.
    let isTraced = DatabaseSpan.isWanted

    let draining = Draining()

    init(connector: Connector, gate: AccountGate?, recorder: Recorder) {
        settings = connector.settings
        self.connector = connector
        self.gate = gate
        self.recorder = recorder
    }

    /// Ends sessions that were given up.
    var killer: SessionKiller { SessionKiller(connector: connector, gate: gate) }

    /// Waits for a slot and opens a connection in it.
    ///
    /// - Parameters:
    ///   - holder: Who asks.
    ///   - deadline: The deadline of the scope, or of its beginning.
    ///   - waiting: How long to wait for a slot, and for a full account; the settings' time when `nil`.
    ///   - holding: How long the scope may last once it has begun; until the same deadline when `nil`.
    ///   - reuse: Whether it may be kept afterwards.
    /// - Returns: The open connection, and whether it was kept from another scope.
    /// - Throws: ``DatabaseError``, or `CancellationError`.
    func open(
        _ holder: Holder,
        until deadline: ContinuousClock.Instant?,
        waiting: Duration? = nil,
        holding: Duration? = nil,
        reuse: Reuse
    ) async throws -> (wire: Wire, isReused: Bool) {
        try Task.checkCancellation()
        let own = ContinuousClock.now + (waiting ?? settings.waitTimeout)
        let limits = Limits(deadline: min(own, deadline ?? own))
        guard let gate else {
            let client = try await connector.connect(limits: Limits(deadline: deadline))
            return (wire(client, nil, holding ?? Self.left(until: deadline), reuse), false)
        }
        let admission = try await gate.admission(limits)
        let slot: Slot
        switch try await admit(holder, admission, limits) {
        case .slot(let admitted): slot = admitted
        case .wire(let wire): return (wire, true)
        }
        let start = ContinuousClock.now
        let client = try await admission.door.open(limits: limits) { error in
            recorder.refused(error, afterDeath: slot.predecessor != nil)
            admission.noteRefusal(error)
        } connect: {
            try await connector.connect(limits: Limits(deadline: deadline)) { [draining] socket in
                draining.watch(socket, slot)
            }
        } error: { error in
            AdmissionFailure.refused(error, admission)
        }
        recorder.opened(in: start.duration(to: .now))
        // First what the server has to do, then what it does not wait for.
        let wire = wire(client, slot, holding ?? Self.left(until: deadline), reuse)
        slot.note(session: client.sessionID, serverStartedAt: admission.serverStartedAt)
        do {
            try await settle(wire, gate, admission, deadline)
        } catch {
            await wire.close(self)
            throw error
        }
        return (wire, false)
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
    func slot(_ holder: Holder, _ admission: Admission, _ limits: Limits) async throws -> Slot {
        switch try await admit(holder, admission, limits) {
        case .slot(let slot):
            return slot
        case .wire(let wire):
            // Somebody's kept connection: it is closed, and its slot taken in turn.
            await wire.close(self)
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

    private func wire(
        _ client: Client,
        _ slot: Slot?,
        _ scope: Duration?,
        _ reuse: Reuse
    ) -> Wire {
        var limits = SessionLimits(
            isMariaDB: client.isMariaDB,
            idle: settings.sessionIdleTimeout,
            mark: slot?.mark
        )
        // Not waited for: the first statement reads the answer before its own.
        client.sendAhead(limits.beginning(scope: scope))
        return Wire(client, slot: slot, limits: limits, livesUntil: .now + reuse.lifetimeOfOne())
    }

    private static func left(until deadline: ContinuousClock.Instant?) -> Duration? {
        deadline.map { ContinuousClock.now.duration(to: $0) }
    }

    /// Does what a new session owes to the account before its scope may use it.
    private func settle(
        _ wire: Wire,
        _ gate: AccountGate,
        _ admission: Admission,
        _ deadline: ContinuousClock.Instant?
    ) async throws {
        let isStale = gate.isStale(admission)
        guard isStale || wire.slot?.predecessor != nil else { return }
        let connection = Connection(wire: wire, core: self, deadline: deadline)
        if isStale || admission.serverStartedAt == 0 {
            try gate.note(await connection.accountFacts(), admission, hasSlot: true)
        }
        if let predecessor = wire.slot?.predecessor {
            try await connection.endSession(of: predecessor, serverStartedAt: admission.serverStartedAt)
        }
        connection.letGoOfWire()
    }
}

extension Connection {
    /// Ends the session of a process that died with it, when it is still there.
    ///
    /// Its server notices a dead client at once when the session is idle, but late or never while a statement runs.
    func endSession(of predecessor: Holder, serverStartedAt: Int64) async throws {
        // Ids begin anew when a server starts: a smaller one than the dead session's, or another start, and the id may be
        // somebody else's.
        guard predecessor.sessionID > 0, predecessor.sessionID < sessionID,
            predecessor.serverStartedAt == 0
                || predecessor.serverStartedAt.subtracting(clamped: serverStartedAt).magnitude <= 3
        else { return }
        do {
            try await query(SQL(raw: "KILL \(predecessor.sessionID)"))
        } catch let error as DatabaseError where error.serverCode == 1094 || error.serverCode == 1095 {
            // It is gone, or the id is another account's.
        }
    }
}
