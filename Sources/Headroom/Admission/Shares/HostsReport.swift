/// Which host has how much of an account that several hosts share, as the account's book in the database says.
public struct HostsReport: Sendable {
    /// A host that has a share, or waits for one.
    public struct Host: Sendable {
        /// The host's name.
        public var name: String
        /// What tells it from every other.
        public var identity: String
        /// How many connections are its own.
        public var share: Int
        /// How many of them it used when it last wrote.
        public var inUse: Int
        /// How many it could use then, those included.
        public var wanted: Int
        /// For how long the share is still its own; negative when its time is up and no host has taken it.
        public var left: Duration
        /// How long ago it has written last; a host that has a share writes every ten seconds.
        public var silence: Duration
        /// The host's clock minus the database's.
        public var clockError: Duration
        /// How many places its settings set aside, one for each host to ask with.
        public var setAside: Int

        /// Whether it has not written for so long that its time is up.
        public var isSilent: Bool { left <= .zero }

        /// Whether its clock differs from the database's by more than two seconds.
        public var isClockWrong: Bool { clockError.microseconds.magnitude > 2_000_000 }
    }

    /// The hosts, in the order of their first coming.
    public var hosts: [Host]

    /// Asks the database.
    ///
    /// - Parameter connection: A connection of the account, to the database in which the hosts meet.
    /// - Returns: The report; `nil` when no hosts share the account there.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public static func read(_ connection: Connection) async throws -> HostsReport? {
        let row: (String, Int64)?
        do {
            row =
                try await connection.query(
                    """
                    SELECT hosts, CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS SIGNED)
                    FROM headroom_shares WHERE account = CURRENT_USER()
                    """
                )
                .first(String.self, Int64.self)
        } catch let error as DatabaseError where error.serverCode == 1146 || error.serverCode == 1046 {
            return nil
        }
        guard let (text, now) = row, let book = ShareTable(text: text) else { return nil }
        return HostsReport(hosts: book.entries.map { Host($0, now: now, .usual) })
    }
}

extension HostsReport.Host {
    init(_ entry: ShareTable.Entry, now: Int64, _ terms: ShareTiming) {
        name = entry.name
        identity = entry.host
        share = entry.share
        inUse = entry.inUse
        wanted = entry.wanted
        left = .microseconds(entry.expires.subtracting(clamped: now))
        silence =
            .microseconds(now.subtracting(clamped: entry.expires)) + (entry.share > 0 ? terms.lease : terms.waiting)
        clockError = .milliseconds(entry.clockError)
        setAside = entry.setAside
    }
}
