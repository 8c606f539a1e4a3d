import TestSupport
import Testing

@testable import Headroom

/// Settings are found where their users expect, and the louder source wins.
@Suite struct SettingsTests {
    private func load(
        _ environment: [String: String],
        flags: [String: String] = [:],
        envFile: String? = nil,
        defaultsFile: String? = nil
    ) throws -> DatabaseSettings {
        try SettingsSources(
            overrides: flags,
            environment: environment,
            envFile: envFile,
            defaultsFile: defaultsFile
        )
        .load().database
    }

    private let login = ["DB_USERNAME": "app", "DB_PASSWORD": "pw"]

    @Test func `the host application's names are read`() throws {
        let settings = try load([
            "DB_HOST": "10.0.0.5", "DB_PORT": "3307", "DB_DATABASE": "shop", "DB_USERNAME": "app", "DB_PASSWORD": "p#w",
        ])
        #expect(settings.endpoint == .tcp(host: "10.0.0.5", port: 3307))
        #expect(settings.database == "shop")
        #expect(settings.username == "app")
        #expect(settings.password == "p#w")
        #expect(settings.connectTimeout == .seconds(30))
        #expect(settings.tls.mode == .preferred)
    }

    @Test func `a socket wins over a host, and is not encrypted`() throws {
        let settings = try load(login.merging(["DB_HOST": "db", "DB_SOCKET": "/x.sock"]) { $1 })
        #expect(settings.endpoint == .socket(path: "/x.sock"))
        #expect(settings.tls.mode == .disabled)
    }

    @Test func `where the application is sent to a door, the server itself is what Headroom goes to`() throws {
        let both = login.merging(["DB_SOCKET": "/door.sock", "HEADROOM_SERVER": "/server.sock"]) { $1 }
        #expect(try load(both).endpoint == .socket(path: "/server.sock"))
        let overTCP = login.merging(["DB_HOST": "127.0.0.1", "DB_PORT": "3307", "HEADROOM_SERVER": "db1:3308,db2"]) {
            $1
        }
        #expect(try load(overTCP).endpoint == .tcp(host: "db1", port: 3308))
        #expect(try load(overTCP).otherEndpoints == [.tcp(host: "db2", port: 3306)])
        #expect(try load(both, flags: ["DB_SOCKET": "/flag.sock"]).endpoint == .socket(path: "/flag.sock"))
        #expect(throws: DatabaseError.self) { try load(login.merging(["HEADROOM_SERVER": "mysql://a:b@c"]) { $1 }) }
    }

