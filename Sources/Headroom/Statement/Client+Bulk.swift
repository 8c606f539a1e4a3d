import CMariaDB

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
