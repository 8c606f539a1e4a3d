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
