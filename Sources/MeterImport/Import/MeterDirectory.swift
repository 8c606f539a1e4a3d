import Headroom

/// Finds the ids of meters, and creates the meters that the database does not know yet.
struct MeterDirectory {
    private let batchID: String
    private let defaultSite: Int?
    private var ids: [String: Int] = [:]

    /// The meters that were created.
    private(set) var created: [String] = []

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
        let wanted = codes.filter { ids[$0] == nil }.sorted()
        guard !wanted.isEmpty else { return }
        try await find(wanted, connection)
        let unknown = wanted.filter { ids[$0] == nil }
        guard !unknown.isEmpty else { return }
        let site = try await site(connection)
        for code in unknown {
            let result = try await connection.query(
                """
                INSERT INTO meters (site_id, mpan, meter_type, is_half_hourly, is_active, batch_id)
                VALUES (\(site), \(code), 'electricity', 1, 1, \(batchID))
                ON DUPLICATE KEY UPDATE mpan = VALUES(mpan)
                """
            )
            if result.affectedRows == 1 { created.append(code) }
        }
        try await find(unknown, connection)
    }

    private mutating func find(_ codes: [String], _ connection: Connection) async throws {
        let rows = try await connection.query("SELECT mpan, id FROM meters WHERE mpan IN (\(list: codes))")
        for (code, id) in try rows.decode(String.self, Int.self) { ids[code] = id }
        // The server compares without regard to case; what it found under another spelling is found again as spelt here.
        for code in codes where ids[code] == nil {
            ids[code] = try await connection.query("SELECT id FROM meters WHERE mpan = \(code)").first(Int.self)
        }
    }

    /// The site for unknown meters, made when it is missing; the server's lock keeps two imports from making two.
    private func site(_ connection: Connection) async throws -> Int {
        if let defaultSite { return defaultSite }
        let name = "Auto-imported meters"
        let find: SQL = "SELECT id FROM sites WHERE name = \(name) ORDER BY id LIMIT 1"
        if let site = try await connection.query(find).first(Int.self) { return site }
        try await connection.query("SELECT GET_LOCK('headroom.default_site', 30)")
        if let site = try await connection.query(find).first(Int.self) {
            try await connection.query("DO RELEASE_LOCK('headroom.default_site')")
            return site
        }
        let company = try await connection.query("INSERT INTO companies (name) VALUES (\(name))").lastInsertID
        let site =
            try await connection.query(
                "INSERT INTO sites (company_id, name, site_type) VALUES (\(company), \(name), 'other')"
            )
            .lastInsertID
        try await connection.query("DO RELEASE_LOCK('headroom.default_site')")
        return Int(site)
    }
}
