import Headroom

/// A statement of a look at an account, and how its reply is read.
struct AccountQuery<Answer> {
    typealias Reply = Result<QueryResult, DatabaseError>

    let sql: String
    let answer: (Reply) throws -> Answer

    init(_ sql: String, _ answer: @escaping (Reply) throws -> Answer) {
        self.sql = sql
        self.answer = answer
    }
}

/// Statements that are sent together.
struct AccountBatch {
    typealias Replies = [Result<QueryResult, DatabaseError>]

    private(set) var statements: [String] = []

    /// Adds a statement whose reply says nothing.
    mutating func add(_ sql: String) { statements.append(sql) }

    /// Adds the statements that ask who holds locks; returns what reads their replies.
    mutating func addLocks(isMariaDB: Bool, own: UInt64) -> (Replies) -> Set<UInt64>? {
        let locks = LockHolders.statements(isMariaDB: isMariaDB)
        let places = statements.count..<statements.count + locks.count
        statements += locks
        return { LockHolders($0[places], own: own).map { Set($0.locks.map(\.session)) } }
    }

    /// Adds a query; returns what reads its reply among those of the batch.
    mutating func add<Answer>(_ query: AccountQuery<Answer>) -> (Replies) throws -> Answer {
        let place = statements.count
        statements.append(query.sql)
        return { try query.answer($0[place]) }
    }
}

extension AccountQuery<AccountOptions> {
    /// The account's resource options.
    ///
    /// MariaDB prints them with the grants, MySQL 8 only with the account; one's own needs no privilege.
    static func options(isMariaDB: Bool) -> Self {
        Self(isMariaDB ? "SHOW GRANTS FOR CURRENT_USER()" : "SHOW CREATE USER CURRENT_USER()") { reply in
            let lines = ((try? reply.get())?.rows ?? []).lazy.compactMap { try? $0.decode(String.self, at: 0) }
            return AccountOptions(grants: lines.first { $0.holds("MAX_") } ?? "")
        }
    }
}

extension AccountQuery<(account: String, inForce: Int, global: Int, server: Int)?> {
    /// The account's name, and the server's variables for its limit.
    static var limits: Self {
        Self(
            """
            SELECT CURRENT_USER(), @@session.max_user_connections, @@global.max_user_connections, \
            @@global.max_connections
            """
        ) { try $0.get().first(String.self, Int.self, Int.self, Int.self) }
    }
}

extension AccountQuery<(sessions: Set<UInt64>, knowledge: TransactionKnowledge)> {
    /// The sessions inside a transaction, and whether that is known; asked from inside one of our own.
    ///
    /// The proof that the list of transactions is new: our own is in it, with the very statement that asks. The server makes a
    /// new list only when nobody has read the last one for 0.1 s (InnoDB's trx0i_s.cc; measured), else it shows that, for as
    /// long as somebody keeps reading.
    static func transactions(own: UInt64) -> Self {
        let mark = UInt64.random(in: 1 ... .max)
        return Self("SELECT trx_mysql_thread_id, trx_query LIKE '%look \(mark)%' FROM information_schema.INNODB_TRX") {
            switch $0 {
            case .failure(let error):
                // 1227: it takes the PROCESS privilege.
                return ([], error.serverCode == 1227 ? .noPrivilege : .unavailable)
            case .success(let result):
                let transactions = try result.decode(UInt64.self, Bool?.self)
                let isNew = transactions.contains { $0 == own && $1 == true }
                return (Set(transactions.map(\.0)), isNew ? .known : .stale)
            }
        }
    }
}

extension AccountQuery<[UInt64: (name: String?, processID: Int?)]> {
    /// What the clients said of themselves, by session; empty where the server keeps no such record.
    static var programs: Self {
        Self(
            """
            SELECT PROCESSLIST_ID, ATTR_NAME = '_pid', ATTR_VALUE FROM performance_schema.session_account_connect_attrs \
            WHERE ATTR_NAME IN ('program_name', '_pid')
            """
        ) { reply in
            let rows = (try? reply.get())?.rows ?? []
            var programs: Answer = [:]
            programs.reserveCapacity(rows.count / 2)
            for row in rows {
                guard let id = row.number(at: 0) else { continue }
                if row.number(at: 1) == 1 {
                    programs[id, default: (nil, nil)].processID = row.number(at: 2).map { Int(clamping: $0) }
                } else {
                    programs[id, default: (nil, nil)].name = row.text(at: 2)
                }
            }
            return programs
        }
    }
}

extension AccountQuery<[String: Int]> {
    /// The server's own numbers, which it has at hand; asked for as GLOBAL it first adds up every session's.
    static var status: Self {
        Self(
            """
            SHOW SESSION STATUS WHERE Variable_name IN ('Threads_connected', 'Max_used_connections', 'Uptime', \
            'Connection_errors_max_connections')
            """
        ) { reply in
            let rows = ((try? reply.get())?.rows ?? []).compactMap { try? $0.decode(String.self, Int.self) }
            return Dictionary(rows) { $1 }
        }
    }
}

extension AccountQuery<[String]?> {
    /// The patterns of hosts of all rows of the user; `nil` where they may not be read, as few may.
    static var patterns: Self {
        Self("SELECT HOST FROM mysql.user WHERE USER = \(currentUser)") { reply in
            (try? reply.get())?.rows.map { $0.text(at: 0) ?? "" }
        }
    }
}

/// The user's name, which may hold an `@`.
private let currentUser = """
    LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1)
    """

extension AccountQuery<[Session]> {
    /// The sessions, without what the other queries know of them.
    ///
    /// - Parameters:
    ///   - own: The session that asks.
    ///   - isOfAllAccounts: Whether those of all accounts are asked for; without the PROCESS privilege the server shows only
    ///     our own.
    ///   - isMariaDB: Whether the server is a MariaDB.
    ///   - avoidsPerformanceSchema: Whether MySQL's performance schema has no list of sessions, so that the older one is asked.
    /// - Returns: The query.
    static func sessions(own: UInt64, isOfAllAccounts: Bool, isMariaDB: Bool, avoidsPerformanceSchema: Bool) -> Self {
        // MySQL would rather be asked in the performance schema, but that may be off, and is empty then.
        let table =
            isMariaDB || avoidsPerformanceSchema ? "information_schema.PROCESSLIST" : "performance_schema.processlist"
        let numbers = isMariaDB ? "TIME_MS * 1000, QUERY_ID" : "TIME * 1000000, NULL"
        return Self(
            """
            SELECT ID, USER, HOST, DB, COMMAND, \(numbers) FROM \(table) \
            WHERE \(isOfAllAccounts ? "TRUE" : "USER = \(currentUser)")
            """
        ) { reply in
            try reply.get().rows
                .compactMap { row in
                    row.number(at: 0)
                        .map { id in
                            Session(
                                id: id,
                                user: row.text(at: 1) ?? "",
                                host: row.text(at: 2) ?? "",
                                database: row.text(at: 3),
                                command: row.text(at: 4) ?? "",
                                // Below zero only when the server's clock has been set back.
                                duration: .microseconds(Int64(clamping: row.number(at: 5) ?? 0)),
                                isOwn: id == own,
                                queryID: row.number(at: 6)
                            )
                        }
                }
        }
    }
}
