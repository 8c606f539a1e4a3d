import CMariaDB

extension Client {
    /// Prepares a statement and runs it for many rows at once: two round trips in all.
    func sendBulk(_ sql: SQL, _ columns: [BulkColumn], limits: Limits) async throws -> Summary {
        let parameters = try BoundColumns(columns)
        try await collectReplies(limits)
        guard let statement = mysql_stmt_init(handle) else { throw statementError }
        let reader = PreparedReader(self, statement, isWhole: true)
        let query = CString(sql.text)
        defer { withExtendedLifetime((query, parameters)) {} }
        let unprepared = try await drive(Int32(0), limits: limits) { result in
            mysql_stmt_prepare_start(result, statement, query.pointer, UInt(query.count))
        } resume: { result, events in
            mysql_stmt_prepare_cont(result, statement, events)
        }
        guard unprepared == 0 else { throw reader.error }
        guard Int(mysql_stmt_param_count(statement)) == columns.count else {
            throw DatabaseError(
                .statementFailed,
                message:
                    "The statement has \(mysql_stmt_param_count(statement)) question marks but \(columns.count) columns."
            )
        }
        var rows = UInt32(clamping: columns.first?.count ?? 0)
        mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &rows)
        guard mysql_stmt_bind_param(statement, parameters.binds) == 0 else { throw reader.error }
        let failed = try await drive(Int32(0), limits: limits) { result in
            mysql_stmt_execute_start(result, statement)
        } resume: { result, events in
            mysql_stmt_execute_cont(result, statement, events)
        }
        guard failed == 0 else { throw reader.error }
        let summary = reader.summary
        try await reader.finish(limits: limits)
        return summary
    }
}
