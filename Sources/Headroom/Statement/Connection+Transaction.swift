/// What a transaction sees of others that commit meanwhile, as the SQL standard names it.
public enum IsolationLevel: String, Sendable, CaseIterable {
    /// It sees what others have not committed.
    case readUncommitted = "READ UNCOMMITTED"
    /// Each of its statements sees what was committed before that statement.
    case readCommitted = "READ COMMITTED"
    /// It sees what was committed before its first read.
    case repeatableRead = "REPEATABLE READ"
    /// The same, and its reads lock.
    case serializable = "SERIALIZABLE"
}

/// A transaction's body and its ROLLBACK have both failed; the server undoes the transaction when the scope ends.
public struct TransactionError: Error, CustomStringConvertible {
    /// What the body has thrown; of a ``DatabaseError`` none of this is made, see ``DatabaseError/secondary``.
    public let underlying: any Error

    /// What the ROLLBACK has failed with.
    public let rollback: DatabaseError

    /// Both errors.
    public var description: String { "\(underlying) Then the transaction could not be rolled back: \(rollback)" }
}

extension Connection {
    /// Runs the body in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// Within the body of another it is a savepoint: its statements are undone when it throws, and kept as far as the outer ones
    /// are. The connection belongs to the body and its child tasks meanwhile; any other task's statement throws `connectionBusy`.
    /// The COMMIT itself is not given up when the task is cancelled, as one would not know whether it took effect; a deadline still
    /// ends it. For example:
    ///
    /// ```swift
    /// try await connection.withTransaction {
    ///     try await connection.query("UPDATE accounts SET cents = cents - \(cents) WHERE id = \(from)")
    ///     try await connection.query("UPDATE accounts SET cents = cents + \(cents) WHERE id = \(to)")
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - isolation: What it sees of others; the session's default when `nil`. Not for one within another.
    ///   - readOnly: Whether the server refuses whatever would change something. Not for one within another.
    ///   - timeout: How long BEGIN and COMMIT may take each; the statements of the body have their own.
    ///   - body: What belongs together. It must not begin or end a transaction with statements of its own.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or ``DatabaseError``: `transactionOpen` when one was begun by hand, `transactionLost` when
    ///   the server has ended it before the COMMIT and the body has not heard of it, `commitUnknown` when the connection was lost at
    ///   the COMMIT. ``TransactionError`` when the ROLLBACK fails after an error that is no ``DatabaseError``.
    @discardableResult
    public func withTransaction<Result>(
        isolation: IsolationLevel? = nil,
        readOnly: Bool = false,
        timeout: Duration? = nil,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let level = TransactionLevel(self)
        try await begin(level, isolation, readOnly: readOnly, timeout: timeout)
        return try await TransactionLevel.$current.withValue(level) {
            do {
                let result = try await body()
                try await commit(level, timeout: timeout)
                return result
            } catch {
                throw await undo(level, after: error)
            }
        }
    }

    private func begin(
        _ level: TransactionLevel,
        _ isolation: IsolationLevel?,
        readOnly: Bool,
        timeout: Duration?
    ) async throws {
        guard level.outer == nil || isolation == nil && !readOnly else {
            throw Self.transactionOpen("the isolation level and READ ONLY are the outermost transaction's")
        }
        try await exchange(timeout: timeout) { client, limits in
            if level.outer == nil {
                // What the server was told at the session's beginning may not be answered yet, and turns autocommit on.
                if client.isInTransaction || !client.isAutocommitting { try await client.collectReplies(limits) }
                guard !client.isInTransaction else { throw Self.transactionOpen("one that was begun by hand is open") }
                guard client.isAutocommitting else { throw Self.transactionOpen("autocommit was turned off by hand") }
                if let isolation {
                    let statement = "SET TRANSACTION ISOLATION LEVEL \(isolation.rawValue)"
                    _ = try await client.sendText(statement, fetching: .whole, limits: limits)
                }
            }
            _ = try await client.sendText(
                level.outer != nil ? "SAVEPOINT \(level.name)" : "START TRANSACTION\(readOnly ? " READ ONLY" : "")",
                fetching: .whole,
                limits: limits
            )
            transaction = .open
            innermost = level
        }
    }

