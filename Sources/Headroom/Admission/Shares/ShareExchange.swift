/// Reads the account's book, and writes in its place one in which this host has what it may have.
///
/// On the one connection that each host has set aside for it: two statements, each a transaction of its own, and a third
/// where another host's time is up. Its caller has the host's right to ask, and keeps it until the server has let go.
struct ShareExchange {
    /// Opens the connection, outside of the budget.
    let sessions: Sessions
    let terms: ShareTiming

    /// How often a book that was written by another host in between is read again, before the host waits a moment.
    private static let attempts = 8

    /// How the names of the locks begin that show whose sessions are a host's.
    static func markPrefix(_ host: String) -> String { "headroom.\(host)." }

    /// Asks once.
    ///
    /// - Parameters:
    ///   - share: What the host has; changed to what it has then.
    ///   - host: The host.
    ///   - request: Shows a lower cap to all processes of the host, and then says what they hold and want; `nil` when it
    ///     cannot be shown.
    /// - Returns: Whether the book is written.
    /// - Throws: ``DatabaseError``.
    func run(
        _ share: inout HostShare,
        host: HostName,
        request: (_ share: HostShare) -> ShareTable.Request?
    ) async throws -> Bool {
        let settings = sessions.settings
        let limits = Limits(deadline: .now + min(settings.connectTimeout, .seconds(10)), isCancellable: false)
        let session = try await sessions.connect(in: nil, limits)
        let result: Result<Bool, any Error>
        do {
            result = .success(try await run(&share, host, session.client, limits, request))
        } catch {
            result = .failure(error)
        }
        // The place is needed for the next question.
        await session.close(within: settings.closeTimeout * 12)
        return try result.get()
    }

    private func run(
        _ share: inout HostShare,
        _ host: HostName,
        _ client: Client,
        _ limits: Limits,
        _ request: (HostShare) -> ShareTable.Request?
    ) async throws -> Bool {
        // Should this process be stopped now, its session is soon gone.
        client.sendAhead("SET SESSION wait_timeout = 5, innodb_lock_wait_timeout = 2")
        for _ in 0..<Self.attempts {
            let asked = HostMoment.now.time
            let page = try await read(client, limits)
            guard let book = ShareTable(text: page.text) else {
                throw DatabaseError(
                    .statementFailed,
                    message: "The account's row of headroom_shares cannot be read.",
                    advice: "Something else has written to it. With all programs ended, delete the row."
                )
            }
            let remains = try await endExpired(book.expired(at: page.now, except: host.identity), client, limits)
            var isShown = true
            let proposal = share.propose(book, at: page.now, remains: remains, terms) { share in
                guard let request = request(share) else {
                    isShown = false
                    return ShareTable.Request(host: host.identity, inUse: 0, wanted: 0, budget: 0, hosts: 1)
                }
                return request
            }
            guard isShown else { return false }
            if try await write(proposal.book.text, over: page.version, client, limits) {
                share.granted(proposal.answer, asked: asked, terms, jitter: .random(in: 0...1))
                return true
            }
        }
        return false
    }

    private struct Page {
        var version: Int
        var text: String
        var now: Int64
    }

    private func read(_ client: Client, _ limits: Limits) async throws -> Page {
        for attempt in 0..<3 {
            do {
                let page = try await client.query(
                    """
                    SELECT version, hosts, CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS SIGNED)
                    FROM headroom_shares WHERE account = CURRENT_USER()
                    """,
                    limits
                )
                if let (version, text, now) = try page.first(Int.self, String.self, Int64.self) {
                    return Page(version: version, text: text, now: now)
                }
                try await client.query(
                    "INSERT IGNORE INTO headroom_shares (account, version, hosts) VALUES (CURRENT_USER(), 0, '')",
                    limits
                )
            } catch let error as DatabaseError where error.serverCode == 1146 && attempt == 0 {
                try await makeTable(client, limits)
            }
        }
        throw DatabaseError(
            .statementFailed,
            message: "The account has no row in headroom_shares, and none can be made.",
            advice: "Give it the right to insert there."
        )
    }

    /// The table's statement; the account's name is all that is looked up in it.
    static let table = """
        CREATE TABLE IF NOT EXISTS headroom_shares (
          account VARCHAR(255) NOT NULL PRIMARY KEY, version BIGINT UNSIGNED NOT NULL, hosts MEDIUMTEXT NOT NULL
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
        """

    private func makeTable(_ client: Client, _ limits: Limits) async throws {
        do {
            try await client.query(SQL(raw: Self.table), limits)
        } catch var error as DatabaseError {
            error.message =
                "There is no table headroom_shares, in which the hosts share the account out: \(error.message)"
            error.advice =
                "Run 'headroom migrate' as an account that may create it, or give each host a fixed share with "
                + "HEADROOM_SHARE alone."
            throw error
        }
    }

    /// Writes the book, unless another host has written in between.
    private func write(_ text: String, over version: Int, _ client: Client, _ limits: Limits) async throws -> Bool {
        do {
            let result = try await client.query(
                """
                UPDATE headroom_shares SET version = version + 1, hosts = \(text)
                WHERE account = CURRENT_USER() AND version = \(version)
                """,
                limits
            )
            return result.affectedRows == 1
        } catch let error as DatabaseError where error.isRetryableTransaction {
            // Another node of a cluster had the same version, and its commit came first.
            return false
        }
    }

    /// Has the sessions of hosts whose time is up ended, and counts those that were still there.
    ///
    /// What is counted now is not given away yet: the next to ask finds whether they are gone.
    private func endExpired(
        _ expired: [ShareTable.Entry],
        _ client: Client,
        _ limits: Limits
    ) async throws -> [String: Int] {
        var remains: [String: Int] = [:]
        for entry in expired {
            let places = (0..<min(max(16, entry.budget), SlotTable.slotCount))
                .map { "\(Self.markPrefix(entry.host))\($0)" }
            var left: [UInt64] = []
            for start in stride(from: 0, to: places.count, by: 64) {
                let part = places[start..<min(places.count, start + 64)]
                let row = part.dropFirst()
                    .reduce("SELECT IS_USED_LOCK(\(part[start]))" as SQL) { "\($0), IS_USED_LOCK(\($1))" }
                guard let found = try await client.query(row, limits).rows.first else { continue }
                left += (0..<found.count).compactMap { found.number(at: $0) }
            }
            remains[entry.host] = left.count
            for session in left {
                do {
                    try await client.query(SQL(raw: "KILL \(session)"), limits)
                } catch let error as DatabaseError where error.serverCode == 1094 {
                    // It has gone by itself.
                }
            }
        }
        return remains
    }
}
