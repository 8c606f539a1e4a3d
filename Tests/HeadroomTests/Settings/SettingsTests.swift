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
            ("localhost:3307", Endpoint.tcp(host: "localhost", port: 3307)),
            ("p:localhost:3307", .tcp(host: "localhost", port: 3307)),
            ("p:db", .tcp(host: "db", port: 3306)), ("localhost:/x/y.sock", .socket(path: "/x/y.sock")),
            ("/x/y.sock", .socket(path: "/x/y.sock")), (":/x/y.sock", .socket(path: "/x/y.sock")),
            ("p:/x/y.sock", .socket(path: "/x/y.sock")), ("p:localhost:/x.sock", .socket(path: "/x.sock")),
        ]
    )
    func `a host is read as PHP's programs write it`(host: String, endpoint: Endpoint) throws {
        #expect(try load(login.merging(["DB_HOST": host]) { $1 }).endpoint == endpoint)
        #expect(try load(login, flags: ["DB_HOST": host]).endpoint == endpoint)
        // A socket of its own wins.
        if endpoint.isSocket {
            #expect(
                try load(login.merging(["DB_HOST": host, "DB_SOCKET": "/own"]) { $1 }).endpoint == .socket(path: "/own")
            )
        }
    }

    @Test
    func `localhost with a port is the socket in an application's settings, and TCP where we are asked ourselves`()
        throws
    {
        let local = login.merging(["DB_HOST": "localhost", "DB_PORT": "3307"]) { $1 }
        let found = SettingsSources(environment: local, envFile: "/dev/null").find()
        #expect(try found.loaded(programName: "x").database.endpoint.isSocket)
        #expect(found.warnings.contains { $0.contains("DB_PORT in the environment is not used") })
        #expect(found.rows.first { $0.setting == .port }?.note == "not used: localhost means the server's socket")
        let usual = SettingsSources(environment: local.merging(["DB_PORT": "3306"]) { $1 }, envFile: "/dev/null").find()
        #expect(usual.warnings.isEmpty)
        let tcp = Endpoint.tcp(host: "localhost", port: 3307)
        #expect(try load(login, flags: ["DB_HOST": "localhost", "DB_PORT": "3307"]).endpoint == tcp)
        #expect(try load(local, flags: ["DB_PORT": "3307"]).endpoint == tcp)
        #expect(try load(["DATABASE_URL": "mysql://u:p@localhost:3307/d"]).endpoint == tcp)
        #expect(try load(["DATABASE_URL": "mysql://u:p@localhost/d", "DB_PORT": "3307"]).endpoint.isSocket)
        let folder = TemporaryFolder()
        for (text, endpoint) in [("", nil), ("protocol=TCP\n", tcp)] as [(String, Endpoint?)] {
            let file = folder.write("[client]\nuser=u\nhost=localhost\nport=3307\n\(text)", to: "my.cnf")
            let found = try load([:], defaultsFile: file).endpoint
            #expect(endpoint == nil ? found.isSocket : found == endpoint)
        }
    }

    @Test func `another program's URL is passed over where other settings say it all`() throws {
        let complete = login.merging(["DB_HOST": "h"]) { $1 }
        for url in ["postgres://u:hush@h/d", "sqlite:///x.db", "hush", "mysql://u:hush@h:x/d"] {
            let found = SettingsSources(
                environment: complete.merging(["DATABASE_URL": url]) { $1 },
                envFile: "/dev/null"
            )
            .find()
            if !url.hasPrefix("mysql") {
                #expect(found.problems.isEmpty)
                #expect(found.warnings.count == 1 && !found.warnings[0].contains("hush"))
            }
            #expect(try found.loaded(programName: "x").database.endpoint == .tcp(host: "h", port: 3306))
            // Alone it is an error that says how to have both.
            let error = #expect(throws: DatabaseError.self) { try load(["DATABASE_URL": url]) }
            #expect(error.map { "\($0)".contains("hush") } == false)
            #expect(throws: DatabaseError.self) {
                try load(complete.merging(["HEADROOM_DATABASE_URL": url.replacing(":x/", with: ":/?ssl=x")]) { $1 })
            }
        }
        // Whoever asked for encryption there does not get a connection without.
        let strict = complete.merging(["DATABASE_URL": "mysql://u:p@h/d?sslmodus=verify"]) { $1 }
        #expect(throws: DatabaseError.self) { try load(strict) }
    }

    @Test(arguments: [
        ("sslmode=verify-full", TLS.Mode.verifyIdentity), ("ssl-mode=VERIFY_CA", .verifyCA),
        ("sslmode=disable", .disabled),
        ("sslaccept=strict", .verifyIdentity), ("useSSL=true&requireSSL=true", .required), ("ssl=0", .disabled),
        ("ssl=true&ssl_verify_identity=true", .verifyIdentity), ("sslaccept=accept_invalid_certs", .preferred),
        ("tls=skip-verify", .required), ("pool=5", .preferred),
    ])
    func `encryption is what the URL asks for, in whosever words`(option: String, mode: TLS.Mode) throws {
        #expect(try load(["DATABASE_URL": "mysql://u:p@h/d?\(option)"]).tls.mode == mode)
    }

    @Test(arguments: [
        ("mysql://u:p@h:3307/d#f", "p"), ("mysql://u:p@h:3307/d?charset=x#f?a", "p"), ("mysql://u:p@h:3307/d#", "p"),
        ("mysql://u:p#w@h:3307/d", "p#w"), ("mysql://u:p%23w@h:3307/d#f", "p#w"),
    ])
    func `what stands behind a # is no part of a URL, but one before the @ is`(url: String, password: String) throws {
        let found = SettingsSources(environment: ["DATABASE_URL": url], envFile: "/dev/null").find()
        let settings = try found.loaded(programName: "x").database
        #expect(
            settings.endpoint == .tcp(host: "h", port: 3307) && settings.database == "d"
                && settings.password == password
        )
        #expect(found.warnings.contains { $0.contains("ends in a #") } == (url.hasSuffix("w@h:3307/d") == false))
    }

    @Test(arguments: ["sslmode=verify", "ssl_modus=required", "tlsx=1", "verify=1", "sslcrl=/x", "certificate=x"])
    func `an option that may be about encryption, and is not known, is refused`(option: String) {
        #expect(throws: DatabaseError.self) { try load(["DATABASE_URL": "mysql://u:p@h/d?\(option)"]) }
    }

    @Test func `names of Kubernetes are passed over, and only those near a guard stop`() {
        let kubernetes = [
            "HEADROOM_SERVICE_HOST": "10.0.0.1", "HEADROOM_SERVICE_PORT": "80", "HEADROOM_SERVICE_PORT_HTTP": "80",
            "HEADROOM_PORT": "tcp://10.0.0.1:80", "HEADROOM_PORT_80_TCP": "tcp://10.0.0.1:80",
            "HEADROOM_PORT_80_TCP_ADDR": "x",
            "HEADROOM_WEB_SERVICE_HOST": "x", "HEADROOM_WEB_PORT": "tcp://x",
        ]
        let silent = SettingsSources(environment: kubernetes, envFile: "/dev/null").find()
        #expect(silent.problems.isEmpty && silent.warnings.isEmpty, "\(silent.problems) \(silent.warnings)")
        for name in ["TLS_MOD", "SSL_MODE", "TLS_VERIFY", "BUDGT", "RESERV", "STATE_DIRECTORY", "HOST", "SHAR"] {
            #expect(
                !SettingsSources(environment: ["HEADROOM_\(name)": "x"], envFile: "/dev/null").find().problems.isEmpty,
                "\(name)"
            )
        }
        for name in ["PORT", "WEBHOK", "COLOR", "WAIT_TIME"] {
            let found = SettingsSources(environment: ["HEADROOM_\(name)": "x"], envFile: "/dev/null").find()
            #expect(found.problems.isEmpty && found.warnings.count == 1, "\(name)")
        }
    }

    @Test(arguments: [
        ("DB_USER", "DB_USERNAME"), ("DB_NAME", "DB_DATABASE"), ("DB_PASS", "DB_PASSWORD"),
        ("DB_PASSWD", "DB_PASSWORD"),
        ("DB_PASWORD", "DB_PASSWORD"), ("DB_HOSTNAME", "DB_HOST"), ("DATABASE_USER", "DB_USERNAME"),
        ("DB_DATABSE", "DB_DATABASE"),
    ])
    func `a name that is near is named with the right one, unless that is set`(name: String, right: String) {
        let found = SettingsSources(environment: [name: "hush"], envFile: "/dev/null").find()
        #expect(found.warnings == ["\(name) in the environment is not read: the name is \(right)"])
        #expect(SettingsSources(environment: [name: "hush", right: "x"], envFile: "/dev/null").find().warnings.isEmpty)
        for other in ["DB_CONNECTION", "DB_CHARSET", "DB_PREFIX", "DB_DRIVER", "DB_COLLATION", "DB_TEST", "DB_LOG"] {
            #expect(
                SettingsSources(environment: [other: "x"], envFile: "/dev/null").find().warnings.isEmpty,
                "\(other)"
            )
        }
    }

    @Test(arguments: ["DB_HOSTNAME", "DB_SERVER", "DATABASE_HOST", "DB_HOST_READ", "DB_WRITE_HOST"])
    func `a login is not tried on this machine where another name has a host`(name: String) throws {
        let names = [name: "db.example", "DB_USERNAME": "u", "DB_PASSWORD": "hush"]
        let error = #expect(throws: DatabaseError.self) { try load(names) }
        // Of a name that may go on with a secret only what is known is shown.
        let shown = ["DB_HOST_READ": "DB_HOST_...", "DB_WRITE_HOST": "DB_..._HOST"][name] ?? name
        #expect(error?.message == "\(shown) in the environment is not read: the name is DB_HOST.")
        #expect(try load(names.merging(["DB_HOST": "h"]) { $1 }).endpoint.hostName == "h")
        #expect(try load(names.merging(["DATABASE_URL": "mysql://h/d"]) { $1 }).endpoint.hostName == "h")
        // Also not by a tool for an outage, which goes on in spite of other mistakes.
        var sources = SettingsSources(environment: names, envFile: "/dev/null")
        sources.isForgiving = true
        #expect(throws: DatabaseError.self) { try sources.load() }
    }

    @Test func `a file in UTF-16, and an option file without a group that counts, are named`() throws {
        let folder = TemporaryFolder()
        for start in [[0xFF, 0xFE], [0xFE, 0xFF]] as [[UInt8]] {
            let file = folder.write(start + "DB_HOST=h".utf8.flatMap { [$0, 0] }, to: "env")
            #expect(throws: DatabaseError.self) { try load([:], envFile: file) }
            let found = SettingsSources(environment: [:], envFile: file).find()
            #expect(found.problems.map(\.advice) == ["Save it as UTF-8."])
        }
        let other = folder.write("[mysqldump]\nuser=u\n", to: "my.cnf")
        let found = SettingsSources(environment: [:], envFile: "/dev/null", defaultsFile: other).find()
        #expect(found.warnings.contains { $0.contains("in a group that counts") })
    }

    @Test(
        arguments: [
            ("mysql://u:p@h:3307/d", Endpoint.tcp(host: "h", port: 3307), "u", "p", "d"),
            ("mariadb://u@h", .tcp(host: "h", port: 3306), "u", "", nil),
            ("mysql://u%40x:p%3Aw%2F%40@h/d", .tcp(host: "h", port: 3306), "u@x", "p:w/@", "d"),
            ("mysql://u:p@w@h/d", .tcp(host: "h", port: 3306), "u", "p@w", "d"),
            (
                "mysql://app:!ChangeMe!@h:3307/d?serverVersion=8.0.32&charset=utf8mb4", .tcp(host: "h", port: 3307),
                "app", "!ChangeMe!", "d"
            ),
            ("mysql2://u:p@h/d?pool=5", .tcp(host: "h", port: 3306), "u", "p", "d"),
            ("mysql+pymysql://u:100%@h/d", .tcp(host: "h", port: 3306), "u", "100%", "d"),
            ("jdbc:mysql://h/d?user=u&password=p@w", .tcp(host: "h", port: 3306), "u", "p@w", "d"),
            ("mysql://u:p@h/d?sslaccept=strict&connection_limit=5", .tcp(host: "h", port: 3306), "u", "p", "d"),
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

    @Test(arguments: ["postgres://u:p@h/d", "u:secret@h", "mysql://u:secret@h/d?sslmod=x"])
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
            DB_DATABASE='a#b'

            not a setting
            EMPTY=
            """#
        var file = EnvFile()
        file.read(Array(text.utf8), path: ".env")
        let values = file.entries.mapValues(\.value)
        #expect(values["DB_HOST"] == "127.0.0.1")
        #expect(values["DB_PASSWORD"] == #"p#w "x" \ $y"#)
        #expect(values["DB_USERNAME"] == "us er")
        #expect(values["DB_DATABASE"] == "a#b")
        #expect(values["EMPTY"] == "")
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
