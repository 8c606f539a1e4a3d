import Headroom

/// What the full run knows of the account, from one look.
struct VerifyFacts {
    var report: AccountReport
    var options: AccountOptions
    var grants: [String]
    var ports: ServerPorts
    var skew: ClockSkew
    var missingTables: [String] = []
    var waitingJobs = 0

    /// The connections of the limit that nobody uses.
    var free: Int? {
        guard let limit = report.limit.value, let used = report.used else { return nil }
        // The server's limit is shared by all accounts, and this one sees its own sessions only.
        let taken = report.limit.source == .server ? report.server?.connected.map { $0 - 1 } ?? used : used
        return limit - taken
    }
}

extension Verify {
    /// Looks at all that the later steps go by, through one connection.
    func facts() async throws -> VerifyFacts {
        try await Database(hasty(Self.quickPatience), share: .reserve)
            .withConnection(label: "verify") { connection in
                seen.note(connection)
                let report = try await connection.accountReport(maxIdle: .seconds(300), patience: 2)
                let grants = try await connection.query("SHOW GRANTS FOR CURRENT_USER()").decode(String.self)
                let before = ClockSkew.now
                let server =
                    try await connection
                    .query(
                        "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
                    )
                    .first(Int.self) ?? 0
                var facts = VerifyFacts(
                    report: report,
                    options: try await connection.accountOptions(),
                    grants: grants,
                    ports: try await connection.serverPorts(),
                    skew: ClockSkew(before: before, after: ClockSkew.now, server: server)
                )
                guard let queue else { return facts }
                let tables =
                    try await connection.query(
                        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
                    )
                    .decode(String.self)
                facts.missingTables = queue.tables.filter { !tables.contains($0) }
                if facts.missingTables.isEmpty { facts.waitingJobs = try await queue.waitingJobs(connection) }
                return facts
            }
    }
}
