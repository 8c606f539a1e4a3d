/// An open connection, valid inside the scope that opened it.
///
/// It is not Sendable: the compiler keeps it to one task at a time, as the protocol demands. Get one from
/// ``Database/withConnection(timeout:label:file:line:_:)``; it is closed when that returns, and must not be kept.
public final class Connection {
    /// The client library's half of the session.
    let client: Client

    /// The session's slot; `nil` outside of the budget.
    let slot: Slot?

    /// When the session is not kept any longer.
    let livesUntil: ContinuousClock.Instant

    let sessions: Sessions

    /// The session, until it is closed or goes on to another scope.
    private var session: Session?

    var state = State.ready

    /// The deadline of the scope; no statement runs past it.
    private(set) var deadline: ContinuousClock.Instant?

    /// The stream that was read to its end last: asked again, it has no further row, but nothing is wrong.
    private weak var lastRead: (any ResultReader)?

    /// What is known of the transaction of ``withTransaction(timeout:_:)``.
    var transaction = Transaction.none

    private var ending: SessionEnding?
    private var idleEnd: Waiting.Scheduled?

    /// What a connection is doing.
    enum State {
        /// Nothing is under way. Transitions: to `working` with a statement, to `ended` when the scope's deadline passes.
        case ready
        /// A statement waits for its reply. Transitions: to `ready`, `reading` or `ended`.
        case working
        /// Rows are read one by one. Transitions: to `ready` after the last row, to `ended` when reading is given up.
        case reading(any ResultReader)
        /// The session is lost or given up, and every further use says why. Transitions: none.
        case ended(DatabaseError)
    }

    /// A transaction that a body runs in.
    enum Transaction {
        /// There is none.
        case none
        /// It is open, as far as the server has said.
        case open
        /// The server has ended it: whatever came next would take effect alone, so nothing is sent any more.
        case lost
    }

    init(
        _ session: consuming Session,
        _ sessions: Sessions,
        deadline: ContinuousClock.Instant?,
        atDeadline: (@Sendable () -> Void)? = nil
    ) {
        client = session.client
        slot = session.slot
        livesUntil = session.livesUntil
        self.session = consume session
        self.sessions = sessions
        self.deadline = deadline
        guard let deadline, let socket = client.socket else { return }
        // A body that holds the connection idle does not hear of its deadline, but the server does: it sees the end of
        // the stream and lets the session go.
        idleEnd = Waiting.shared.schedule(at: deadline) {
            socket.halfClose()
            atDeadline?()
        }
    }

    /// The session's id on the server, as `SHOW PROCESSLIST` prints it.
    public var sessionID: UInt64 { client.sessionID }

    /// The server's version as it names itself, such as `10.11.19-MariaDB-0+deb12u1`.
    public var serverVersion: String { client.serverVersion }

    /// Whether the server is a MariaDB, not a MySQL.
    public var isMariaDB: Bool { client.isMariaDB }

    /// Whether the connection is encrypted.
    public var isEncrypted: Bool { client.isEncrypted }

    /// How long short statements may take (``DatabaseSettings/answerTimeout``).
    package var answerTimeout: Duration { sessions.settings.answerTimeout }

    /// Whether a further statement can be run: the session is neither lost nor given up, as far as was seen.
    package var isUsable: Bool {
        if case .ended = state { return false }
        return true
    }

    /// Runs one exchange with the server, and keeps the state right whatever becomes of it.
    func exchange<Result>(
        timeout: Duration?,
        isCancellable: Bool = true,
        _ work: (Client, Limits) async throws -> Result
    ) async throws -> Result {
        let limits = Limits(deadline: earliest(timeout), isCancellable: isCancellable)
        if case .lost = transaction { throw Self.transactionLost }
        try await makeReady(limits)
        // Rows that were read one by one have been read to their end by now.
        if case .open = transaction { try noteTransaction() }
        state = .working
        do {
            try await tellSession(limits)
            let result = try await work(client, limits)
            if case .working = state { state = .ready }
            if case .open = transaction { try noteTransaction() }
            return result
        } catch {
            throw failed(error)
        }
    }

    /// Gives the statements of the body so much time together, where the scope leaves them as much.
    package func within<Result>(_ time: Duration, _ body: () async throws -> Result) async throws -> Result {
        let outer = deadline
        deadline = earliest(time)
        defer { deadline = outer }
        return try await body()
    }

