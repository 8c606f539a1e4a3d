extension Connection {
    /// Runs a statement and returns its rows and what it changed.
    ///
    /// All rows are in memory then; for a large result use ``stream(_:timeout:)``. When the task is cancelled or the
    /// deadline passes in the middle, the error is there at once, the session is ended on the server, and the connection
    /// cannot be used any more.
    ///
    /// - Parameters:
    ///   - sql: The statement; its interpolated values are bound, never pasted.
    ///   - timeout: How long it may take; the scope's deadline holds as well.
    /// - Returns: The rows and what was changed.
    /// - Throws: ``DatabaseError``, or `CancellationError` when the task is cancelled.
    @discardableResult
    public func query(_ sql: SQL, timeout: Duration? = nil) async throws -> QueryResult {
        try await query(sql, timeout: timeout, isCancellable: true)
    }

    /// The same, also for what must finish although its task is cancelled.
    @discardableResult
    func query(_ sql: SQL, timeout: Duration?, isCancellable: Bool) async throws -> QueryResult {
        try await traced(DatabaseSpan.statement(sql, self)) {
            try await exchange(timeout: timeout, isCancellable: isCancellable) { client, limits in
                let reply = try await client.send(sql, fetching: .whole, limits: limits)
                var rows: [Row] = []
                while let row = try await reply.reader?.next(limits: limits) { rows.append(row) }
                return QueryResult(reply, rows: rows)
            }
        }
    }

    /// Runs a statement and returns its rows one by one, as they are read.
    ///
    /// Memory stays constant however large the result is, and the server sends no faster than rows are read. The next
    /// statement on the same connection first reads past the rows that are left, and reading on in the stream then throws
    /// `streamInterrupted`; closing the scope reads past nothing, it ends the session.
    ///
    /// - Parameters:
    ///   - sql: The statement; its interpolated values are bound, never pasted.
    ///   - timeout: How long the server may take to answer, and then for each row.
    /// - Returns: The rows, not yet read.
    /// - Throws: ``DatabaseError``, or `CancellationError` when the task is cancelled; reading on throws the same.
    public func stream(_ sql: SQL, timeout: Duration? = nil) async throws -> RowStream {
        let reader = try await traced(DatabaseSpan.statement(sql, self)) {
            try await exchange(timeout: timeout) { client, limits in
                let reader = try await client.send(sql, fetching: .rowByRow, limits: limits).reader
                if let reader { read(rowByRow: reader) }
                return reader
            }
        }
        return RowStream(connection: self, reader: reader, timeout: timeout)
    }
}

/// The rows of a statement, read one by one; bound to its connection and its scope.
///
/// `@unchecked Sendable`: only the task that has taken the connection uses the reader.
public struct RowStream: AsyncSequence, @unchecked Sendable {
    private let connection: Connection
    private let reader: (any ResultReader)?
    private let timeout: Duration?

    /// The columns; empty for a statement that returns no rows.
    public let columns: Columns

    init(connection: Connection, reader: (any ResultReader)?, timeout: Duration?) {
        self.connection = connection
        self.reader = reader
        self.timeout = timeout
        columns = reader?.columns ?? Columns([])
    }

    fileprivate func next() async throws -> Row? {
        guard let reader else { return nil }
        return try await connection.nextRow(of: reader, timeout: timeout)
    }

    /// Creates the iterator; all iterators of a stream read the same rows on.
    public func makeAsyncIterator() -> Iterator {
        Iterator(stream: self)
    }

    /// Reads the rows of a stream.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let stream: RowStream

        /// Returns the next row, or `nil` after the last.
        ///
        /// - Throws: ``DatabaseError``, or `CancellationError` when the task is cancelled.
        public mutating func next() async throws -> Row? {
            try await stream.next()
        }

        /// Returns the next row, or `nil` after the last.
        ///
        /// - Throws: ``DatabaseError``, or `CancellationError` when the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Row? {
            try await stream.next()
        }
    }
}

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

extension Connection {
    /// Whether a task of this host waits for a slot of the account: close this connection if it is not needed.
    package var isWanted: Bool { slot?.admission.isWanted ?? false }
}