    private func commit(_ level: TransactionLevel, timeout: Duration?) async throws {
        var isUnknown = false
        do {
            // Before it is sent, what is left of a stream is read past, and the server's report of its end is looked at.
            try await exchange(timeout: timeout, isCancellable: false) { client, limits in
                let statement = level.outer == nil ? "COMMIT" : "RELEASE SAVEPOINT \(level.name)"
                do {
                    _ = try await client.sendText(statement, fetching: .whole, limits: limits)
                } catch {
                    // Not refused: lost, or given up.
                    isUnknown = level.outer == nil && (error as? DatabaseError)?.code != .statementFailed
                    throw level.isMissing(error) ? lose() : error
                }
                if level.outer == nil { transaction = .none }
                innermost = level.outer
            }
        } catch {
            guard isUnknown else { throw error }
            throw DatabaseError(
                .commitUnknown,
                message: "The connection was lost at the COMMIT, which may have taken effect: \(error)",
                advice: "See whether what it was to store is there before it is run again.",
                serverCode: (error as? DatabaseError)?.serverCode
            )
        }
    }

    /// Undoes what a body has done, and returns the error to throw.
    private func undo(_ level: TransactionLevel, after error: any Error) async -> any Error {
        do {
            let hasNothing = try alone { _ in
                // A session that is lost or given up rolls back by itself.
                if hasEnded { return true }
                if level.outer == nil {
                    transaction = .none
                } else if case .lost = transaction {
                    // Of the whole transaction nothing more is sent, but the ROLLBACK of the outermost.
                    innermost = level.outer
                    return true
                }
                return false
            }
            if hasNothing { return error }
            try await exchange(timeout: sessions.settings.closeTimeout, isCancellable: false) { client, limits in
                let statement = level.outer == nil ? "ROLLBACK" : "ROLLBACK TO SAVEPOINT \(level.name)"
                innermost = level.outer
                do {
                    _ = try await client.sendText(statement, fetching: .whole, limits: limits)
                } catch {
                    throw level.isMissing(error) ? lose() : error
                }
            }
            return error
        } catch let rollback as DatabaseError {
            if var error = error as? DatabaseError {
                error.secondary.append(rollback)
                return error
            }
            // With those the session ends, and the transaction with it.
            let isUndone = [.deadlineExceeded, .connectionSpent, .transactionLost].contains(rollback.code)
            return error is CancellationError || isUndone
                ? error : TransactionError(underlying: error, rollback: rollback)
        } catch _ {
            return error
        }
    }

    /// Makes sure that this task may go on in the transaction; only in an exchange.
    func checkTransaction() throws {
        let own = TransactionLevel.current?.level(of: self)
        guard own === innermost else {
            guard own == nil || innermost?.isWithin(own) == true else {
                throw DatabaseError(
                    .connectionSpent,
                    message: "The transaction has ended in which this task was begun.",
                    advice: "Wait for the task before the transaction's body returns."
                )
            }
            throw DatabaseError(
                .connectionBusy,
                message: "This connection is in a transaction of another task.",
                advice: "Wait for it to end first, or open a second connection."
            )
        }
        if case .lost = transaction { throw Self.transactionLost }
    }

    /// Makes sure, after a reply, that the server still has the transaction; only in an exchange.
    ///
    /// An error is not the only way to hear of its end. A node of a Galera cluster that ends a transaction for another node's
    /// sake may reply to a bulk statement as if it had stored the rows: MariaDB 10.11.19, about 1 of 100 transactions of which
    /// another node keeps writing a row, none where the rows go as text. Only the status in that reply says that there is no
    /// transaction any more. The next statement must then not be sent, as it would take effect alone.
    ///
    /// - Throws: ``DatabaseError`` with `transactionLost`.
    func noteTransaction(_ client: Client) throws {
        // While rows are still to come, the reply is not at its end: whatever is sent next, a COMMIT too, asks again.
        guard case .open = transaction, !isReading, !client.isInTransaction else { return }
        throw lose()
    }

