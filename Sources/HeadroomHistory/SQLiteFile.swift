import CSQLite
import Glibc

/// A problem that SQLite reports, in its own words.
struct SQLiteProblem: Error, CustomStringConvertible {
    /// SQLite's result code (sqlite.org/rescode.html).
    var code: Int32
    var description: String
}

/// An open SQLite file.
///
/// Its calls block, so they belong on a thread of their own.
struct SQLiteFile: ~Copyable {
    private let handle: OpaquePointer

    /// Opens the file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - isToWrite: Whether it is made when there is none, and written to.
    /// - Throws: What SQLite reports.
    init(_ path: String, isToWrite: Bool) throws(SQLiteProblem) {
        var opened: OpaquePointer?
        let flags = isToWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_FULLMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            defer { sqlite3_close_v2(opened) }
            throw Self.problem(code, opened)
        }
        handle = opened
        sqlite3_busy_timeout(handle, 5000)
    }

    deinit { sqlite3_close_v2(handle) }

    /// Runs a statement, and leaves its rows unread.
    func run(_ sql: String, _ values: Value...) throws {
        _ = try rows(sql, values) { _ in }
    }

    /// Runs a statement, and reads its rows.
    ///
    /// - Parameters:
    ///   - sql: One statement.
    ///   - values: What its `?` stand for.
    ///   - read: Reads a row.
    /// - Returns: What was read.
    /// - Throws: What SQLite reports, and what `read` throws.
    func rows<Result>(_ sql: String, _ values: [Value] = [], read: (borrowing Row) throws -> Result) throws -> [Result]
    {
        var prepared: OpaquePointer?
        try check(sqlite3_prepare_v2(handle, sql, -1, &prepared, nil))
        guard let statement = prepared else { return [] }
        defer { sqlite3_finalize(statement) }
        for (value, index) in zip(values, Int32(1)...) { try check(value.bind(to: statement, at: index)) }
        var columns: [String: Int32] = [:]
        for index in 0..<sqlite3_column_count(statement) {
            if let name = sqlite3_column_name(statement, index) { columns[String(cString: name)] = index }
        }
        let row = Row(statement: statement, columns: columns)
        var results: [Result] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: results.append(try read(row))
            case SQLITE_DONE: return results
            case let code: throw Self.problem(code, handle)
            }
        }
    }

    /// Runs statements in a transaction: all of them or none.
    func inTransaction(_ body: () throws -> Void) throws {
        try run("BEGIN IMMEDIATE")
        do {
            try body()
            try run("COMMIT")
        } catch {
            // SQLite has rolled back by itself after some errors, such as a full disk.
            if sqlite3_get_autocommit(handle) == 0 { try? run("ROLLBACK") }
            throw error
        }
    }

    private func check(_ code: Int32) throws(SQLiteProblem) {
        guard code == SQLITE_OK else { throw Self.problem(code, handle) }
    }

    private static func problem(_ code: Int32, _ handle: OpaquePointer?) -> SQLiteProblem {
        let words = handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        return SQLiteProblem(code: code, description: "SQLite: \(words.map { String(cString: $0) } ?? "no memory")")
    }
}

extension SQLiteFile {
    /// A value of a column.
    enum Value {
        case null
        case integer(Int)
        case real(Double)
        case text(String)

        fileprivate func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
            switch self {
            case .null: return sqlite3_bind_null(statement, index)
            case .integer(let value): return sqlite3_bind_int64(statement, index, Int64(value))
            case .real(let value): return sqlite3_bind_double(statement, index, value)
            case .text(let value):
                // SQLITE_TRANSIENT, a cast that Swift does not import: SQLite copies the text.
                let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
                var value = value
                return value.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) {
                        sqlite3_bind_text(statement, index, $0.baseAddress, Int32(clamping: $0.count), copied)
                    }
                }
            }
        }
    }

    /// The row that a statement stands at.
    struct Row: ~Copyable {
        fileprivate let statement: OpaquePointer
        fileprivate let columns: [String: Int32]

        /// The value of a column.
        ///
        /// - Throws: ``SQLiteProblem`` when there is no such column: another program made the file.
        func value(_ column: String) throws(SQLiteProblem) -> Value {
            guard let index = columns[column] else { throw unexpected(column, "is missing") }
            switch sqlite3_column_type(statement, index) {
            case SQLITE_INTEGER: return .integer(Int(sqlite3_column_int64(statement, index)))
            case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, index))
            case SQLITE_NULL: return .null
            default:
                let bytes = UnsafeBufferPointer(
                    start: sqlite3_column_text(statement, index),
                    count: Int(sqlite3_column_bytes(statement, index))
                )
                return .text(String(decoding: bytes, as: UTF8.self))
            }
        }

        /// A whole number, if there is one.
        func integer(_ column: String) throws(SQLiteProblem) -> Int? {
            switch try value(column) {
            case .null: return nil
            case .integer(let value): return value
            default: throw unexpected(column, "holds no whole number")
            }
        }

        /// A number, if there is one.
        func real(_ column: String) throws(SQLiteProblem) -> Double? {
            switch try value(column) {
            case .null: return nil
            case .integer(let value): return Double(value)
            case .real(let value): return value
            case .text: throw unexpected(column, "holds no number")
            }
        }

        /// A text, if there is one.
        func text(_ column: String) throws(SQLiteProblem) -> String? {
            switch try value(column) {
            case .null: return nil
            case .text(let value): return value
            default: throw unexpected(column, "holds no text")
            }
        }

        /// What a column must hold.
        func required<Value>(_ value: Value?, _ column: String) throws(SQLiteProblem) -> Value {
            guard let value else { throw unexpected(column, "is empty") }
            return value
        }

        private func unexpected(_ column: String, _ what: String) -> SQLiteProblem {
            SQLiteProblem(code: SQLITE_MISMATCH, description: "the column \(column) \(what)")
        }
    }
}

extension SQLiteFile.Value {
    init(_ value: Int?) { self = value.map(Self.integer) ?? .null }
    init(_ value: Double?) { self = value.map(Self.real) ?? .null }
    init(_ value: String?) { self = value.map(Self.text) ?? .null }
}
