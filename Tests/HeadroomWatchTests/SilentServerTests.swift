import Headroom
import TestSupport
import Testing

@testable import HeadroomWatch

/// Who looks at a server that has let it in and then says nothing gives it up.
@Suite(.timeLimit(.minutes(1))) struct SilentServerTests {
    private let server: SilentServer

    init() throws { server = try SilentServer() }

    @Test func `a look ends`() async throws {
        let watch = AccountWatch(server.settings)
        let refusal = try await watch.report().refusal
        #expect(refusal?.code == .deadlineExceeded)
        #expect(refusal?.message.contains("not answered") == true)
        let second = await #expect(throws: DatabaseError.self) { try await watch.options() }
        #expect(second?.code == .deadlineExceeded)
    }

    @Test func `what ends a session that was given up is given up itself, and not ended by another`() async throws {
        let server = try SilentServer(isTrickling: true)
        let report = try await AccountWatch(server.settings).report()
        #expect(report.refusal?.code == .deadlineExceeded)
        #expect(server.connections == 2)
    }

    @Test func `a rescue tries again, and says what it met`() async throws {
        var loaded = try SettingsSources(environment: ["DB_USERNAME": "app"]).load()
        loaded.database = server.settings
        let folder = TemporaryFolder()
        loaded.database.stateFolder = folder.path
        var options = RescueOptions()
        (options.isDryRun, options.patience) = (false, .milliseconds(300))
        let report = try await Rescue(loaded).run(options)
        #expect(report.refusal?.code == .deadlineExceeded)
        #expect(report.waited != nil)
        #expect(!report.isFree)
    }

    @Test func `a guard's kept connection is given up`() async throws {
        var settings = server.settings
        settings.stateFolder = TemporaryFolder().path
        let connection = Database(settings, share: .reserve)
        let error = await #expect(throws: DatabaseError.self) {
            try await connection.withConnection { connection in
                try await connection.within(.milliseconds(200)) { try await connection.accountReport(maxIdle: .zero) }
            }
        }
        #expect(error?.code == .deadlineExceeded)
    }
}
