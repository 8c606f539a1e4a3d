/// Tells from an error number and its text why a statement failed on an open connection.
enum StatementFailure {
    static func error(_ number: Int, _ text: String) -> DatabaseError {
        switch number {
        // 2026 at connect means TLS; on an open connection it is how a killed session shows over TLS.
        case 2006, 2013, 2026, 2055, 1053, 1927, 4031:
            return DatabaseError(
                .connectionLost,
                message: "The server has ended this connection: \(text) (error \(number)).",
                advice: "Run the scope again on a new connection; find out who ended it if it happens often.",
                serverCode: number
            )
        case 1047 where text.contains("WSREP"):
            return DatabaseError(
                .connectionLost,
                message: "The node has lost the other nodes of its cluster, and takes no statements (error 1047).",
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
                serverCode: number
            )
        }
    }
}
