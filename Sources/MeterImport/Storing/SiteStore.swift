import Headroom

/// Writes sites: one company has one site of a name.
struct SiteStore {
    /// The company of sites that name none, or one that does not exist.
    let defaultCompany: Int

    /// What a chunk of sites has led to.
    struct Stored: Hashable {
        /// How many are new, and how many were there.
        var counts = ReadingStore.Stored()
        /// How many named a company that does not exist.
        var strays = 0
    }

    private struct Key: Hashable {
        var company: Int
        var name: String
    }

    /// Stores sites, in the transaction with their checkpoint; what a site that is there says already stays, where the
    /// file says nothing.
    func store(_ sites: [Site], _ connection: Connection) async throws -> Stored {
        var stored = Stored()
        guard !sites.isEmpty else { return stored }
        let named = Set(sites.compactMap(\.companyID) + [defaultCompany]).sorted()
        // Locked to the commit: two imports of the same company's sites go one after the other.
        let companies = Set(
            try await connection.query("SELECT id FROM companies WHERE id IN (\(list: named)) ORDER BY id FOR UPDATE")
                .decode(Int.self)
        )
        var ids: [Key: Int] = [:]
        let rows = try await connection.query(
            """
            SELECT id, company_id, name FROM sites
            WHERE company_id IN (\(list: named)) AND name IN (\(list: Set(sites.map(\.name)).sorted()))
            """
        )
        for (id, company, name) in try rows.decode(Int.self, Int.self, String.self) {
            ids[Key(company: company, name: name)] = id
        }
        for site in sites {
            let company = site.companyID.flatMap { companies.contains($0) ? $0 : nil } ?? defaultCompany
            if let wanted = site.companyID, wanted != company { stored.strays += 1 }
            let key = Key(company: company, name: site.name)
            if let id = ids[key] {
                try await update(id, site, connection)
                stored.counts.duplicates += 1
            } else {
                ids[key] = try await insert(site, company, connection)
                stored.counts.new += 1
            }
        }
        return stored
    }

    private func insert(_ site: Site, _ company: Int, _ connection: Connection) async throws -> Int {
        let result = try await connection.query(
            """
            INSERT INTO sites (company_id, region_id, name, address, postcode, latitude, longitude, site_type, floor_area,
                               is_active)
            VALUES (\(company), \(site.regionID), \(site.name), \(site.address), \(site.postcode),
                    \(site.latitude?.text), \(site.longitude?.text), \(site.type?.rawValue ?? "other"),
                    \(site.floorArea?.text), \(site.isActive ?? true))
            """
        )
        return Int(result.lastInsertID)
    }

    private func update(_ id: Int, _ site: Site, _ connection: Connection) async throws {
        try await connection.query(
            """
            UPDATE sites
            SET region_id = COALESCE(\(site.regionID), region_id), address = COALESCE(\(site.address), address),
                postcode = COALESCE(\(site.postcode), postcode), latitude = COALESCE(\(site.latitude?.text), latitude),
                longitude = COALESCE(\(site.longitude?.text), longitude),
                site_type = COALESCE(\(site.type?.rawValue), site_type),
                floor_area = COALESCE(\(site.floorArea?.text), floor_area),
                is_active = COALESCE(\(site.isActive), is_active)
            WHERE id = \(id)
            """
        )
    }
}
