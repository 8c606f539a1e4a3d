package import Headroom

extension Connection {
    /// The account's resource options; those that this server does not show count as none.
    package func accountOptions() async throws -> AccountOptions {
        let options = AccountQuery.options(isMariaDB: isMariaDB)
        do {
            return try options.answer(.success(try await query(SQL(raw: options.sql))))
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
            var batch = AccountBatch()
            let options = batch.add(.options(isMariaDB: isMariaDB))
            let limits = batch.add(.limits)
            batch.add("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            let transactions = batch.add(.transactions(own: sessionID))
            batch.add("COMMIT")
            let programs = batch.add(.programs)
            let status = batch.add(.status)
            let patterns = batch.add(.patterns)
            let locks = batch.addLocks(isMariaDB: isMariaDB, own: sessionID)
            // After transactions and locks: who has slept since before their lists were made is in them, if anywhere.
            let sessions = batch.add(
                .sessions(
                    own: sessionID,
                    isOfAllAccounts: isOfAllAccounts,
                    isMariaDB: isMariaDB,
                    avoidsPerformanceSchema: avoidsPerformanceSchema
                )
            )
            let start = ContinuousClock.now
            let replies = try await queryTogether(batch.statements, timeout: timeout)
            // A little more, as the server's clock counts in steps. Who has slept for less may have been in a transaction, or
            // held a lock, when those were listed, or not.
            let took = start.duration(to: .now) + .milliseconds(2)
            if !isMariaDB, !avoidsPerformanceSchema, (try? sessions(replies))?.isEmpty ?? true {
                avoidsPerformanceSchema = true
                continue
            }
            let (inTransaction, knowledge) = try transactions(replies)
            if knowledge == .stale, attempts < patience {
                attempts += 1
                try await Task.sleep(for: .milliseconds(120))
                continue
            }
            let known = try limits(replies)
            let named = try programs(replies)
            let holders = locks(replies)
            let listed = try sessions(replies)
            var row = AccountRow(account: known?.account ?? "")
            row.ownHost = listed.first(where: \.isOwn)?.hostName
            row.isWholeList = isMariaDB && knowledge == .noPrivilege
            row.patterns = try patterns(replies).flatMap { $0.contains(row.pattern) ? $0 : nil }
            let all = listed.map { session in
                var session = session
                session.program = named[session.id]?.name
                session.processID = named[session.id]?.processID
                func isIn(_ known: Set<UInt64>) -> Bool? {
                    known.contains(session.id) ? true : session.duration > took ? false : nil
                }
                if session.isOwn {
                    session.inTransaction = false
                } else {
                    session.owner = row.owner(of: session.user, from: session.hostName)
                    session.inTransaction = knowledge == .known ? isIn(inTransaction) : nil
                    session.holdsLock = holders.flatMap(isIn)
                }
                return session
            }
            let option = try options(replies).connections
            var report = AccountReport(
                account: known?.account ?? "",
                serverVersion: serverVersion,
                limit: known.map { .inForce($0.inForce, option: option, global: $0.global, server: $0.server) }
                    ?? AccountLimit(value: nil, source: .unknown),
                // The longest idle first.
                sessions: all.sorted { ($0.isSleeping ? 1 : 0, $0.duration) > ($1.isSleeping ? 1 : 0, $1.duration) },
                maxIdle: maxIdle,
                transactions: knowledge,
                server: ServerUse(limit: known?.server, status: try status(replies))
            )
            report.node = node
            report.knowsLocks = holders != nil
            report.avoidsPerformanceSchema = avoidsPerformanceSchema
            return report
        }
    }
}
