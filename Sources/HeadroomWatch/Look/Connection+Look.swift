package import Headroom

extension Connection {
    /// The account's resource options; those that this server does not show count as none.
    package func accountOptions() async throws -> AccountOptions {
        do {
            let look = AccountLook(isMariaDB: isMariaDB)
            let lines = try await query(SQL(raw: look.statements[0])).decode(String.self)
            return AccountOptions(grants: lines.first { $0.holds("MAX_") } ?? "")
        } catch let error as DatabaseError where error.code == .statementFailed {
            return AccountOptions()
        }
    }

    /// Looks at the account, in one round trip where all goes well.
    ///
    /// - Parameters:
    ///   - maxIdle: From when on a sleeping session counts as idle.
    ///   - isOfAllAccounts: Whether the sessions of all accounts are asked for.
    ///   - patience: How often to look again when the server's list of transactions is old; 0.12 s each.
    ///   - timeout: How long the server may take for each answer.
    /// - Returns: The report.
    /// - Throws: ``DatabaseError``, or `CancellationError`.
    package func accountReport(
        maxIdle: Duration,
        isOfAllAccounts: Bool = false,
        patience: Int = 1,
        timeout: Duration? = nil
    ) async throws -> AccountReport {
        var avoidsPerformanceSchema = false
        var attempts = 0
        while true {
            var look = AccountLook(isMariaDB: isMariaDB, isOfAllAccounts: isOfAllAccounts)
            look.avoidsPerformanceSchema = avoidsPerformanceSchema
            let start = ContinuousClock.now
            let replies = try await queryTogether(look.statements, timeout: timeout)
            // A little more, as the server's clock counts in steps.
            let took = start.duration(to: .now) + .milliseconds(2)
            let answers = AccountAnswers(replies, own: sessionID, took: took)
            if answers.isWithoutOwnSession, !isMariaDB, !avoidsPerformanceSchema {
                avoidsPerformanceSchema = true
                continue
            }
            let knowledge = try answers.transactions().knowledge
            if knowledge == .stale, attempts < patience {
                attempts += 1
                try await Task.sleep(for: .milliseconds(120))
                continue
            }
            let (account, limit, server) = try answers.limit()
            var report = AccountReport(
                account: account,
                serverVersion: serverVersion,
                limit: limit,
                sessions: try answers.sessions(listsOneRow: ServerVersion(serverVersion)?.listsOneRow ?? false),
                maxIdle: maxIdle,
                transactions: knowledge,
                server: answers.server(limit: server)
            )
            report.node = node
            report.knowsLocks = answers.lockHolders != nil
            report.avoidsPerformanceSchema = look.avoidsPerformanceSchema
            return report
        }
    }
}
