import CMariaDB

extension Client {
    /// Prepares a statement, binds its values and runs it: two round trips.
    func sendPrepared(_ sql: SQL, fetching: Fetching, limits: Limits) async throws -> Reply {
        try await collectReplies(limits)
        guard let statement = mysql_stmt_init(handle) else { throw statementError }
        let reader = PreparedReader(self, statement, isWhole: fetching == .whole)
        let query = CString(sql.text)
        let parameters = BoundParameters(sql.values)
        defer { withExtendedLifetime((query, parameters)) {} }
        let unprepared = try await drive(Int32(0), limits: limits) { result in
            mysql_stmt_prepare_start(result, statement, query.pointer, UInt(query.count))
        } resume: { result, events in
            mysql_stmt_prepare_cont(result, statement, events)
        }
        guard unprepared == 0 else { throw reader.error }
        let expected = Int(mysql_stmt_param_count(statement))
        guard expected == sql.values.count else {
            throw DatabaseError(
                .statementFailed,
                message: "The statement has \(expected) question marks but \(sql.values.count) values.",
                advice: "A '?' inside a literal part of the statement counts too: interpolate every value."
            )
        }
        guard mysql_stmt_bind_param(statement, parameters.binds) == 0 else { throw reader.error }
        let failed = try await drive(Int32(0), limits: limits) { result in
            mysql_stmt_execute_start(result, statement)
        } resume: { result, events in
            mysql_stmt_execute_cont(result, statement, events)
        }
        guard failed == 0 else { throw reader.error }
        let summary = reader.summary
        guard mysql_stmt_field_count(statement) > 0 else {
            try await reader.finish(limits: limits)
            return Reply(summary: summary)
        }
        try await reader.begin(limits: limits)
        return Reply(summary: summary, reader: reader)
    }
}

/// Reads a result in the binary form, which prepared statements have; the library turns each value into text.
final class PreparedReader: ResultReader {
    private(set) var columns = Columns(names: [])

    private let client: Client
    private var statement: UnsafeMutablePointer<MYSQL_STMT>?
    private let isWhole: Bool
    private var cells: BoundCells?

    init(_ client: Client, _ statement: UnsafeMutablePointer<MYSQL_STMT>, isWhole: Bool) {
        self.client = client
        self.statement = statement
        self.isWhole = isWhole
    }

    deinit {
        abandon()
    }

    /// The error of the statement's last call.
    var error: DatabaseError {
        client.error(
            Int(mysql_stmt_errno(statement)),
            mysql_stmt_error(statement).map { String(cString: $0) } ?? ""
        )
    }

    /// What the statement changed.
    var summary: Summary {
        let affected = mysql_stmt_affected_rows(statement)
        return Summary(
            affectedRows: affected == .max ? 0 : Int(clamping: affected),
            lastInsertID: mysql_stmt_insert_id(statement),
            info: mysql_info(client.handle).map { String(cString: $0) }
        )
    }

    /// Makes ready to read the rows of a statement that has run.
    func begin(limits: Limits) async throws {
        guard let statement else { return }
        let width = Int(mysql_stmt_field_count(statement))
        if let metadata = mysql_stmt_result_metadata(statement) {
            let fields = UnsafeBufferPointer(start: mysql_fetch_fields(metadata), count: width)
            columns = Columns(names: fields.map { String(cString: $0.name) })
            mysql_free_result(metadata)
        }
        let cells = BoundCells(count: width)
        self.cells = cells
        guard mysql_stmt_bind_result(statement, cells.binds) == 0 else { throw error }
        guard isWhole else { return }
        let failed = try await client.drive(Int32(0), limits: limits) { result in
            mysql_stmt_store_result_start(result, statement)
        } resume: { result, events in
            mysql_stmt_store_result_cont(result, statement, events)
        }
        guard failed == 0 else { throw error }
    }

    func next(limits: Limits) async throws -> Row? {
        guard let statement, let cells else { return nil }
        let status: Int32
        if isWhole {
            status = mysql_stmt_fetch(statement)
        } else {
            status = try await client.drive(Int32(0), limits: limits) { result in
                mysql_stmt_fetch_start(result, statement)
            } resume: { result, events in
                mysql_stmt_fetch_cont(result, statement, events)
            }
        }
        switch status {
        case 0, MYSQL_DATA_TRUNCATED:
            return cells.row(of: statement, columns: columns, most: client.replyBound.largestPacket)
        case MYSQL_NO_DATA:
            try await close(limits: limits)
            return nil
        default:
            throw error
        }
    }

    func finish(limits: Limits) async throws {
        if cells != nil {
            while try await next(limits: limits) != nil {}
        } else {
            try await close(limits: limits)
        }
    }

    func abandon() {
        guard let statement else { return }
        self.statement = nil
        // On an open connection this tells the server to drop the statement; on a closed one it frees memory only.
        mysql_stmt_close(statement)
    }

    private func close(limits: Limits) async throws {
        guard let statement else { return }
        self.statement = nil
        _ = try await client.drive(my_bool(0), limits: limits) { result in
            mysql_stmt_close_start(result, statement)
        } resume: { result, events in
            mysql_stmt_close_cont(result, statement, events)
        }
        // The further results of a CALL; they have no use without their statement.
        try await client.skipFurtherResults(limits: limits)
    }
}
