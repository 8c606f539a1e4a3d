import Headroom

/// Finds the ids of meters, and creates the meters that the database does not know yet.
struct MeterDirectory {
    private let batchID: String
    private let defaultSite: Int?
    private let isSerial: Bool
    private var ids: [String: Int] = [:]

    /// The most meters to remember: a file may have any number of them.
    private static let most = 20_000

    /// Creates a directory; where `isSerial`, the file names meters by the numbers on them.
    init(batchID: String, defaultSite: Int?, isSerial: Bool) {
        self.batchID = batchID
        self.defaultSite = defaultSite
        self.isSerial = isSerial
    }

    /// The id of a meter that ``resolve(_:_:)`` has seen.
    subscript(code: String) -> Int? { ids[code] }

    /// Finds the meters, and creates those that are unknown.
    ///
    /// Safe when two imports race: the unique index on the meter's number lets one of them insert it, and both find it.
    mutating func resolve(_ codes: [String], _ fuels: [Fuel?], _ connection: Connection) async throws {
        if ids.count > Self.most { ids.removeAll() }
        let wanted = Set(codes).filter { ids[$0] == nil }.sorted()
        guard !wanted.isEmpty else { return }
        try await find(wanted, connection)
        let unknown = wanted.filter { ids[$0] == nil }
        guard !unknown.isEmpty else { return }
        var known: [String: Fuel] = [:]
        for (code, fuel) in zip(codes, fuels) { if let fuel { known[code] = fuel } }
        let site = if let defaultSite { defaultSite } else { try await DefaultSite.site(connection) }
        for code in unknown {
            try await TakenID.retrying {
                try await connection.query(
                    """
                    INSERT INTO meters (site_id, mpan, serial_number, meter_type, is_half_hourly, is_active, batch_id)
                    VALUES (\(site), \(code), \(isSerial ? code : nil), \((known[code] ?? .electricity).rawValue), 1, 1, \(batchID))
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
        if isSerial {
            let rows = try await connection.query("SELECT serial_number, id FROM meters WHERE serial_number IN (\(list: codes))")
            var several: Set<String> = []
            for (code, id) in try rows.decode(String.self, Int.self) {
                guard let spelt = codes.first(where: { $0 == code || $0.lowercased() == code.lowercased() }) else { continue }
                if ids.updateValue(id, forKey: spelt) != nil { several.insert(spelt) }
            }
            guard several.isEmpty else {
                throw ImportError(
                    .doubtful,
                    "Several meters have the serial number \(several.sorted().prefix(3).joined(separator: ", ")). Correct them in the host's "
                        + "pages, or give the file a column with the MPAN."
                )
            }
            let rest = codes.filter { ids[$0] == nil }
            return rest.isEmpty ? () : try await findByNumber(rest, connection)
        }
        try await findByNumber(codes, connection)
    }

    private mutating func findByNumber(_ codes: [String], _ connection: Connection) async throws {
        let rows = try await connection.query("SELECT mpan, id FROM meters WHERE mpan IN (\(list: codes))")
        for (code, id) in try rows.decode(String.self, Int.self) { ids[code] = id }
        // The server compares without regard to case; what it found under another spelling is found again as spelt here.
        for code in codes where ids[code] == nil {
            ids[code] = try await connection.query("SELECT id FROM meters WHERE mpan = \(code)").first(Int.self)
        }
    }
}
