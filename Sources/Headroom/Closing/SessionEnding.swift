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

    init(of sessionID: UInt64, socket: SessionSocket, slot: Slot?, while activity: Activity, core: DatabaseCore) {
        slot?.note(.draining)
        task = Task {
            await Self.end(sessionID, socket, slot, activity, core)
        }
    }

    /// Waits until the session is gone, or is known to drain.
    func finish() async {
        await task.value
    }

    private static func end(
        _ sessionID: UInt64,
        _ socket: SessionSocket,
        _ slot: Slot?,
        _ activity: Activity,
        _ core: DatabaseCore
    ) async {
        let deadline = ContinuousClock.now + core.settings.closeTimeout
        if activity == .sending, socket.refuseReading() {
            // The server's next write fails, which ends the session with no second connection; unless it is busy finding
            // the next row.
            if await socket.serverHungUp(until: .now + .milliseconds(50)) {
                slot?.giveBack()
                return
            }
        } else {
            socket.halfClose()
            // A server that was restarted meanwhile gives the same id to somebody else; but then our socket has ended.
            if socket.isEnded {
                slot?.giveBack()
                return
            }
        }
        if await core.killer.kill(sessionID, until: deadline), await socket.serverHungUp(until: deadline) {
            slot?.giveBack()
        } else {
            core.draining.watch(socket, slot)
        }
    }
}
