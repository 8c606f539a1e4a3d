import CLibrary

/// Tells from an error number and its text why a connection was not to be had.
///
/// The numbers are the server's (1040 and up) and the client library's (2002 and up). Texts are looked at only where the
/// number says too little, and only for what `lc_messages` does not translate: quoted resource names and numbers.
enum ConnectFailure {
    /// A node lets clients in, and takes no statements.
    static func notReady(_ settings: DatabaseSettings) -> DatabaseError {
        DatabaseError(
            .serverUnreachable,
            message: "\(settings.endpoint) has lost the other nodes of its cluster, and takes no statements.",
            advice: "Check that most nodes of the cluster run and reach each other."
        )
    }

    /// What listens is no server of MySQL's kind, or one that means harm.
    static func noGreeting(_ settings: DatabaseSettings) -> DatabaseError {
        DatabaseError(
            .serverUnreachable,
            message:
                "What answers at \(settings.endpoint) does not greet as a MySQL or MariaDB server does; nothing was sent "
                + "to it.",
            advice: "Check that the address is right and that a MySQL or MariaDB server runs there."
        )
    }

    /// The server did not get the password that it asked for.
    static func notTrusted(_ refusal: ServerTrust.Refusal, _ settings: DatabaseSettings) -> DatabaseError {
        let place = settings.endpoint.description
        func words(_ key: ServerKey) -> String {
            "\(key.kind == .tls ? "the certificate's key" : "the key to encrypt passwords with") \(key.fingerprint)"
        }
        let isAsking = "The server at \(place) asks for the password itself"
        let unlessSetUpAnew =
            "Ask who runs it whether it was set up anew. If so, 'headroom trust \(place)' as this user (uid "
            + "\(geteuid())) accepts it; trying again without that does not help."
        let (message, advice) =
            switch refusal {
            case .changed(let key, let entries):
                (
                    "\(isAsking) and shows another key than before: \(words(key)). Remembered: "
                        + entries.map { "\($0.key.map(words) ?? "none") since \($0.day)" }.joined(separator: ", ")
                        + ". It is another server, one that was set up anew, or an attack; the password was not sent.",
                    unlessSetUpAnew
                )
            case .unasked(let key, let entry):
                (
                    "\(isAsking), and has let '\(settings.username)' in without it since \(entry.day). It shows "
                        + "\(words(key)). It is another server, one that was set up anew, or an attack; the password was not "
                        + "sent.",
                    unlessSetUpAnew
                )
            case .notPinned(let key):
                (
                    "The server at \(place) shows \(words(key)), which is not the one that the settings name; the password "
                        + "was not sent.",
                    "Check HEADROOM_TLS_PIN and HEADROOM_SERVER_PUBLIC_KEY, and ask who runs the server."
                )
            case .noKey, .onlyLooks:
                (
                    "\(isAsking) and shows no key to be known by; the password was not sent.",
                    "Use a unix socket, or HEADROOM_TLS_MODE=verify_identity."
                )
            case .strangersSocket(let reason):
                (
                    "The server at \(place) may be anybody's: \(reason). Nothing was sent there.",
                    "Ask who runs the server to have its socket in a folder that only its own user may write to; or set "
                        + "DB_HOST=127.0.0.1 for TCP."
                )
            case .unreadable(let error):
                ("\(isAsking). \(error.message) The password was not sent.", error.advice)
            }
        return DatabaseError(.serverNotTrusted, message: message, advice: advice)
    }

