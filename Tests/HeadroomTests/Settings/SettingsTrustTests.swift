import Glibc
import TestSupport
import Testing

@testable import Headroom

/// A file that was only found is not trusted with everything that a setting can do.
@Suite struct SettingsTrustTests {
    private let folder = TemporaryFolder()

    // MARK: The table

    /// The settings that a planted file may set; whoever adds one thinks it through here a second time.
    private static let harmless: Set<String> = [
        "DB_DATABASE", "DB_USERNAME", "DB_PASSWORD", "DATABASE_URL", "HEADROOM_DATABASE_URL", "HEADROOM_BUDGET",
        "HEADROOM_RESERVE", "HEADROOM_FRONT_DOOR", "HEADROOM_HOSTS", "HEADROOM_SHARE", "HEADROOM_WAIT_TIMEOUT",
        "HEADROOM_CONNECT_TIMEOUT", "HEADROOM_CLOSE_TIMEOUT", "HEADROOM_IDLE_TIMEOUT", "HEADROOM_HOLD_WARNING",
        "HEADROOM_ADMIN_USERNAME", "HEADROOM_ADMIN_PASSWORD", "HEADROOM_QUEUE", "HEADROOM_DOOR_WAIT",
        "HEADROOM_DOOR_AT_MOST",
    ]
    private static let places: Set<String> = [
        "DB_HOST", "DB_PORT", "DB_SOCKET", "HEADROOM_SERVER", "HEADROOM_TLS_MODE", "HEADROOM_TLS_CA",
        "HEADROOM_ADMIN_HOST",
        "HEADROOM_ADMIN_PORT", "HEADROOM_ADMIN_SOCKET", "HEADROOM_TLS_PIN", "HEADROOM_SERVER_PUBLIC_KEY",
        "HEADROOM_TLS_CERT", "HEADROOM_TLS_KEY",
    ]

    @Test func `a setting is harmless or a place only where this list says so, and has its reason`() {
        for setting in Setting.all {
            let isExpected =
                switch setting.trust {
                case .harmless: Self.harmless.contains(setting.name)
                case .place: Self.places.contains(setting.name)
                case .pathOrCommand:
                    !Self.harmless.contains(setting.name) && !Self.places.contains(setting.name)
                }
            #expect(isExpected, "\(setting.name)")
            #expect(setting.trust.reason.utf8.count >= 6, "\(setting.name)")
        }
    }

    // MARK: The decision

    @Test(arguments: SettingsTrust.allCases, [SettingsTrust?.none] + SettingsTrust.allCases.map(Optional.some))
    func `a place counts for a password that is trusted no more, and the user's own file is as good as the user's word`(
        place: SettingsTrust,
        password: SettingsTrust?
    ) {
        let leaks = place == .foreign && (password == .own || password == .said)
        #expect(place.mayGive(.place(""), toPasswordFrom: password) == !leaks)
        #expect(place.mayGive(.harmless(""), toPasswordFrom: password))
        #expect(place.mayGive(.pathOrCommand(""), toPasswordFrom: password) == (place == .said))
    }

    @Test(
        arguments: [
            // uid 1000 reads a file of ... in a folder of ...
            (1000, 1000, 0o600, 1000, 1000, 0o755, true), (1000, 1000, 0o664, 1000, 1000, 0o775, true),
            (0, 0, 0o644, 0, 0, 0o755, true), (1000, 33, 0o640, 1000, 33, 0o750, true),
            (1000, 1000, 0o600, 0, 0, 0o1777, false), (0, 0, 0o600, 0, 33, 0o1770, false),
            (1000, 33, 0o660, 1000, 1000, 0o755, false),
            (1000, 1000, 0o666, 1000, 1000, 0o755, false), (33, 33, 0o600, 1000, 1000, 0o755, false),
            (1000, 1000, 0o600, 33, 33, 0o755, false), (1000, 1000, 0o600, 1000, 33, 0o775, false),
            (0, 0, 0o644, 0, 0, 0o777, false), (65_534, 65_534, 0o644, 1000, 1000, 0o755, false),
        ] as [(UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, Bool)]
    )
    func `a file is the user's own when nobody but the user and root can have written it`(
        owner: UInt32,
        group: UInt32,
        mode: UInt32,
        folderOwner: UInt32,
        folderGroup: UInt32,
        folderMode: UInt32,
        isOwn: Bool
    ) {
        var step = PathStep(
            path: "f",
            entry: .init(owner: owner, group: group, mode: mode),
            folder: .init(owner: folderOwner, group: folderGroup, mode: folderMode),
            isLast: true
        )
        let own = PathStep(path: "l", entry: .init(1000, 0o600), folder: .init(1000, 0o700), isLast: true)
        // The same of the file, of a link to it, and of what a link leads to.
        for steps in [[step], [own, step], [step, own]] {
            #expect((FileWriters.stranger(on: steps, to: 1000) == nil) == isOwn)
        }
        // A folder on the way is its own folder's owner's, or else the user's or root's.
        step.isLast = false
        let isPlaced = [0, 1000].contains(owner) || step.folder.otherWriters == nil
        #expect((FileWriters.stranger(on: [step, own], to: 1000) == nil) == isPlaced)
    }

