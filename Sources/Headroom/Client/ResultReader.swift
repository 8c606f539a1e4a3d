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