    /// Takes note that the server has ended the transaction, and returns the error that says so.
    private func lose() -> DatabaseError {
        transaction = .lost
        return Self.transactionLost
    }

    static var transactionLost: DatabaseError {
        DatabaseError(
            .transactionLost,
            message: "The server has ended the transaction before its COMMIT, and nothing more of it was sent.",
            advice:
                "Run it again. If it happens each time, a statement in it commits by itself, as CREATE and ALTER do."
        )
    }

    private static func transactionOpen(_ why: String) -> DatabaseError {
        DatabaseError(.transactionOpen, message: "No transaction can begin on this connection: \(why).")
    }
}

/// A `withTransaction` that a task is in: a transaction, or a savepoint in one.
final class TransactionLevel: Sendable {
    /// The innermost of the task, on whatever connection.
    @TaskLocal static var current: TransactionLevel?

    private let connection: Connection
    private let around: TransactionLevel?

    /// The one on the same connection that it is a savepoint of.
    let outer: TransactionLevel?

    /// The savepoint's name.
    let name: String

    private let depth: Int

    init(_ connection: Connection) {
        self.connection = connection
        around = Self.current
        outer = Self.current?.level(of: connection)
        depth = (outer?.depth ?? -1) + 1
        name = "headroom_\(depth)"
    }

    /// The innermost on a connection that the task is in.
    func level(of connection: Connection) -> TransactionLevel? {
        self.connection === connection ? self : around?.level(of: connection)
    }

    /// Whether it is this one or a savepoint of it.
    func isWithin(_ other: TransactionLevel?) -> Bool {
        self === other || outer?.isWithin(other) == true
    }

    /// Whether the server has no such savepoint, as a deadlock or a statement that commits by itself has taken all of them.
    func isMissing(_ error: any Error) -> Bool {
        outer != nil && (error as? DatabaseError)?.serverCode == 1305
    }
}

extension Database {
    /// Opens a connection, and runs the body in a transaction on it: again when it has lost a race against another session.
    ///
    /// Run again is what the server has undone for certain: after a deadlock (1213), which on a cluster may come at the COMMIT, and
    /// after a lock that did not come free (1205). A `transactionLost` or a `commitUnknown` never is. For example:
    ///
    /// ```swift
    /// try await database.withTransaction(retrying: 5) { connection in
    ///     try await connection.query("UPDATE accounts SET cents = cents - \(cents) WHERE id = \(from)")
    ///     try await connection.query("UPDATE accounts SET cents = cents + \(cents) WHERE id = \(to)")
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - isolation: What it sees of others; the session's default when `nil`.
    ///   - readOnly: Whether the server refuses whatever would change something.
    ///   - retries: How many times it may be run again, each after a random pause of up to 0.5 s. All that the body does elsewhere
    ///     must bear to be done again.
    ///   - timeout: How long the scope may take, waiting and all runs included.
    ///   - label: What the connection is for.
    ///   - file: The place that opens it.
    ///   - line: The line of that place.
    ///   - body: What belongs together.
    /// - Returns: What the body returns.
    /// - Throws: What ``withConnection(timeout:label:file:line:_:)`` and
    ///   ``Connection/withTransaction(isolation:readOnly:timeout:_:)`` throw, of the last run.
    @discardableResult
    public func withTransaction<Result>(
        isolation: IsolationLevel? = nil,
        readOnly: Bool = false,
        retrying retries: Int = 0,
        timeout: Duration? = nil,
        label: String = "",
        file: StaticString = #fileID,
        line: UInt = #line,
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        try await withConnection(timeout: timeout, label: label, file: file, line: line) { connection in
            var retry = RetryPolicy(of: [.transaction], most: retries, longest: .milliseconds(500))
            while true {
                do {
                    return try await connection.withTransaction(isolation: isolation, readOnly: readOnly) {
                        try await body(connection)
                    }
                } catch let error as DatabaseError where error.secondary.isEmpty && connection.isUsable {
                    guard let pause = retry.pause(after: error) else { throw error }
                    try await Task.sleep(for: pause)
                }
            }
        }
    }
}
