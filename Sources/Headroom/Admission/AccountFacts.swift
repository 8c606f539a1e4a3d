import CLibrary

/// What a session says of the account that it belongs to, and of its server.
struct AccountFacts: Sendable {
    /// The account as its server knows it, user and host pattern; all sessions of it are counted together.
    var account: String

    /// What tells the server from every other: its host, port, socket and data folder, and the id it has given itself.
    var server: String

    /// The most connections of the account; `nil` when only the server's own limit holds, which all accounts share.
    var ownLimit: Int?

    /// The most connections of the whole server.
    var serverLimit: Int

    /// When the server was started, in seconds since 1970; good to a second or two.
    var serverStartedAt: Int64

    /// The number of the account's other sessions.
    var otherSessions: Int

    /// The limit in force.
    var limit: Int { ownLimit ?? serverLimit }
}

extension Session {
    /// Asks the session about its account.
    ///
    /// On a session that was never reset only: MariaDB 10.11 then shows the global limit instead of the account's.
    func accountFacts(_ limits: Limits) async throws -> AccountFacts {
        let row = try await query(
            """
            SELECT CURRENT_USER(), CONCAT_WS('|', @@hostname, @@port, @@socket, @@datadir),
                   @@session.max_user_connections, @@global.max_connections
            """,
            limits
        )
        .first(String.self, String.self, Int.self, Int.self)
        let status = try await query(
            "SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'wsrep_cluster_state_uuid')",
            limits
        )
        .decode(String.self, String.self)
        let uptime = status.first { $0.0 == "Uptime" }.flatMap { Int($0.1) } ?? 0
        // The nodes of a cluster count each for itself, but a host that may use all of them keeps one budget.
        let cluster = status.first { $0.0 == "wsrep_cluster_state_uuid" && !$0.1.isAll { $0 == "0" || $0 == "-" } }?.1
        // By SHOW: a variable that an older server does not have is no row there, and an error in a SELECT.
        let identity = try await query(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uid', 'server_uuid')",
            limits
        )
        .first(String.self, String.self)
        // Those of the same user from the same host are the same account's. (MySQL would rather be asked in the performance
        // schema, but that may be off, and is empty then.)
        let sessions = try await query(
            """
            SELECT COUNT(*) FROM information_schema.PROCESSLIST AS other JOIN information_schema.PROCESSLIST AS own
            ON own.ID = CONNECTION_ID() AND other.ID <> own.ID AND other.USER = own.USER
              AND SUBSTRING_INDEX(other.HOST, ':', 1) = SUBSTRING_INDEX(own.HOST, ':', 1)
            WHERE other.COMMAND <> 'Killed'
            """,
            limits
        )
        .first(Int.self)
        guard let (account, server, limit, serverLimit) = row else {
            throw DatabaseError(.decodingFailed, message: "The server does not say whose session this is.")
        }
        return AccountFacts(
            account: account,
            server: cluster.map { "cluster|\($0)" } ?? identity.map { "\(server)|\($0.1)" } ?? server,
            ownLimit: limit > 0 ? limit : nil,
            serverLimit: serverLimit,
            serverStartedAt: Int64(time(nil)) - Int64(uptime.asCount),
            otherSessions: sessions ?? 0
        )
    }
}

/// A server's kind and version, as its greeting has them.
package struct ServerVersion: Sendable, Hashable {
    /// The kinds of servers.
    package enum Flavor: String, Sendable {
        case mariaDB = "MariaDB"
        case mySQL = "MySQL"
    }

    /// The kind; Percona's server calls itself a MySQL.
    package var flavor: Flavor

    /// The first two numbers.
    package var major: Int
    package var minor: Int

    /// The third number; 0 where there is none.
    package var patch: Int

    /// Takes a greeting apart, such as `10.11.6-MariaDB-log`, `5.5.5-10.3.39-MariaDB` or `8.0.36-28`; `nil` for others.
    package init?(_ text: String) {
        flavor = text.holds("MariaDB") ? .mariaDB : .mySQL
        // MariaDB puts a version in front that old clients can bear.
        let number = flavor == .mariaDB ? text.after("5.5.5-") ?? text[...] : text[...]
        let parts = number.pieces(separator: ".", maxSplits: 2).map { Int($0.leading(\.isDigit)) }
        guard parts.count >= 2, let major = parts[0], let minor = parts[1] else { return nil }
        (self.major, self.minor) = (major, minor)
        patch = parts.count > 2 ? parts[2] ?? 0 : 0
    }

    /// Whether an account without the PROCESS privilege is shown the sessions of its own row only, and may end no others.
    ///
    /// MariaDB 10.5.23 shows and ends those of its user's other rows, as MySQL does; 10.11.19 and 11.8.9 do not (tried). Of what
    /// lies between nothing is assumed.
    package var listsOneRow: Bool {
        flavor == .mariaDB
            && [(10, 11, 19), (11, 8, 9)].contains { major == $0.0 && minor == $0.1 && patch >= $0.2 }
    }

    private static let oldest: [Flavor: (Int, Int)] = [.mariaDB: (10, 6), .mySQL: (8, 0)]

    /// Why Headroom may not work with the server; `nil` for those it is made for.
    package var warning: String? {
        guard let oldest = Self.oldest[flavor], (major, minor) < oldest else { return nil }
        return
            "this server is \(flavor.rawValue) \(major).\(minor); Headroom is made for MariaDB 10.6 and MySQL 8.0 and "
            + "later: what fails here may do so for that reason (docs/compatibility.md)"
    }
}
