import Headroom
import HeadroomSandbox
import TestSupport
import Testing

@testable import HeadroomWatch

/// A session counts, and may be ended, only where it is the account's for sure: one row of user and host pattern.
@Suite struct AccountRowTests {
    private func row(_ account: String, own: String? = nil, whole: Bool = false, patterns: [String]? = nil)
        -> AccountRow
    {
        var row = AccountRow(account: account)
        (row.ownHost, row.isWholeList, row.patterns) = (own, whole, patterns)
        return row
    }

    @Test func `the account is taken apart at its last at sign`() {
        #expect(AccountRow(account: "a@b@%").user == "a@b")
        #expect(AccountRow(account: "a@b@10.0.0.%").pattern == "10.0.0.%")
    }

    @Test(
        arguments: [
            ("app@%", "10.0.0.1", "10.0.0.1", .account), ("app@%", "10.0.0.1", "10.0.0.2", .unclear),
            ("app@%", "10.0.0.1", "localhost", .unclear), ("app@localhost", "localhost", "localhost", .account),
            ("app@localhost", "localhost", "10.0.0.1", .another), ("app@localhost", "localhost", "web1", .another),
            ("app@10.0.0.5", "web1", "10.0.0.5", .account), ("app@10.0.0.%", "10.0.0.1", "10.0.0.9", .unclear),
            ("app@10.0.0.%", "10.0.0.1", "10.0.1.9", .another), ("app@10.0.0.%", "10.0.0.1", "web1", .unclear),
            ("app@10.0.0.%", "10.0.0.1", "localhost", .another),
            ("app@10.0.0.0/255.255.255.0", "10.0.0.1", "10.0.0.2", .unclear),
            ("app@Web1", "x", "web1", .account), ("app@::1", "::1", "::1", .account),
        ] as [(String, String, String, Session.Owner)]
    )
    func `without the rows a session is the account's by its host alone`(
        account: String,
        own: String,
        host: String,
        owner: Session.Owner
    ) {
        #expect(row(account, own: own).owner(of: "app", from: host) == owner)
        #expect(row(account, own: own).owner(of: "other", from: host) == .another)
        #expect(row(account, own: own, whole: true).owner(of: "app", from: host) == .account)
    }

    @Test(
        arguments: [
            (["%"], "10.0.0.2", .account), (["%"], "localhost", .account), (["%", "localhost"], "localhost", .another),
            (["%", "localhost"], "10.0.0.2", .account), (["%", "10.0.0.%"], "10.0.0.2", .unclear),
            (["%", "10.0.0.%"], "10.9.0.2", .account), (["%", "10.0.0.%"], "web1", .unclear),
            (["%", "web1"], "web1", .another),
        ] as [([String], String, Session.Owner)]
    )
    func `the rows say more where they can be read`(patterns: [String], host: String, owner: Session.Owner) {
        #expect(row("app@%", own: "10.0.0.1", patterns: patterns).owner(of: "app", from: host) == owner)
    }

    @Test func `what is unclear is neither counted nor ended`() {
        func session(_ id: UInt64, _ owner: Session.Owner) -> Session {
            Session(
                id: id,
                user: "app",
                host: "h",
                database: nil,
                command: "Sleep",
                duration: .seconds(900),
                owner: owner
            )
        }
        let report = AccountReport(
            account: "app@%",
            serverVersion: nil,
            limit: AccountLimit(value: 5, source: .account),
            sessions: [session(1, .account), session(2, .unclear), session(3, .another)],
            maxIdle: .seconds(300)
        )
        #expect((report.used, report.unclear, report.idle) == (1, 1, 1))
        #expect(KillPolicy().plan(report).victims.map(\.id) == [1])
    }
}

/// The same on a real server, with and without the right to see all sessions.
@Suite(.sandbox(tcp: true, arguments: ["--skip-name-resolve"])) struct OtherRowTests {
    @Test(arguments: ["", "PROCESS", "PROCESS and KILL", "PROCESS and all rows"])
    func `an account neither counts nor ends what another row of its user has open`(rights: String) async throws {
        let name = "row\(rights.utf8.count)"
        try await SuiteServer.administrator()
            .withConnection { connection in
                var statements = [
                    "CREATE USER '\(name)'@'%' IDENTIFIED BY 'sandbox' WITH MAX_USER_CONNECTIONS 5",
                    "CREATE USER '\(name)'@'localhost' IDENTIFIED BY 'sandbox' WITH MAX_USER_CONNECTIONS 7",
                ]
                if !rights.isEmpty { statements.append("GRANT PROCESS ON *.* TO '\(name)'@'%'") }
                if rights.hasSuffix("KILL") {
                    statements.append(
                        "GRANT CONNECTION\(SuiteServer.isMariaDB ? " " : "_")ADMIN ON *.* TO '\(name)'@'%'"
                    )
                }
                if rights.hasSuffix("rows") { statements.append("GRANT SELECT ON mysql.* TO '\(name)'@'%'") }
                for statement in statements { try await connection.query(SQL(raw: statement)) }
            }
        var wide = try SuiteServer.settings(name, overTCP: true)
        var local = try SuiteServer.settings(name)
        (wide.database, local.database) = (nil, nil)
        let (wideAccount, localAccount) = (wide, local)
        try await Database(local)
            .withConnection { held in
                try await held.query("SELECT 1")
                try await Task.sleep(for: .milliseconds(1_200))
                let report = try await AccountWatch(wideAccount).report()
                #expect(report.account == "\(name)@%")
                #expect((report.used, report.level) == (0, .ok))
                let owner = report.sessions.first { $0.id == held.sessionID }?.owner
                let version = ServerVersion(report.serverVersion ?? "")
                let isListed = !(version?.listsOneRow == true && rights.isEmpty)
                #expect(owner == (isListed ? rights.hasSuffix("rows") ? .another : .unclear : nil))
                var policy = KillPolicy()
                policy.maxIdle = .seconds(1)
                let kill = policy
                let outcome = try await Database(wideAccount).withConnection { try await IdleKill(kill).run(on: $0) }
                #expect(outcome.count(.killed) == 0)
                try await held.query("SELECT 1")
                // Its own it counts.
                try await Database(wideAccount)
                    .withConnection { _ in
                        let isCounted = try await eventually { try await AccountWatch(wideAccount).report().used == 1 }
                        #expect(isCounted)
                    }
                // The look before may still be on the server's list.
                let isAlone = try await eventually { try await AccountWatch(localAccount).report().used == 1 }
                #expect(isAlone)
            }
    }
}
