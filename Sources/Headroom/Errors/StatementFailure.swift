/// Tells from an error number and its text why a statement failed on an open connection.
enum StatementFailure {
    /// The server has sent more than is kept of one reply, and was cut off.
    static let replyTooLarge = DatabaseError(
        .replyTooLarge,
        message:
            "The server's reply is larger than \(ReplyBound.largest >> 20) MiB, which is the most that is kept of one; "
            + "the connection was ended.",
        advice:
            "Ask for less at once, or read the rows one by one (stream). If the statement is one of Headroom's own, "
            + "see whether this is the right server."
    )

    /// Creates the error, with the server's SQLSTATE where it gave one.
    static func error(_ number: Int, _ text: String, state: String?) -> DatabaseError {
        var error = error(number, text)
        // What the library says where there is none.
        if state != "00000" { error.sqlState = state }
        return error
    }

    static func error(_ number: Int, _ text: String) -> DatabaseError {
        switch number {
        // A packet that the library has refused by its header.
        case 2020: return replyTooLarge
        // What the library could not read, with a number or without.
        case 0, 2027:
            return DatabaseError(
                .statementFailed,
                message: "The server's reply is none that a MySQL or MariaDB server sends (error \(number)).",
                advice: "See whether this is the right server.",
                serverCode: number
            )
        // 2026 at connect means TLS; on an open connection it is how a killed session shows over TLS.
        case 2006, 2013, 2026, 2055, 1053, 1927, 4031:
            return DatabaseError(
                .connectionLost,
                message: "The server has ended this connection: \(text) (error \(number)).",
                advice: "Run the scope again on a new connection; find out who ended it if it happens often.",
                serverCode: number
            )
        case 1047 where text.holds("WSREP"):
            return DatabaseError(
                .connectionLost,
                message: "The node has lost the other nodes of its cluster, and takes no statements (error 1047).",
                advice: "Run the scope again: where DB_HOST lists the nodes, another one takes it.",
                serverCode: number
            )
        // A COMMIT on a node that is losing the others. The words are the server's for any commit that a cluster did not
        // take (its `wsrep_override_error`), also where no fragment was sent; whether it has taken effect is not known.
        case 1180 where text.holds("replication fragment"):
            return DatabaseError(
                .connectionLost,
                message: "The node has lost the other nodes of its cluster at a COMMIT (error 1180).",
                advice: "Run the scope again: where DB_HOST lists the nodes, another one takes it.",
                serverCode: number
            )
        case 1226:
            let (resource, limit) = ConnectFailure.resource(in: text)
            return DatabaseError(
                .hourlyLimitReached,
                message: "The account has used up its hourly limit \(resource ?? "")"
                    + "\(limit.map { " of \($0)" } ?? "") (error 1226).",
                advice: "Trying again does not help before the hour is over.",
                serverCode: number,
                limit: limit,
                resource: resource
            )
        case 1969, 3024:
            return DatabaseError(
                .deadlineExceeded,
                message: "The server ended the statement at its time limit (error \(number)).",
                serverCode: number
            )
        default:
            return DatabaseError(
                .statementFailed,
                message: "\(text) (error \(number)).",
                advice: advice(number),
                serverCode: number
            )
        }
    }

    /// What to do about the refusals that people meet; the kind's general advice for others.
    private static func advice(_ number: Int) -> String {
        switch number {
        case 1046: "Set DB_DATABASE."
        case 1054, 1146: "Create what is missing with 'headroom migrate', or check DB_DATABASE: it may be another one."
        case 1142, 1143, 1227, 1370, 1044: "Have the account granted the right that the message names."
        case 1205, 1213: "Another session had the rows locked: try again."
        case 1021, 1114, 1041: "The server has no room left: free some of its disk or memory."
        case 1290, 1836, 1792: "The server or the transaction is read-only: is it a replica, or about to be stopped?"
        case 1153: "Send less at once, or have the server's max_allowed_packet raised."
        default: ""
        }
    }
}
