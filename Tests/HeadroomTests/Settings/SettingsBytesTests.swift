import Glibc
import TestSupport
import Testing

@testable import Headroom

/// Settings are read as bytes: whatever a file holds, nothing traps, hangs or shows a secret.
@Suite struct SettingsBytesTests {
    private let folder = TemporaryFolder()
    private let secret = "hush-7f3a"

    /// All that somebody may see of what was found.
    private func shown(_ found: FoundSettings) -> String {
        let rows = found.rows.map { "\($0.value ?? "") \($0.note ?? "") \($0.problem?.description ?? "")" }
        let loaded = Result { try found.loaded(programName: "x") }
        let database = (try? loaded.get()).map { "\($0.database) \($0.endpoints) \($0.administrator as Any)" }
        var failure = ""
        if case .failure(let error) = loaded { failure = "\(error)" }
        return (rows + found.warnings + found.problems.map(\.description) + [database ?? "", failure])
            .joined(separator: "\n")
    }

    private func envFile(_ text: String, isNamed: Bool = true) -> FoundSettings {
        envFile(Array(text.utf8), isNamed: isNamed)
    }

    private func envFile(_ bytes: [UInt8], isNamed: Bool = true) -> FoundSettings {
        var search = SettingsSearch()
        search.addEnvFile(folder.write(bytes, to: "env"), isNamed: isNamed)
        return search.found
    }

