import Headroom

extension Connection {
    /// The account's resource options; those that this server does not show count as none.
    func accountOptions() async throws -> AccountOptions {
        // MariaDB prints the options with the grants, MySQL 8 only with the account; one's own needs no privilege.
        let statement: SQL = isMariaDB ? "SHOW GRANTS FOR CURRENT_USER()" : "SHOW CREATE USER CURRENT_USER()"
        do {
            let lines = try await query(statement).decode(String.self)
            return AccountOptions(grants: lines.first { $0.contains("MAX_") } ?? "")
        } catch let error as DatabaseError where error.code == .statementFailed {
            return AccountOptions()
        }
    }

    /// The account's name and the limit in force.
    func accountLimit() async throws -> (account: String, limit: AccountLimit) {
        let options = try await accountOptions()
        let variables = try await query(
            """
            SELECT CURRENT_USER(), @@session.max_user_connections, @@global.max_user_connections,
                   @@global.max_connections
            """
        )
        .first(String.self, Int.self, Int.self, Int.self)
        guard let (account, inForce, global, server) = variables else {
            return ("", AccountLimit(value: nil, source: .unknown))
        }
        return (
            account,
            .inForce(inForce, option: options.connections, global: global, server: server)
        )
    }

    /// The account's sessions, the longest idle first.
    func sessions() async throws -> [Session] {
        let attributes = try await connectAttributes()
        let transactions = try await sessionsInTransactions()
        let own = sessionID
        // One account is one row of user and host pattern. Without the PROCESS privilege the server shows no others
        // anyway; with it the list is cut down to those that count together.
        // MySQL would rather be asked in the performance schema, but that may be off, and is empty then.
        let list: SQL =
            isMariaDB
            ? """
            SELECT ID, USER, HOST, DB, COMMAND, TIME_MS / 1000 FROM information_schema.PROCESSLIST
            """
            : """
            SELECT ID, USER, HOST, DB, COMMAND, TIME FROM information_schema.PROCESSLIST
            """
        let rows = try await query(
            """
            \(list)
            WHERE USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
              AND SUBSTRING_INDEX(HOST, ':', 1) LIKE SUBSTRING_INDEX(CURRENT_USER(), '@', -1)
            """
        )
        .decode(UInt64.self, String.self, String.self, String?.self, String.self, Double?.self)
        let sessions = rows.map { id, user, host, database, command, seconds in
            Session(
                id: id,
                user: user,
                host: host,
                database: database,
                command: command,
                duration: .seconds(max(0, seconds ?? 0)),
                inTransaction: id == own ? false : transactions.map { $0.contains(id) },
                program: attributes[id]?.program,
                processID: attributes[id]?.processID,
                isOwn: id == own
            )
        }
        return sessions.sorted { ($0.isSleeping ? 1 : 0, $0.duration) > ($1.isSleeping ? 1 : 0, $1.duration) }
    }

    /// What the clients said of themselves; empty where the server keeps no such record.
    private func connectAttributes() async throws -> [UInt64: (program: String?, processID: Int?)] {
        do {
            let rows = try await query(
                """
                SELECT PROCESSLIST_ID, ATTR_NAME, ATTR_VALUE FROM performance_schema.session_account_connect_attrs
                WHERE ATTR_NAME IN ('program_name', '_pid')
                """
            )
            .decode(UInt64.self, String.self, String?.self)
            var attributes: [UInt64: (program: String?, processID: Int?)] = [:]
            for (id, name, value) in rows {
                if name == "_pid" {
                    attributes[id, default: (nil, nil)].processID = value.flatMap(Int.init)
                } else {
                    attributes[id, default: (nil, nil)].program = value
                }
            }
            return attributes
        } catch let error as DatabaseError where error.code == .statementFailed {
            return [:]
        }
    }

    /// The sessions inside a transaction, or `nil` when the account may not know (it lacks the PROCESS privilege).
    private func sessionsInTransactions() async throws -> Set<UInt64>? {
        do {
            return Set(
                try await query("SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX").decode(UInt64.self)
            )
        } catch let error as DatabaseError where error.code == .statementFailed {
            return nil
        }
    }
}