    static func error(_ number: Int, _ text: String, settings: DatabaseSettings) -> DatabaseError {
        let place = settings.endpoint.description
        func make(
            _ code: DatabaseError.Code,
            _ message: String,
            _ advice: String,
            limit: Int? = nil,
            resource: String? = nil
        ) -> DatabaseError {
            DatabaseError(
                code,
                message: message,
                advice: advice,
                serverCode: number,
                limit: limit,
                resource: resource
            )
        }

        switch number {
        case 1226:
            let (resource, limit) = Self.resource(in: text)
            guard resource == "max_user_connections" else {
                return make(
                    .hourlyLimitReached,
                    "The account '\(settings.username)' has used up its hourly limit "
                        + "\(resource ?? "of the server")\(limit.map { " of \($0)" } ?? "") (error 1226).",
                    "Trying again does not help before the hour is over; an administrator can end it "
                        + "with FLUSH USER_RESOURCES.",
                    limit: limit,
                    resource: resource
                )
            }
            return make(
                .accountLimitReached,
                "The account '\(settings.username)' has all its connections in use: "
                    + "its limit is \(limit.map(String.init) ?? "unknown") (error 1226).",
                "Find out who holds them with 'headroom status' as soon as one is free, and close what is idle.",
                limit: limit,
                resource: resource
            )
        case 1203:
            return make(
                .userLimitReached,
                "The user '\(settings.username)' has all the connections that the server allows one user "
                    + "(error 1203, max_user_connections).",
                "Find out who holds them with 'headroom status' as soon as one is free, and close what is idle.",
                resource: "max_user_connections"
            )
        case 1040:
            return make(
                .serverLimitReached,
                "The database server at \(place) is full: all of its connections are in use, by all accounts together "
                    + "(error 1040, max_connections).",
                "It is not this account's fault: wait, or ask the server's administrator.",
                resource: "max_connections"
            )
        case 1129:
            return make(
                .hostBlocked,
                "The database server at \(place) has blocked this host after too many broken connections (error 1129).",
                "An administrator lifts the block with FLUSH HOSTS; until then every attempt fails."
            )
        case 1130:
            return make(
                .accessDenied,
                "The database server at \(place) lets nobody in from this host (error 1130).",
                "The account must be created for this host, or the connection made from another one."
            )
        case 1045, 1698:
            return make(
                .accessDenied,
                "The server at \(place) does not accept the user name '\(settings.username)' with "
                    + "\(settings.password.isEmpty ? "no password" : "this password") (error \(number)).",
                "Check DB_USERNAME and DB_PASSWORD, and that the account may log in from this host."
            )
        case 4150, 3118, 1820, 1862:
            return make(
                .accountLocked,
                "The account '\(settings.username)' is locked, or its password has expired (error \(number)).",
                "An administrator can open it with ALTER USER; trying again keeps it locked."
            )
        case 1049:
            return make(
                .databaseUnknown,
                "There is no database '\(settings.database ?? "")' on the server at \(place) (error 1049).",
                "Check DB_DATABASE, or create the database."
            )
        case 1044:
            return make(
                .databaseDenied,
                "The account '\(settings.username)' may not use the database '\(settings.database ?? "")' (error 1044).",
                "Check DB_DATABASE, or have the account granted rights on it."
            )
        case 5010:
            // The library's own text names the wrong method.
            return make(
                .serverNotTrusted,
                "The server at \(place) asks for a way to log in that sends the password as it is, or that is not known; it "
                    + "was not sent (error 5010).",
                "An account that needs it (PAM) can use a unix socket, or mysql_clear_password with "
                    + "HEADROOM_TLS_MODE=verify_identity."
            )
        case 2005:
            return make(
                .hostNotFound,
                "The host '\(settings.endpoint.hostName)' has no address (error 2005).",
                "Check DB_HOST, and that this machine's name resolution works."
            )
        case 2026:
            return make(
                .tlsFailed,
                "No encrypted connection to \(place): \(Self.reason(in: text)) (error 2026).",
                "Check HEADROOM_TLS_MODE (now \(settings.tls.mode.rawValue)) and HEADROOM_TLS_CA."
            )
        case 2002, 2003:
            return unreachable(number, text, settings: settings, make: make)
        case 2013 where text.holds("\(ETIMEDOUT)"):
            return make(
                .connectTimedOut,
                "The server at \(place) did not answer in time (error 2013).",
                "Check that it is a database server, and that it is not overloaded."
            )
        default:
            return make(
                .serverUnreachable,
                "No connection to \(place): \(text) (error \(number)).",
                "Check that the address is right and that a MySQL or MariaDB server runs there."
            )
        }
    }

