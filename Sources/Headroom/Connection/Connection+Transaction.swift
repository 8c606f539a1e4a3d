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
    /// - Throws: What the body throws, or ``DatabaseError`` from BEGIN and COMMIT.
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
        try await query("COMMIT", timeout: timeout, isCancellable: false)
        return result
    }
}