    /// Reads on in a result whose rows are read one by one.
    func nextRow(of reader: any ResultReader, timeout: Duration?) async throws -> Row? {
        guard case .reading(let current) = state, current === reader else {
            if lastRead === reader { return nil }
            if case .ended(let error) = state { throw error }
            throw DatabaseError(
                .streamInterrupted,
                message: "The rows that were left of a stream were passed over by another statement of its connection.",
                advice: "Read the stream to its end first, fetch the rows with query, or use a second connection."
            )
        }
        do {
            let row = try await reader.next(limits: Limits(deadline: earliest(timeout)))
            if row == nil {
                state = .ready
                lastRead = reader
            }
            return row
        } catch {
            throw failed(error)
        }
    }

    /// Closes the connection and waits until the server has let the session go, whatever happens to the task.
    func close() async {
        idleEnd?.revoke()
        if case .reading = state { beginEnding(.sending) }
        abandonReader()
        if let ending {
            await ending.finish()
            client.free()
        } else if let session = session.take() {
            await session.close()
        }
    }

    /// Lets go of the session, as good as new for another scope; every later use of this connection throws.
    ///
    /// - Returns: The session; `nil` when it cannot be used any more, and is still this connection's.
    func renewed() async -> Session? {
        guard case .ready = state else { return nil }
        state = .working
        do {
            try await session?.renew(Limits(deadline: .now + sessions.settings.closeTimeout, isCancellable: false))
        } catch {
            _ = failed(error)
            return nil
        }
        idleEnd?.revoke()
        state = .ended(
            DatabaseError(
                .connectionSpent,
                message: "This connection's scope has ended.",
                advice: "A connection must not be kept beyond the scope that opened it."
            )
        )
        return session.take()
    }

    /// Why the connection was closed.
    var closeReason: CloseReason {
        if ending != nil { return .givenUp }
        if case .ended(let error) = state { return error.code == .connectionLost ? .lost : .givenUp }
        return .scope
    }

    /// Tells the session how long the next statement may take, when it knows otherwise.
    private func tellSession(_ limits: Limits) async throws {
        let left = limits.deadline.map { ContinuousClock.now.duration(to: $0) }
        guard let before = session?.limits, let change = session?.limits.change(for: left) else { return }
        if client.isInTransaction {
            // A cluster may have ended the transaction for another node's sake, and says so in reply to whatever comes next:
            // what follows must then not be sent, as it would take effect alone.
            do {
                try await client.tell(change, limits)
            } catch {
                session?.limits = before
                throw error
            }
        } else {
            client.sendAhead(change)
        }
    }

    private func makeReady(_ limits: Limits) async throws {
        try Task.checkCancellation(in: limits)
        if let deadline, deadline <= .now {
            let error = DatabaseError.deadlineExceeded
            if case .ended = state {} else { state = .ended(error) }
            throw error
        }
        switch state {
        case .ready:
            return
        case .working:
            throw DatabaseError(
                .connectionBusy,
                message: "This connection is in the middle of another statement.",
                advice: "Wait for it to end first, or open a second connection."
            )
        case .reading(let reader):
            // Rows that nobody wanted are in the way of the next statement.
            do {
                try await reader.finish(limits: limits)
                state = .ready
            } catch {
                throw failed(error)
            }
        case .ended(let error):
            throw error
        }
    }

    /// The moment at which an exchange with this timeout is given up.
    private func earliest(_ timeout: Duration?) -> ContinuousClock.Instant? {
        guard let timeout else { return deadline }
        let own = ContinuousClock.now + timeout
        return min(own, deadline ?? own)
    }

    /// Takes note of an exchange that failed, and returns the error for its caller.
    private func failed(_ error: any Error) -> any Error {
        if let interruption = error as? Interruption { return giveUp(interruption) }
        // A deadlock undoes the whole transaction: also a body that goes on must not have the rest of it take effect.
        if case .open = transaction, let error = error as? DatabaseError, error.hasUndoneTransaction {
            transaction = .lost
        }
        if let error = error as? DatabaseError, error.code == .connectionLost {
            state = .ended(error)
        } else {
            state = .ready
        }
        return error
    }

    /// Ends the session on the server, as closing the socket alone does not while a statement runs, and says why.
    private func giveUp(_ interruption: Interruption) -> any Error {
        beginEnding(.working)
        state = .ended(
            DatabaseError(
                .connectionSpent,
                message: "This connection was given up in the middle of an earlier statement.",
                advice: "Open a new scope for what is left to do."
            )
        )
        return interruption.error
    }

    private func beginEnding(_ activity: SessionEnding.Activity) {
        if ending == nil { ending = session?.beginEnding(activity) }
    }

    private func abandonReader() {
        // A text result is freed before its handle, and only its memory is; a prepared one frees itself after.
        if case .reading(let reader as TextReader) = state { reader.abandon() }
    }
}