    /// What users do to have root's own words in the place of a file, in folders that are theirs to write to.
    @Test(.enabled(if: geteuid() == 0), arguments: [0o1777, 0o1770, 0o777, 0o775] as [mode_t], Plant.allCases)
    func `root's file in a folder of others is not root's word, however it came there`(mode: mode_t, plant: Plant)
        throws
    {
        let shared = "\(folder.path)/shared"
        mkdir(shared, 0o700)
        chown(shared, 0, 1234)
        let file = folder.write("DB_HOST=evil\n", to: "log")
        let planted = "\(shared)/.env"
        switch plant {
        case .link: #expect(symlink(file, planted) == 0 && lchown(planted, 1234, 1234) == 0)
        case .linkOfRoots: #expect(symlink(file, planted) == 0)
        case .secondName: #expect(link(file, planted) == 0)
        case .moved: #expect(rename(file, planted) == 0)
        case .linkOnTheWay:
            #expect(symlink(folder.path, "\(shared)/way") == 0 && lchown("\(shared)/way", 1234, 1234) == 0)
            #expect(symlink("shared/way/log", "\(folder.path)/.env") == 0)
        }
        let path = plant == .linkOnTheWay ? "\(folder.path)/.env" : planted
        #expect((try SettingsFile.content(path).stranger == nil) == (plant != .link))
        chmod(shared, mode)
        #expect(try SettingsFile.content(path).stranger != nil)
    }

    enum Plant: CaseIterable { case link, linkOfRoots, secondName, moved, linkOnTheWay }

    @Test func `links of one's own in folders of one's own are followed`() throws {
        folder.write("DB_HOST=h\n", to: "real")
        mkdir("\(folder.path)/data", 0o700)
        symlink("..", "\(folder.path)/data/now")
        symlink("data/now/real", "\(folder.path)/.env")
        #expect(try SettingsFile.content("\(folder.path)/.env").stranger == nil)
    }

    // MARK: Mixed sources

    /// Where a value may stand, the loudest first.
    enum Source: CaseIterable {
        case flag, environment, namedFile, optionFile, ownFile, foreignFile

        var isForeign: Bool { self == .foreignFile }
    }

    /// Settings of which each source says its part.
    private func found(_ parts: [Source: [String: String]]) -> FoundSettings {
        var search = SettingsSearch()
        for source in Source.allCases {
            guard let values = parts[source] else { continue }
            let text = values.map { "\($0.key)=\($0.value)\n" }.joined()
            switch source {
            case .flag: search.add(SettingsLayer(values, .flag))
            case .environment: search.add(SettingsLayer(values, .environment))
            case .namedFile: search.addEnvFile(folder.write(text, to: "named", mode: 0o666))
            case .optionFile:
                let lines = values.map { name, value in
                    let setting = Setting.all.first { $0.name == name }
                    return "\(setting?.headroomOption ?? "") = \(value)\n"
                }
                search.addOptionFile(folder.write("[headroom]\n\(lines.joined())", to: "my.cnf"))
            case .ownFile: search.addEnvFile(folder.write(text, to: "own"), isNamed: false)
            // Every user may write to it, so that the tests need not be root's.
            case .foreignFile: search.addEnvFile(folder.write(text, to: "foreign", mode: 0o602), isNamed: false)
            }
        }
        search.lookForContradictions()
        search.tellWhatIsPassedOver()
        return search.found
    }

