extension DatabaseError {
    /// A kind of failure; kinds may be added, so a `switch` over them needs a default.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The kind's name, as logs and `--json` print it.
        public var description: String

        private init(_ name: String) { description = name }

        /// No setting says where the database is or who logs in.
        public static let settingsMissing = Code("settings_missing")
        /// A setting has a value that cannot be used.
        public static let settingsInvalid = Code("settings_invalid")
        /// The folder in which the processes of this host share the budget cannot be used.
        public static let stateFolderUnusable = Code("state_folder_unusable")

        /// No program of this host has logged in to the account yet, so nothing is known of its slots.
        public static let accountUnknown = Code("account_unknown")

        /// No slot of the budget came free in time.
        public static let budgetExhausted = Code("budget_exhausted")

        /// The host gives this process no thread, descriptor or memory that it needs.
        public static let hostExhausted = Code("host_exhausted")

        /// Another process of this host has a lock.
        public static let lockTaken = Code("lock_taken")

        /// The host's name has no address.
        public static let hostNotFound = Code("host_not_found")
        /// Nothing answers at the host and port, or at the socket.
        public static let serverUnreachable = Code("server_unreachable")
        /// There is no socket at the path.
        public static let socketNotFound = Code("socket_not_found")
        /// This user may not use the socket.
        public static let socketNotPermitted = Code("socket_not_permitted")
        /// The connection was not there within the connect timeout.
        public static let connectTimedOut = Code("connect_timed_out")
        /// The server, or the client library, gave a reason for no connection that is not known here.
        public static let connectFailed = Code("connect_failed")
        /// The encrypted connection could not be set up, or the server's certificate was not accepted.
        public static let tlsFailed = Code("tls_failed")
        /// The server asks for the password itself, and nothing says that it is the right server.
        public static let serverNotTrusted = Code("server_not_trusted")

        /// The user name or the password is wrong, or the account may not log in from here.
        public static let accessDenied = Code("access_denied")
        /// The account is locked, its password has expired or too many wrong passwords were tried.
        public static let accountLocked = Code("account_locked")
        /// The database does not exist.
        public static let databaseUnknown = Code("database_unknown")
        /// The account may not use the database.
        public static let databaseDenied = Code("database_denied")

        /// The account's own limit is reached (1226, `max_user_connections`).
        public static let accountLimitReached = Code("account_limit_reached")
        /// The server's limit for any one user is reached (1203).
        public static let userLimitReached = Code("user_limit_reached")
        /// The whole server is full (1040).
        public static let serverLimitReached = Code("server_limit_reached")
        /// An hourly limit of the account is used up (1226, `max_..._per_hour`); waiting within the hour does not help.
        public static let hourlyLimitReached = Code("hourly_limit_reached")
        /// The server has blocked this host after too many broken handshakes (1129).
        public static let hostBlocked = Code("host_blocked")

        /// The server ended the session, or the network did.
        public static let connectionLost = Code("connection_lost")
        /// The connection was ended because an earlier statement was given up, or its scope or transaction is over.
        public static let connectionSpent = Code("connection_spent")
        /// The server sent more in one reply than is kept; the connection was ended.
        public static let replyTooLarge = Code("reply_too_large")
        /// Another statement of the same connection is still under way.
        public static let connectionBusy = Code("connection_busy")
        /// A stream's rows were passed over, because another statement of its connection came between.
        public static let streamInterrupted = Code("stream_interrupted")
        /// The server ended a transaction by itself before its COMMIT.
        public static let transactionLost = Code("transaction_lost")
        /// A transaction that was begun by hand is open, or autocommit was turned off, where another is to begin.
        public static let transactionOpen = Code("transaction_open")
        /// The connection was lost at a COMMIT, which may have taken effect.
        public static let commitUnknown = Code("commit_unknown")
        /// The deadline of the statement or of the scope passed.
        public static let deadlineExceeded = Code("deadline_exceeded")

        /// The server refused a statement; `serverCode` says why.
        public static let statementFailed = Code("statement_failed")
        /// A value has another type, or another number of columns came, than the program asked for.
        public static let decodingFailed = Code("decoding_failed")
        /// A value to bind is none that a server can store, such as NaN; nothing was sent.
        public static let encodingFailed = Code("encoding_failed")
    }
}
