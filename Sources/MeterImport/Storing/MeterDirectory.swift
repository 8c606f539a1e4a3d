import Headroom

/// Finds the ids of meters, and creates the meters that the database does not know yet.
struct MeterDirectory {
    private let batchID: String
    private let defaultSite: Int?
    private var ids: [String: Int] = [:]

    /// The most meters to remember: a file may have any number of them.
    private static let most = 20_000

    init(batchID: String, defaultSite: Int?) {
        self.batchID = batchID
        self.defaultSite = defaultSite
    }

    /// The id of a meter that ``resolve(_:_:)`` has seen.
    subscript(code: String) -> Int? { ids[code] }

    /// Finds the meters, and creates those that are unknown.
    ///
    /// Safe when two imports race: the unique index on the meter's number lets one of them insert it, and both find it.
    mutating func resolve(_ codes: Set<String>, _ connection: Connection) async throws {
        if ids.count > Self.most { ids.removeAll() }
        let wanted = codes.filter { ids[$0] == nil }.sorted()
        guard !wanted.isEmpty else { return }
        try await find(wanted, connection)
        let unknown = wanted.filter { ids[$0] == nil }
        guard !unknown.isEmpty else { return }
        let site = if let defaultSite { defaultSite } else { try await DefaultSite.site(connection) }
        for code in unknown {
            try await TakenID.retrying {
                try await connection.query(
                    """
                    INSERT INTO meters (site_id, mpan, meter_type, is_half_hourly, is_active, batch_id)
                    VALUES (\(site), \(code), 'electricity', 1, 1, \(batchID))
                    ON DUPLICATE KEY UPDATE mpan = IF(mpan = VALUES(mpan), VALUES(mpan), EXP(1000 + id))
                    """
                )
            }
        }
        try await find(unknown, connection)
    }

    /// How many meters the batch has created so far.
    func created(_ connection: Connection) async throws -> Int {
        try await connection.query("SELECT COUNT(*) FROM meters WHERE batch_id = \(batchID)").first(Int.self) ?? 0
    }

    private mutating func find(_ codes: [String], _ connection: Connection) async throws {
        let rows = try await connection.query("SELECT mpan, id FROM meters WHERE mpan IN (\(list: codes))")
        for (code, id) in try rows.decode(String.self, Int.self) { ids[code] = id }
        // The server compares without regard to case; what it found under another spelling is found again as spelt here.
        for code in codes where ids[code] == nil {
            ids[code] = try await connection.query("SELECT id FROM meters WHERE mpan = \(code)").first(Int.self)
        }
    }
}