    /// Whether an error is the library's own, of the line to the server, and not the server's answer.
    static func isOfTheLine(_ number: Int) -> Bool { (2000..<3000).contains(number) }

    static func timedOut(_ settings: DatabaseSettings) -> DatabaseError {
        DatabaseError(
            .connectTimedOut,
            message: "The server at \(settings.endpoint) did not answer in time.",
            advice: "Check the address, that no firewall is in between, and that the server is not overloaded."
        )
    }

    static func outOfDescriptors(_ settings: DatabaseSettings) -> DatabaseError {
        DatabaseError(
            .serverUnreachable,
            message: "The connection to \(settings.endpoint) was given up: this process may open no more files.",
            advice: "Each connection needs two descriptors; raise the limit (ulimit -n)."
        )
    }

    /// The second quoted word of a 1226 text and the number in its parentheses.
    static func resource(in text: String) -> (name: String?, limit: Int?) {
        let quoted = text.pieces(separator: "'", omittingEmptySubsequences: false)
        let name = quoted.count > 3 ? String(quoted[3]) : nil
        let digits = text.unicodeScalars.reversed().drop { !$0.isDigit }.prefix(while: \.isDigit)
        return (name, Int(String(String.UnicodeScalarView(digits.reversed()))))
    }

    /// The operating system's error number that the client library puts at the end of its text, as in `(111)`.
    static func systemError(in text: String) -> Int32? {
        guard let open = text.unicodeScalars.lastIndex(of: "("), let close = text.unicodeScalars.lastIndex(of: ")"),
            open < close
        else { return nil }
        // "(111)", and "(111 "Connection refused")" in other builds of the library.
        return Int32(text[text.unicodeScalars.index(after: open)..<close].leading(\.isDigit))
    }

    private static func reason(in text: String) -> String {
        text.replaced("TLS/SSL error: ", with: "").replaced("SSL connection error: ", with: "")
    }

    private static func unreachable(
        _ number: Int,
        _ text: String,
        settings: DatabaseSettings,
        make: (DatabaseError.Code, String, String, Int?, String?) -> DatabaseError
    ) -> DatabaseError {
        let place = settings.endpoint.description
        let cause = systemError(in: text)
        switch (settings.endpoint, cause) {
        case (.socket(let path), ENOENT):
            return make(
                .socketNotFound,
                "There is no database server socket at \(path) (error \(number)).",
                "Check that the server runs, and DB_SOCKET; or connect over TCP with DB_HOST=127.0.0.1.",
                nil,
                nil
            )
        case (.socket(let path), EACCES), (.socket(let path), EPERM):
            return make(
                .socketNotPermitted,
                "This user may not use the database server's socket \(path) (error \(number)): permission denied.",
                "Check the rights on the socket and on every folder above it; or connect over TCP "
                    + "with DB_HOST=127.0.0.1.",
                nil,
                nil
            )
        case (_, ETIMEDOUT):
            return make(
                .connectTimedOut,
                "The server at \(place) did not answer within \(settings.connectTimeout) (error \(number)).",
                "Check the address, and that no firewall is in between.",
                nil,
                nil
            )
        default:
            return make(
                .serverUnreachable,
                "No database server answers at \(place) "
                    + "(error \(number)\(cause.map { ": \(String(cString: strerror($0)))" } ?? "")).",
                "Check that the server runs and that the address is right "
                    + "(\(settings.endpoint.isSocket ? "DB_SOCKET" : "DB_HOST, DB_PORT")).",
                nil,
                nil
            )
        }
    }
}
