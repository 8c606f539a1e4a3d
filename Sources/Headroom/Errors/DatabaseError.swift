/// Describes what went wrong between this program and its database, why, and what to do next.
///
/// Two errors are equal when their codes and server codes are; the texts are for people.
public struct DatabaseError: Error, Sendable {
    /// What kind of failure it is; programs decide by this.
    public var code: Code

    /// What happened and why, in a sentence or two, without passwords and without the values of a statement.
    public var message: String

    /// What to do next.
    public var advice: String

    /// The server's or the client library's own error number, such as 1226; `nil` when neither was involved.
    public var serverCode: Int?

    /// The server's SQLSTATE, five characters such as `23000`; `nil` where it gave none.
    public var sqlState: String?

    /// The account's or the server's limit that refused the connection, when the refusal names it (only 1226 does).
    public var limit: Int?

    /// The name of the resource that is used up as the server calls it, such as `max_user_connections`.
    public var resource: String?

    /// What failed after it and because of it, such as the ROLLBACK of a transaction.
    public var secondary: [DatabaseError] = []

    /// Creates an error.
    public init(
        _ code: Code,
        message: String,
        advice: String = "",
        serverCode: Int? = nil,
        limit: Int? = nil,
        resource: String? = nil
    ) {
        self.code = code
        self.message = message
        // Every error says what to do about it.
        self.advice = advice.isEmpty ? ErrorTable.kind(code).cure : advice
        self.serverCode = serverCode
        self.limit = limit
        self.resource = resource
    }

    /// Whether the same call may succeed later with nothing changed.
    ///
    /// True for a full account or server, for a server that is away and for a session that was lost; whether a COMMIT of
    /// that took effect is not known. False for hourly limits, which open again only within the hour, for a blocked host
    /// and for wrong credentials: there, trying again makes it worse.
    public var waitingCanHelp: Bool { retry == .later || retry == .otherNode }

    /// Whether a limit on connections refused us, whichever of the limits it was.
    public var isRefusal: Bool { ErrorTable.kind(code).stage == .limit }

    /// Whether the transaction lost a race (deadlock, lock wait timeout), left nothing behind and may simply be run again.
    public var isRetryableTransaction: Bool { retry == .transaction && !ErrorTable.leavesDoubt.contains(code) }

    /// Whether the server has undone the whole transaction, and not the statement alone, as at 1205.
    var hasUndoneTransaction: Bool { code == .transactionLost || serverCode == 1213 }

    /// Whether another session had locked what was needed, for longer than it was waited for.
    package var isLockWait: Bool { serverCode == 1205 }

    /// Whether the server has refused the password, or the account from this host: it does not say which.
    var isPasswordRefusal: Bool { [1045, 1698].contains(serverCode) }

    /// What trying again can do.
    package var retry: Retry { ErrorTable.retry(code, number: serverCode) }

    /// Whether the error came before there was a connection, without a limit being reached.
    package var isConnectFailure: Bool { ErrorTable.kind(code).stage == .connect }

    /// Whether a limit on connections at a time was reached: the one kind of refusal that ends when a connection is closed.
    package var isConnectionLimit: Bool { isRefusal && waitingCanHelp }
}

extension DatabaseError: Equatable {
    /// Compares codes and server codes.
    public static func == (left: DatabaseError, right: DatabaseError) -> Bool {
        left.code == right.code && left.serverCode == right.serverCode
    }
}

extension DatabaseError: CustomStringConvertible {
    /// The message and the advice, safe to show to a user.
    public var description: String {
        advice.isEmpty ? message : "\(message) \(advice)"
    }
}

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
