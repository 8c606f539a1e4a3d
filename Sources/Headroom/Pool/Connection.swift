import Synchronization

/// An open connection, valid inside the scope that opened it.
///
/// Get one from ``Database/withConnection(timeout:label:file:line:_:)``. It may be passed on to any function, but the protocol has
/// one statement at a time: a second one throws `connectionBusy`, and one after the scope `connectionSpent`.
///
/// `@unchecked Sendable`: only the task that has taken ``use`` touches what is variable here, the session and its handle.
public final class Connection: @unchecked Sendable {
    /// Who may use the connection.
    private enum Use: UInt8, AtomicRepresentable {
        /// No task does. Transitions: to `taken` by a statement, to `over` by the end of the scope.
        case free
        /// One task does. Transitions: to `free` when it is done, to `ending` by the end of the scope.
        case taken
        /// A task that has outlived the scope still does. Transitions: to `over` when it has heard of it.
        case ending
        /// The scope has ended. Transitions: none.
        case over
    }

    private let use = Atomic(Use.free)

    /// What the end of the scope waits for; settled before `use` becomes `ending`.
    private var ender: EventLoop.Reserved?

    /// The client library's half of the session.
    private let client: Client

    /// What the server has said of itself when the session began.
    private let server: ServerFacts

    /// The session's slot; `nil` outside of the budget.
    let slot: Slot?

    /// When the session is not kept any longer.
    let livesUntil: ContinuousClock.Instant

    let sessions: Sessions

    /// The session, until it is closed or goes on to another scope.
    private var session: Session?

    private var state = State.ready

    /// The deadline of the scope; no statement runs past it.
    private var deadline: ContinuousClock.Instant?

    /// The stream that was read to its end last: asked again, it has no further row, but nothing is wrong.
    private weak var lastRead: (any ResultReader)?

    /// What is known of the transaction of `withTransaction`; its statements change it.
    var transaction = Transaction.none

    /// The innermost `withTransaction` that has begun and not ended.
    var innermost: TransactionLevel?

    private var ending: SessionEnding?
    private let idleEnd: EventLoop.Scheduled?

    /// What a connection is doing.
    private enum State {
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
        server = session.client.facts
        slot = session.slot
        livesUntil = session.livesUntil
        self.session = consume session
        self.sessions = sessions
        self.deadline = deadline
        // A body that holds the connection idle does not notice its deadline, but the server does: it sees the end of
        // the stream and lets the session go.
        idleEnd = deadline.flatMap { [socket = client.socket] deadline in
            socket.map { socket in
                EventLoop.shared.schedule(at: deadline) {
                    socket.halfClose()
                    atDeadline?()
                }
            }
        }
    }

    /// The session's id on the server, as `SHOW PROCESSLIST` prints it.
    public var sessionID: UInt64 { server.sessionID }

    /// The server's version as it names itself, such as `10.11.19-MariaDB-0+deb12u1`.
    public var serverVersion: String { server.version }

    /// Which of the nodes it leads to, where the settings name several; `nil` where they name one.
    public var node: Endpoint? { server.node }

    /// Whether the server is a MariaDB, not a MySQL.
    public var isMariaDB: Bool { server.isMariaDB }

    /// Whether the connection is encrypted.
    public var isEncrypted: Bool { server.isEncrypted }

    /// How long short statements may take (``DatabaseSettings/answerTimeout``).
    package var answerTimeout: Duration { sessions.settings.answerTimeout }

    /// Whether a further statement can be run: the session is neither lost, given up nor in use, as far as was seen.
    package var isUsable: Bool {
        (try? alone { _ in !hasEnded }) ?? false
    }

    /// Looks at the connection while no task uses it.
    ///
    /// - Throws: ``DatabaseError`` with `connectionBusy` or `connectionSpent`.
    func alone<Result>(_ look: (Client) throws -> Result) throws -> Result {
        try take()
        defer { giveBack() }
        return try look(client)
    }

    /// Whether rows are still to come; only in an exchange.
    var isReading: Bool {
        if case .reading = state { return true }
        return false
    }

    /// Whether the session is lost or given up; only while no other task uses the connection.
    var hasEnded: Bool {
        if case .ended = state { return true }
        return false
    }

    /// Runs one exchange with the server, and keeps the state right whatever becomes of it.
    func exchange<Result>(
        timeout: Duration?,
        isCancellable: Bool = true,
        _ work: (Client, Limits) async throws -> Result
    ) async throws -> Result {
        let limits = Limits(deadline: earliest(timeout), isCancellable: isCancellable)
        try take()
        defer { giveBack() }
        try checkTransaction()
        try await makeReady(limits)
        // Rows that were read one by one have been read to their end by now.
        try noteTransaction(client)
        state = .working
        do {
            try await tellSession(limits)
            let result = try await work(client, limits)
            if case .working = state { state = .ready }
            try noteTransaction(client)
            return result
        } catch {
            throw failed(error)
        }
    }

    /// Takes note of a result whose rows will be read one by one; only in an exchange.
    func read(rowByRow reader: any ResultReader) {
        state = .reading(reader)
    }

