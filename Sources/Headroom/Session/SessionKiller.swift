/// Ends sessions on the server with KILL, from a connection outside of the scopes.
///
/// That connection is in the reserve, the part of the limit that the budget leaves free, which one task of this host may use
/// at a time. Where the budget leaves nothing free it takes a slot like any other connection.
struct SessionKiller: Sendable {
    let sessions: Sessions

    /// Has the server end a session.
    ///
    /// - Returns: The proof that it has; `nil` when no connection for it was to be had, or the server was too slow.
    func kill(_ sessionID: UInt64, until deadline: ContinuousClock.Instant) async -> SessionEnd? {
        let limits = Limits(deadline: deadline, isCancellable: false)
        guard let admission = sessions.gate?.current else { return await kill(sessionID, in: nil, limits) }
        if admission.hasReserve {
            return await admission.with(.reserve, until: deadline) { await kill(sessionID, in: nil, limits) } ?? nil
        }
        // The session to be killed has the only slot: waiting for another would be waiting for itself.
        guard admission.budget.slots > 1 else { return nil }
        let holder = Holder.thisProcess(program: sessions.settings.programName, label: "ending a session", site: "")
        switch try? await admission.admit(holder, limits: limits) {
        case nil:
            return nil
        case .slot(let slot):
            return await kill(sessionID, in: slot, limits)
        case .session(let kept):
            // Somebody's kept connection will do as well as a new one.
            guard let session = kept.take() else { return nil }
            return await kill(sessionID, with: session, limits)
        }
    }

    private func kill(_ sessionID: UInt64, in slot: UnusedSlot?, _ limits: Limits) async -> SessionEnd? {
        guard let session = try? await sessions.connect(in: slot, limits) else { return nil }
        return await kill(sessionID, with: session, limits)
    }

    /// Sends the KILL until there is no such session any more.
    private func kill(_ sessionID: UInt64, with session: consuming Session, _ limits: Limits) async -> SessionEnd? {
        var end: SessionEnd?
        var backoff = Backoff(first: .milliseconds(2), most: .milliseconds(50))
        while limits.deadline ?? .now > .now {
            do {
                try await session.query(SQL(raw: "KILL \(sessionID)"), limits)
                _ = await EventLoop.shared.reserve().wait(until: .now + backoff.next(), cancellable: false)
            } catch {
                end = SessionEnd(afterKill: error)
                break
            }
        }
        await session.close(isKiller: true)
        return end
    }
}
