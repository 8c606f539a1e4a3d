/// The sessions that hold locks for which others wait: of a table (LOCK TABLES, a transaction's use of it), a name (GET_LOCK) or
/// the whole server (FLUSH TABLES WITH READ LOCK); as far as the server tells.
///
/// MySQL, and MariaDB from 10.5, have them in the performance schema, which takes SELECT on it; MariaDB also in its plugin
/// METADATA_LOCK_INFO, which takes no privilege.
package struct LockHolders: Sendable {
    /// A lock that somebody has, or waits for.
    package struct Lock: Sendable {
        /// The session's id.
        package var session: UInt64
        /// The table, in that of the settings' database; empty for a lock of the whole server.
        package var table: String
        /// Whether others have to wait for it that only want to read or write rows.
        package var isExclusive: Bool
    }

    /// The locks that sessions hold beyond a statement, and those that exclude others and are waited for.
    package var locks: [Lock]

    /// The statements; a list of replies to them makes the holders.
    package static func statements(isMariaDB: Bool) -> [String] {
        // Headroom's own mark of a session says whose it is, and excludes nobody.
        let own = "headroom.%"
        let schema = """
            SELECT t.PROCESSLIST_ID, IF(m.OBJECT_SCHEMA = DATABASE(), COALESCE(m.OBJECT_NAME, ''), ''), \
            m.LOCK_STATUS = 'PENDING' OR m.OBJECT_TYPE IN ('GLOBAL', 'BACKUP', 'BACKUP LOCK') \
            OR m.LOCK_TYPE IN ('EXCLUSIVE', 'SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE', 'SHARED_READ_ONLY') \
            FROM performance_schema.metadata_locks AS m JOIN performance_schema.threads AS t \
            ON t.THREAD_ID = m.OWNER_THREAD_ID WHERE t.PROCESSLIST_ID IS NOT NULL \
            AND (m.LOCK_STATUS = 'GRANTED' OR m.LOCK_TYPE = 'EXCLUSIVE') AND COALESCE(m.OBJECT_NAME, '') NOT LIKE '\(own)' \
            LIMIT 100000
            """
        guard isMariaDB else { return [schema] }
        return [
            schema,
            """
            SELECT THREAD_ID, IF(TABLE_SCHEMA = DATABASE(), TABLE_NAME, ''), LOCK_MODE LIKE 'MDL_BACKUP%' \
            OR LOCK_MODE IN ('MDL_EXCLUSIVE', 'MDL_SHARED_NO_WRITE', 'MDL_SHARED_NO_READ_WRITE', 'MDL_SHARED_READ_ONLY') \
            FROM information_schema.METADATA_LOCK_INFO WHERE COALESCE(TABLE_SCHEMA, '') NOT LIKE '\(own)' LIMIT 100000
            """,
        ]
    }

    /// Reads the replies; `nil` where the server does not tell.
    ///
    /// The performance schema may be off, or not note these locks, and is empty then: the session that asks holds a lock on what it asks.
    package init?(_ replies: some Collection<Result<QueryResult, DatabaseError>>, own: UInt64) {
        var known: [Lock]?
        for (index, reply) in replies.enumerated() {
            guard let rows = try? reply.get().decode(UInt64.self, String.self, Bool.self) else { continue }
            let locks = rows.map { Lock(session: $0, table: $1, isExclusive: $2) }
            if index > 0 || locks.contains(where: { $0.session == own }) { known = (known ?? []) + locks }
        }
        guard let known else { return nil }
        locks = known.filter { $0.session != own }
    }
}

extension Connection {
    /// Runs short statements: they have ``DatabaseSettings/answerTimeout`` together, and half of it for each lock of another session.
    ///
    /// - Parameters:
    ///   - lockWait: How long to wait for a lock; half of the answer's time when `nil`.
    ///   - body: The statements; not in a transaction that has begun.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws; where a lock did not come free (1205), who has it, as far as that can be known.
    package func withinAnswerTime<Result>(lockWait: Duration? = nil, _ body: () async throws -> Result) async throws
        -> Result
    {
        try await waitingForLocks(lockWait ?? answerTimeout / 2) { try await within(answerTimeout, body) }
    }

    /// The same for statements that may take longer, once they have their locks.
    package func waitingForLocks<Result>(_ time: Duration, _ body: () async throws -> Result) async throws -> Result {
        let before = try waitForLocks(time)
        // A session that is about to close needs not be told.
        defer { if before != nil { _ = try? waitForLocks(before) } }
        do {
            return try await body()
        } catch let error as DatabaseError where error.isLockWait {
            throw (try? await within(.seconds(1)) { await withHolder(error) }) ?? error
        }
    }

    /// An error about a lock, with the sessions that have it, or wait to have it alone.
    private func withHolder(_ error: DatabaseError) async -> DatabaseError {
        let others = "SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX WHERE trx_rows_locked > 0 LIMIT 100"
        let statements = LockHolders.statements(isMariaDB: isMariaDB) + [others]
        guard let replies = try? await queryTogether(statements) else { return Self.locked(error, by: [], of: "") }
        let holders = LockHolders(replies.dropLast(), own: sessionID)
        let exclusive = holders?.locks.filter(\.isExclusive) ?? []
        if let first = exclusive.first(where: { $0.table != "" }) ?? exclusive.first {
            let sessions = exclusive.filter { $0.table == first.table }.map(\.session)
            return Self.locked(error, by: sessions, of: first.table)
        }
        let inTransaction = (try? replies.last?.get().decode(UInt64.self)) ?? []
        return Self.locked(error, by: inTransaction.filter { $0 != sessionID }, of: nil)
    }

    /// Adds to an error what is locked, and by whom; an empty table is the whole server or an unknown one, `nil` rows of one.
    private static func locked(_ error: DatabaseError, by sessions: [UInt64], of table: String?) -> DatabaseError {
        var error = error
        let what =
            switch table {
            case nil: sessions.isEmpty ? "The table is locked, or a row of it" : "A row is locked"
            case ""?: "The table is locked"
            case let table?: "The table '\(table)' is locked"
            }
        let names = Set(sessions).sorted().prefix(5).map(String.init).joined(separator: ", ")
        let who =
            sessions.isEmpty ? "by another session; which one, this account may not see" : "by session \(names)"
        error.message = "\(what), \(who): \(error.message)"
        error.advice =
            sessions.isEmpty
            ? "Look for LOCK TABLES, an ALTER TABLE, a backup or an open transaction in SHOW PROCESSLIST; then try again."
            : "Wait until it lets go, or have it ended with KILL; then try again."
        return error
    }
}