    /// Has statements from here on wait no longer than this for another session's lock: they fail with error 1205 then.
    ///
    /// It costs no round trip. Not for the middle of a transaction.
    ///
    /// - Parameter time: How long, from 1 s on, which servers count in whole seconds; `nil` for the server's own time.
    /// - Returns: How long they waited before.
    /// - Throws: ``DatabaseError`` when the connection is in use, or over.
    @discardableResult
    package func waitForLocks(_ time: Duration?) throws -> Duration? {
        try alone { client in
            let before = session?.limits.lockWait
            if case .ready = state, !client.isInTransaction, let change = session?.limits.change(lockWait: time) {
                client.sendAhead(change)
            }
            return before
        }
    }

    /// Gives the statements of the body so much time together, where the scope leaves them as much.
    package func within<Result>(_ time: Duration, _ body: () async throws -> Result) async throws -> Result {
        let outer = try alone { _ in
            defer { deadline = earliest(time) }
            return deadline
        }
        // Where a leaked task has the connection, the scope is about to end it.
        defer { try? alone { _ in deadline = outer } }
        return try await body()
    }

    /// Reads on in a result whose rows are read one by one.
    func nextRow(of reader: any ResultReader, timeout: Duration?) async throws -> Row? {
        try take()
        defer { giveBack() }
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
            reader.abandon()
            throw failed(error)
        }
    }

    /// Ends the use of the connection: every later one throws, and a statement that some task still runs is given up.
    ///
    /// ``close()`` or ``renewed()`` must follow.
    func endUse() async {
        while true {
            switch use.compareExchange(expected: .free, desired: .over, ordering: .acquiringAndReleasing).original {
            case .free, .ending, .over: return
            case .taken: break
            }
            let ender = EventLoop.shared.reserve()
            self.ender = ender
            guard use.compareExchange(expected: .taken, desired: .ending, ordering: .acquiringAndReleasing).exchanged
            else {
                // It was given back in this very moment. What was reserved must be waited for all the same.
                _ = ender.grant()
                _ = await ender.wait(until: nil, cancellable: false)
                continue
            }
            client.waits.stop()
            _ = await ender.wait(until: nil, cancellable: false)
            return
        }
    }

    /// Closes the connection and waits until the server has let the session go, whatever happens to the task.
    func close() async {
        idleEnd?.revoke()
        var reader: (any ResultReader)?
        if case .reading(let current) = state {
            beginEnding(.sending)
            reader = current
        }
        // A text result is freed before its handle, and only its memory is; a prepared one after, with nothing left to send.
        if reader is TextReader { reader?.abandon() }
        if let ending {
            await ending.finish()
            client.free()
        } else if let session = session.take() {
            await session.close()
        }
        reader?.abandon()
    }

    /// Lets go of the session, as good as new for another scope.
    ///
    /// - Returns: The session; `nil` when it cannot be used any more, and is still this connection's.
    func renewed() async -> Session? {
        // A client whose waits were stopped is of no use to another scope.
        guard case .ready = state, !client.waits.isStopped else { return nil }
        state = .working
        do {
            try await session?.renew(Limits(deadline: .now + sessions.settings.closeTimeout, isCancellable: false))
        } catch {
            _ = failed(error)
            return nil
        }
        idleEnd?.revoke()
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

    /// Takes the connection for this task.
    private func take() throws {
        switch use.compareExchange(expected: .free, desired: .taken, ordering: .acquiring).original {
        case .free:
            return
        case .taken:
            throw DatabaseError(
                .connectionBusy,
                message: "This connection is in the middle of another statement, of another task.",
                advice: "Wait for it to end first, or open a second connection."
            )
        case .ending, .over:
            throw Self.spent
        }
    }

    /// Gives back what ``take()`` has taken.
    private func giveBack() {
        guard !use.compareExchange(expected: .taken, desired: .free, ordering: .acquiringAndReleasing).exchanged else {
            return
        }
        let ender = ender
        use.store(.over, ordering: .releasing)
        _ = ender?.grant()
    }

    private static var spent: DatabaseError {
        DatabaseError(
            .connectionSpent,
            message: "This connection's scope has ended.",
            advice: "A connection must not be kept beyond the scope that opened it."
        )
    }

    private func makeReady(_ limits: Limits) async throws {
        try Task.checkCancellation(in: limits)
        if let deadline, deadline <= .now {
            let error = DatabaseError.deadlineExceeded
            // The end of the scope has to find the reader of a stream.
            if case .ready = state { state = .ended(error) }
            throw error
        }
        switch state {
        case .ready, .working:
            return
        case .reading(let reader):
            // Unread rows are in the way of the next statement.
            do {
                try await reader.finish(limits: limits)
                state = .ready
            } catch {
                reader.abandon()
                throw failed(error)
            }
        case .ended(let error):
            throw error
        }
    }

    /// The moment at which an exchange with this timeout is given up.
    private func earliest(_ timeout: Duration?) -> ContinuousClock.Instant? {
        guard let timeout else { return deadline }
        let own = ContinuousClock.Instant.after(timeout)
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
        return use.load(ordering: .relaxed) == .ending ? Self.spent : interruption.error
    }

    private func beginEnding(_ activity: SessionEnding.Activity) {
        if ending == nil { ending = session?.beginEnding(activity) }
    }
}
