/// Ends a session whose caller has given up, while the caller already has its error.
///
/// Closing the socket does not end a statement that is at work: a server notices after 5 s, or only when the statement is
/// done. A KILL from a second connection does, mostly within a few milliseconds. Where no second connection is to be had
/// the session is left to drain: it keeps its place until the server has let it go.
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

    init(of sessionID: UInt64, socket: SessionSocket, while activity: Activity, core: ConnectionCore) {
        task = Task {
            await Self.end(sessionID, socket, activity, core)
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
        _ core: ConnectionCore
    ) async {
        let deadline = ContinuousClock.now + core.settings.closeTimeout
        if activity == .sending, socket.refuseReading() {
            // The server's next write fails, which ends the session with no second connection; unless it is busy finding
            // the next row.
            if await socket.serverHungUp(until: .now + .milliseconds(50)) { return }
        } else {
            socket.halfClose()
            // A server that was restarted meanwhile gives the same id to somebody else; but then our socket has ended.
            if socket.isEnded { return }
        }
        if await kill(sessionID, core.settings), await socket.serverHungUp(until: deadline) { return }
        core.draining.watch(socket)
    }

    /// Has the server end a session, and returns whether it has.
    ///
    /// After a KILL the server's hanging up proves nothing: both servers shut the socket at once, while the session counts
    /// until its thread has come to a point where it looks for a KILL (measured with statements of 50 ms). So the KILL is
    /// sent until there is no such session any more.
    private static func kill(_ sessionID: UInt64, _ settings: DatabaseSettings) async -> Bool {
        var settings = settings
        settings.connectTimeout = min(settings.connectTimeout, settings.closeTimeout)
        let outcome = try? await Database(settings)
            .withConnection(timeout: settings.closeTimeout) { connection in
                var pause = Duration.milliseconds(1)
                while true {
                    do {
                        try await connection.query(SQL(raw: "KILL \(sessionID)"))
                    } catch let error as DatabaseError where error.serverCode == 1094 {
                        // There is no such session any more.
                        return true
                    }
                    try await Task.sleep(for: pause)
                    pause = min(pause * 2, .milliseconds(50))
                }
            }
        return outcome ?? false
    }
}