    private func merged(_ parts: [(Source, [String: String])]) -> [Source: [String: String]] {
        Dictionary(parts, uniquingKeysWith: { $0.merging($1) { $1 } })
    }

    @Test(arguments: Source.allCases, Source.allCases)
    func `a password goes to no host of a source that is trusted less`(password: Source, host: Source) throws {
        let found = found(
            merged([
                (password, ["DB_USERNAME": "app", "DB_PASSWORD": "hush"]), (host, ["DB_HOST": "evil", "DB_PORT": "9"]),
            ])
        )
        let isTaken = !host.isForeign || password.isForeign
        #expect(try found.places() == [.tcp(host: isTaken ? "evil" : "127.0.0.1", port: isTaken ? 9 : 3306)])
        let ways = found.endpoints(inUse: .tcp(host: "in use", port: 1))
        #expect(ways.contains { $0.hostName == "evil" } == isTaken)
        #expect(found.warnings.contains { $0.contains("DB_PORT") } == !isTaken)
        // Where an option file names no host it means this machine; else it is an error.
        #expect(found.problems.isEmpty == (isTaken || password == .optionFile), "\(found.problems)")
        #expect(!"\(found.problems) \(found.warnings)".contains("hush"))
        if isTaken { #expect(try found.loaded(programName: "x").database.password == "hush") }
    }

    @Test(arguments: Source.allCases, Source.allCases)
    func `nor does the second account's`(password: Source, host: Source) throws {
        for name in ["HEADROOM_ADMIN_HOST", "DB_HOST"] {
            let found = found(
                merged([
                    (password, ["HEADROOM_ADMIN_USERNAME": "mon", "HEADROOM_ADMIN_PASSWORD": "hush"]),
                    (host, ["DB_USERNAME": "app", "DB_PASSWORD": "its own", name: "evil"]),
                ])
            )
            let second = try found.loaded(programName: "x").administrator
            if !host.isForeign || password.isForeign {
                #expect(second?.endpoint == .tcp(host: "evil", port: 3306))
            } else {
                #expect(second?.endpoint.hostName != "evil")
                #expect(found.warnings.contains { $0.contains("HEADROOM_ADMIN_HOST") })
            }
        }
    }

    @Test(arguments: Source.allCases, Source.allCases)
    func `encryption may be raised by any file, and lowered only by one that is trusted as the password's`(
        password: Source,
        other: Source
    ) throws {
        func tls(_ mode: String, _ more: [String: String] = [:]) throws -> TLS {
            try found(
                merged([
                    (password, ["DB_USERNAME": "app", "DB_PASSWORD": "hush", "DB_HOST": "h"]),
                    (other, ["HEADROOM_TLS_MODE": mode].merging(more) { $1 }),
                ])
            )
            .loaded(programName: "x").database.tls
        }
        let isTaken = !other.isForeign || password.isForeign
        #expect(try tls("disabled").mode == (isTaken ? .disabled : .preferred))
        #expect(try tls("verify_identity").mode == .verifyIdentity)
        #expect(try tls("verify_ca", ["HEADROOM_TLS_CA": "/evil.pem"]).authorities == (isTaken ? "/evil.pem" : nil))
    }

    @Test func `what makes no difference is no warning`() {
        let settings = ["DB_HOST": "h", "DB_PORT": "3306", "DB_USERNAME": "app", "DB_PASSWORD": "hush"]
        // As a framework's file beside an environment that says all, or what the default is anyway.
        for text in [["DB_HOST": "other", "DB_PORT": "3306"], ["DB_SOCKET": "/x"], ["HEADROOM_BUDGET": "2"]] {
            let found = found([.environment: settings, .foreignFile: text])
            #expect(found.warnings.isEmpty && found.problems.isEmpty, "\(found.warnings) \(found.problems)")
        }
        let socket = found([
            .environment: ["DB_SOCKET": "/s", "DB_USERNAME": "app", "DB_PASSWORD": "hush"],
            .foreignFile: ["DB_HOST": "h", "DB_PORT": "1"],
        ])
        #expect(socket.warnings.isEmpty && socket.problems.isEmpty)
    }

    @Test func `a file of one's own says all of the place, and another's says all of it with its own password`() throws
    {
        let all = [
            "DB_HOST": "h", "DB_PORT": "9", "DB_USERNAME": "app", "DB_PASSWORD": "x", "HEADROOM_TLS_MODE": "disabled",
        ]
        for source in [Source.ownFile, .foreignFile] {
            let found = found([source: all])
            #expect(try found.places() == [.tcp(host: "h", port: 9)])
            #expect(found.problems.isEmpty)
            #expect(!found.warnings.contains { $0.contains("passed over") })
        }
        // A flag that names another server is the user's word.
        #expect(try found([.flag: ["DB_HOST": "f"], .foreignFile: all]).places() == [.tcp(host: "f", port: 9)])
    }

    @Test func `a URL's parts count as the settings that they stand for`() throws {
        let found = found([
            .environment: ["DB_USERNAME": "app", "DB_PASSWORD": "hush", "DB_HOST": "h"],
            .foreignFile: ["DATABASE_URL": "mysql://u:p@evil:9/d?ssl-mode=disabled&ssl-ca=%2Fevil"],
        ])
        let settings = try found.loaded(programName: "x").database
        #expect(settings.endpoint == .tcp(host: "h", port: 3306))
        #expect(settings.tls == TLS(mode: .preferred))
        #expect(settings.database == "d")
    }

    @Test(arguments: Setting.all.filter { if case .pathOrCommand = $0.trust { true } else { false } })
    func `a path or a command in a file that was only found counts for nothing, and that is told`(setting: Setting) {
        for source in [Source.ownFile, .foreignFile] {
            let planted = [source: [setting.name: setting.example]]
            let found = found(planted)
            #expect(found.entry(setting) == nil)
            #expect(found.warnings.count { $0.contains("\(setting.name) in line 1 of") } == 1, "\(found.warnings)")
            #expect(found.rows.contains { $0.setting == setting && $0.note?.contains("passed over") == true })
            // Said as well, it counts, and nothing is amiss.
            let said = self.found(planted.merging([.environment: [setting.name: setting.example]]) { $1 })
            #expect(said.entry(setting)?.origin.place == .environment)
            #expect(said.warnings.isEmpty, "\(said.warnings)")
        }
        #expect(found([.namedFile: [setting.name: setting.example]]).entry(setting) != nil)
    }

    @Test(arguments: Setting.all.filter(\.isSecret))
    func `a file of a secret that a found file names is not opened`(setting: Setting) throws {
        let secret = folder.write("hush\n", to: "secret")
        let name = try #require(setting.fileName)
        for source in [Source.ownFile, .foreignFile] {
            let found = found([source: [name: secret]])
            #expect(found.entry(setting) == nil)
            #expect(!found.secrets.contains("hush"))
            #expect(found.warnings.contains { $0.contains("\(name) in line 1 of") && $0.contains("--env-file") })
        }
    }

    @Test func `the words of MySQL's images are trusted as the file that they stand in`() throws {
        let search = SettingsLayer(["MYSQL_PASSWORD_FILE": .init(value: "/etc/shadow", origin: .init(place: .flag))])
        var layer = search
        layer.trust = .foreign
        layer.stranger = "somebody"
        #expect(layer.aliased.trust == .foreign)
        #expect(try layer.aliased.resolvingFiles { _ in }[.password] == nil)
    }

    @Test func `an option file at home that is another's includes nothing, and says no command`() throws {
        let inner = folder.write("[client]\npassword=hush\n", to: "inner")
        folder.write(
            "[client]\nuser=u\nhost=evil\n!include \(inner)\n[headroom]\nalert-command=x\n",
            to: ".my.cnf",
            mode: 0o606
        )
        let home = ["HOME": folder.path]
        let loaded = try SettingsSources(environment: home, envFile: "/dev/null").load()
        #expect(loaded.database.password.isEmpty)
        #expect(try loaded.found.value(.alertCommand) == nil)
        #expect(loaded.warnings.contains { $0.contains("is not read") })
        chmod("\(folder.path)/.my.cnf", 0o600)
        let own = try SettingsSources(environment: home, envFile: "/dev/null").load()
        #expect(own.database.password == "hush")
        #expect(try own.found.value(.alertCommand) == "x")
    }
}

extension FileRights {
    fileprivate init(_ owner: UInt32, _ mode: UInt32) { self.init(owner: owner, group: owner, mode: mode) }
}
