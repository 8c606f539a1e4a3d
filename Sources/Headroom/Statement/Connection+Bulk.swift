import CMariaDB

extension Connection {
    /// Whether the server takes many rows of values with one statement; MariaDB does since 10.2, MySQL does not.
    ///
    /// A proxy in between may still refuse: ``bulk(_:_:timeout:)`` then throws with server code 5003.
    public var takesBulk: Bool { isMariaDB }

    /// Runs a statement for many rows of values at once, which the server does faster than it reads them as text.
    ///
    /// Text is safer on the nodes of a Galera cluster: one may acknowledge such a statement and keep nothing of it, or its last
    /// rows alone (MariaDB 10.11.19; `docs/hosts.md`). That only shows by the transaction, so outside one it gets one of its own.
    ///
    /// - Parameters:
    ///   - sql: The statement, with a `?` for each column.
    ///   - columns: The values, a column for each parameter, all with the same number of rows, at least one.
    ///   - timeout: How long it may take; the scope's deadline holds as well.
    /// - Returns: What was changed, over all rows.
    /// - Throws: ``DatabaseError``, with server code 5003 where there is no such thing, and `transactionLost` where the
    ///   server has ended the transaction, which may then be run again; `CancellationError` when the task is cancelled.
    @discardableResult
    public func bulk(_ sql: SQL, _ columns: [BulkColumn], timeout: Duration? = nil) async throws -> QueryResult {
        guard let rows = columns.first?.count, rows > 0, columns.allSatisfy({ $0.count == rows }) else {
            throw DatabaseError(
                .statementFailed,
                message: "A bulk statement needs columns of the same length, with at least one row."
            )
        }
        if try alone({ innermost == nil && !$0.isInTransaction && $0.isAutocommitting }) {
            return try await withTransaction { try await send(sql, columns, timeout) }
        }
        return try await send(sql, columns, timeout)
    }

    private func send(_ sql: SQL, _ columns: [BulkColumn], _ timeout: Duration?) async throws -> QueryResult {
        try await traced(DatabaseSpan.statement(sql, self)) {
            try await exchange(timeout: timeout) { client, limits in
                let summary = try await client.sendBulk(sql, columns, limits: limits)
                // Also where the transaction was begun by hand.
                guard client.isInTransaction else { throw Self.transactionLost }
                return QueryResult(Reply(summary: summary), rows: [])
            }
        }
    }
}

extension Client {
    /// Prepares a statement and runs it for many rows at once: two round trips in all.
    func sendBulk(_ sql: SQL, _ columns: [BulkColumn], limits: Limits) async throws -> Summary {
        let parameters = try BoundColumns(columns)
        defer { withExtendedLifetime(parameters) {} }
        let reader = try await prepare(sql.text, fetching: .whole, keptAs: nil, limits: limits)
        guard reader.parameterCount == columns.count else {
            throw DatabaseError(
                .statementFailed,
                message: "The statement has \(reader.parameterCount) question marks but \(columns.count) columns."
            )
        }
        reader.runs(forRows: columns.first?.count ?? 0)
        try await reader.execute(parameters.binds, limits: limits)
        let summary = reader.summary
        try await reader.finish(limits: limits)
        return summary
    }
}
