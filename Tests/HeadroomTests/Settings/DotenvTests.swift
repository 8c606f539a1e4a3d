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
        let away = try find("APP_ENV=../../etc/passwd\n" + text, beside: files)
        #expect(away.entry(.database)?.value == "local")
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
