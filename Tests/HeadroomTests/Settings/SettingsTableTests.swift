import TestSupport
import Testing

@testable import Headroom

/// One table of settings, which everything that names a setting is made from.
@Suite struct SettingsTableTests {
    private let login = ["DB_SOCKET": "/x.sock", "DB_USERNAME": "app"]

    private func load(_ changes: [String: String], envFile: String? = "/dev/null") throws -> LoadedSettings {
        try SettingsSources(environment: login.merging(changes) { $1 }, envFile: envFile).load()
    }

    private func refusal(_ changes: [String: String]) throws -> DatabaseError {
        try #require(throws: DatabaseError.self) { try load(changes) }
    }

    @Test func `the table's defaults are those of the program`() throws {
        let values = Setting.all.compactMap { setting in
            if case .value(let value) = setting.standard { (setting.name, value) } else { nil }
        }
        let said = try load(Dictionary(uniqueKeysWithValues: values)).database
        let unsaid = try load([:]).database
        #expect(said == unsaid)
        #expect(values.count >= 7)
    }

    @Test func `every example is one that its setting takes`() throws {
        for setting in Setting.all where !setting.example.isEmpty {
            #expect(setting.normalized(setting.example) != nil, "\(setting.name)")
        }
    }

    @Test func `every name of Headroom's that the sources mention is a setting, or handed to programs`() throws {
        var seen: Set<String> = []
        for path in try SourceFiles.below("\(SourceFiles.root)/Sources", ending: ".swift") {
            let text = try SourceFiles.text(path)
            for match in text.matches(of: /HEADROOM_[A-Z_]*[A-Z]\b(?!_)/) {
                seen.insert(String(match.output))
                #expect(!Setting.isUnknown(String(match.output)), "\(match.output) in \(path)")
            }
        }
        // It has looked.
        #expect(seen.count > 20)
    }

    @Test(arguments: [
        ("HEADROOM_RESERV", "HEADROOM_RESERVE"), ("HEADROOM_TLSMODE", "HEADROOM_TLS_MODE"),
        ("HEADROOM_BUGDET", "HEADROOM_BUDGET"), ("HEADROOM_TLS_PINS", "HEADROOM_TLS_PIN"),
        ("HEADROOM_STATE_FOLDER", "HEADROOM_STATE_DIR"),
    ])
    func `an unknown name near a guard is refused, with the one that was meant`(name: String, meant: String) throws {
        let error = try refusal([name: "1"])
        #expect(error.code == .settingsInvalid)
        #expect(error.message == "\(name) in the environment is no setting of Headroom's.")
        #expect(error.advice == "Did you mean \(meant)?")
    }

    @Test func `any other unknown name is a warning, with the one that was meant or the list`() throws {
        for (name, advice) in [
            ("COLOUR_OF_THE_SKY", "headroom config list"), ("ADMIN_USER", "Did you mean HEADROOM_ADMIN_USERNAME?"),
            ("WEBHOOK_FIEL", "Did you mean HEADROOM_WEBHOOK_FILE?"),
        ] {
            let warnings = try load(["HEADROOM_\(name)": "1"]).warnings
            #expect(warnings.count == 1 && warnings[0].contains(advice), "\(warnings)")
        }
    }

    @Test func `settings that are printed or dumped show no secret`() throws {
        let loaded = try load(["DB_PASSWORD": "hush-7f3a", "DATABASE_URL": "mysql://u:hush-7f3a@h/d"])
        var dumped = ""
        dump(loaded, to: &dumped)
        #expect(!"\(loaded) \(String(reflecting: loaded)) \(dumped)".contains("hush-7f3a"))
    }