    private func optionFile(_ bytes: [UInt8]) -> FoundSettings {
        var search = SettingsSearch()
        search.addOptionFile(folder.write(bytes, to: "my.cnf"))
        return search.found
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `lines end as editors end them, with a byte order mark in front or without`(end: String) throws {
        for mark in ["", "\u{FEFF}"] {
            let lines = [
                "DB_HOST=db.example.org", "DB_USERNAME=\"app\"", "DB_PASSWORD='\(secret)'", "DB_DATABASE=shop # x",
            ]
            let found = envFile(mark + lines.joined(separator: end) + end)
            let settings = try found.loaded(programName: "x").database
            #expect(settings.endpoint == .tcp(host: "db.example.org", port: 3306))
            #expect((settings.username, settings.password, settings.database) == ("app", secret, "shop"))
            #expect(found.entry(.password)?.origin.place == .file(line: 3))
            let options = "\(mark)[client]\(end)host=db.example.org\(end)password=\"\(secret)\"\(end)user=app"
            let option = try optionFile(Array(options.utf8)).loaded(programName: "x").database
            #expect(option.endpoint == .tcp(host: "db.example.org", port: 3306))
            #expect((option.username, option.password) == ("app", secret))
        }
        let file = folder.write("\u{FEFF}\(secret)\(end)", to: "password")
        let environment = ["DB_USERNAME": "u", "DB_PASSWORD_FILE": file]
        #expect(try SettingsSources(environment: environment, envFile: "/dev/null").load().database.password == secret)
    }

    @Test func `a combining mark hides neither a quote nor an equals sign`() throws {
        let mark = "\u{301}"
        let found = envFile("DB_USERNAME=\"app\(mark)\"\nDB_PASSWORD=\(mark)\(secret)\nDB_DATABASE='a\(mark)'\n")
        let settings = try found.loaded(programName: "x").database
        #expect((settings.username, settings.password, settings.database) == ("app\(mark)", mark + secret, "a\(mark)"))
        let option = optionFile(Array("[client]\nuser='app#\(mark)'\npassword=\(mark)x\n".utf8))
        #expect(option.entry(.username)?.value == "app#\(mark)")
        #expect(option.entry(.password)?.value == "\(mark)x")
        #expect(Endpoint.list("a:\(mark)1", port: 1) == nil)
    }

    @Test func `a value that would be cut or mangled on its way is refused, and not shown`() {
        for value in [Array("\(secret)\0x".utf8), Array(secret.utf8) + [0xE4]] {
            let found = envFile(Array("DB_USERNAME=u\nDB_PASSWORD=".utf8) + value)
            #expect(found.problems.contains { $0.message.contains("DB_PASSWORD in line 2") })
            #expect(!shown(found).contains(secret))
        }
        let url = SettingsLayer(["DATABASE_URL": "mysql://u:\(secret)%00@h/d"], .environment)
        var search = SettingsSearch()
        search.add(url)
        #expect(search.found.problems.contains { $0.message.contains("holds a NUL") })
    }

    @Test(arguments: [
        "SECRET", "SECRET://u:p@h", "mysql//u:SECRET@h", "mysql://u:SECRET", "mysql://u:SECRET@h:x",
        "mysql://u:a?SECRET@h/d",
        "mysql://u:a/SECRET@h", "mysql://u:p@h/d?SECRET=1", "mysql://u:p@h/d?SECRET", "mysql://u:%SECRET@h/d",
        "mysql://u:%+1SECRET@h/d", "mysql://u:p@[::1]SECRET/d", "mysql://u:p@h:99999999999999999999SECRET/d",
        "mysql://u:p@h SECRET/d", "mysql://u:p@h:SECRET@/d/x",
    ])
    func `an error repeats no piece of a URL`(text: String) {
        let url = text.replacing("SECRET", with: secret)
        for text in ["DATABASE_URL=\(url)\n", "HEADROOM_DATABASE_URL=\(url)\n", "DB_HOST=\(url)\nDB_USERNAME=u\n"] {
            // A place where a lone word is a host's name, as the program cannot know better.
            if text.hasPrefix("DB_HOST=\(secret)") { continue }
            #expect(!shown(envFile(text)).contains(secret), "\(text)")
        }
    }

    @Test(arguments: [
        ("[headroom]\npassword SECRET\n"), ("[headroom]\nSECRET\n"), ("[headroom]\nSECRET = 1\n"),
        ("[client]\n!SECRET\n"),
        ("[client]\npassword=a#SECRET\n"), ("[client]\nhost=u:SECRET@h\nuser=u\n"),
    ])
    func `a line of an option file that is not understood is named by its number alone`(text: String) {
        let found = optionFile(Array(text.replacing("SECRET", with: secret).utf8))
        #expect(!shown(found).contains(secret), "\(shown(found))")
    }

    @Test func `broken files of all kinds neither trap nor show a secret`() {
        var random = Steps(state: 0x5EED)
        let breaks: [[UInt8]] = [
            [0x0D, 0x0A], [0x0D], [0xEF, 0xBB, 0xBF], [0], [0xCC, 0x81], [0x22], [0x27], [0x5C], [0x23], [0x20], [0x3D],
            [0xFF, 0xFE], [0xC3], [0xE2, 0x80, 0xA8], [0xD8, 0x80], [0x5B], [0x21], [0x0B],
            [UInt8](repeating: 0x41, count: 5_000),
        ]
        let runs = isFullRun ? 20_000 : 1_500
        for _ in 0..<runs {
            for isOption in [false, true] {
                // Lines that stay lines: what is broken may be anywhere but within the names.
                var bytes: [UInt8] = random.pick(breaks)
                let names =
                    isOption
                    ? ["[client]\n", "host=", "password=", "port=", "[headroom]\n", "webhook=", "budget="]
                    : [
                        "DB_HOST=", "DB_PASSWORD=", "DB_PORT=", "HEADROOM_WEBHOOK=", "HEADROOM_BUDGET=",
                        "DATABASE_URL=",
                    ]
                for name in names {
                    let isSecret = ["password", "PASSWORD", "webhook", "WEBHOOK"].contains { name.contains($0) }
                    bytes += [UInt8(ascii: "\n")] + Array(name.utf8)
                    if random.next(2) == 0 { bytes += random.pick(breaks) }
                    let url = "mysql://u:\(secret)"
                    let value = isSecret ? secret : name == "DATABASE_URL=" ? url : "\(random.next(4_000))"
                    bytes += Array(value.utf8)
                    if random.next(2) == 0 { bytes += random.pick(breaks) }
                }
                let found = isOption ? optionFile(bytes) : envFile(bytes, isNamed: random.next(2) == 0)
                // A byte may have made two lines of one, with the second half of a secret; never more than that is seen.
                let seen = shown(found)
                #expect(!seen.contains(secret), "\(bytes.count < 600 ? "\(bytes[...].text)" : "") \(seen)")
            }
        }
    }

    @Test func `bytes without sense neither trap nor hang`() {
        var random = Steps(state: 0xB17E)
        for _ in 0..<300 {
            let bytes = (0..<random.next(3_000)).map { _ in UInt8(truncatingIfNeeded: random.next(256)) }
            _ = shown(envFile(bytes))
            _ = shown(optionFile(Array("[client]\n".utf8) + bytes))
            _ = try? DatabaseURL("mysql://" + bytes[...].text, origin: "x")
            _ = Duration(text: bytes[...].text)
            _ = Endpoint.list(bytes[...].text, port: 1)
        }
        // Each name is compared with all settings' names: not so many of them, and none that nobody meant.
        let many = (0..<3_000).map { "HEADROOM_\($0)=1\nHEADROOM_\($0)\(String(repeating: "X", count: 300))=1\n" }
            .joined()
        #expect(envFile(many).problems.count <= 10)
    }

    @Test(arguments: [
        "99999999999999999999", "9223372036854775807d", "1e300", "0x10", "1e9", "1000000001", "١", "1\u{301}", "..",
        "1.2.3",
        "9223372036854775807",
    ])
    func `numbers beyond all bounds are refused`(text: String) {
        #expect(Duration(text: text) == nil)
        let found = envFile("DB_HOST=h\nDB_USERNAME=u\nDB_PORT=\(text)\nHEADROOM_WAIT_TIMEOUT=\(text)\n")
        #expect(throws: DatabaseError.self) { try found.loaded(programName: "x") }
        #expect(Endpoint.list("a:\(text)", port: 1) == nil)
    }

    @Test func `the longest time that is taken does not overflow`() throws {
        let long = try #require(Duration(text: "1000000000"))
        #expect(ContinuousClock.now + long > .now)
        #expect(long.components.seconds.multipliedReportingOverflow(by: 1_000_000_000).overflow == false)
    }

    // MARK: Files

    @Test func `a FIFO, a device, a folder and a file without end are refused with words`() {
        let fifo = "\(folder.path)/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        let large = folder.write([UInt8](repeating: 0x41, count: (1 << 20) + 1), to: "large")
        for path in [fifo, "/dev/zero", folder.path, large] {
            for isSecret in [false, true] {
                let environment = isSecret ? ["DB_USERNAME": "u", "DB_PASSWORD_FILE": path] : ["DB_USERNAME": "u"]
                let error = #expect(throws: DatabaseError.self) {
                    try SettingsSources(environment: environment, envFile: isSecret ? "/dev/null" : path).load()
                }
                #expect(error?.message.contains("\(path) cannot be read: it is") == true, "\(error as Any)")
            }
            #expect(throws: DatabaseError.self) { try OptionFile(path: path) }
        }
        #expect(throws: DatabaseError.self) {
            try SettingsSources(environment: ["DB_HOST": "h", "DB_USERNAME": "u", "HEADROOM_TLS_CA": fifo]).load()
        }
    }

    @Test func `a link to a settings file is followed, as orchestrators put them`() throws {
        let file = folder.write("DB_USERNAME=linked\n", to: "target")
        let link = "\(folder.path)/link"
        #expect(symlink(file, link) == 0)
        #expect(try SettingsSources(environment: [:], envFile: link).load().database.username == "linked")
    }
}
