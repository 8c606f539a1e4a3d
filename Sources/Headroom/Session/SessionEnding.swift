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
        /// The server is sending rows that nobody wants any more.
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
            // A server that was restarted meanwhile gives the same id to somebody else; but then our socket has ended.
            if let end = socket.endSeen { return end }
        }
        return await sessions.killer.kill(sessionID, until: .now + sessions.settings.closeTimeout)
    }
}
