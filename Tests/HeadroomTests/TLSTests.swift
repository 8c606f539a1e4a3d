import HeadroomSandbox
import TestSupport
import Testing

@testable import Headroom

/// Encryption is what the settings say, and no session is left behind it either.
@Suite(.sandbox(tcp: true, tls: true)) struct TLSTests {
    private func database(_ mode: TLS.Mode, authorities: String? = nil, account: String = "app") throws -> Database {
        var settings = try SuiteServer.settings(account, overTCP: true)
        settings.tls = TLS(mode: mode, authorities: authorities)
        return Database(settings)
    }

    @Test(arguments: [(TLS.Mode.disabled, false), (.preferred, true), (.required, true)])
    func `a self-signed server is spoken to as the mode says`(mode: TLS.Mode, encrypted: Bool) async throws {
        let isEncrypted = try await database(mode).withConnection { $0.isEncrypted }
        #expect(isEncrypted == encrypted)
    }

    @Test(arguments: [TLS.Mode.verifyCA, .verifyIdentity])
    func `a server is verified against its authority`(mode: TLS.Mode) async throws {
        let authority = try SuiteServer.sandbox.certificateAuthority
        let isEncrypted = try await database(mode, authorities: authority).withConnection { $0.isEncrypted }
        #expect(isEncrypted)
        let untrusted = try database(mode)
        let error = await #expect(throws: DatabaseError.self) { try await untrusted.withConnection { _ in } }
        #expect(error?.code == .tlsFailed)
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
