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
        // Nobody is left with an error and nothing to do about it.
        self.advice = advice.isEmpty ? ErrorTable.kind(code).cure : advice
        self.serverCode = serverCode
        self.limit = limit
        self.resource = resource
    }

    /// Whether the same call may succeed later without anybody changing anything.
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

    /// What trying again can do.
    package var retry: Retry { ErrorTable.retry(code, number: serverCode) }

    /// Whether the error came before there was a connection, without a limit being reached.
    package var isConnectFailure: Bool { ErrorTable.kind(code).stage == .connect }

    /// Whether a limit on connections at a time was reached: the one kind of refusal that ends when somebody lets go.
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
