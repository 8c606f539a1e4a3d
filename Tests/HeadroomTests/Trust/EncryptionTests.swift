import Glibc
import HeadroomSandbox
import TestSupport
import Testing

@testable import Headroom

/// What becomes of a connect when the server's offer and the settings differ.
@Suite struct EncryptionRuleTests {
    private func verdict(_ mode: TLS.Mode, _ offer: Bool, asked: Bool, pinned: Bool = false) -> EncryptionRule.Verdict?
    {
        EncryptionRule(mode: mode, isPinned: pinned, isAskedFor: asked)
            .verdict(.offer(isEncrypted: offer, method: "mysql_native_password"))
    }

    @Test(arguments: [TLS.Mode.disabled, .preferred, .required, .verifyCA, .verifyIdentity])
    func `before the greeting nothing is said, and where both agree, a connect goes on`(mode: TLS.Mode) {
        let rule = EncryptionRule(mode: mode, isAskedFor: true)
        #expect(rule.verdict(.incomplete) == nil)
        #expect(rule.verdict(.refusal) == .proceed)
        #expect(rule.verdict(.impossible) == .refuseGreeting)
        #expect(verdict(mode, true, asked: mode != .disabled) == .proceed)
    }

    @Test func `a server without encryption is refused by who insists on it, and known to who does not`() {
        for mode in [TLS.Mode.required, .verifyCA, .verifyIdentity] {
            #expect(verdict(mode, false, asked: true) == .refuse)
        }
        #expect(verdict(.preferred, false, asked: true) == .proceed)
        #expect(verdict(.preferred, false, asked: false) == .proceed)
        #expect(verdict(.disabled, false, asked: false) == .proceed)
    }

    @Test func `a pinned key is as good as insisting`() {
        #expect(verdict(.preferred, false, asked: true, pinned: true) == .refuse)
        #expect(verdict(.preferred, false, asked: false, pinned: true) == .refuse)
        #expect(verdict(.disabled, true, asked: false, pinned: true) == .refuse)
    }

    @Test(arguments: [TLS.Mode.disabled, .preferred, .required, .verifyCA, .verifyIdentity])
    func `a pinned key that cannot be seen is not taken for the right one`(mode: TLS.Mode) {
        let rule = EncryptionRule(mode: mode, isPinned: true, seesKeys: false, isAskedFor: true)
        for isEncrypted in [true, false] {
            #expect(rule.verdict(.offer(isEncrypted: isEncrypted, method: "mysql_native_password")) == .refuse)
        }
    }

    @Test func `a server that offers encryption by now is asked for it`() {
        #expect(verdict(.preferred, true, asked: false) == .startOver)
        #expect(verdict(.disabled, true, asked: false) == .proceed)
    }
}

/// The password does not travel bare over a connection that is not encrypted.
@Suite(.sandbox(tcp: true), .serialized) struct PlainPasswordTests {
    @Test(arguments: [TLS.Mode.disabled, .preferred, .required, .verifyCA, .verifyIdentity])
    func `a server without encryption never gets the bare password`(mode: TLS.Mode) async throws {
        // MySQL asks for the whole password only of those whom it has not let in before.
        if !SuiteServer.isMariaDB {
            try await SuiteServer.administrator().withConnection { try await $0.query("FLUSH PRIVILEGES") }
        }
        let relay = try Relay(to: try #require(SuiteServer.sandbox.port))
        var settings = try SuiteServer.settings("ten1", overTCP: true)
        settings.endpoint = .tcp(host: "127.0.0.1", port: relay.port)
        settings.tls = TLS(mode: mode)
        let database = Database(settings)
        if mode == .disabled || mode == .preferred {
            try await database.withConnection { try await $0.query("SELECT 1") }
        } else {
            let error = await #expect(throws: DatabaseError.self) { try await database.withConnection { _ in } }
            #expect(error?.code == .tlsFailed)
        }
        let sent = relay.sent
        #expect(sent.contains(Array(settings.username.utf8)) == (mode == .disabled || mode == .preferred))
        #expect(!sent.contains(Array(settings.password.utf8)))
    }

    @Test(arguments: [TLS.Mode.disabled, .preferred, .required, .verifyCA])
    func `a server that asks for the bare password is not obeyed`(mode: TLS.Mode) async throws {
        let impostor = try Impostor()
        var settings = try SuiteServer.settings("ten1", overTCP: true)
        settings.endpoint = .tcp(host: "127.0.0.1", port: impostor.port)
        settings.tls = TLS(mode: mode)
        settings.connectTimeout = .seconds(5)
        let database = Database(settings, share: .reserve)
        await #expect(throws: DatabaseError.self) { try await database.withConnection { _ in } }
        #expect(!impostor.received.contains(Array(settings.password.utf8)))
    }

    @Test func `a handshake that falls silent ends with the connect's deadline`() async throws {
        let impostor = try Impostor(offersTLS: true)
        var settings = try SuiteServer.settings("ten1", overTCP: true)
        settings.endpoint = .tcp(host: "127.0.0.1", port: impostor.port)
        settings.tls = TLS(mode: .required)
        settings.connectTimeout = .milliseconds(300)
        let start = ContinuousClock.now
        let error = await #expect(throws: DatabaseError.self) {
            try await Database(settings, share: .reserve).withConnection { _ in }
        }
        #expect(error?.code == .connectTimedOut)
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
