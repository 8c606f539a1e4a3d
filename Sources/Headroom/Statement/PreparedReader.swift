import CLibrary
import CMariaDB

extension Client {
    /// Prepares a statement, binds its values and runs it: two round trips, or one where it was kept from before.
    func sendPrepared(_ sql: SQL, fetching: Fetching, limits: Limits) async throws -> Reply {
        let parameters = try BoundParameters(sql.values)
        defer { withExtendedLifetime(parameters) {} }
        let isKept = statements.isWorthKeeping(sql.text)
        let reader: PreparedReader
        if let statement = statements.take(sql.text) {
            reader = PreparedReader(self, statement, isWhole: fetching == .whole, keptAs: sql.text)
        } else {
            reader = try await prepare(sql.text, fetching: fetching, keptAs: isKept ? sql.text : nil, limits: limits)
        }
        let expected = reader.parameterCount
        guard expected == sql.values.count else {
            throw DatabaseError(
                .statementFailed,
                message: "The statement has \(expected) question marks but \(sql.values.count) values.",
                advice: "A '?' inside a literal part of the statement counts too: interpolate every value."
            )
        }
        do {
            try await reader.execute(parameters.binds, limits: limits)
        } catch let error as DatabaseError where error.serverCode == PreparedReader.columnsChanged && reader.isOfSelect
        {
            // A table that it names was altered since it was prepared. It has changed nothing, and runs again.
            try await reader.close(limits: limits)
            return try await sendPrepared(sql, fetching: fetching, limits: limits)
        }
        let summary = reader.summary
        guard try await reader.begin(limits: limits) else {
            try await reader.finish(limits: limits)
            return Reply(summary: summary)
        }
        return Reply(summary: summary, reader: reader)
    }

    /// Prepares a statement; where the server has no room for one more, the kept ones make it.
    func prepare(
        _ text: String,
        fetching: Fetching,
        keptAs name: String?,
        limits: Limits
    ) async throws -> PreparedReader {
        try await collectReplies(limits)
        guard let statement = mysql_stmt_init(handle) else { throw statementError }
        let reader = PreparedReader(self, statement, isWhole: fetching == .whole, keptAs: name)
        let query = CString(text)
        bytesSent = query.count
        replyBound.begin()
        defer { withExtendedLifetime(query) {} }
        let unprepared = try await drive(Int32(0), limits: limits) { result in
            mysql_stmt_prepare_start(result, statement, query.pointer, UInt(query.count))
        } resume: { result, events in
            mysql_stmt_prepare_cont(result, statement, events)
        }
        guard unprepared != 0 else { return reader }
        let error = reader.error
        let dropped = error.serverCode == 1461 ? statements.turnOff() : []
        guard !dropped.isEmpty else { throw error }
        // On an open connection this sends the server word to drop it, which has no reply.
        for statement in dropped { mysql_stmt_close(statement) }
        return try await prepare(text, fetching: fetching, keptAs: nil, limits: limits)
    }

    /// Frees the statements that were kept; after the session was renewed or closed, as the server has dropped them.
    func freeStatements() {
        for statement in statements.removeAll() { mysql_stmt_close(statement) }
    }
}

/// Reads a result in the binary form, which prepared statements have; the library turns each value into text.
final class PreparedReader: ResultReader {
    private(set) var columns = Columns([])
    private(set) var further: [QueryResult] = []

    private let client: Client
    private var statement: UnsafeMutablePointer<MYSQL_STMT>?
    private let isWhole: Bool
    private var cells: BoundCells?

    /// The text under which the statement is kept afterwards; `nil` when it is dropped.
    private var name: String?

    /// The library's number for a result with another number of columns than when the statement was prepared.
    static let columnsChanged = 2057

    init(_ client: Client, _ statement: UnsafeMutablePointer<MYSQL_STMT>, isWhole: Bool, keptAs name: String? = nil) {
        self.client = client
        self.statement = statement
        self.isWhole = isWhole
        self.name = name
    }

    deinit {
        abandon()
    }

    /// The error of the statement's last call.
    var error: DatabaseError {
        client.error(
            Int(mysql_stmt_errno(statement)),
            mysql_stmt_error(statement).map { ServerWords.text($0) } ?? "",
            state: mysql_stmt_sqlstate(statement).map { String(cString: $0) }
        )
    }

    var warnings: Int { Int(mysql_warning_count(client.handle)) }

    /// The number of question marks.
    var parameterCount: Int { Int(mysql_stmt_param_count(statement)) }

    /// Whether the statement is a kept SELECT, which may run twice.
    var isOfSelect: Bool { name.map { Self.isSelect($0) } ?? false }

    /// What the statement changed.
    var summary: Summary {
        let affected = mysql_stmt_affected_rows(statement)
        return Summary(
            affectedRows: affected == .max ? 0 : Int(clamping: affected),
            lastInsertID: mysql_stmt_insert_id(statement),
            info: mysql_info(client.handle).map { String(cString: $0) },
            warnings: warnings
        )
    }

