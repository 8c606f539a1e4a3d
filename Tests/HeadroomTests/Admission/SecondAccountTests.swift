import Headroom
import Testing

/// The settings name a second account, and every way to the server, for when the first one is full.
@Suite struct SecondAccountTests {
    private func load(_ environment: [String: String]) throws -> LoadedSettings {
        try SettingsSources(
            environment: ["DB_SOCKET": "/run/m.sock", "DB_USERNAME": "app", "DB_PASSWORD": "a", "DB_DATABASE": "shop"]
                .merging(environment) { $1 },
            envFile: "/dev/null"
        )
        .load()
    }

    @Test func `without its settings there is none`() throws {
        #expect(try load([:]).administrator == nil)
    }

    @Test func `what is not set for it is the first account's, but for the database`() throws {
        let loaded = try load(["HEADROOM_ADMIN_USERNAME": "mon", "HEADROOM_ADMIN_PASSWORD": "m"])
        let second = try #require(loaded.administrator)
        #expect(second.username == "mon")
        #expect(second.password == "m")
        #expect(second.endpoint == .socket(path: "/run/m.sock"))
        #expect(second.database == nil)
        #expect(loaded.database.username == "app")
        #expect(loaded.database.password == "a")
    }

    @Test func `a port of its own means TCP`() throws {
        let second = try #require(load(["HEADROOM_ADMIN_PORT": "33062"]).administrator)
        #expect(second.endpoint == .tcp(host: "127.0.0.1", port: 33_062))
        #expect(second.username == "app")
        #expect(second.tls.mode == .preferred)
        #expect(throws: DatabaseError.self) { try load(["HEADROOM_ADMIN_PORT": "x"]) }
    }

    @Test func `every way to the server is known, the one in use first`() throws {
        let loaded = try load(["DB_HOST": "127.0.0.1", "DB_PORT": "3307"])
        #expect(loaded.endpoints == [.socket(path: "/run/m.sock"), .tcp(host: "127.0.0.1", port: 3307)])
    }
}
