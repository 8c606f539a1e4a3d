/// Watches the sessions that were given up and that the server has not let go yet.
///
/// They still count against the account, and so keep their slots. Each is watched until its server hangs up; should the
/// server's host be gone, the kernel's keep-alive ends the wait.
final class Draining: Sendable {
    private let sessions = Guarded(0)

    /// The number of sessions not yet let go.
    var count: Int { sessions.withLock(\.self) }

    /// Watches a session until it is gone; then its slot is given back.
    func watch(_ socket: SessionSocket, _ slot: Slot?) {
        sessions.withLock { $0 += 1 }
        slot?.note(.draining)
        // A task of its own: the call that opened the session has returned by now.
        Task {
            _ = await socket.serverHungUp(until: nil)
            slot?.giveBack()
            sessions.withLock { $0 -= 1 }
        }
    }
}
