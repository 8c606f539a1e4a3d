import Headroom

/// What is asked of the server to look at an account: a few statements, sent together.
struct AccountLook {
    let isMariaDB: Bool

    /// Whether the sessions of all accounts are asked for; without the PROCESS privilege the server shows only our own.
    var isOfAllAccounts = false

    /// Whether MySQL's performance schema has no list of sessions, so that the older one is asked for.
    var avoidsPerformanceSchema = false

    /// Marks this look's statement among all others.
    private let mark = UInt64.random(in: 1 ... .max)

    init(isMariaDB: Bool, isOfAllAccounts: Bool = false) {
        self.isMariaDB = isMariaDB
        self.isOfAllAccounts = isOfAllAccounts
    }

    /// The statements; ``AccountAnswers`` takes their replies in this order.
    var statements: [String] {
        [
            // MariaDB prints the options with the grants, MySQL 8 only with the account; one's own needs no privilege.
            isMariaDB ? "SHOW GRANTS FOR CURRENT_USER()" : "SHOW CREATE USER CURRENT_USER()",
            """
            SELECT CURRENT_USER(), @@session.max_user_connections, @@global.max_user_connections, \
            @@global.max_connections
            """,
            // The proof that the list of transactions is new: our own is in it, with the very statement that asks. The server
            // makes a new list only when nobody has read the last one for 0.1 s (InnoDB's trx0i_s.cc; measured), else it
            // shows that, for as long as somebody keeps reading.
            "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            "SELECT trx_mysql_thread_id, trx_query LIKE '%look \(mark)%' FROM information_schema.INNODB_TRX",
            "COMMIT",
            """
            SELECT PROCESSLIST_ID, ATTR_NAME = '_pid', ATTR_VALUE FROM performance_schema.session_account_connect_attrs \
            WHERE ATTR_NAME IN ('program_name', '_pid')
            """,
            // The server's own numbers, which it has at hand; asked for as GLOBAL it first adds up every session's.
            """
            SHOW SESSION STATUS WHERE Variable_name IN ('Threads_connected', 'Max_used_connections', 'Uptime', \
            'Connection_errors_max_connections')
            """,
            // Few may read it; who may knows all rows of the user.
            "SELECT HOST FROM mysql.user WHERE USER = \(Self.user)",
        ]
            + LockHolders.statements(isMariaDB: isMariaDB)
            // After transactions and locks: who has slept since before their lists were made is in them, if anywhere.
            + ["\(sessions) WHERE \(isOfAllAccounts ? "TRUE" : "USER = \(Self.user)")"]
    }

    private var sessions: String {
        let columns = "SELECT ID, USER, HOST, DB, COMMAND"
        if isMariaDB { return "\(columns), TIME_MS * 1000, QUERY_ID FROM information_schema.PROCESSLIST" }
        // MySQL would rather be asked in the performance schema, but that may be off, and is empty then.
        let table = avoidsPerformanceSchema ? "information_schema.PROCESSLIST" : "performance_schema.processlist"
        return "\(columns), TIME * 1000000, NULL FROM \(table)"
    }

    /// The user's name, which may hold an `@`.
    private static let user = """
        LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1)
        """
}
