import Headroom

/// Finds the company and the site for what a file does not assign, and makes them when they are missing.
///
/// The server's lock keeps two imports from making two.
enum DefaultSite {
    /// The name of both.
    static let name = "Auto-imported meters"

    /// The company's id.
    static func company(_ connection: Connection) async throws -> Int {
        try await once(connection, "SELECT id FROM companies WHERE name = \(name) ORDER BY id LIMIT 1") {
            try await connection.query("INSERT INTO companies (name) VALUES (\(name))")
        }
    }

    /// The site's id.
    static func site(_ connection: Connection) async throws -> Int {
        let find: SQL = "SELECT id FROM sites WHERE name = \(name) ORDER BY id LIMIT 1"
        if let site = try await connection.query(find).first(Int.self) { return site }
        let company = try await company(connection)
        return try await once(connection, find) {
            try await connection.query(
                "INSERT INTO sites (company_id, name, site_type) VALUES (\(company), \(name), 'other')"
            )
        }
    }

    private static func once(
        _ connection: Connection,
        _ find: SQL,
        create: () async throws -> QueryResult
    ) async throws -> Int {
        if let id = try await connection.query(find).first(Int.self) { return id }
        guard
            try await connection.query("SELECT COALESCE(GET_LOCK('headroom.default_site', 30), 0)").first(Int.self) == 1
        else {
            // Tried again later, with the whole job.
            throw DatabaseError(
                .statementFailed,
                message: "Another import has been making '\(name)' for over 30 s.",
                advice: "Look for a session that holds the lock headroom.default_site (IS_USED_LOCK), and end it."
            )
        }
        var id = try await connection.query(find).first(Int.self)
        if id == nil { id = Int(try await create().lastInsertID) }
        try await connection.query("DO RELEASE_LOCK('headroom.default_site')")
        return id ?? 0
    }
}