    /// Has the statement run for so many rows of values at once.
    func runs(forRows count: Int) {
        var count = UInt32(clamping: count)
        mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &count)
    }

    /// Runs the statement with its values.
    func execute(_ binds: UnsafeMutablePointer<MYSQL_BIND>, limits: Limits) async throws {
        // What the statement may still owe the server's replies to: those sent ahead of a kept one.
        try await client.collectReplies(limits)
        guard let statement else { return }
        guard mysql_stmt_bind_param(statement, binds) == 0 else { throw error }
        client.replyBound.begin()
        client.bytesSent = (0..<parameterCount).reduce(0) { $0 + Int(clamping: binds[$1].length_value) }
        let failed = try await client.drive(Int32(0), limits: limits) { result in
            mysql_stmt_execute_start(result, statement)
        } resume: { result, events in
            mysql_stmt_execute_cont(result, statement, events)
        }
        guard failed == 0 else { throw error }
    }

    /// Makes ready to read the rows of a statement that has run; returns whether it has rows.
    func begin(limits: Limits) async throws -> Bool {
        guard let statement, mysql_stmt_field_count(statement) > 0 else { return false }
        let width = Int(mysql_stmt_field_count(statement))
        // The connection has what came with this run; the statement the names of when it was prepared, which come again
        // once the server says no more that they have changed.
        columns = Columns(client.handle.pointee.fields, count: width)
        let isAsPrepared = (0..<width)
            .allSatisfy { strcmp(client.handle.pointee.fields[$0].name, statement.pointee.fields[$0].name) == 0 }
        // A statement that changes something and returns rows must not run again when its columns have changed.
        if let text = name, !isAsPrepared || !Self.isSelect(text) { name = nil }
        for index in 0..<width where !statement.pointee.fields[index].isReadable {
            // As bytes, which any type's value can be read as.
            statement.pointee.fields[index].type = MYSQL_TYPE_BLOB
            statement.pointee.fields[index].charsetnr = 63
        }
        let cells = BoundCells(columns)
        self.cells = cells
        guard mysql_stmt_bind_result(statement, cells.binds) == 0 else { throw error }
        guard isWhole else { return true }
        let failed = try await client.drive(Int32(0), limits: limits) { result in
            mysql_stmt_store_result_start(result, statement)
        } resume: { result, events in
            mysql_stmt_store_result_cont(result, statement, events)
        }
        guard failed == 0 else { throw error }
        return true
    }

    func next(limits: Limits) async throws -> Row? {
        guard let row = try await nextOfResult(limits: limits) else {
            if isWhole { try await readFurther(limits: limits) }
            try await close(limits: limits)
            return nil
        }
        return row
    }

    func finish(limits: Limits) async throws {
        while try await next(limits: limits) != nil {}
    }

    func abandon() {
        guard let statement else { return }
        self.statement = nil
        // On an open connection this tells the server to drop the statement; on a closed one it frees memory only.
        mysql_stmt_close(statement)
    }

    /// Drops the statement, or keeps it for its next use.
    func close(limits: Limits) async throws {
        guard let statement else { return }
        self.statement = nil
        if let name, mysql_stmt_errno(statement) == 0, mysql_stmt_more_results(statement) == 0 {
            cells = nil
            _ = try await client.drive(my_bool(0), limits: limits) { result in
                mysql_stmt_free_result_start(result, statement)
            } resume: { result, events in
                mysql_stmt_free_result_cont(result, statement, events)
            }
            for dropped in client.statements.put(name, statement) { mysql_stmt_close(dropped) }
            return
        }
        _ = try await client.drive(my_bool(0), limits: limits) { result in
            mysql_stmt_close_start(result, statement)
        } resume: { result, events in
            mysql_stmt_close_cont(result, statement, events)
        }
        // The further results of a CALL whose rows are not read; they have no use without their statement.
        try await client.skipFurtherResults(limits: limits)
    }

    private func nextOfResult(limits: Limits) async throws -> Row? {
        guard let statement, let cells else { return nil }
        let status: Int32
        if isWhole {
            status = mysql_stmt_fetch(statement)
        } else {
            client.replyBound.begin()
            status = try await client.drive(Int32(0), limits: limits) { result in
                mysql_stmt_fetch_start(result, statement)
            } resume: { result, events in
                mysql_stmt_fetch_cont(result, statement, events)
            }
        }
        switch status {
        case 0, MYSQL_DATA_TRUNCATED: return cells.row(of: statement, most: client.replyBound.largestPacket)
        case MYSQL_NO_DATA: return nil
        default: throw error
        }
    }

    /// Reads the further results of a CALL.
    private func readFurther(limits: Limits) async throws {
        guard let statement, cells != nil else { return }
        let first = columns
        while mysql_stmt_more_results(statement) != 0 {
            try client.takeFurtherResult()
            let failed = try await client.drive(Int32(0), limits: limits) { result in
                mysql_stmt_next_result_start(result, statement)
            } resume: { result, events in
                mysql_stmt_next_result_cont(result, statement, events)
            }
            guard failed <= 0 else { throw error }
            guard try await begin(limits: limits) else { continue }
            var rows: [Row] = []
            while let row = try await nextOfResult(limits: limits) { rows.append(row) }
            further.append(QueryResult(columns, rows: rows))
        }
        columns = first
    }

    private static func isSelect(_ text: String) -> Bool {
        let word = text.utf8.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }.prefix(7)
        return word.count == 7 && zip(word, "select ".utf8).allSatisfy { $0 | 0x20 == $1 || $0 <= 0x20 && $1 == 0x20 }
    }
}
