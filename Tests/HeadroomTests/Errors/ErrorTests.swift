import Testing

@testable import Headroom

/// A refusal says which limit it was, its number when it is named, and whether waiting can help.
@Suite struct ErrorTests {
    private let settings = DatabaseSettings(
        endpoint: .socket(path: "/run/db.sock"),
        username: "app",
        password: "secret-word",
        database: "shop"
    )

    @Test(
        arguments: [
            (
                1226, "User 'app' has exceeded the 'max_user_connections' resource (current value: 3)",
                DatabaseError.Code.accountLimitReached, 3, "max_user_connections", true
            ),
            (
                1226, "Benutzer 'app' hat die Ressource 'max_user_connections' überschritten (aktueller Wert: 12)",
                .accountLimitReached, 12, "max_user_connections", true
            ),
            (
                1226, "User 'app' has exceeded the 'max_connections_per_hour' resource (current value: 100)",
                .hourlyLimitReached, 100, "max_connections_per_hour", false
            ),
            (
                1203, "User app already has more than 'max_user_connections' active connections",
                .userLimitReached, nil, "max_user_connections", true
            ),
            (1040, "Too many connections", .serverLimitReached, nil, "max_connections", true),
            (1129, "Host '10.0.0.1' is blocked because of many connection errors", .hostBlocked, nil, nil, false),
        ] as [(Int, String, DatabaseError.Code, Int?, String?, Bool)]
    )
    func `each limit is told apart`(
        number: Int,
        text: String,
        code: DatabaseError.Code,
        limit: Int?,
        resource: String?,
        waitingCanHelp: Bool
    ) {
        let error = ConnectFailure.error(number, text, settings: settings)
        #expect(error.code == code)
        #expect(error.limit == limit)
        #expect(error.resource == resource)
        #expect(error.waitingCanHelp == waitingCanHelp)
        #expect(error.isRefusal)
        #expect(error.serverCode == number)
    }

    @Test(arguments: [
        (1045, "Access denied for user 'app'@'localhost' (using password: YES)", DatabaseError.Code.accessDenied),
        (1049, "Unknown database 'shop'", .databaseUnknown),
        (1044, "Access denied for user 'app'@'%' to database 'shop'", .databaseDenied),
        (4150, "User is blocked because of too many credential errors", .accountLocked),
        (2002, "Can't connect to local server through socket '/run/db.sock' (2)", .socketNotFound),
        (2002, "Can't connect to local server through socket '/run/db.sock' (13)", .socketNotPermitted),
        (2002, "Can't connect to local server through socket '/run/db.sock' (111)", .serverUnreachable),
        (2005, "Unknown server host 'nowhere' (-2)", .hostNotFound),
        (2026, "TLS/SSL error: certificate verify failed", .tlsFailed),
    ])
    func `each cause of a failed connection has its own code, and a next step`(
        number: Int,
        text: String,
        code: DatabaseError.Code
    ) {
        let error = ConnectFailure.error(number, text, settings: settings)
        #expect(error.code == code)
        #expect(!error.isRefusal)
        #expect(!error.advice.isEmpty)
    }

    @Test func `no error shows the password`() {
        for number in [1226, 1203, 1040, 1045, 1049, 2002, 2003, 2005, 2026, 9999] {
            let error = ConnectFailure.error(number, "text", settings: settings)
            #expect(!"\(error)".contains("secret-word"))
            #expect(!String(reflecting: error).contains("secret-word"))
        }
        #expect(!"\(settings)".contains("secret-word"))
        #expect(!String(reflecting: settings).contains("secret-word"))
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("secret-word") && dumped.contains(settings.username), "\(dumped)")
    }

    @Test(arguments: [2006, 2013, 2026, 1053, 1927, 4031])
    func `a lost connection is known as one, also over TLS`(number: Int) {
        #expect(StatementFailure.error(number, "gone").code == .connectionLost)
    }

    @Test func `a node that has lost the others is a lost connection, at a statement and at a COMMIT`() {
        // As the server words them (MariaDB 10.11).
        let commit = "Error while appending streaming replication fragment"
        #expect(StatementFailure.error(1180, commit).code == .connectionLost)
        let status = "(provider status: Not connected to Primary Component)"
        #expect(StatementFailure.error(1180, commit + status).code == .connectionLost)
        #expect(
            StatementFailure.error(1047, "WSREP has not yet prepared node for application use").code == .connectionLost
        )
        #expect(
            StatementFailure.error(1180, "Got error 28 \"No space left on device\" during COMMIT").code
                == .statementFailed
        )
    }

    @Test func `a deadlock and a lock wait may be run again, a syntax error not`() {
        #expect(StatementFailure.error(1213, "Deadlock").isRetryableTransaction)
        #expect(StatementFailure.error(1205, "Lock wait").isRetryableTransaction)
        #expect(!StatementFailure.error(1064, "Syntax").isRetryableTransaction)
    }
}
