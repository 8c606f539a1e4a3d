/// What each kind of error means and what to do about it: for `headroom help errors` and `docs/errors.md`.
package struct ErrorGuide: Sendable {
    /// The kind of error.
    package var code: DatabaseError.Code

    /// When it comes.
    package var meaning: String

    /// What to do.
    package var cure: String

    /// Whether trying again later can help by itself.
    package var isPassing: Bool

    private init(_ code: DatabaseError.Code, passes: Bool = false, _ meaning: String, _ cure: String) {
        self.code = code
        self.meaning = meaning
        self.cure = cure
        isPassing = passes
    }

    /// What to do about a kind of error.
    static func cure(of code: DatabaseError.Code) -> String { all.first { $0.code == code }?.cure ?? "" }

    /// All kinds of errors.
    package static let all: [ErrorGuide] = [
        ErrorGuide(
            .settingsMissing,
            "Nothing says where the database is, or who logs in.",
            "Set DB_SOCKET or DB_HOST, DB_USERNAME and DB_PASSWORD; 'headroom config show' says what was found."
        ),
        ErrorGuide(
            .settingsInvalid,
            "A setting cannot be used, contradicts another, or is none.",
            "The message names it, with the file and line; 'headroom config list' has what it may be."
        ),
        ErrorGuide(
            .stateFolderUnusable,
            "The folder in which the programs of the host share the budget cannot be used.",
            "Let the user into the folder's group, or name another with HEADROOM_STATE_DIR: the same one for all users."
        ),
        ErrorGuide(
            .accountUnknown,
            "No program of this host has logged in to the account yet, so nothing is known of its slots.",
            "Nobody holds one. If somebody should: look for another HEADROOM_STATE_DIR or another way to the server."
        ),
        ErrorGuide(
            .budgetExhausted,
            passes: true,
            "No slot came free within HEADROOM_WAIT_TIMEOUT.",
            "'headroom slots' says who holds them and for how long. Hold connections for less long, or raise the limit."
        ),
        ErrorGuide(
            .hostExhausted,
            passes: true,
            "The host gives the program no further thread or descriptor.",
            "End other programs of this user, or raise its limits: 'ulimit -u' for threads, 'ulimit -n' for descriptors."
        ),
        ErrorGuide(
            .lockTaken,
            passes: true,
            "Another process of this host has the lock: a second worker, guard or 'headroom run --lock'.",
            "The message says which process. Let it end, or wait with --wait."
        ),
        ErrorGuide(
            .hostNotFound,
            passes: true,
            "The host's name has no address (2005).",
            "Check DB_HOST and the machine's name resolution."
        ),
        ErrorGuide(
            .serverUnreachable,
            passes: true,
            "Nothing answers at the place (2002, 2003).",
            "Check that the server runs, and DB_HOST and DB_PORT or DB_SOCKET."
        ),
        ErrorGuide(
            .socketNotFound,
            passes: true,
            "There is no socket at the path (2002).",
            "Check that the server runs on this machine, and DB_SOCKET; or set DB_HOST=127.0.0.1 for TCP."
        ),
        ErrorGuide(
            .socketNotPermitted,
            "This user may not use the socket (2002).",
            "Check the rights on the socket and on the folders above it; or set DB_HOST=127.0.0.1 for TCP."
        ),
        ErrorGuide(
            .connectTimedOut,
            passes: true,
            "No connection within HEADROOM_CONNECT_TIMEOUT.",
            "Check the address, firewalls in between, and the server's load."
        ),
        ErrorGuide(
            .tlsFailed,
            "No encrypted connection, or the certificate is not accepted (2026).",
            "Check HEADROOM_TLS_MODE and HEADROOM_TLS_CA; verify_identity needs the host's name in the certificate."
        ),
        ErrorGuide(
            .serverNotTrusted,
            "The server asks for the password itself and shows another key than the one remembered or pinned; the password was not sent.",
            "Ask who runs the server. If it was set up anew: 'headroom trust HOST:PORT'. Trying again does not help."
        ),
        ErrorGuide(
            .accessDenied,
            "The user name or the password is wrong, or the account may not log in from this host (1045, 1130, 1698).",
            "Check DB_USERNAME and DB_PASSWORD, and the host part of the account."
        ),
        ErrorGuide(
            .accountLocked,
            "The account is locked or its password has expired (1820, 1862, 3118, 4150).",
            "An administrator opens it with ALTER USER. Trying again keeps it locked."
        ),
        ErrorGuide(.databaseUnknown, "There is no such database (1049).", "Check DB_DATABASE, or create it."),
        ErrorGuide(
            .databaseDenied,
            "The account may not use the database (1044).",
            "Check DB_DATABASE, or have rights granted on it."
        ),
        ErrorGuide(
            .accountLimitReached,
            passes: true,
            "All connections of this account are in use (1226, max_user_connections).",
            "'headroom rescue' says who holds them and frees one: see 'headroom help locked-out'."
        ),
        ErrorGuide(
            .userLimitReached,
            passes: true,
            "All connections that the server allows any one user are in use (1203).",
            "'headroom rescue', as above."
        ),
        ErrorGuide(
            .serverLimitReached,
            passes: true,
            "The whole server is full, of all accounts together (1040, max_connections).",
            "Its administrator can help; extra_port or admin_port still let one in."
        ),
        ErrorGuide(
            .hourlyLimitReached,
            "An hourly limit of the account is used up (1226, max_..._per_hour).",
            "Wait for the hour to end, or have an administrator run FLUSH USER_RESOURCES. Trying again does not help."
        ),
        ErrorGuide(
            .hostBlocked,
            "The server has blocked this host after too many broken connections (1129).",
            "An administrator runs FLUSH HOSTS; the socket, on the server's own host, is not blocked."
        ),
        ErrorGuide(
            .connectionLost,
            passes: true,
            "The server ended the session, or the network did (2006, 2013, 1927, 4031).",
            "Run the scope again. If it happens often, find out who kills it, or raise HEADROOM_IDLE_TIMEOUT."
        ),
        ErrorGuide(
            .connectionSpent,
            "The connection was ended because an earlier statement was given up, or its scope or transaction is over.",
            "Leave the scope and open another; do not catch the first error and go on."
        ),
        ErrorGuide(
            .replyTooLarge,
            "The server sent more in one reply than is kept (64 MiB); the connection was ended.",
            "Ask for less at once, or read the rows one by one with stream. Of a small statement: check that it is the right server."
        ),
        ErrorGuide(
            .connectionBusy,
            "Another statement of the same connection is still under way.",
            "A connection has one statement at a time, and a transaction belongs to its body: await each before the next."
        ),
        ErrorGuide(
            .streamInterrupted,
            "A stream's rows were passed over, because another statement of its connection came between.",
            "Read the stream to its end first, or use a second connection."
        ),
        ErrorGuide(
            .transactionLost,
            "The server ended a transaction before its COMMIT; nothing of it was sent after that. Another node's commit undoes all of it; a statement that commits by itself keeps what came before.",
            "Run it again where that does no harm. If it happens each time, a statement in it commits by itself, as CREATE and ALTER do."
        ),
        ErrorGuide(
            .transactionOpen,
            "A transaction was to begin where one begun by hand is open, or where autocommit was turned off by hand.",
            "Begin it with withTransaction, which may be nested, and leave autocommit on."
        ),
        ErrorGuide(
            .commitUnknown,
            "The connection was lost at a COMMIT, which may have taken effect.",
            "See whether what it was to store is there before it is run again."
        ),
        ErrorGuide(
            .deadlineExceeded,
            "The statement's or the scope's deadline passed; the statement was ended on the server.",
            "Give it more time, or find out what it waits for."
        ),
        ErrorGuide(
            .statementFailed,
            "The server refused a statement; serverCode has its number.",
            "Look the number up in the server's manual. 1205 and 1213 (locks) can be tried again."
        ),
        ErrorGuide(
            .decodingFailed,
            "A value has another type, or a row another number of columns, than the program asked for.",
            "Compare the statement's columns with the types in decode."
        ),
        ErrorGuide(
            .encodingFailed,
            "A value to bind is none that a server can store, such as NaN; nothing was sent.",
            "Bind another value, or nil for NULL."
        ),
    ]
}
