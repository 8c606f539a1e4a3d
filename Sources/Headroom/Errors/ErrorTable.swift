import CLibrary

/// What trying again can do about an error.
package enum Retry: String, Sendable, CaseIterable {
    /// Nothing, until a person changes something.
    case never
    /// It may pass by itself.
    case later
    /// The transaction was undone, and may be run again at once, as a whole.
    case transaction
    /// Another node may do at once, where DB_HOST lists several; the same one later.
    case otherNode = "other node"
}

/// What every error means, what to do about it, and what trying again can do: the one place that says so.
///
/// Messages, `headroom help errors`, `docs/errors.md` and every decision to try again come from here. In the texts `{place}`,
/// `{user}`, `{database}`, `{limit}`, `{resource}` and `{text}`, the server's own words, stand for what a message fills in.
package enum ErrorTable {
    /// Where errors come from.
    package enum Stage: Sendable {
        /// This host: settings, files, slots, or a server that we do not trust.
        case host
        /// The way to the server, or its door.
        case connect
        /// A limit on connections, whichever it is.
        case limit
        /// A session that is open.
        case session
    }

    /// A kind of error.
    package struct Kind: Sendable {
        package var code: DatabaseError.Code
        package var stage: Stage
        package var retry: Retry
        package var meaning: String
        package var cure: String

        fileprivate init(
            _ code: DatabaseError.Code,
            _ stage: Stage,
            _ retry: Retry,
            _ meaning: String,
            _ cure: String
        ) {
            self.code = code
            self.stage = stage
            self.retry = retry
            self.meaning = meaning
            self.cure = cure
        }
    }

    /// An error number of the server (1000 and up), of the client library (2000 to 2099) or of its MariaDB part (5000 and up).
    package struct Number: Sendable {
        package var number: Int
        /// The kind; ``DatabaseError/Code/statementFailed`` has the server's own words for its message.
        package var code: DatabaseError.Code
        package var retry: Retry
        /// Empty where the kind's says it all.
        package var meaning: String
        package var cure: String
        /// Whether it comes before the login is through.
        package var isOfLogin: Bool
        /// One of these stands in the server's words; empty where any words do.
        package var words: [String]

        fileprivate static func login(
            _ number: Int,
            _ code: DatabaseError.Code,
            retry: Retry? = nil,
            _ meaning: String = "",
            _ cure: String = "",
            words: [String] = []
        ) -> Number {
            row(number, code, retry, meaning, cure, isOfLogin: true, words)
        }

        /// One of an open session.
        fileprivate static func statement(
            _ number: Int,
            _ code: DatabaseError.Code,
            retry: Retry? = nil,
            _ meaning: String = "",
            _ cure: String = "",
            words: [String] = []
        ) -> Number {
            row(number, code, retry, meaning, cure, isOfLogin: false, words)
        }

        /// A statement that the server refused for a reason that is not in this table.
        fileprivate static func refused(
            _ number: Int,
            retry: Retry? = nil,
            _ cure: String,
            words: [String] = []
        ) -> Number {
            row(number, .statementFailed, retry, "", cure, isOfLogin: false, words)
        }

        private static func row(
            _ number: Int,
            _ code: DatabaseError.Code,
            _ retry: Retry?,
            _ meaning: String,
            _ cure: String,
            isOfLogin: Bool,
            _ words: [String]
        ) -> Number {
            let kind = ErrorTable.kind(code)
            return Number(
                number: number,
                code: code,
                retry: retry ?? kind.retry,
                meaning: meaning,
                cure: cure.isEmpty ? kind.cure : cure,
                isOfLogin: isOfLogin,
                words: words
            )
        }
    }

    /// The kind with a code.
    package static func kind(_ code: DatabaseError.Code) -> Kind {
        // Every code has its row: a test holds the table to that.
        kinds.first { $0.code == code } ?? Kind(code, .host, .never, "An error of no known kind.", "See its message.")
    }

    /// The row of a number; `nil` for one that is not in the table.
    package static func number(
        _ number: Int,
        isOfLogin: Bool,
        text: String,
        code: DatabaseError.Code? = nil
    ) -> Number? {
        numbers.first { row in
            row.number == number && row.isOfLogin == isOfLogin && (code == nil || row.code == code)
                && (row.words.isEmpty || row.words.contains { text.holds($0) })
        }
    }

    /// What trying again can do about an error with a code and a number.
    package static func retry(_ code: DatabaseError.Code, number: Int?) -> Retry {
        numbers.first { $0.number == number && $0.code == code }?.retry ?? kind(code).retry
    }

    // MARK: Kinds

    package static let kinds: [Kind] = [
        Kind(
            .settingsMissing,
            .host,
            .never,
            "Nothing says where the database is, or who logs in.",
            "Set DB_SOCKET or DB_HOST, DB_USERNAME and DB_PASSWORD; 'headroom config show' says what was found."
        ),
        Kind(
            .settingsInvalid,
            .host,
            .never,
            "A setting cannot be used, contradicts another, or is none.",
            "The message names it, with the file and line; 'headroom config list' has what it may be."
        ),
        Kind(
            .stateFolderUnusable,
            .host,
            .never,
            "The folder in which the programs of the host share the budget cannot be used.",
            "Let the user into the folder's group, or name another with HEADROOM_STATE_DIR: the same one for all users."
        ),
        Kind(
            .accountUnknown,
            .host,
            .never,
            "No program of this host has logged in to the account yet, so nothing is known of its slots.",
            "Nobody holds one. If somebody should: look for another HEADROOM_STATE_DIR or another way to the server."
        ),
        Kind(
            .budgetExhausted,
            .host,
            .later,
            "No slot came free within HEADROOM_WAIT_TIMEOUT.",
            "'headroom slots' says who holds them and for how long. Hold connections for less long, or raise the limit."
        ),
        Kind(
            .hostExhausted,
            .host,
            .later,
            "The host gives the program no further thread, descriptor or memory.",
            "End other programs of this user, or raise its limits: 'ulimit -u' for threads, 'ulimit -n' for descriptors."
        ),
        Kind(
            .lockTaken,
            .host,
            .later,
            "Another process of this host has the lock: a second worker, guard or 'headroom run --lock'.",
            "The message says which process. Let it end, or wait with --wait."
        ),
        Kind(
            .hostNotFound,
            .connect,
            .otherNode,
            "The host of {place} has no address.",
            "Check DB_HOST, and that this machine's name resolution works."
        ),
        Kind(
            .serverUnreachable,
            .connect,
            .otherNode,
            "No database server answers at {place}.",
            "Check that the server runs and that the address is right (DB_HOST and DB_PORT, or DB_SOCKET)."
        ),
        Kind(
            .socketNotFound,
            .connect,
            .otherNode,
            "There is no database server socket at {place}.",
            "Check that the server runs on this machine, and DB_SOCKET; or connect over TCP with DB_HOST=127.0.0.1."
        ),
        Kind(
            .socketNotPermitted,
            .connect,
            .never,
            "This user may not use the database server's socket {place}: permission denied.",
            "Check the rights on the socket and on every folder above it; or connect over TCP with DB_HOST=127.0.0.1."
        ),
        Kind(
            .connectTimedOut,
            .connect,
            .otherNode,
            "The server at {place} did not answer in time (HEADROOM_CONNECT_TIMEOUT).",
            "Check the address, that no firewall is in between, and that the server is not overloaded."
        ),
        Kind(
            .connectFailed,
            .connect,
            .never,
            "No connection to {place}: {text}",
            "The server's own words are above; who runs the server knows what they mean there."
        ),
        Kind(
            .tlsFailed,
            .connect,
            .never,
            "No encrypted connection to {place}: {text}.",
            "Check HEADROOM_TLS_MODE and HEADROOM_TLS_CA; verify_identity needs the host's name in the certificate."
        ),
        Kind(
            .serverNotTrusted,
            .host,
            .never,
            "The server asks for the password itself and shows another key than the one remembered or pinned; the password was not sent.",
            "Ask who runs the server. If it was set up anew: 'headroom trust HOST:PORT'. Trying again does not help."
        ),
        Kind(
            .accessDenied,
            .connect,
            .never,
            "The server at {place} does not accept the user name '{user}' with this password, or not from this host.",
            "Check DB_USERNAME and DB_PASSWORD, and that the account may log in from this host."
        ),
        Kind(
            .accountLocked,
            .connect,
            .never,
            "The account '{user}' is locked, or its password has expired.",
            "An administrator can open it with ALTER USER; trying again keeps it locked."
        ),
        Kind(
            .databaseUnknown,
            .connect,
            .never,
            "There is no database '{database}' on the server at {place}.",
            "Check DB_DATABASE, or create the database."
        ),
        Kind(
            .databaseDenied,
            .connect,
            .never,
            "The account '{user}' may not use the database '{database}'.",
            "Check DB_DATABASE, or have the account granted rights on it."
        ),
        Kind(
            .accountLimitReached,
            .limit,
            .later,
            "The account '{user}' has all its connections in use: its limit is {limit}.",
            "'headroom rescue' says who holds them and frees one ('headroom help locked-out'); 'headroom status' works once one is free."
        ),
        Kind(
            .userLimitReached,
            .limit,
            .later,
            "The user '{user}' has all the connections that the server allows one user (max_user_connections).",
            "'headroom rescue' says who holds them and frees one ('headroom help locked-out'); 'headroom status' works once one is free."
        ),
        Kind(
            .serverLimitReached,
            .limit,
            .otherNode,
            "The database server at {place} is full: all of its connections are in use, by all accounts together (max_connections).",
            "It is not this account's fault: wait, or ask the server's administrator; extra_port or admin_port still let one in."
        ),
        Kind(
            .hourlyLimitReached,
            .limit,
            .never,
            "The account '{user}' has used up its hourly limit {resource} of {limit}.",
            "Trying again does not help before the hour is over; an administrator can end it with FLUSH USER_RESOURCES."
        ),
        Kind(
            .hostBlocked,
            .limit,
            .never,
            "The database server at {place} has blocked this host after too many broken connections.",
            "An administrator lifts the block with FLUSH HOSTS; the socket, on the server's own host, is not blocked."
        ),
        Kind(
            .connectionLost,
            .session,
            .otherNode,
            "The server has ended this connection, or the network has. Whether a COMMIT under way took effect is not known.",
            "Run the scope again, where that does no harm. If it happens often, find out who ends it, or raise HEADROOM_IDLE_TIMEOUT."
        ),
        Kind(
            .connectionSpent,
            .session,
            .never,
            "The connection was ended because an earlier statement was given up, or its scope or transaction is over.",
            "Leave the scope and open another; do not catch the first error and go on."
        ),
        Kind(
            .replyTooLarge,
            .session,
            .never,
            "The server sent more in one reply than is kept (64 MiB, 10,000 results); the connection was ended.",
            "Ask for less at once, or read the rows one by one with stream. Of a small statement: check that it is the right server."
        ),
        Kind(
            .connectionBusy,
            .session,
            .never,
            "Another statement of the same connection is still under way.",
            "A connection has one statement at a time, and a transaction belongs to its body: await each before the next."
        ),
        Kind(
            .streamInterrupted,
            .session,
            .never,
            "A stream's rows were passed over, because another statement of its connection came between.",
            "Read the stream to its end first, or use a second connection."
        ),
        Kind(
            .transactionLost,
            .session,
            .transaction,
            "The server ended a transaction before its COMMIT; nothing of it was sent after that. Another node's commit undoes all of it; a statement that commits by itself keeps what came before.",
            "Run it again where that does no harm. If it happens each time, a statement in it commits by itself, as CREATE and ALTER do."
        ),
        Kind(
            .transactionOpen,
            .session,
            .never,
            "A transaction was to begin where one begun by hand is open, or where autocommit was turned off by hand.",
            "Begin it with withTransaction, which may be nested, and leave autocommit on."
        ),
        Kind(
            .commitUnknown,
            .session,
            .later,
            "The connection was lost at a COMMIT, which may have taken effect.",
            "See whether what it was to store is there before it is run again."
        ),
        Kind(
            .deadlineExceeded,
            .session,
            .never,
            "The statement's or the scope's deadline passed; the statement was ended on the server.",
            "Give it more time, or find out what it waits for."
        ),
        Kind(
            .statementFailed,
            .session,
            .never,
            "The server refused a statement: {text}",
            "The server's own words are above: change the statement or its values."
        ),
        Kind(
            .decodingFailed,
            .session,
            .never,
            "A value has another type, or a row another number of columns, than the program asked for.",
            "Compare the statement's columns with the types in decode."
        ),
        Kind(
            .encodingFailed,
            .session,
            .never,
            "A value to bind is none that a server can store, such as NaN; nothing was sent.",
            "Bind another value, or nil for NULL."
        ),
    ]

    /// Kinds after which it is not known what was left behind: only what may run twice may be run again.
    static let leavesDoubt: Set<DatabaseError.Code> = [.connectionLost, .transactionLost, .commitUnknown]

    // MARK: Numbers

    /// The tables that `headroom migrate` makes, as the server writes them behind the database's name.
    private static let ownTables = [".headroom_", ".import_jobs'", ".meter_readings'", ".meters'"]

    private static let expired = "The password of the account '{user}' has expired."
    private static let expiredInside =
        "The account's password has expired; the server takes no statement before a new one is set."
    private static let renew =
        "Log in with the server's own client and set a new one (MariaDB: SET PASSWORD = PASSWORD('...'); MySQL: ALTER USER USER() "
        + "IDENTIFIED BY '...'), then set DB_PASSWORD to it; or ask an administrator."
    private static let locked = "The account '{user}' is locked."
    private static let unlock =
        "An administrator opens it with ALTER USER ... ACCOUNT UNLOCK; trying again does not help before that."
    private static let grant = "Have the account granted the right that the message names."
    private static let noRoom = "The server has no room left: free some of its disk or memory; what waits goes on then."
    private static let readOnly = "The server takes no writes: is it a replica, or about to be stopped?"
    private static let tooLong = "Shorten the value, or widen the column that the message names."
    private static let ended = "The server at {place} ended the connection before the login was through."
    private static let nodes = "Run the scope again: where DB_HOST lists the nodes, another one takes it."

    package static let numbers: [Number] = [
        // The login: limits first.
        .login(1040, .serverLimitReached),
        .login(1203, .userLimitReached),
        .login(1226, .accountLimitReached, words: ["max_user_connections"]),
        .login(1226, .hourlyLimitReached),
        .login(
            1226,
            .accountLocked,
            "The account '{user}' may open no connection: its {resource} is {limit}.",
            "An administrator can change that with ALTER USER ... WITH MAX_USER_CONNECTIONS."
        ),
        .login(1129, .hostBlocked),
        .login(1044, .databaseDenied),
        .login(1045, .accessDenied),
        .login(1698, .accessDenied),
        .login(
            1130,
            .accessDenied,
            "The server at {place} lets nobody in from this host.",
            "The account must be created for this host, or the connection made from another one."
        ),
        .login(1049, .databaseUnknown),
        .login(1820, .accountLocked, expired, renew),
        .login(1862, .accountLocked, expired, renew),
        .login(3118, .accountLocked, locked, unlock),
        .login(4151, .accountLocked, locked, unlock),
        .login(
            3955,
            .accountLocked,
            "The account '{user}' is blocked after wrong passwords: {text}",
            "Correct the wrong DB_PASSWORD that somebody keeps trying. The block ends as the server's words say, or at once when an "
                + "administrator runs ALTER USER ... ACCOUNT UNLOCK."
        ),
        .login(
            4150,
            .accountLocked,
            "The account '{user}' is blocked after too many wrong passwords.",
            "An administrator lifts it with FLUSH PRIVILEGES; trying again keeps it blocked."
        ),
        .login(
            3032,
            .connectFailed,
            retry: .otherNode,
            "The server at {place} is in offline mode, and lets administrators in only.",
            "Wait until its administrator has ended that (SET GLOBAL offline_mode = OFF)."
        ),
        .login(
            3159,
            .tlsFailed,
            "The server at {place} lets nobody in without encryption.",
            "Set HEADROOM_TLS_MODE=required, or better verify_identity with HEADROOM_TLS_CA."
        ),
        .login(
            1047,
            .serverUnreachable,
            "{place} has lost the other nodes of its cluster, and takes no statements.",
            "Check that most nodes of the cluster run and reach each other.",
            words: ["WSREP"]
        ),
        .login(1053, .serverUnreachable, "The server at {place} is about to stop.", "Wait until it has started again."),
        .login(
            1135,
            .connectFailed,
            retry: .otherNode,
            "The server at {place} has no thread or memory left for another connection: {text}.",
            "Wait, or have its administrator raise the limits of its host (TasksMax of its unit, memory)."
        ),
        .login(1158, .serverUnreachable, ended),
        .login(1159, .serverUnreachable, ended),
        .login(1160, .serverUnreachable, ended),
        .login(1161, .serverUnreachable, ended),
        .login(1927, .serverUnreachable, ended),
        .login(2001, .hostExhausted),
        .login(2002, .serverUnreachable),
        .login(2003, .serverUnreachable),
        .login(2004, .hostExhausted),
        .login(2005, .hostNotFound),
        .login(2006, .serverUnreachable, ended),
        .login(2008, .hostExhausted),
        .login(2013, .connectTimedOut, words: ["\(ETIMEDOUT)"]),
        .login(2013, .serverUnreachable, ended),
        .login(2026, .tlsFailed),
        .login(2055, .serverUnreachable, ended),
        .login(
            2059,
            .connectFailed,
            "The server at {place} asks for a way to log in that the client library does not have: {text}.",
            "Have the account use mysql_native_password, caching_sha2_password or ed25519, or install the library's plugin."
        ),
        .login(
            5010,
            .serverNotTrusted,
            // The library's own text names the wrong method.
            "The server at {place} asks for a way to log in that sends the password as it is, or that is not known; it was not sent.",
            "An account that needs it (PAM) can use a unix socket, or mysql_clear_password with HEADROOM_TLS_MODE=verify_identity."
        ),

        // The end of a session.
        .statement(1053, .connectionLost, "The server is about to stop, and has ended this connection."),
        .statement(
            1184,
            .connectionLost,
            retry: .never,
            "The server's init_connect failed for this account, and the server ends each of its sessions: {text}.",
            "Have the server's administrator mend init_connect."
        ),
        .statement(1820, .accountLocked, expiredInside, renew),
        .statement(1862, .accountLocked, expiredInside, renew),
        .statement(1927, .connectionLost, "Somebody has ended this connection with KILL."),
        .statement(
            4031,
            .connectionLost,
            "The server has ended this connection, which was idle for too long (wait_timeout)."
        ),
        .statement(2006, .connectionLost),
        .statement(2013, .connectionLost),
        // At a login it means TLS; on an open connection it is how a killed session shows over TLS.
        .statement(2026, .connectionLost),
        .statement(2055, .connectionLost),
        .statement(
            2020,
            .connectionLost,
            retry: .never,
            "The server has ended this connection over a statement that is larger than it takes (max_allowed_packet).",
            "Send less at once, or have the server's max_allowed_packet raised; sent again it ends the next connection too."
        ),
        .statement(
            1047,
            .connectionLost,
            "The node has lost the other nodes of its cluster, and takes no statements.",
            nodes,
            words: ["WSREP"]
        ),
        // The words are the server's for any commit that a cluster did not take (its `wsrep_override_error`), also where no
        // fragment was sent; whether it has taken effect is not known.
        .statement(
            1180,
            .connectionLost,
            "The node has lost the other nodes of its cluster at a COMMIT.",
            nodes,
            words: ["replication fragment"]
        ),
        .statement(1226, .hourlyLimitReached, "The account has used up its hourly limit {resource} of {limit}."),
        .statement(1969, .deadlineExceeded, "The server ended the statement at its time limit (max_statement_time)."),
        .statement(3024, .deadlineExceeded, "The server ended the statement at its time limit (max_execution_time)."),
        .statement(
            2027,
            .statementFailed,
            "The server's reply is none that a MySQL or MariaDB server sends.",
            "See whether this is the right server."
        ),

        // Statements that may be run again.
        .refused(
            1205,
            retry: .transaction,
            "Another session had the rows locked for too long: run the whole transaction again."
        ),
        .refused(
            1213,
            retry: .transaction,
            "The transaction lost against another and was undone: run the whole transaction again."
        ),
        .refused(1021, retry: .later, noRoom),
        .refused(1030, retry: .later, noRoom),
        .refused(1041, retry: .later, noRoom),
        .refused(1114, retry: .later, noRoom),
        .refused(1290, retry: .later, readOnly, words: ["read-only", "read_only"]),
        .refused(
            1290,
            retry: .later,
            "The server runs with an option that forbids this: its administrator can change it."
        ),
        .refused(1836, retry: .later, readOnly),
        .refused(
            1317,
            retry: .later,
            "Somebody has ended the statement (KILL QUERY): run it again if it still counts."
        ),

        // Statements that must change first.
        .refused(1044, grant),
        .refused(1142, grant),
        .refused(1143, grant),
        .refused(1227, grant),
        .refused(1370, grant),
        .refused(1095, "Ending another account's session takes CONNECTION ADMIN (MySQL: CONNECTION_ADMIN)."),
        .refused(1979, "Ending another account's session takes CONNECTION ADMIN."),
        .refused(1094, "The session has gone by itself: nothing is left to do."),
        .refused(1046, "Set DB_DATABASE, or write the database in front of the table's name."),
        .refused(1049, "Check the database's name in the statement, or create it."),
        .refused(
            1054,
            "Compare the statement with the table's columns (SHOW CREATE TABLE); 'headroom migrate' adds those of Headroom's own tables."
        ),
        .refused(1062, "A row with this key is there already: change the value, or say ON DUPLICATE KEY UPDATE."),
        .refused(1064, "The statement is written wrong where the message begins to quote it."),
        .refused(
            1146,
            "Create Headroom's tables with 'headroom migrate', or check DB_DATABASE: it may be another one.",
            words: ownTables
        ),
        .refused(1146, "Create the table, which is the application's, or check DB_DATABASE: it may be another one."),
        .refused(1153, "Send less at once, or have the server's max_allowed_packet raised."),
        .refused(1193, "This server, or this version of it, has no such variable."),
        .refused(1264, "The number is out of the column's range: correct the value, or widen the column."),
        .refused(1265, "The value does not fit the column's type: correct it, or change the column."),
        .refused(1292, "The text is no value of the type that is asked for: correct it, such as a date or a number."),
        .refused(1305, "Create the procedure, function or savepoint, or check its name and DB_DATABASE."),
        .refused(1366, "The text is no value of the column's type or character set: correct it, or use utf8mb4."),
        .refused(1406, tooLong),
        .refused(1451, "Other rows refer to this one: delete or change them first."),
        .refused(1452, "The row that it refers to is not there: insert it first."),
        .refused(1461, "Close prepared statements, or have max_prepared_stmt_count raised."),
        .refused(1690, "A result is out of its type's range: correct the values, or CAST to a larger type."),
        .refused(1792, "The transaction is read-only: begin one that may write."),
        .refused(4025, "The value breaks the table's CHECK of that name: correct the value."),
        .refused(3819, "The value breaks the table's CHECK of that name: correct the value."),
        .refused(5003, "A proxy in between, or the server, does not take bulk statements: send them one by one."),
    ]
}
