/// What a statement gave back: its rows, if it has any, and what it changed.
public struct QueryResult: Sendable {
    /// The rows, in the server's order; empty for a statement that returns none.
    public var rows: [Row]

    /// The columns; empty for a statement that returns no rows.
    public var columns: Columns

    /// The number of rows changed, as the server counts them.
    ///
    /// In `INSERT … ON DUPLICATE KEY UPDATE` a new row counts 1, a changed one 2 and an unchanged one 0 (server manual).
    public var affectedRows: Int

    /// The first automatic id that an INSERT made, 0 when it made none.
    public var lastInsertID: UInt64

    /// The server's own summary of a statement with several rows, such as `Records: 3  Duplicates: 1  Warnings: 0`.
    public var info: String?

    /// The number of warnings, which `SHOW WARNINGS` lists when it is the next statement.
    public var warnings: Int

    /// The further results with rows that a CALL has, in their order.
    public var further: [QueryResult]

    /// Puts together a reply and the rows that were read of it, all of them.
    init(_ reply: Reply, rows: [Row]) {
        self.rows = rows
        columns = reply.reader?.columns ?? Columns([])
        affectedRows = reply.summary.affectedRows
        lastInsertID = reply.summary.lastInsertID
        info = reply.summary.info
        warnings = reply.reader?.warnings ?? reply.summary.warnings
        further = reply.reader?.further ?? []
    }

    /// Puts together a further result of a CALL.
    init(_ columns: Columns, rows: [Row]) {
        self.rows = rows
        self.columns = columns
        (affectedRows, lastInsertID, warnings, further) = (0, 0, 0, [])
    }

    /// Reads every row as values of the given types, one for each column.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when a cell holds something else or the number of columns differs.
    public func decode<each Value: SQLDecodable>(_ types: repeat (each Value).Type) throws -> [(repeat each Value)] {
        try rows.map { try $0.decode(repeat each types) }
    }

    /// Reads every row's only column as values of the given type.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when a cell holds something else or there are more columns.
    public func decode<Value: SQLDecodable>(_ type: Value.Type) throws -> [Value] {
        try rows.map { try $0.decode(type) }
    }

    /// Reads the first row's only column as a value of the given type, or returns `nil` when there is no row.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when the cell holds something else or there are more columns.
    public func first<Value: SQLDecodable>(_ type: Value.Type) throws -> Value? {
        try rows.first?.decode(type)
    }

    /// Reads the first row as values of the given types, or returns `nil` when there is no row.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when a cell holds something else or the number of columns differs.
    public func first<each Value: SQLDecodable>(_ types: repeat (each Value).Type) throws -> (repeat each Value)? {
        try rows.first?.decode(repeat each types)
    }

    /// Reads every row as a value with a property for each column.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed`; see ``Row/decode(_:)``.
    @_disfavoredOverload
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> [Value] {
        try rows.map { try $0.decode(type) }
    }

    /// Reads the first row as a value with a property for each column, or returns `nil` when there is no row.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed`; see ``Row/decode(_:)``.
    @_disfavoredOverload
    public func first<Value: Decodable>(_ type: Value.Type) throws -> Value? {
        try rows.first?.decode(type)
    }
}
