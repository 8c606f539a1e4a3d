import TestSupport
import Testing

@testable import Headroom

/// One table says what an error means, what to do, and whether trying again can help; all that decides goes by it.
@Suite struct ErrorTableTests {
    private let settings = DatabaseSettings(
        endpoint: .socket(path: "/run/db.sock"),
        username: "o'brien",
        password: "secret-word",
        database: "shop"
    )

    @Test func `every code has one row, and nobody is left with nothing to do`() throws {
        let source = try SourceFiles.text("Sources/Headroom/Errors/DatabaseError.swift")
        let codes = source.matches(of: /= Code\("([a-z_]+)"\)/).map { String($0.output.1) }
        #expect(codes.count > 30)
        #expect(Set(codes) == Set(ErrorTable.kinds.map(\.code.description)) && codes.count == ErrorTable.kinds.count)
        for kind in ErrorTable.kinds {
            #expect(DatabaseError(kind.code, message: "x").advice == kind.cure)
            #expect(kind.cure.last == ".", "\(kind.code)")
        }
        #expect(DatabaseError(.statementFailed, message: "x", advice: "Do this.").advice == "Do this.")
    }

    @Test func `every number makes a message with its own number, a cure and no name left open`() {
        for row in ErrorTable.numbers {
            let text = "Words of the server: \(row.words.first ?? "none") here"
            let error =
                row.isOfLogin
                ? ConnectFailure.error(row.number, text, settings: settings)
                : row.number == 2020
                    ? ServerWords.error(2020, text, isOfLogin: false) : StatementFailure.error(row.number, text)
            #expect(error.serverCode == row.number)
            #expect(error.message.contains("(error \(row.number)"), "\(error.message)")
            #expect(error.advice.last == "." || error.advice.last == "?", "\(row.number)")
            #expect(!"\(error)".contains("{") && !"\(error)".contains("secret-word"), "\(error)")
            // The first row that fits is the one that is used.
            #expect(error.retry == ErrorTable.retry(error.code, number: row.number))
        }
    }

