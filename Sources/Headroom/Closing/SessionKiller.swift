/// Ends sessions on the server with KILL, from a connection outside of the scopes.
///
/// That connection is in the reserve, the part of the limit that the budget leaves free, which one task of this host may use
/// at a time. Where the budget leaves nothing free it takes a slot like any other connection.
struct SessionKiller: Sendable {
    let connector: Connector
    let gate: AccountGate?

    /// Has the server end a session.
    ///
    /// - Returns: Whether it will end, or is gone already.
    func kill(_ sessionID: UInt64, until deadline: ContinuousClock.Instant) async -> Bool {
        let limits = Limits(deadline: deadline, isCancellable: false)
        guard let admission = gate?.current else { return await kill(sessionID, limits) }
        if admission.hasReserve {
            return await admission.with(.reserve, until: deadline) { await kill(sessionID, limits) } ?? false
        }
        // The session to be killed has the only slot: waiting for another would be waiting for itself.
        guard admission.budget.slots > 1 else { return false }
        let holder = Holder.thisProcess(program: connector.settings.programName, label: "ending a session", site: "")
        switch try? await admission.admit(holder, limits: limits) {
        case nil:
            return false
        case .slot(let slot):
            defer { slot.giveBack() }
            return await kill(sessionID, limits)
        case .wire(let wire):
            // Somebody's kept connection; its place is what is wanted here.
            wire.client.free()
            _ = await wire.client.socket?.serverHungUp(until: deadline)
            defer { wire.slot?.giveBack() }
            return await kill(sessionID, limits)
        }
    }

    /// Sends the KILL until there is no such session any more.
    ///
    /// After a KILL the server's hanging up proves nothing: both servers shut the socket at once, while the session counts
    /// until its thread has come to a point where it looks for a KILL (measured with statements that look every 50 ms).
    private func kill(_ sessionID: UInt64, _ limits: Limits) async -> Bool {
        guard let client = try? await connector.connect(limits: limits) else { return false }
        var isGone = false
        var pause = Duration.milliseconds(1)
        while !isGone, limits.deadline ?? .now > .now {
            do {
                _ = try await client.send(SQL(raw: "KILL \(sessionID)"), fetching: .whole, limits: limits)
                _ = await Waiting.shared.reserve().wait(until: .now + pause, cancellable: false)
                pause = min(pause * 2, .milliseconds(50))
            } catch {
                // 1094: there is no such session any more.
                isGone = (error as? DatabaseError)?.serverCode == 1094
                break
            }
        }
        client.free()
        _ = await client.socket?.serverHungUp(until: limits.deadline)
        return isGone
    }
}
