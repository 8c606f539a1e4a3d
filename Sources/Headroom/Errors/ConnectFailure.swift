import CLibrary

/// Tells why a connection was not to be had: from an error number and its text, or where the server gave none.
package enum ConnectFailure {
    /// A node lets clients in, and takes no statements.
    static func notReady(_ settings: DatabaseSettings) -> DatabaseError {
        error(1047, "WSREP", settings: settings)
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
        // The library, which waits for TLS, puts a refusal in its place into words of its own.
        if isOfTheLine(number), let (refusal, words) = ServerWords.unverified(in: text) {
            return error(refusal, words, settings: settings)
        }
        var code: DatabaseError.Code?
        var cause = ""
        if number == 2002 || number == 2003, let reason = ServerWords.systemError(in: text) {
            switch reason {
            case ENOENT where settings.endpoint.isSocket: code = .socketNotFound
            case EACCES where settings.endpoint.isSocket, EPERM where settings.endpoint.isSocket:
                code = .socketNotPermitted
            case ETIMEDOUT: code = .connectTimedOut
            default: cause = ": \(String(cString: strerror(reason)))"
            }
        }
        if number == 1040, text.hasPrefix(doorsWords) { return ofDoor(text) }
        if number == 1226, let limit = ServerWords.resource(in: text).limit, limit < 0 { code = .accountLocked }
        let words = text.replaced("TLS/SSL error: ", with: "").replaced("SSL connection error: ", with: "")
        var error = ServerWords.error(
            number,
            words,
            isOfLogin: true,
            code: code,
            cause: cause,
            facts: [
                "place": settings.endpoint.description, "user": settings.username, "database": settings.database ?? "",
            ]
        )
        if number == 1045, settings.tls.mode == .disabled {
            error.advice +=
                " An account that must be encrypted (REQUIRE SSL) is refused alike: HEADROOM_TLS_MODE=required."
        }
        return error
    }

    /// How a door of Headroom begins what it tells a client that it does not let in.
    package static let doorsWords = "Headroom's door"

    private static func ofDoor(_ text: String) -> DatabaseError {
        DatabaseError(
            .budgetExhausted,
            message: "\(ServerWords.printable(text)) What listens there is 'headroom door', not the server.",
            advice:
                "See who holds the places with 'headroom slots'. Headroom's own programs go past the door: name the server "
                + "itself with HEADROOM_SERVER."
        )
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
}

/// Tells from an error number and its text why a statement failed on an open connection.
enum StatementFailure {
    /// The server has sent more than is kept of one reply, and was cut off.
    static let replyTooLarge = DatabaseError(
        .replyTooLarge,
        message:
            "The server's reply is larger than \(ReplyBound.largest >> 20) MiB or has more than "
            + "\(ReplyBound.mostResults) results, which is the most that is kept of one; the connection was ended."
    )

    /// From which size on a lost connection is laid to the statement: 16 MiB less a packet's head, which is what MariaDB takes
    /// by default (max_allowed_packet).
    static let largestStatement = (16 << 20) - 1024

    /// Creates the error.
    ///
    /// - Parameters:
    ///   - number: The server's or the library's number.
    ///   - text: Its words.
    ///   - state: Its SQLSTATE.
    ///   - sent: The bytes of the statement with its values.
    /// - Returns: The error.
    static func error(_ number: Int, _ text: String, state: String? = nil, sent: Int = 0) -> DatabaseError {
        // The library has refused a packet by its header.
        if number == 2020 { return replyTooLarge }
        // The server hangs up on a packet that is too large, and the library has not read why.
        if sent > largestStatement, [2006, 2013, 2055].contains(number) {
            return ServerWords.error(2020, text, isOfLogin: false)
        }
        // What the library could not read, with a number or without.
        var error = ServerWords.error(number == 0 ? 2027 : number, text, isOfLogin: false)
        // What the library says where there is none.
        if state != "00000" { error.sqlState = state }
        return error
    }
}
