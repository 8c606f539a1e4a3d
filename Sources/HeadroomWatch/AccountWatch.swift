public import Headroom

/// Looks at an account through a connection of its own, which it opens for the look and closes again.
///
/// That connection takes no slot: who looks at a full account must not have to wait for it.
public struct AccountWatch: Sendable {
    private let database: Database

    /// Creates a watch for the account that the settings lead to.
    public init(_ settings: DatabaseSettings) {
        database = Database(settings, share: .reserve)
    }

    /// Reports on the account; when no connection is to be had, the report says why.
    ///
    /// - Parameter maxIdle: From when on a sleeping session counts as idle.
    /// - Returns: The report.
    /// - Throws: ``DatabaseError`` when the server lets us in but does not answer, `CancellationError` when cancelled.
    public func report(maxIdle: Duration = .seconds(300)) async throws -> AccountReport {
        do {
            return try await database.withConnection { connection in
                let (account, limit) = try await connection.accountLimit()
                return AccountReport(
                    account: account,
                    serverVersion: connection.serverVersion,
                    limit: limit,
                    sessions: try await connection.sessions(),
                    maxIdle: maxIdle
                )
            }
        } catch let error as DatabaseError where error.isRefusal || error.isConnectFailure {
            return AccountReport(
                account: nil,
                serverVersion: nil,
                limit: AccountLimit(value: error.limit, source: error.limit == nil ? .unknown : .refusal),
                sessions: [],
                maxIdle: maxIdle,
                refusal: error
            )
        }
    }

    /// Returns the account's resource options.
    ///
    /// - Returns: The options; those that cannot be read count as none.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func options() async throws -> AccountOptions {
        try await database.withConnection { try await $0.accountOptions() }
    }
}

extension DatabaseError {
    /// Whether the error came before there was a connection.
    var isConnectFailure: Bool {
        let codes: Set<Code> = [
            .hostNotFound, .serverUnreachable, .socketNotFound, .socketNotPermitted, .connectTimedOut, .tlsFailed,
            .accessDenied, .accountLocked, .databaseUnknown, .databaseDenied,
        ]
        return codes.contains(code)
    }
}
