extension Connection {
    /// Runs statements that have no values to bind, sent all at once: one round trip for all.
    ///
    /// Each runs whatever became of those before it.
    ///
    /// - Parameters:
    ///   - statements: The statements; short ones, of the program's own making.
    ///   - timeout: How long they may take together.
    /// - Returns: What became of each, in their order.
    /// - Throws: ``DatabaseError`` when the connection is lost, or `CancellationError`.
    package func queryTogether(
        _ statements: [String],
        timeout: Duration? = nil
    ) async throws -> [Result<QueryResult, DatabaseError>] {
        try await exchange(timeout: timeout) { client, limits in
            var results: [Result<QueryResult, DatabaseError>] = []
            results.reserveCapacity(statements.count)
            try await client.sendTogether(statements, limits: limits) { reply in
                switch reply {
                case .failure(let error):
                    results.append(.failure(error))
                case .success(let reply):
                    var rows: [Row] = []
                    while let row = try await reply.reader?.next(limits: limits) { rows.append(row) }
                    results.append(.success(QueryResult(reply, rows: rows)))
                }
            }
            return results
        }
    }
}
