/// What a statement gave back: its rows, if it has any, and what it changed.
public struct QueryResult: Sendable {
    /// The rows, in the server's order; empty for a statement that returns none.
    public var rows: [Row]

    /// The names of the columns; empty for a statement that returns no rows.
    public var columns: [String]

    /// The number of rows changed, as the server counts them.
    ///
    /// In `INSERT … ON DUPLICATE KEY UPDATE` a new row counts 1, a changed one 2 and an unchanged one 0 (server manual).
    public var affectedRows: Int

    /// The first automatic id that an INSERT made, 0 when it made none.
    public var lastInsertID: UInt64

    /// The server's own summary of a statement with several rows, such as `Records: 3  Duplicates: 1  Warnings: 0`.
    public var info: String?

    /// Puts together a reply and the rows that were read of it.
    init(_ reply: Reply, rows: [Row]) {
        self.rows = rows
        columns = reply.reader?.columns.names ?? []
        affectedRows = reply.summary.affectedRows
        lastInsertID = reply.summary.lastInsertID
        info = reply.summary.info
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
        try rows.map { try $0.only(type) }
    }

    /// Reads the first row's only column as a value of the given type, or returns `nil` when there is no row.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when the cell holds something else or there are more columns.
    public func first<Value: SQLDecodable>(_ type: Value.Type) throws -> Value? {
        try rows.first?.only(type)
    }

    /// Reads the first row as values of the given types, or returns `nil` when there is no row.
    ///
    /// - Throws: ``DatabaseError`` with `decodingFailed` when a cell holds something else or the number of columns differs.
    public func first<each Value: SQLDecodable>(_ types: repeat (each Value).Type) throws -> (repeat each Value)? {
        try rows.first?.decode(repeat each types)
    }
}