    /// What the classes are: a change of one is a decision.
    @Test func `each kind is tried again as its class says`() {
        var classes: [Retry: Set<String>] = [:]
        for kind in ErrorTable.kinds where kind.retry != .never {
            classes[kind.retry, default: []].insert(kind.code.description)
        }
        #expect(
            classes == [
                .later: [
                    "budget_exhausted", "commit_unknown", "host_exhausted", "lock_taken", "account_limit_reached",
                    "user_limit_reached",
                ],
                .transaction: ["transaction_lost"],
                .otherNode: [
                    "host_not_found", "server_unreachable", "socket_not_found", "connect_timed_out",
                    "server_limit_reached", "connection_lost",
                ],
            ]
        )
        let limits = ErrorTable.kinds.filter { $0.stage == .limit }.map { DatabaseError($0.code, message: "") }
        #expect(limits.allSatisfy(\.isRefusal) && limits.count == 5)
        #expect(limits.filter(\.isConnectionLimit).count == 3)
        #expect(DatabaseError(.budgetExhausted, message: "").waitingCanHelp)
        #expect(!DatabaseError(.transactionLost, message: "").isRetryableTransaction)
    }

    @Test(
        arguments: [
            (1205, .transaction), (1213, .transaction), (1021, .later), (1030, .later), (1114, .later), (1317, .later),
            (1836, .later), (1062, .never), (1064, .never), (1142, .never), (1153, .never), (1264, .never),
            (1265, .never), (1292, .never), (1305, .never), (1366, .never), (1406, .never), (1451, .never),
            (1452, .never), (1461, .never), (1792, .never), (4025, .never), (1184, .never), (1927, .otherNode),
            (2013, .otherNode), (4031, .otherNode), (1969, .never), (3024, .never), (9999, .never),
        ] as [(Int, Retry)]
    )
    func `a statement's error has the class of its number`(number: Int, retry: Retry) {
        let error = StatementFailure.error(number, "words")
        #expect(error.retry == retry)
        #expect(error.isRetryableTransaction == (retry == .transaction))
        #expect(error.waitingCanHelp == (retry == .later || retry == .otherNode))
        #expect(!error.advice.contains("manual") && !error.advice.contains("ook the number up"))
    }

    @Test func `a table that is missing is the application's or Headroom's own by its name`() {
        let own = ["headroom_leases", "headroom_shares", "import_jobs", "meter_readings"]
        for name in own {
            #expect(
                StatementFailure.error(1146, "Table 'shop.\(name)' doesn't exist").advice.contains("headroom migrate")
            )
        }
        for name in ["orders", "my_import_jobs", "import_jobs_2", "the_headroom_x"] {
            let advice = StatementFailure.error(1146, "Table 'shop.\(name)' doesn't exist").advice
            #expect(!advice.contains("migrate") && advice.contains("application"), "\(name)")
        }
    }

    @Test func `1290 says whether the server is read-only or an option forbids the statement`() {
        let text = "The MariaDB server is running with the --read-only option so it cannot execute this statement"
        #expect(StatementFailure.error(1290, text).advice.contains("replica"))
        #expect(StatementFailure.error(1290, "... the --secure-file-priv option so").advice.contains("forbids"))
    }

    @Test func `a 1226 is read for 5,000 users and limits, whatever stands in the user's name`() {
        var random = Seeded(4)
        let names = [
            "o'brien", "a''b", "max_user_connections", "x' (current value: 7)", "'", "name 42", "é\u{301}'", "-1",
        ]
        let resources = [
            "max_user_connections", "max_queries_per_hour", "max_updates_per_hour", "max_connections_per_hour",
            "max_questions",
        ]
        let wordings: [(String, String, Int) -> String] = [
            { "User '\($0)' has exceeded the '\($1)' resource (current value: \($2))" },
            { "Benutzer '\($0)' hat die Ressource '\($1)' überschritten (aktueller Wert: \($2))" },
            { "ユーザー '\($0)' はリソースの上限 '\($1)' に達しました。(現在値: \($2))" },
        ]
        for _ in 0..<5_000 {
            let user = (0..<Int.random(in: 1...3, using: &random))
                .map { _ in names.randomElement(using: &random) ?? "" }
                .joined()
            let resource = resources.randomElement(using: &random) ?? ""
            let limit = Int.random(in: 0..<3, using: &random) == 0 ? -1 : Int.random(in: 1...100_000, using: &random)
            let text = wordings.randomElement(using: &random)?(user, resource, limit) ?? ""
            let error = ConnectFailure.error(1226, text, settings: settings)
            #expect(error.resource == resource && error.limit == limit, "\(text)")
            let code: DatabaseError.Code =
                limit < 0
                ? .accountLocked : resource == "max_user_connections" ? .accountLimitReached : .hourlyLimitReached
            #expect(error.code == code && error.waitingCanHelp == (code == .accountLimitReached), "\(text)")
            #expect(error.message.contains("'o'brien'") && error.serverCode == 1226)
            let later = StatementFailure.error(1226, text)
            #expect(later.code == .hourlyLimitReached && later.resource == resource && later.limit == limit)
        }
    }

    @Test(arguments: [
        (1040, DatabaseError.Code.serverLimitReached), (1129, .hostBlocked), (1130, .accessDenied),
        (1135, .connectFailed),
        (4242, .connectFailed),
    ])
    func `a refusal that comes in the place of TLS is read from its number`(number: Int, code: DatabaseError.Code) {
        let settings = DatabaseSettings(endpoint: .tcp(host: "h", port: 1), username: "u")
        for line in [2002, 2013, 2026] {
            let text =
                "Received error packet before completion of TLS handshake. The authenticity of the following error cannot be "
                + "verified: \(number) - Host 'x' 2002 - 1040 - said"
            let error = ConnectFailure.error(line, text, settings: settings)
            #expect(error.code == code && error.serverCode == number)
        }
        let forged = ConnectFailure.error(
            2002,
            "cannot be verified: 2003 - cannot be verified: 1040 - x",
            settings: settings
        )
        #expect(forged.serverCode == 2002)
    }

    @Test func `what the table lacks is said as the server said it, shown safely, and not guessed`() {
        let error = ConnectFailure.error(9001, "Hostgroup 3\u{1B}[2J is\r\nshunned\u{202E}", settings: settings)
        #expect(error.code == .connectFailed && error.retry == .never && error.serverCode == 9001)
        #expect(error.message.contains("Hostgroup 3\\x1b[2J is  shunned\\x202e"))
        #expect(error.advice.contains("server's own words are above"))
        #expect(StatementFailure.error(9001, "Hostgroup\u{0}").message == "Hostgroup\\x0 (error 9001).")
        for number in 1000..<4200 where ErrorTable.numbers.allSatisfy({ $0.number != number }) {
            #expect(ConnectFailure.error(number, "no", settings: settings).code == .connectFailed)
            #expect(StatementFailure.error(number, "no").code == .statementFailed)
        }
    }

    @Test func `what is filled in is not filled in again`() {
        #expect(ServerWords.filled("a {user} b {text}", ["user": "{text}", "text": "x"]) == "a {text} b x")
        #expect(ServerWords.filled("no names", [:]) == "no names")
        #expect(ServerWords.filled("{none} {open", [:]) == " ")
    }
}

