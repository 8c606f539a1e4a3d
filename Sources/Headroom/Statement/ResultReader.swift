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
    /// - Throws: ``DatabaseError``, or `CancellationError` when the task is cancelled and the limits heed that.
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
