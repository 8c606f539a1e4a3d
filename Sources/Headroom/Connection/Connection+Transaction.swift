extension Connection {
    /// Runs the body in a transaction: commits when it returns, rolls back when it throws.
    ///
    /// The COMMIT itself is not given up when the task is cancelled, as one would not know whether it took effect; a
    /// deadline still ends it. An error with ``DatabaseError/isRetryableTransaction`` means that the body may be run
    /// again. For example:
    ///
    /// ```swift
    /// try await connection.withTransaction {
    ///     try await connection.query("UPDATE accounts SET cents = cents - \(cents) WHERE id = \(from)")
    ///     try await connection.query("UPDATE accounts SET cents = cents + \(cents) WHERE id = \(to)")
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - timeout: How long the COMMIT may take; the statements of the body have their own.
    ///   - body: What belongs together. It must not begin or end a transaction itself.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or ``DatabaseError`` from BEGIN and COMMIT; `transactionLost` when the server has ended
    ///   the transaction by itself before the COMMIT, and the body has not heard of it.
    @discardableResult
    public func withTransaction<Result>(
        timeout: Duration? = nil,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await query("START TRANSACTION", timeout: timeout)
        transaction = .open
        let result: Result
        do {
            result = try await body()
            // A body that has not heard of it, or did not care.
            if case .lost = transaction { throw Self.transactionLost }
            try noteTransaction()
        } catch {
            transaction = .none
            // A session that is lost or given up rolls back by itself.
            if case .ended = state { throw error }
            _ = try? await query("ROLLBACK", timeout: sessions.settings.closeTimeout, isCancellable: false)
            throw error
        }
        transaction = .none
        try await query("COMMIT", timeout: timeout, isCancellable: false)
        return result
    }

    /// Makes sure, after a reply, that the server still has the transaction.
    ///
    /// An error is not the only way to hear of its end. A node of a Galera cluster that ends a transaction for another node's
    /// sake may reply to a bulk statement as if it had stored the rows: MariaDB 10.11.19, about 1 of 100 transactions of which
    /// another node keeps writing a row, none where the rows go as text. Only the status in that reply says that there is no
    /// transaction any more. The next statement must then not be sent, as it would take effect alone.
    ///
    /// - Throws: ``DatabaseError`` with `transactionLost`.
    func noteTransaction() throws {
        // While rows are still to come, the reply is not at its end.
        if case .reading = state { return }
        guard !client.isInTransaction else { return }
        transaction = .lost
        throw Self.transactionLost
    }

    static var transactionLost: DatabaseError {
        DatabaseError(
            .transactionLost,
            message: "The server has ended the transaction before its COMMIT, and nothing more of it was sent.",
            advice:
                "Run it again. If it happens each time, a statement in it commits by itself, as CREATE and ALTER do."
        )
    }
}