/// What real servers send, and what is made of it.
@Suite(.sandbox()) struct ServerErrorTests {
    private func error(_ setUp: [String], _ statement: SQL = "SELECT 1", user: String, password: String = "p")
        async throws
        -> DatabaseError?
    {
        let administrator = try SuiteServer.administrator()
        try await administrator.withConnection { connection in
            for statement in setUp { try await connection.query(SQL(raw: statement)) }
        }
        var settings = try SuiteServer.settings()
        settings.username = user
        settings.password = password
        settings.waitTimeout = .milliseconds(300)
        let database = Database(settings, share: .reserve)
        return await #expect(throws: DatabaseError.self) {
            try await database.withConnection { try await $0.query(statement) }
        }
    }

    private func make(_ user: String, _ options: String = "") -> [String] {
        [
            "DROP USER IF EXISTS `\(user)`@localhost",
            "CREATE USER `\(user)`@localhost IDENTIFIED BY 'p' \(options)",
            "GRANT ALL ON *.* TO `\(user)`@localhost",
        ]
    }

    @Test func `an account that is locked, expired or has no connections says so, whatever its name`() async throws {
        let locked = try await error(make("o'locked", "ACCOUNT LOCK"), user: "o'locked")
        #expect(
            locked?.code == .accountLocked && locked?.serverCode == (SuiteServer.isMariaDB ? 4151 : 3118)
                && locked?.waitingCanHelp == false
        )
        let expired = try await error(make("o'expired", "PASSWORD EXPIRE"), user: "o'expired")
        #expect(expired?.code == .accountLocked && [1820, 1862].contains(expired?.serverCode))
        if SuiteServer.isMariaDB {
            let none = try await error(make("o'none", "WITH MAX_USER_CONNECTIONS -1"), user: "o'none")
            #expect(none?.code == .accountLocked && none?.serverCode == 1226 && none?.waitingCanHelp == false)
        }
        let denied = try await error(make("o'denied"), user: "o'denied", password: "wrong")
        #expect(denied?.code == .accessDenied && denied?.serverCode == 1045)
        let hourly = try await error(
            make("o'hourly", "WITH MAX_QUERIES_PER_HOUR 1"),
            "SELECT 2",
            user: "o'hourly"
        )
        #expect(hourly?.code == .hourlyLimitReached && hourly?.limit == 1)
    }

    @Test func `a statement that is larger than the server takes is not worth sending again`() async throws {
        let database = try SuiteServer.database()
        // MariaDB takes 16 MiB by default, MySQL 64.
        let large = String(repeating: "x", count: (SuiteServer.isMariaDB ? 20 : 70) << 20)
        for statement: SQL in ["SELECT LENGTH(\(large))", SQL(raw: "SELECT LENGTH('\(large)')")] {
            let error = await #expect(throws: DatabaseError.self) {
                try await database.withConnection { try await $0.query(statement) }
            }
            #expect(error?.waitingCanHelp == false, "\(String(describing: error))")
            #expect("\(String(describing: error))".contains("max_allowed_packet"))
        }
    }

    @Test func `what the server refuses has its own words and a cure`() async throws {
        let database = try SuiteServer.database()
        try await database.withConnection { connection in
            try await connection.query(
                "CREATE TEMPORARY TABLE small (id INT PRIMARY KEY, n TINYINT, t CHAR(2), d DATE)"
            )
            let statements: [(Int, SQL)] = [
                (1064, "SELEC 1"), (1146, "SELECT * FROM not_there"),
                (1264, "INSERT INTO small VALUES (1, 300, 'a', NULL)"),
                (1406, "INSERT INTO small VALUES (1, 1, 'abc', NULL)"), (1305, "SELECT nothing_such()"),
                (1292, "INSERT INTO small VALUES (1, 1, 'a', 'no date')"), (1054, "SELECT x FROM small"),
            ]
            for (number, statement) in statements {
                let error = await #expect(throws: DatabaseError.self) { try await connection.query(statement) }
                #expect(error?.serverCode == number, "\(String(describing: error))")
                #expect(error?.retry == .never && error?.advice.contains("migrate") == (number == 1054))
            }
        }
    }
}
