import Glibc
import TestSupport
import Testing

@testable import Headroom

/// A `.env` file is read as the tool does that it is written for; where tools differ, somebody is told.
@Suite struct DotenvTests {
    private let folder = TemporaryFolder()

    private func read(
        _ text: String,
        _ dialect: EnvFile.Dialect = .common,
        environment: [String: String] = [:]
    ) -> EnvFile {
        var file = EnvFile(dialect, environment: environment)
        file.read(Array(text.utf8), path: ".env")
        return file
    }

    /// A file `.env` in a folder of its own, with other files beside it.
    private func find(_ text: String, beside files: [String: String], environment: [String: String] = [:]) throws
        -> FoundSettings
    {
        let place = TemporaryFolder()
        for (name, text) in files {
            let parts = RegularFile.parts(name)
            if parts.folder != "." { mkdir("\(place.path)/\(parts.folder.split(separator: "/")[0])", 0o755) }
            if parts.folder.contains("/") { mkdir("\(place.path)/\(parts.folder)", 0o755) }
            place.write(text, to: name)
        }
        return SettingsSources(environment: environment, envFile: place.write(text, to: ".env")).find()
    }

    // MARK: What each tool makes of a value

    @Test(
        arguments: [
            ("abc#def", "abc", "abc#def"), ("abc #def", "abc", "abc"), (#""a#b""#, "a#b", "a#b"),
            ("'a#b'", "a#b", "a#b"),
            ("pa$word", "pa$word", "pa"), ("'pa$word'", "pa$word", "pa$word"), (#""pa\$word""#, "pa$word", "pa$word"),
            ("${KNOWN}", "value", "value"), ("$KNOWN", "$KNOWN", "value"), ("${NONE}", "${NONE}", ""),
            ("${NONE:-std}", "${NONE:-std}", "std"), ("'${KNOWN}'", "${KNOWN}", "${KNOWN}"),
            (#""a\qb""#, nil, #"a\qb"#), (#"a"b"#, #"a"b"#, nil), ("a b", nil, nil), (" a", "a", nil), ("a ", "a", "a"),
            ("\ta", "a", nil), ("a\t", "a", "a"), ("", "", ""), ("   ", "", ""), ("# x", "", ""), ("'a'b", nil, "ab"),
            ("\"a\nb\"", "a\nb", "a\nb"), ("'a\nb'", nil, "a\nb"), ("`a`", "`a`", "`a`"), (#"a\b"#, #"a\b"#, #"a\b"#),
            (#"a\\b"#, #"a\\b"#, #"a\b"#), (#""a\nb""#, "a\nb", "a\nb"), (#""a\\nb""#, #"a\nb"#, "a\\\nb"),
            ("$(id)", "$(id)", nil), (#""$(id)""#, "$(id)", nil), ("'$(id)'", "$(id)", "$(id)"), ("\"x", nil, nil),
            ("null", "null", "null"), ("pÄss'", "pÄss'", nil), ("a=b=c", "a=b=c", "a=b=c"),
        ] as [(String, String?, String?)]
    )
    func `each tool has its own reading`(raw: String, phpdotenv: String?, symfony: String?) {
        let lookUp: Dotenv.LookUp = { $0 == "KNOWN" ? Array("value".utf8) : nil }
        #expect(Dotenv.phpdotenv(Array(raw.utf8)[...], lookUp).map { $0[...].text } == phpdotenv)
        #expect(Dotenv.symfony(Array(raw.utf8)[...], lookUp).map { $0[...].text } == symfony)
    }

    @Test(.enabled(if: Oracle.isThere)) func `generated values are read as the tools themselves read them`() throws {
        var random = Steps(state: 0xD07E)
        let parts = [
            "a", "b", "1", " ", "  ", "\t", "#", " #", "$", "${A}", "$A", "${", "}", "(", ")", "'", "\"", "\\", "\\\"",
            "\\n", "=",
            "!", "@", ":", "-", ":-x", "é", "`", "\\\\", "\\$", ".", "/", "A", "_", "${N:-d}", "null",
        ]
        let values = (0..<4_000)
            .map { _ in
                let body = (0..<random.next(7)).map { _ in random.pick(parts) }.joined()
                let quote = ["", "", "'", "\""][random.next(4)]
                return quote + body + quote
            }
        let answers = try Oracle.ask(values, in: folder)
        try #require(answers.count == values.count)
        for (value, answer) in zip(values, answers) {
            let lookUp: Dotenv.LookUp = { $0 == "A" ? Array("first".utf8) : nil }
            let raw = Array(value.utf8)[...]
            #expect(Dotenv.phpdotenv(raw, lookUp) == answer.phpdotenv, "phpdotenv of \(value)")
            // The tool would run what is in there.
            if value.contains("$(") { continue }
            #expect(Dotenv.symfony(raw, lookUp) == answer.symfony, "symfony of \(value)")
        }
    }

    // MARK: Whose reading holds

    @Test func `beside artisan the reading is Laravel's`() throws {
        let text = "DB_USERNAME=app#x\nDB_PASSWORD=null\nDB_HOST=pa$word\nDB_DATABASE=\"'shop'\"\n"
        let found = try find(text, beside: ["artisan": ""])
        #expect(found.entry(.username)?.value == "app")
        #expect(found.entry(.password) == nil)
        #expect(found.entry(.host)?.value == "pa$word")
        #expect(found.entry(.database)?.value == "shop")
        #expect(!found.warnings.contains { $0.contains("config.php") })
        let cached = try find(text, beside: ["artisan": "", "bootstrap/cache/config.php": "<?php return [];"])
        #expect(cached.warnings.contains { $0.contains("bootstrap/cache/config.php") })
    }

    @Test func `beside artisan a URL wins over the names beside it, as with Laravel`() throws {
        let text =
            "DB_URL=mysql://u:p@h:3307/d\nDB_HOST=127.0.0.1\nDB_PORT=3306\nDB_DATABASE=laravel\nDB_USERNAME=root\n"
        let laravel = try find(text, beside: ["artisan": ""]).loaded(programName: "x").database
        #expect(laravel.endpoint == .tcp(host: "h", port: 3307))
        #expect((laravel.username, laravel.database) == ("u", "d"))
        let plain = try find(text, beside: [:]).loaded(programName: "x").database
        #expect(plain.endpoint == .tcp(host: "127.0.0.1", port: 3306))
        #expect((plain.username, plain.database) == ("root", "laravel"))
    }

    @Test func `beside bin/console Symfony's files count in its order`() throws {
        let files = [
            "bin/console": "", ".env.local": "DB_PASSWORD=local\nDB_DATABASE=local\n", ".env.dev": "DB_DATABASE=dev\n",
            ".env.dev.local": "DB_HOST=${DB_USERNAME}.example\n", ".env.prod": "DB_DATABASE=prod\n",
            ".env.test": "DB_DATABASE=test\n",
        ]
        let text = "DB_USERNAME=app#x\nDB_PASSWORD=first\nDB_DATABASE=first\n"
        let found = try find(text, beside: files)
        #expect(found.entry(.username)?.value == "app#x")
        #expect(found.entry(.password)?.value == "local")
        #expect(found.entry(.database)?.value == "dev")
        #expect(found.entry(.host)?.value == "app#x.example")
        #expect(found.entry(.database)?.origin.path?.hasSuffix(".env.dev") == true)
        let production = try find("APP_ENV=prod\n" + text, beside: files)
        #expect(production.entry(.database)?.value == "prod")
        let test = try find(text, beside: files, environment: ["APP_ENV": "test"])
        #expect((test.entry(.database)?.value, test.entry(.password)?.value) == ("test", "first"))
        let more = files.merging([".env.x/y": "", "evil": "DB_DATABASE=evil\n"]) { $1 }
        for environment in ["../../etc/passwd", "x/../evil"] {
            let away = try find("APP_ENV=\(environment)\n" + text, beside: more)
            #expect(away.entry(.database)?.value == "local")
        }
    }

    @Test func `beside bin/console .env.local may say which environment it is, and may be a folder`() throws {
        let files = [
            "bin/console": "", ".env.local": "APP_ENV=prod\n", ".env.prod": "DB_DATABASE=prod\n",
            ".env.dev": "DB_DATABASE=dev\n",
        ]
        #expect(try find("DB_DATABASE=first\n", beside: files).entry(.database)?.value == "prod")
        let folders = try find(
            "DB_DATABASE=first\n",
            beside: ["bin/console": "", ".env.local/x": "", ".env.dev": "DB_HOST=h\n"]
        )
        #expect(
            folders.problems.isEmpty && folders.entry(.host)?.value == "h" && folders.entry(.database)?.value == "first"
        )
    }

    @Test func `beside bin/console the URL is all that counts`() throws {
        let names = "DB_HOST=other\nDB_PORT=1\nDB_SOCKET=/s\nDB_USERNAME=other\nDB_PASSWORD=other\nDB_DATABASE=other\n"
        let symfony = try find("\(names)DATABASE_URL=mysql://u@h/d\n", beside: ["bin/console": ""])
            .loaded(programName: "x").database
        #expect(symfony.endpoint == .tcp(host: "h", port: 3306))
        #expect((symfony.username, symfony.password, symfony.database) == ("u", "", "d"))
        // What stands beside another engine's URL is not tried on ours.
        let other = try find("\(names)DATABASE_URL=postgresql://u:p@h/d\n", beside: ["bin/console": ""])
        #expect(throws: DatabaseError.self) { try other.loaded(programName: "x") }
        #expect(other.problems.contains { $0.message.contains("another kind of database") })
        let own = try find(
            "\(names)DATABASE_URL=postgresql://u:p@h/d\nHEADROOM_DATABASE_URL=mysql://own:p@own/d\n",
            beside: ["bin/console": ""]
        )
        #expect(own.problems.isEmpty)
        for url in [
            "mysql://%env(DB_USER)%:%env(X)%@h/d", "mysql://u:p@h/%kernel.environment%", "mysql://%25env%28A%29%25@h/d",
        ] {
            let found = try find("DATABASE_URL='\(url)'\n", beside: ["bin/console": ""])
            #expect(found.problems.contains { $0.message.contains("only the application can tell") }, "\(url)")
        }
    }

    @Test func `a percent sign is doubled where Symfony resolves parameters`() throws {
        let text = "DATABASE_URL='mysql://u:a%%24b%%40@h/d'\n"
        let files = ["bin/console": "", "config/packages/doctrine.yaml": "url: '%env(resolve:DATABASE_URL)%'\n"]
        #expect(try find(text, beside: files).entry(.password)?.value == "a$b@")
        #expect(try find(text, beside: ["bin/console": ""]).entry(.password)?.value == "a%$b%@")
    }

    /// The settings of the application in a folder with these files.
    private func application(_ files: [String: String], environment: [String: String] = [:]) -> FoundSettings {
        let place = TemporaryFolder()
        for (name, text) in files {
            var folder = place.path
            for part in name.split(separator: "/").dropLast() {
                folder += "/\(part)"
                mkdir(folder, 0o755)
            }
            place.write(text, to: name)
        }
        var sources = SettingsSources(environment: environment)
        sources.application = place.path
        return sources.find()
    }

    @Test(arguments: [("artisan", "APP_ENV=staging"), ("bin/console", "")])
    func `the environment says which file counts`(mark: String, own: String) throws {
        let files = [
            mark: "", ".env": "DB_HOST=h\nDB_USERNAME=first\n\(own)\n", ".env.staging": "DB_USERNAME=staging\n",
        ]
        // Laravel reads it in the place of .env, and goes by the environment alone; Symfony reads it on top.
        #expect(application(files).entry(.username)?.value == "first")
        let staging = application(files, environment: ["APP_ENV": "staging"])
        #expect(staging.entry(.username)?.value == "staging")
        #expect(staging.entry(.host)?.value == (mark == "artisan" ? nil : "h"))
        #expect(application(files, environment: ["APP_ENV": "other"]).entry(.username)?.value == "first")
        #expect(application(files, environment: ["APP_ENV": "../x"]).entry(.username)?.value == "first")
        let dist = application(["bin/console": "", ".env.dist": "DB_USERNAME=dist\n", ".env.local": "DB_HOST=l\n"])
        #expect(dist.entry(.username)?.value == "dist" && dist.entry(.host)?.value == "l")
        // Who names .env has it read, and is told.
        let named = try find(
            "DB_USERNAME=first\n",
            beside: ["artisan": "", ".env.staging": ""],
            environment: ["APP_ENV": "staging"]
        )
        #expect(named.entry(.username)?.value == "first")
        #expect(named.warnings.contains { $0.contains("is not what the application goes by") })
    }

    @Test func `Bedrock's names are read as its configuration reads them`() throws {
        let files = ["config/application.php": "<?php", "web/wp-config.php": "<?php"]
        func bedrock(_ text: String, local: String = "") throws -> DatabaseSettings {
            let found = application(files.merging([".env": text, ".env.local": local]) { $1 })
            #expect(
                found.warnings.filter { !$0.contains("DB_PORT") }.isEmpty && found.problems.isEmpty,
                "\(found.warnings) \(found.problems)"
            )
            return try found.loaded(programName: "x").database
        }
        let plain = try bedrock(
            "DB_NAME='d'\nDB_USER='u'\nDB_PASSWORD='\"p\"'\nDB_PORT=7\nDB_USERNAME=no\nDB_DATABASE=no\n"
        )
        #expect((plain.username, plain.password, plain.database) == ("u", "p", "d") && plain.endpoint.isSocket)
        let remote = try bedrock(
            "DB_NAME=d\nDB_USER=u\nDB_HOST=db\nDB_PORT=7\nDB_PASSWORD=empty\n",
            local: "DB_USER=l\n"
        )
        #expect(remote.endpoint == .tcp(host: "db", port: 3306) && remote.username == "l" && remote.password == "empty")
        #expect(try bedrock("DB_NAME=d\nDB_USER=u\nDB_HOST=localhost:3307\n").endpoint.isSocket)
        let url = try bedrock("DB_USER=no\nDB_PASSWORD=no\nDATABASE_URL=mysql://u:a%40b@db:3307/d\n")
        #expect(url.endpoint == .tcp(host: "db", port: 3307) && url.username == "u" && url.password == "a%40b")
    }

    @Test(arguments: [
        ("DB_CONNECTION", "pgsql", "PostgreSQL"), ("DB_CONNECTION", "sqlite", "SQLite"),
        ("DB_ENGINE", "django.db.backends.postgresql", "PostgreSQL"),
        ("DB_CLIENT", "pg", "PostgreSQL"), ("DB_DIALECT", "mssql", "SQL Server"), ("DB_DRIVER", "sqlsrv", "SQL Server"),
    ])
    func `settings for another kind of database are not tried`(name: String, driver: String, engine: String) throws {
        let login = "DB_HOST=h\nDB_USERNAME=u\nDB_PASSWORD=p\n"
        for files in [["artisan": ""], [:]] {
            let found = try find("\(name)=\(driver)\n\(login)", beside: files)
            #expect(found.wrongServer?.message.contains("are for \(engine)") == true, "\(found.problems)")
            #expect(found.problems.contains { $0 == found.wrongServer })
            // Louder settings for another database, or of another kind after all.
            let all = ["DB_HOST": "m", "DB_USERNAME": "m", "DB_PASSWORD": "m"]
            #expect(try find("\(name)=\(driver)\n\(login)", beside: files, environment: all).problems.isEmpty)
            #expect(
                try find("\(name)=\(driver)\n\(login)", beside: files, environment: [name: "mysql"]).problems.isEmpty
            )
            #expect(try find("\(name)=mariadb\n\(login)", beside: files).problems.isEmpty)
            #expect(try find("\(name)=\(driver)\nDB_URL=mysql://u:p@h/d\n", beside: files).problems.isEmpty)
            let alone = try find("\(name)=\(driver)\n", beside: files)
            #expect(alone.problems.isEmpty && alone.warnings.contains { $0.contains(engine) })
        }
    }

    @Test func `an equals sign in a value is its own, unless a name stands before it`() throws {
        let found = try find("DB_DATABASE=a=b\nDB_USERNAME='x=1;y=2'\nHEADROOM_QUEUE=q=\n", beside: [:])
        #expect(
            found.entry(.database)?.value == "a=b" && found.entry(.username)?.value == "x=1;y=2"
                && found.problems.isEmpty
        )
        for line in [
            "DB_DATABASE=\"shop\nhush\"", "DB_DATABASE=shopDB_PASSWORD=hush", "DB_DATABASE=shopAPP_KEY=hush",
            "DB_DATABASE=shopDB_PASSWORD:hush",
        ] {
            let joined = try find("\(line)\n", beside: [:])
            #expect(joined.entry(.database) == nil && joined.problems.count == 1)
        }
    }

    @Test func `elsewhere a value that tools read differently stops whoever uses it, and nobody else`() throws {
        let found = try find("DB_USERNAME=app\nDB_PASSWORD=abc#def\nOTHER=a$b\n", beside: [:])
        let error = #expect(throws: DatabaseError.self) { try found.loaded(programName: "x") }
        #expect(error?.message.contains("DB_PASSWORD in line 2 of") == true)
        #expect(error?.advice.contains("single quotes") == true)
        #expect(!"\(error as Any)".contains("abc"))
        let louder = try find(
            "DB_USERNAME=app\nDB_PASSWORD=abc#def\n",
            beside: [:],
            environment: ["DB_PASSWORD": "p", "DB_HOST": "h"]
        )
        #expect(try louder.loaded(programName: "x").database.password == "p")
        // What the variables mean may differ already.
        let indirect = read("A=x#y\nDB_DATABASE=${A}\n")
        #expect(indirect.entries["DB_DATABASE"]?.origin.isAmbiguous == true)
    }

    @Test func `a value that one tool alone reads is taken, with a word about the line`() {
        let file = read("DB_DATABASE=a\"b\nDB_HOST = h\nDB_USERNAME=my user\nOTHER = 1\nDB_PASSWORD=\"a\\qb\"\n")
        #expect(file.entries["DB_DATABASE"]?.value == "a\"b")
        #expect(file.entries["DB_HOST"]?.value == "h")
        #expect(file.entries["DB_USERNAME"]?.value == "my user")
        #expect(file.entries["DB_PASSWORD"]?.value == "a\\qb")
        #expect(file.warnings.map { $0.contains("in line 1 of .env") }.first == true)
        #expect(file.warnings.count == 4)
        #expect(file.problems.isEmpty)
    }

    @Test func `names of Headroom's own are no other tool's`() {
        let file = read(
            "HEADROOM_ALERT_COMMAND=logger -t headroom \"$HEADROOM_MESSAGE\"\nHEADROOM_ADMIN_PASSWORD=abc#def\n"
                + "DB_USERNAME=u\nHEADROOM_DATABASE_URL=\"mysql://${DB_USERNAME}:p@h/d\"\n"
        )
        #expect(file.entries["HEADROOM_ALERT_COMMAND"]?.value == "logger -t headroom \"$HEADROOM_MESSAGE\"")
        #expect(file.entries["HEADROOM_ADMIN_PASSWORD"]?.value == "abc#def")
        #expect(file.entries["HEADROOM_ADMIN_PASSWORD"]?.origin.isAmbiguous == false)
        #expect(file.entries["HEADROOM_DATABASE_URL"]?.value == "mysql://u:p@h/d")
        #expect(file.warnings.isEmpty)
    }

    @Test func `a name with a secret hanging on is not shown`() throws {
        let found = try find("HEADROOM_ADMIN_PASSWORDQXZJ2345=\n HEADROOM_ADMIN_PASSWORDQXZJ2345=x\n", beside: [:])
        let said = "\(found.warnings) \(found.problems.map(\.description))"
        #expect(said.contains("HEADROOM_ADMIN_PASSWORD") && !said.contains("QXZJ"))
    }

    @Test(arguments: EnvFile.Dialect.allCases)
    func `what is not Headroom's never stops it`(dialect: EnvFile.Dialect) {
        let others = [
            "KEY=\"-----BEGIN-----\nMII=\n-----END-----\"", "KEY='a\nb'", "KEY=`a\nb`", "KEY=\"not closed",
            "KEY='not closed",
            "CMD=$(rm -rf /)", "A=${OPEN", "1 2 3", "=x", "\"A\"=1", "K = \"x", "KEY=\"a\"b\"", "KEY=\"a\n\nMORE",
            "\u{FEFF}", "KEY",
        ]
        for other in others {
            let file = read("DB_USERNAME=app\n\(other)\nDB_PASSWORD=secret\nDB_HOST=h\n", dialect)
            #expect(file.entries["DB_PASSWORD"]?.value == "secret", "\(other)")
            #expect(file.entries["DB_HOST"]?.value == "h", "\(other)")
            #expect(file.problems.isEmpty && file.warnings.isEmpty, "\(other) \(file.warnings)")
        }
    }

    @Test func `a quote of ours that is not closed is named by its line alone`() {
        for dialect in EnvFile.Dialect.allCases {
            let file = read("DB_USERNAME=a\nDB_PASSWORD=\"hush\nDB_HOST=h\n", dialect)
            #expect(file.problems.first?.message == "DB_PASSWORD in line 2 of .env has a quote that is not closed.")
            #expect(file.entries["DB_HOST"]?.value == "h")
            #expect(!"\(file.problems) \(file.warnings)".contains("hush"))
        }
    }

    @Test(arguments: [
        "DB_PASSWORD hush", "DB_PASSWORD: hush", "export DB_HOST", "HEADROOM_BUDGET 4", "MYSQL_PWD\thush",
    ])
    func `a line of ours without its sign is named by its number alone`(line: String) {
        let file = read("A=1\n\(line)\n")
        #expect(file.warnings == ["Line 2 of .env has no = and is passed over: a line is written NAME=value"])
    }

    @Test func `another user's file is not told what this user's environment holds`() {
        let place = TemporaryFolder()
        let text = "DB_USERNAME=u\nDB_PASSWORD=p\nDB_HOST=${AWS_SECRET}.example\n"
        for (mode, isNamed, expected) in [
            (0o600, false, "key.example"), (0o602, false, "${AWS_SECRET}.example"), (0o602, true, "key.example"),
        ]
            as [(UInt32, Bool, String)]
        {
            var search = SettingsSearch(environment: ["AWS_SECRET": "key"])
            search.addEnvFile(place.write("\(text)", to: "env\(mode)\(isNamed)", mode: mode), isNamed: isNamed)
            // Undefined, the tools read it differently; what counts is that it is not filled in.
            #expect(search.found.layers.first?[.host]?.value == expected)
        }
    }
}

/// phpdotenv and symfony/dotenv themselves, where a machine has them.
private enum Oracle {
    struct Answer {
        var phpdotenv: [UInt8]?
        var symfony: [UInt8]?
    }

    private static let libraries = [
        "/usr/share/php/Dotenv/autoload.php", "/usr/share/php/Symfony/Component/Dotenv/autoload.php",
    ]

    static var isThere: Bool {
        libraries.allSatisfy { access($0, R_OK) == 0 } && access("/usr/bin/php", X_OK) == 0
    }

    private static let script = #"""
        <?php
        require '/usr/share/php/Dotenv/autoload.php';
        require '/usr/share/php/Symfony/Component/Dotenv/autoload.php';
        function hex($value) { return $value === null ? '-' : 'x' . bin2hex($value); }
        foreach (file($argv[1], FILE_IGNORE_NEW_LINES) as $line) {
            $value = hex2bin($line);
            try { $php = Dotenv\Dotenv::parse("A=first\nV=" . $value)['V'] ?? null; } catch (\Throwable $e) { $php = null; }
            try {
                $sym = str_contains($value, '$(') ? null
                    : (new Symfony\Component\Dotenv\Dotenv())->parse("A=first\nV=" . $value . "\n")['V'];
            } catch (\Throwable $e) { $sym = null; }
            echo hex($php), ' ', hex($sym), "\n";
        }
        """#

    static func ask(_ values: [String], in folder: TemporaryFolder) throws -> [Answer] {
        let lines = values.map { $0.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        let input = folder.write(lines.joined(separator: "\n") + "\n", to: "values")
        let script = folder.write(script, to: "oracle.php")
        let output = "\(folder.path)/answers"
        try #require(system("/usr/bin/php '\(script)' '\(input)' > '\(output)' 2> /dev/null") == 0)
        let text = String(decoding: try RegularFile.read(output, atMost: 1 << 24), as: UTF8.self)
        return text.split(separator: "\n")
            .map { line in
                let answers = line.split(separator: " ")
                    .map { word -> [UInt8]? in
                        guard word.first == "x" else { return nil }
                        let digits = Array(word.dropFirst())
                        return stride(from: 0, to: digits.count - 1, by: 2)
                            .compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
                    }
                return Answer(phpdotenv: answers[0], symfony: answers[1])
            }
    }
}

/// Numbers that are the same in every run.
struct Steps {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    mutating func pick<T>(_ all: [T]) -> T { all[next(all.count)] }
}
