import HeadroomSandbox
import TestSupport
import Testing

@testable import Headroom

/// Encryption is what the settings say, and no session is left behind it either.
@Suite(.sandbox(tcp: true, tls: true)) struct TLSTests {
    /// `127.1` is 127.0.0.1 to a resolver, while no certificate carries it: a name, and the wrong one.
    private static let wrongName = "127.1"

    private func database(
        _ mode: TLS.Mode,
        host: String = "127.0.0.1",
        authorities: String? = nil,
        account: String = "app"
    ) throws -> Database {
        var settings = try SuiteServer.settings(account, overTCP: true)
        settings.endpoint = .tcp(host: host, port: try #require(SuiteServer.sandbox.port))
        settings.tls = TLS(mode: mode, authorities: authorities)
        return Database(settings)
    }

    private func expectRefusal(by database: Database) async {
        let error = await #expect(throws: DatabaseError.self) { try await database.withConnection { _ in } }
        #expect(error?.code == .tlsFailed)
    }

    @Test(arguments: [(TLS.Mode.disabled, false), (.preferred, true), (.required, true)], ["127.0.0.1", wrongName])
    func `a self-signed server is spoken to as the mode says`(mode: (TLS.Mode, encrypts: Bool), host: String)
        async throws
    {
        let isEncrypted = try await database(mode.0, host: host).withConnection { $0.isEncrypted }
        #expect(isEncrypted == mode.encrypts)
    }

    @Test(arguments: [TLS.Mode.verifyCA, .verifyIdentity])
    func `a server is verified against its authority`(mode: TLS.Mode) async throws {
        let authority = try SuiteServer.sandbox.certificateAuthority
        let isEncrypted = try await database(mode, authorities: authority).withConnection { $0.isEncrypted }
        #expect(isEncrypted)
        await expectRefusal(by: try database(mode))
    }

    @Test func `the wrong name is refused where the identity is verified, and only there`() async throws {
        let authority = try SuiteServer.sandbox.certificateAuthority
        try await database(.verifyCA, host: Self.wrongName, authorities: authority).withConnection { _ in }
        await expectRefusal(by: try database(.verifyIdentity, host: Self.wrongName, authorities: authority))
    }

    @Test func `an account that must show a certificate lets in who shows one`() async throws {
        try await SuiteServer.administrator()
            .withConnection { connection in
                try await connection.query("CREATE USER shown@'%' IDENTIFIED BY 'sandbox' REQUIRE X509")
            }
        let certificate = try #require(try SuiteServer.sandbox.certificateAuthority)
        let key = certificate.replacing("server.pem", with: "server.key")
        let folder = TemporaryFolder()
        let options = folder.write(
            """
            [client]
            user=shown
            password=sandbox
            host=127.0.0.1
            port=\(try #require(SuiteServer.sandbox.port))
            ssl-cert=\(certificate)
            ssl-key=\(key)
            """,
            to: "my.cnf"
        )
        let environment = ["HEADROOM_STATE_DIR": try SuiteServer.sandbox.environment["HEADROOM_STATE_DIR"] ?? ""]
        let settings = try SettingsSources(environment: environment, envFile: "/dev/null", defaultsFile: options).load()
            .database
        #expect(settings.tls.certificate == certificate && settings.tls.key == key)
        #expect(try await Database(settings).withConnection { $0.isEncrypted })
        var bare = settings
        (bare.tls.certificate, bare.tls.key) = (nil, nil)
        let refused = Database(bare)
        let error = await #expect(throws: DatabaseError.self) { try await refused.withConnection { _ in } }
        #expect(error?.code == .accessDenied)
    }

    @Test func `the authority is the one that HEADROOM_TLS_CA names`() async throws {
        var environment = try SuiteServer.sandbox.environment
        environment["DB_SOCKET"] = nil
        environment["HEADROOM_TLS_MODE"] = "verify_identity"
        let settings = try SettingsSources(environment: environment).load().database
        #expect(try await Database(settings).withConnection { $0.isEncrypted })
        environment["HEADROOM_TLS_CA"] = nil
        await expectRefusal(by: Database(try SettingsSources(environment: environment).load().database))
    }

    @Test func `a connection that accepts any certificate weakens none beside it`() async throws {
        let accepting = try database(.required)
        let verifying = try database(.verifyCA)
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10 { try await accepting.withConnection { _ in } }
                }
                group.addTask {
                    for _ in 0..<10 { await expectRefusal(by: verifying) }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(arguments: ["127.0.0.1", wrongName])
    func `what is not verified costs no trust store`(host: String) async throws {
        var environment = try SuiteServer.sandbox.environment
        environment["DB_SOCKET"] = nil
        environment["DB_HOST"] = host
        func bytesRead(_ mode: TLS.Mode) async throws -> Int {
            environment["HEADROOM_TLS_MODE"] = mode.rawValue
            return try #require(try await HeadroomProgram.bytesRead(by: ["status"], environment: environment))
        }
        // Encryption itself reads some 4 KB more than none: OpenSSL's settings, the handshake. The system's bundle of
        // authorities has more than 200.
        let plain = try await bytesRead(.disabled)
        #expect(try await bytesRead(.preferred) < plain + 50_000)
        #expect(try await bytesRead(.required) < plain + 50_000)
    }

    @Test func `at a limit of 1 no encrypted cycle is refused`() async throws {
        let database = try database(.required, account: "one1")
        for _ in 0..<100 { try await database.withConnection { try await $0.query("SELECT 1") } }
    }

    @Test func `an encrypted session that the server ended is noticed, and does not end the program`() async throws {
        let database = try database(.required, account: "one2")
        try await database.withConnection { connection in
            let id = connection.sessionID
            try await SuiteServer.administrator().withConnection { try await $0.query(SQL(raw: "KILL \(id)")) }
            #expect(try await eventually { try await SuiteServer.sessions(of: "one2") == 0 })
            for _ in 0..<3 {
                let error = await #expect(throws: DatabaseError.self) { try await connection.query("SELECT 1") }
                #expect(error?.code == .connectionLost)
            }
        }
        try await database.withConnection { try await $0.query("SELECT 1") }
    }

    @Test func `an encrypted statement at work is ended when its time is up`() async throws {
        let database = try database(.required, account: "two1")
        await #expect(throws: DatabaseError(.deadlineExceeded, message: "")) {
            try await database.withConnection { try await $0.query("SELECT SLEEP(30)", timeout: .milliseconds(100)) }
        }
        #expect(try await SuiteServer.sessions(of: "two1") == 0)
    }
}
