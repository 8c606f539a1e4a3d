import CMariaDB

extension Client {
    /// Sends a statement without values: one round trip.
    func sendText(_ text: String, fetching: Fetching, limits: Limits) async throws -> Reply {
        let query = CString(text)
        defer { withExtendedLifetime(query) {} }
        let isUnderstood =
            repliesOwed == 0
            ? try await ask(query, limits: limits) : try await askAhead(query, limits: limits)
        guard isUnderstood else { throw statementError }
        return try await readText(fetching: fetching, limits: limits)
    }

    /// Reads what follows the head of a reply.
    private func readText(fetching: Fetching, limits: Limits) async throws -> Reply {
        guard mysql_field_count(handle) > 0 else {
            let summary = textSummary
            try await skipFurtherResults(limits: limits)
            return Reply(summary: summary)
        }
        let result: UnsafeMutablePointer<MYSQL_RES>?
        switch fetching {
        case .whole:
            result = try await drive(nil as UnsafeMutablePointer<MYSQL_RES>?, limits: limits) { result in
                mysql_store_result_start(result, handle)
            } resume: { result, events in
                mysql_store_result_cont(result, handle, events)
            }
        case .rowByRow:
            result = mysql_use_result(handle)
        }
        guard let result else { throw statementError }
        let reader = TextReader(self, result, isWhole: fetching == .whole)
        if fetching == .whole { reader.further = try await furtherResults(limits: limits) }
        return Reply(summary: textSummary, reader: reader)
    }

    private func ask(_ query: CString, limits: Limits) async throws(Interruption) -> Bool {
        bytesSent = query.count
        replyBound.begin()
        return try await drive(Int32(0), limits: limits) { result in
            mysql_real_query_start(result, handle, query.pointer, UInt(query.count))
        } resume: { result, events in
            mysql_real_query_cont(result, handle, events)
        } == 0
    }

    /// Sends the statement before the replies to earlier ones are read, so that the server never waits for this side.
    private func askAhead(_ query: CString, limits: Limits) async throws(Interruption) -> Bool {
        bytesSent = query.count
        let isSent = try await drive(Int32(0), limits: limits) { result in
            mysql_send_query_start(result, handle, query.pointer, UInt(query.count))
        } resume: { result, events in
            mysql_send_query_cont(result, handle, events)
        }
        guard isSent == 0 else { return false }
        try await collectReplies(limits)
        return try await readReply(limits) == 0
    }

    /// Sends statements without values all at once, and then reads their replies: one round trip for all.
    ///
    /// The statements must be short: the server reads none of them while it waits for room to send rows.
    ///
    /// - Parameters:
    ///   - statements: The statements.
    ///   - limits: When to give up.
    ///   - take: Is given each statement's reply in turn, or why the server refused it.
    /// - Throws: ``DatabaseError`` when the connection is lost, ``Interruption`` when the wait is given up.
    func sendTogether(
        _ statements: [String],
        limits: Limits,
        take: (Result<Reply, DatabaseError>) async throws -> Void
    ) async throws {
        for statement in statements {
            let query = CString(statement)
            defer { withExtendedLifetime(query) {} }
            let status = try await drive(Int32(0), limits: limits) { result in
                mysql_send_query_start(result, handle, query.pointer, UInt(query.count))
            } resume: { result, events in
                mysql_send_query_cont(result, handle, events)
            }
            guard status == 0 else { throw statementError }
        }
        try await collectReplies(limits)
        for _ in statements {
            do {
                guard try await readReply(limits) == 0 else { throw statementError }
                try await take(.success(readText(fetching: .whole, limits: limits)))
            } catch let error as DatabaseError where error.code != .connectionLost {
                try await take(.failure(error))
            }
        }
    }

    /// The error of the last call on an open connection.
    var statementError: DatabaseError {
        let (number, text) = lastError
        return error(number, text, state: mysql_sqlstate(handle).map { String(cString: $0) })
    }

    private var textSummary: Summary {
        // Without rows to count the library says -1, which C's type turns into the largest number.
        let affected = mysql_affected_rows(handle)
        return Summary(
            affectedRows: affected == .max ? 0 : Int(clamping: affected),
            lastInsertID: mysql_insert_id(handle),
            info: mysql_info(handle).map { String(cString: $0) },
            warnings: Int(mysql_warning_count(handle))
        )
    }

    /// Reads past the further results that a CALL sends.
    func skipFurtherResults(limits: Limits) async throws {
        _ = try await furtherResults(limits: limits)
    }

    /// Reads the further results that a CALL sends; the last reply of a CALL has no rows.
    private func furtherResults(limits: Limits) async throws -> [QueryResult] {
        var results: [QueryResult] = []
        while mysql_more_results(handle) != 0 {
            try takeFurtherResult()
            let status = try await drive(Int32(0), limits: limits) { result in
                mysql_next_result_start(result, handle)
            } resume: { result, events in
                mysql_next_result_cont(result, handle, events)
            }
            guard status <= 0 else { throw statementError }
            guard mysql_field_count(handle) > 0 else { continue }
            let result = try await drive(nil as UnsafeMutablePointer<MYSQL_RES>?, limits: limits) { result in
                mysql_store_result_start(result, handle)
            } resume: { result, events in
                mysql_store_result_cont(result, handle, events)
            }
            guard let result else { throw statementError }
            let reader = TextReader(self, result, isWhole: true)
            var rows: [Row] = []
            while let row = try await reader.next(limits: limits) { rows.append(row) }
            results.append(QueryResult(reader.columns, rows: rows))
        }
        return results
    }
}

