public import Headroom

/// Creates the tables that are missing, and adds the columns and indexes that are missing to those that are there.
///
/// Nothing is ever dropped or rewritten. Safe to run again, and by two at once: one waits for the other.
public struct Migration: Sendable {
    /// The tables to have, those that others refer to first.
    public let tables: [Table]

    /// Creates a migration to the given tables.
    public init(_ tables: [Table]) {
        self.tables = tables
    }

    /// Adds what is missing.
    ///
    /// - Parameter database: The database to change.
    /// - Returns: What was added, such as `table meters`; empty when nothing was missing.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func run(on database: Database) async throws -> [String] {
        try await database.withConnection { connection in
            let schema = try await connection.query("SELECT COALESCE(DATABASE(), '')").first(String.self) ?? ""
            guard !schema.isEmpty else {
                throw DatabaseError(
                    .settingsMissing,
                    message: "No setting says in which database the tables belong.",
                    advice: "Set DB_DATABASE."
                )
            }
            // The server's lock, freed with the session: a second migration waits here instead of failing half way.
            let lock = "headroom.migrate.\(schema)"
            let locked = try await connection.query("SELECT COALESCE(GET_LOCK(\(lock), 5), 0)").first(Int.self)
            guard locked == 1 else {
                throw DatabaseError(
                    .statementFailed,
                    message: "Another migration of '\(schema)' has been running for 5 s.",
                    advice: "Wait for it to end, then run this one again."
                )
            }
            var added: [String] = []
            for table in tables {
                // Nobody waits longer for a table than for an answer: other statements queue up behind an ALTER that waits.
                added += try await connection.waitingForLocks(connection.answerTimeout / 2) {
                    try await complete(table, schema: schema, connection)
                }
            }
            try await connection.query("DO RELEASE_LOCK(\(lock))")
            return added
        }
    }

    private func complete(_ table: Table, schema: String, _ connection: Connection) async throws -> [String] {
        let columns =
            try await connection.query(
                """
                SELECT LOWER(COLUMN_NAME) FROM information_schema.COLUMNS
                WHERE TABLE_SCHEMA = \(schema) AND TABLE_NAME = \(table.name)
                """,
                timeout: connection.answerTimeout
            )
            .decode(String.self)
        guard !columns.isEmpty else {
            try await connection.query(SQL(raw: table.creation))
            return ["table \(table.name)"]
        }
        let indexes =
            try await connection.query(
                """
                SELECT DISTINCT LOWER(INDEX_NAME) FROM information_schema.STATISTICS
                WHERE TABLE_SCHEMA = \(schema) AND TABLE_NAME = \(table.name)
                """,
                timeout: connection.answerTimeout
            )
            .decode(String.self)
        let additions = table.additions(columns: Set(columns), indexes: Set(indexes))
        for addition in additions { try await connection.query(SQL(raw: addition.sql)) }
        return additions.map(\.what)
    }
}
