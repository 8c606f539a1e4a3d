import Headroom
import TestSupport
import Testing

@testable import HeadroomWatch

/// The last look at an account is there when it lets nobody in.
@Suite struct AccountSnapshotTests {
    private func snapshot(program: String? = "php-fpm8.4") throws -> AccountSnapshot {
        var snapshot = try #require(
            AccountSnapshot(
                .seen,
                ports: ServerPorts(socket: "/run/my server.sock", adminPort: 33_062, adminAddress: "::1")
            )
        )
        snapshot.sessions = [
            AccountSnapshot.Entry(id: 12, program: program, pid: 99, host: "web1", command: "Sleep", seconds: 300.25),
            AccountSnapshot.Entry(id: .max, program: nil, pid: nil, host: "", command: "Query", seconds: 0),
        ]
        return snapshot
    }

    @Test func `what is kept is what is read`() throws {
        let folder = TemporaryFolder()
        var settings = DatabaseSettings(endpoint: .socket(path: "/run/m.sock"), username: "app")
        settings.stateFolder = folder.path
        #expect(AccountSnapshot.last(settings) == nil)
        let full = try snapshot()
        try full.keep(settings)
        #expect(AccountSnapshot.last(settings) == full)
        // A newer one takes its place, also one that knows less.
        var bare = full
        bare.limit = nil
        bare.serverLimit = nil
        bare.ports = ServerPorts()
        bare.sessions = []
        try bare.keep(settings)
        #expect(AccountSnapshot.last(settings) == bare)
    }

    @Test func `a look each second is written when it counts something else, or the last one is old`() throws {
        let folder = TemporaryFolder()
        var settings = DatabaseSettings(endpoint: .socket(path: "/run/m.sock"), username: "app")
        settings.stateFolder = folder.path
        let first = try snapshot()
        try first.keep(settings)
        var next = first
        next.takenAt += 4
        next.sessions[0].seconds += 4
        try next.keep(settings)
        #expect(AccountSnapshot.last(settings) == first)
        next.used += 1
        try next.keep(settings)
        #expect(AccountSnapshot.last(settings) == next)
        for seconds in [5.0, -1, -100] {
            var other = next
            other.takenAt += seconds
            try other.keep(settings)
            #expect(AccountSnapshot.last(settings) == other)
            try next.keep(settings)
            next = try #require(AccountSnapshot.last(settings))
        }
    }

    @Test(arguments: ["a\tb", "a\nused\t99", "a\r\nb", "\u{1}"])
    func `a name cannot pass for another fact`(name: String) throws {
        var expected = try snapshot(program: name)
        let read = try #require(AccountSnapshot(text: expected.text))
        let program = try #require(read.sessions.first?.program)
        #expect(program.unicodeScalars.count == name.unicodeScalars.count)
        expected.sessions[0].program = program
        #expect(read == expected)
    }

    @Test func `a text that was cut off, or is another's, is none`() throws {
        let text = try snapshot().text
        for length in 0..<text.count { #expect(AccountSnapshot(text: String(text.prefix(length))) == nil) }
        #expect(AccountSnapshot(text: "{\"account\":\"app@%\",\"used\":1,\"takenAt\":1}\n") == nil)
        #expect(AccountSnapshot(text: text.replacing("snapshot 1", with: "snapshot 2")) == nil)
    }
}

extension AccountReport {
    /// What a look sees of an account with a limit of 7, on a server with one of 151.
    static var seen: AccountReport {
        var report = AccountReport(
            account: "app@%",
            serverVersion: "10.11-MariaDB",
            limit: AccountLimit(value: 7, source: .global),
            sessions: [],
            maxIdle: .seconds(300)
        )
        report.server = ServerUse(limit: 151, status: [:])
        return report
    }
}