/// Reads a result in the text form, in which the server sends every value as text.
final class TextReader: ResultReader {
    let columns: Columns
    let warnings: Int
    fileprivate(set) var further: [QueryResult] = []

    private let client: Client
    private var rows = 0
    private var result: UnsafeMutablePointer<MYSQL_RES>?
    private let isWhole: Bool
    private let width: Int

    init(_ client: Client, _ result: UnsafeMutablePointer<MYSQL_RES>, isWhole: Bool) {
        self.client = client
        self.result = result
        self.isWhole = isWhole
        width = Int(mysql_num_fields(result))
        columns = Columns(mysql_fetch_fields(result), count: width)
        warnings = Int(mysql_warning_count(client.handle))
    }

    deinit {
        abandon()
    }

    func next(limits: Limits) async throws -> Row? {
        guard let result else { return nil }
        let row: MYSQL_ROW?
        if isWhole {
            row = mysql_fetch_row(result)
        } else {
            client.replyBound.begin()
            row = try await client.drive(nil as MYSQL_ROW?, limits: limits) { row in
                mysql_fetch_row_start(row, result)
            } resume: { row, events in
                mysql_fetch_row_cont(row, result, events)
            }
        }
        guard let row else {
            // The end of the rows and an error look the same but for the number.
            if !isWhole, client.lastError.number != 0 { throw client.statementError }
            mysql_free_result(result)
            self.result = nil
            if !isWhole { try await client.skipFurtherResults(limits: limits) }
            return nil
        }
        return read(row, lengths: mysql_fetch_lengths(result))
    }

    func finish(limits: Limits) async throws {
        while try await next(limits: limits) != nil {}
    }

    func abandon() {
        guard let result else { return }
        // Without its handle the result is only freed; with it the library would read all the rows that are left.
        result.pointee.handle = nil
        mysql_free_result(result)
        self.result = nil
    }

    private func read(_ row: MYSQL_ROW, lengths: UnsafeMutablePointer<UInt>?) -> Row {
        rows += 1
        var bytes: [UInt8] = []
        var cells: [Range<Int>?] = []
        cells.reserveCapacity(width)
        if let lengths { bytes.reserveCapacity(Int((0..<width).reduce(0) { $0 &+ lengths[$1] })) }
        for index in 0..<width {
            guard let start = row[index], let lengths else {
                cells.append(nil)
                continue
            }
            let begin = bytes.count
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: Int(lengths[index])))
            cells.append(begin..<bytes.count)
        }
        return Row(columns: columns, ordinal: rows, bytes: bytes, cells: cells)
    }
}

/// Reads the rows of one result, whichever way the statement was sent.
protocol ResultReader: AnyObject {
    /// What the server says of the result's columns.
    var columns: Columns { get }

    /// The number of the statement's warnings, known once a result was fetched whole.
    var warnings: Int { get }

    /// The further results with rows of a CALL, where the first was fetched whole and read to its end.
    var further: [QueryResult] { get }

    /// Returns the next row, or `nil` after the last.
    func next(limits: Limits) async throws -> Row?

    /// Reads and drops what is left, so that the connection can be used for the next statement.
    func finish(limits: Limits) async throws

    /// Frees the result without reading what is left; the connection must be closed already.
    func abandon()
}

/// What a statement changed.
struct Summary {
    var affectedRows = 0
    var lastInsertID: UInt64 = 0
    var info: String?
    var warnings = 0
}

/// A statement that has run: what it changed, and its rows, if it returns any.
struct Reply {
    var summary = Summary()
    var reader: (any ResultReader)?
}

/// Whether a result is fetched whole, or row by row as it is read.
enum Fetching {
    /// Fetches all rows at once, so that the connection is free again.
    case whole
    /// Fetches rows as they are read; the connection is taken until the last.
    case rowByRow
}

extension Client {
    /// Sends a statement and waits for its reply.
    ///
    /// - Throws: ``DatabaseError`` when the server refuses it, ``Interruption`` when the wait is given up.
    func send(_ sql: SQL, fetching: Fetching, limits: Limits) async throws -> Reply {
        if sql.values.isEmpty, !sql.isPrepared {
            try await sendText(sql.text, fetching: fetching, limits: limits)
        } else {
            try await sendPrepared(sql, fetching: fetching, limits: limits)
        }
    }
}

extension Client {
    /// Sends a statement and reads all of its rows: the way for what Headroom itself asks, outside of any scope.
    ///
    /// - Throws: ``DatabaseError``, or `CancellationError` when the task is cancelled and the limits allow it.
    @discardableResult
    func query(_ sql: SQL, _ limits: Limits) async throws -> QueryResult {
        do {
            let reply = try await send(sql, fetching: .whole, limits: limits)
            var rows: [Row] = []
            while let row = try await reply.reader?.next(limits: limits) { rows.append(row) }
            return QueryResult(reply, rows: rows)
        } catch let interruption as Interruption {
            throw interruption.error
        }
    }
}

extension Interruption {
    /// What the caller of a statement is told.
    var error: any Error {
        switch self {
        case .cancelled: CancellationError()
        case .deadlinePassed: DatabaseError.deadlineExceeded
        case .exhausted(let error): error
        }
    }
}

extension DatabaseError {
    static var deadlineExceeded: DatabaseError {
        DatabaseError(
            .deadlineExceeded,
            message: "The deadline passed before the database had answered.",
            advice: "The statement was ended on the server; nothing of its transaction is kept."
        )
    }
}