    @Test func `localhost means the socket, an address means TCP`() throws {
        #expect(try load(login.merging(["DB_HOST": "localhost"]) { $1 }).endpoint.isSocket)
        #expect(
            try load(login.merging(["DB_HOST": "127.0.0.1"]) { $1 }).endpoint == .tcp(host: "127.0.0.1", port: 3306)
        )
    }

    @Test(
        arguments: [
            ("mysql://u:p@h:3307/d", Endpoint.tcp(host: "h", port: 3307), "u", "p", "d"),
            ("mariadb://u@h", .tcp(host: "h", port: 3306), "u", "", nil),
            ("mysql://u%40x:p%3Aw%2F%40@h/d", .tcp(host: "h", port: 3306), "u@x", "p:w/@", "d"),
            ("mysql://u:p@w@h/d", .tcp(host: "h", port: 3306), "u", "p@w", "d"),
            ("mysql://u:p@[::1]:3308/d", .tcp(host: "::1", port: 3308), "u", "p", "d"),
            ("mysql://u:p@localhost/d?socket=%2Frun%2Fdb.sock", .socket(path: "/run/db.sock"), "u", "p", "d"),
        ] as [(String, Endpoint, String, String, String?)]
    )
    func `a URL is taken apart`(url: String, endpoint: Endpoint, user: String, password: String, database: String?)
        throws
    {
        let settings = try load(["DATABASE_URL": url])
        #expect(settings.endpoint == endpoint)
        #expect(settings.username == user)
        #expect(settings.password == password)
        #expect(settings.database == database)
    }

    @Test(arguments: ["postgres://u:p@h/d", "u:secret@h", "mysql://u:%zz@h/d", "mysql://u:secret@h/d?sslmod=x"])
    func `a URL that cannot be used is refused without showing its password`(url: String) {
        #expect {
            try load(["DATABASE_URL": url])
        } throws: { error in
            (error as? DatabaseError)?.code == .settingsInvalid && !"\(error)".contains("secret")
        }
    }

    @Test func `a DB_HOST beside a URL replaces its whole place`() throws {
        let settings = try load(["DATABASE_URL": "mysql://u:p@h:3307/d?socket=/x", "DB_HOST": "other"])
        #expect(settings.endpoint == .tcp(host: "other", port: 3306))
    }

    @Test func `flags win over the environment, and that over files`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("DB_HOST=file\nDB_USERNAME=file\nDB_DATABASE=file\nDB_PASSWORD=file\n", to: "env")
        let settings = try load(
            ["DB_HOST": "environment", "DB_USERNAME": "environment"],
            flags: ["DB_HOST": "flag"],
            envFile: file
        )
        #expect(settings.endpoint.hostName == "flag")
        #expect(settings.username == "environment")
        #expect(settings.database == "file")
    }

    @Test func `a socket in a file does not win over a host in the environment`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("DB_SOCKET=/x.sock\nDB_USERNAME=u\n", to: "env")
        #expect(try load(["DB_HOST": "10.0.0.1"], envFile: file).endpoint == .tcp(host: "10.0.0.1", port: 3306))
    }

    @Test func `a .env file is read as frameworks write it`() throws {
        let text = #"""
            # the database
            export DB_HOST=127.0.0.1   # near
            DB_PASSWORD="p#w \"x\" \\ \$y"
            DB_USERNAME='us er'
            DB_DATABASE=a#b

            not a setting
            EMPTY=
            """#
        let values = try EnvFile.parse(Array(text.utf8), path: ".env").mapValues(\.value)
        #expect(values["DB_HOST"] == "127.0.0.1")
        #expect(values["DB_PASSWORD"] == #"p#w "x" \ $y"#)
        #expect(values["DB_USERNAME"] == "us er")
        #expect(values["DB_DATABASE"] == "a#b")
        #expect(values["EMPTY"] == "")
    }

    @Test func `a quote that is not closed is an error that names the line`() {
        #expect {
            try EnvFile.parse(Array("A=1\nB=\"x".utf8), path: "f")
        } throws: { "\($0)".contains("Line 2 of f") }
    }

    @Test func `an option file is read, groups and includes and quotes`() throws {
        let folder = TemporaryFolder()
        folder.write("[client]\nuser = inner\n", to: "inner.cnf")
        let file = folder.write(
            """
            [mysqld]
            user = server
            [client]
            # comment
            host = 10.0.0.9
            password = "a#b"
            ssl-mode = REQUIRED
            !include \(folder.path)/inner.cnf
            [headroom]
            database=shop
            """,
            to: "my.cnf"
        )
        let settings = try load([:], defaultsFile: file)
        #expect(settings.endpoint == .tcp(host: "10.0.0.9", port: 3306))
        #expect(settings.username == "inner")
        #expect(settings.password == "a#b")
        #expect(settings.database == "shop")
        #expect(settings.tls.mode == .required)
    }

    @Test func `a file with a password that others may read is a warning`() throws {
        let folder = TemporaryFolder()
        let open = folder.write("DB_USERNAME=u\nDB_PASSWORD=p\n", to: "open", mode: 0o644)
        let closed = folder.write("DB_USERNAME=u\nDB_PASSWORD=p\n", to: "closed", mode: 0o640)
        #expect(try SettingsSources(environment: [:], envFile: open).load().warnings.count == 1)
        #expect(try SettingsSources(environment: [:], envFile: closed).load().warnings.isEmpty)
    }

    @Test(arguments: [
        (["DB_HOST": "h"], DatabaseError.Code.settingsMissing),
        ([:], .settingsMissing),
        (["DB_HOST": "h", "DB_USERNAME": "u", "DB_PORT": "70000"], .settingsInvalid),
        (["DB_USERNAME": "u", "HEADROOM_CONNECT_TIMEOUT": "soon"], .settingsInvalid),
        (["DB_USERNAME": "u", "HEADROOM_CONNECT_TIMEOUT": "0"], .settingsInvalid),
        (["DB_USERNAME": "u", "HEADROOM_TLS_MODE": "maybe"], .settingsInvalid),
        (["DB_USERNAME": "u", "HEADROOM_FRONT_DOOR": "-1"], .settingsInvalid),
        (["DB_USERNAME": "u", "HEADROOM_FRONT_DOOR_STATS": "here.sock"], .settingsInvalid),
    ])
    func `what is missing or cannot be used is said, with a next step`(
        environment: [String: String],
        code: DatabaseError.Code
    ) throws {
        let error = #expect(throws: DatabaseError.self) { try load(environment) }
        #expect(error?.code == code)
        #expect(error?.advice.isEmpty == false)
    }

    @Test(arguments: [
        ("30", Duration.seconds(30)), ("0.5", .milliseconds(500)), ("500ms", .milliseconds(500)), ("2m", .seconds(120)),
        ("1h", .seconds(3600)),
    ])
    func `durations are read as people write them`(text: String, duration: Duration) {
        #expect(Duration(text: text) == duration)
    }

    @Test(arguments: ["", "x", "5x", "-1", "1 s", "1e400"])
    func `what is no duration is refused`(text: String) {
        #expect(Duration(text: text) == nil)
    }
}
