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
        let result: Result
        do {
            result = try await body()
        } catch {
            // A session that is lost or given up rolls back by itself.
            if case .ended = state { throw error }
            _ = try? await query("ROLLBACK", timeout: core.settings.closeTimeout, isCancellable: false)
            throw error
        }
        // What has been done since it ended has taken effect already, and cannot be taken back; what came before may be gone.
        guard client.isInTransaction else { throw Self.transactionLost }
        try await query("COMMIT", timeout: timeout, isCancellable: false)
        return result
    }

    private static var transactionLost: DatabaseError {
        DatabaseError(
            .transactionLost,
            message: "The server has ended the transaction before its COMMIT.",
            advice:
                "Run it again. If it happens each time, a statement in it commits by itself, as CREATE and ALTER do."
        )
    }
}
