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
    /// - Parameters:
    ///   - maxIdle: From when on a sleeping session counts as idle.
    ///   - isOfAllAccounts: Whether the sessions of other accounts are listed too, which takes the PROCESS privilege.
    /// - Returns: The report.
    /// - Throws: `CancellationError` when cancelled.
    public func report(
        maxIdle: Duration = .seconds(300),
        isOfAllAccounts: Bool = false
    ) async throws -> AccountReport {
        do {
            return try await database.withBriefConnection { connection in
                var report = try await connection.accountReport(maxIdle: maxIdle, isOfAllAccounts: isOfAllAccounts)
                report.waiting = WaitingLine(try? SlotReport(database.settings))
                // For `rescue`, when the account lets nobody in; no reason to fail if it cannot be kept.
                try? await connection.keepSnapshot(report, database.settings)
                return report
            }
        } catch let error as DatabaseError {
            // The number of an hourly limit is not one of connections at a time.
            let limit = error.isConnectionLimit ? error.limit : nil
            var report = AccountReport(
                account: nil,
                serverVersion: nil,
                limit: AccountLimit(value: limit, source: limit == nil ? .unknown : .refusal),
                sessions: [],
                maxIdle: maxIdle,
                refusal: error
            )
            report.waiting = WaitingLine(try? SlotReport(database.settings))
            return report
        }
    }

    /// Returns the account's resource options.
    ///
    /// - Returns: The options; those that cannot be read count as none.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func options() async throws -> AccountOptions {
        try await database.withBriefConnection { try await $0.accountOptions() }
    }
}