    @Test func `an unknown name in a file is refused with its line`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("# one\n\nHEADROOM_RESERV=1\n", to: "env")
        let error = #expect(throws: DatabaseError.self) { try load([:], envFile: file) }
        #expect(error?.message == "HEADROOM_RESERV in line 3 of \(file) is no setting of Headroom's.")
    }

    @Test func `in an outage an unknown name is a warning`() throws {
        var sources = SettingsSources(environment: login.merging(["HEADROOM_RESERV": "1"]) { $1 }, envFile: "/dev/null")
        sources.isForgiving = true
        let loaded = try sources.load()
        #expect(loaded.warnings.contains { $0.contains("HEADROOM_RESERVE?") })
    }

    @Test func `what Headroom hands to programs is no mistake there`() throws {
        _ = try load(Dictionary(uniqueKeysWithValues: Setting.handed.map { ($0.name, "1") }))
    }

    @Test func `a name that others use for what is missing is pointed out`() throws {
        var told: [String] = []
        #expect(throws: DatabaseError.self) {
            try SettingsSources(environment: ["DB_HOST": "h", "DB_USER": "app"], envFile: "/dev/null")
                .load(programName: "x") { told.append($0) }
        }
        #expect(told == ["DB_USER in the environment is not read: the name is DB_USERNAME"])
    }

    @Test(arguments: [
        ("HEADROOM_BUDGET", "0", "a number from 1"), ("HEADROOM_RESERVE", "-1", "a number from 0"),
        ("DB_PORT", "65536", "a number from 1 to 65535"), ("HEADROOM_STATE_DIR", "run", "an absolute path"),
        ("HEADROOM_IDLE_TIMEOUT", "500ms", "a time of at least 1 s"), ("HEADROOM_TLS_MODE", "on", "verify_identity"),
    ])
    func `a value out of bounds is refused with the bounds`(name: String, value: String, bounds: String) throws {
        let socket = name == "DB_PORT" ? ["DB_HOST": "h", "DB_SOCKET": ""] : [:]
        let error = try refusal(socket.merging([name: value]) { $1 })
        #expect(error.message == "\(name) in the environment is '\(value)'.")
        #expect(error.advice.contains(bounds))
    }

    // MARK: Secrets

    @Test func `a secret may be the content of a file`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("p#w \"x\"\r\n", to: "password", mode: 0o600)
        let loaded = try load(["DB_PASSWORD_FILE": file])
        #expect(loaded.database.password == "p#w \"x\"")
        #expect(loaded.warnings.isEmpty)
        let (_, origin) = try #require(loaded.found.entry(.password))
        #expect("\(origin)" == "DB_PASSWORD_FILE (\(file)) of the environment")
    }

    @Test func `a secret's file that every user may read is a warning`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("secret", to: "password", mode: 0o644)
        #expect(try load(["DB_PASSWORD_FILE": file]).warnings.contains { $0.contains("chmod 640 \(file)") })
    }

    @Test func `a secret's file that is not there is an error, and does not mean no password`() throws {
        let error = try refusal(["DB_PASSWORD_FILE": "/nowhere/password"])
        #expect(error.message.contains("DB_PASSWORD_FILE in the environment"))
        #expect(error.message.contains("/nowhere/password"))
    }

    @Test func `a secret in both ways is a contradiction, and is not shown`() throws {
        let error = try refusal(["DB_PASSWORD": "hush", "DB_PASSWORD_FILE": "/x"])
        #expect(error.message.contains("DB_PASSWORD_FILE"))
        #expect(!"\(error)".contains("hush"))
    }

    @Test(arguments: ["db_password", "headroom-db-password"])
    func `systemd's credentials are read, and a louder source wins`(name: String) throws {
        let folder = TemporaryFolder()
        folder.write("from systemd\n", to: name)
        folder.write("hook", to: "headroom-webhook")
        let loaded = try load(["CREDENTIALS_DIRECTORY": folder.path])
        #expect(loaded.database.password == "from systemd")
        #expect(try loaded.found.value(.webhook) == "hook")
        let louder = try load(["CREDENTIALS_DIRECTORY": folder.path, "DB_PASSWORD": "louder"])
        #expect(louder.database.password == "louder")
    }

    @Test func `the second account's password without its account is a contradiction`() throws {
        let error = try refusal(["HEADROOM_ADMIN_PASSWORD": "hush"])
        #expect(error.advice.contains("HEADROOM_ADMIN_USERNAME"))
        #expect(!"\(error)".contains("hush"))
    }

    // MARK: Encryption

    @Test func `an authority that is named is asked, and one that is not asked is a warning`() throws {
        let tcp = ["DB_SOCKET": "", "DB_HOST": "h", "HEADROOM_TLS_CA": "/ca.pem"]
        #expect(try load(tcp).database.tls == TLS(mode: .verifyCA, authorities: "/ca.pem"))
        let unchecked = try load(tcp.merging(["HEADROOM_TLS_MODE": "required"]) { $1 })
        #expect(unchecked.database.tls.mode == .required)
        #expect(unchecked.warnings.contains { $0.contains("checks no certificate") })
        #expect(try load(tcp.merging(["HEADROOM_TLS_MODE": "Verify-Identity"]) { $1 }).warnings.isEmpty)
    }

    // MARK: The names of others

    @Test func `the names of MySQL's images count where nothing else says anything`() throws {
        let mysql = ["MYSQL_HOST": "db", "MYSQL_USER": "m", "MYSQL_PASSWORD": "p", "MYSQL_DATABASE": "d"]
        let alone = try SettingsSources(environment: mysql, envFile: "/dev/null").load().database
        #expect(alone.endpoint == .tcp(host: "db", port: 3306))
        #expect((alone.username, alone.password, alone.database) == ("m", "p", "d"))
        // Not a half of them: their password is another account's.
        let beside = try load(mysql).database
        #expect((beside.username, beside.password, beside.database) == ("app", "", nil))
    }

    @Test func `the usual option file counts where nothing else says anything`() throws {
        let home = TemporaryFolder()
        home.write("[client]\nuser=root\npassword=hush\nsocket=/m.sock\n", to: ".my.cnf")
        let environment = ["HOME": home.path, "DB_DATABASE": "shop"]
        let alone = try SettingsSources(environment: environment, envFile: "/dev/null").load().database
        #expect((alone.username, alone.password, alone.database) == ("root", "hush", "shop"))
        // The password of one server does not go to another that a file happens to name.
        let beside = try SettingsSources(
            environment: environment.merging(["DB_HOST": "evil", "DB_USERNAME": "root"]) { $1 }
        )
        .load().database
        #expect(beside.password.isEmpty)
    }

    @Test func `Headroom's own URL wins over the application's`() throws {
        let loaded = try SettingsSources(
            environment: ["DATABASE_URL": "postgres://u:p@h/d", "HEADROOM_DATABASE_URL": "mysql://a:b@c/d"],
            envFile: "/dev/null"
        )
        .load()
        #expect(loaded.database.endpoint == .tcp(host: "c", port: 3306))
    }
}
