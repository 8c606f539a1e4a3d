import Glibc
import TestSupport
import Testing

@testable import Headroom

/// The settings of PHP applications are found where they stand as plain values, and no PHP is run.
@Suite struct PHPFileTests {
    private let folder = TemporaryFolder()

    private func load(_ text: String) throws -> LoadedSettings {
        try SettingsSources(environment: [:], envFile: folder.write("<?php\n" + text, to: "settings.php")).load()
    }

    @Test(arguments: [
        """
        /** The name of the database */
        define( 'DB_NAME', 'shop' );
        define( "DB_USER", 'app' );
        // define( 'DB_USER', 'old' );
        define( 'DB_PASSWORD', 'p\\'w#"$x' );
        define( 'DB_HOST', 'db.example:3307' );
        $table_prefix = 'wp_';
        if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }
        require_once ABSPATH . 'wp-settings.php';
        """,
        """
        # $databases['default']['default'] = array('database' => 'no');
        $databases['default']['default'] = array (
          'database' => 'shop', 'username' => 'app', 'password' => 'p\\'w#"$x', 'prefix' => '',
          'host' => 'db.example', 'port' => '3307', 'namespace' => 'Drupal\\\\mysql', 'driver' => 'mysql',
        );
        $settings['hash_salt'] = file_get_contents('/x');
        function local() { $databases['default']['default']['host'] = 'no'; $databases = []; }
        """,
        "$databases = ['default' => ['default' => ['database' => \"shop\", 'username' => 'app', "
            + "'password' => \"p'w#\\\"\\$x\", 'host' => 'db.example', 'port' => 3307]]];",
        "class JConfig {\n public $offline = false;\n public $dbtype = 'mysqli';\n public $host = 'db.example:3307';\n"
            + " public $user = 'app';\n public $password = 'p\\'w#\"$x';\n public $db = 'shop';\n}\n",
        "return [\n 'backend' => ['frontName' => 'admin'],\n 'db' => ['connection' => ['default' => ['host' => 'db.example:3307',\n"
            + "'dbname' => 'shop', 'username' => 'app', 'password' => 'p\\'w#\"$x', 'active' => '1']]]];",
        "return array('APP_ENV' => 'prod', 'DATABASE_URL' => 'mysql://app:p%27w%23%22$x@db.example:3307/shop');",
    ])
    func `plain values of each application are found`(text: String) throws {
        let loaded = try load(text)
        #expect(loaded.database.endpoint == .tcp(host: "db.example", port: 3307))
        #expect(loaded.database.username == "app" && loaded.database.database == "shop")
        #expect(loaded.database.password == "p'w#\"$x")
        #expect(loaded.warnings.allSatisfy { $0.contains("every user of this machine") }, "\(loaded.warnings)")
    }

    @Test(arguments: [
        "getenv('X')", "$other", "\"a$b\"", "\"{$b}\"", "CONSTANT", "getenv_docker('X', 'hush')",
        "<<<X\nhush\nX",
        "$a ? 'hush' : 'b'", "\"\\x41\"", "['hush'][0]", "getenv('X') ?: 'hush'", "'hush' . UNKNOWN", "strrev('hush')",
        "1.5", "0123",
    ])
    func `what only PHP can tell is named by its line, and not guessed`(value: String) throws {
        let text = "define('DB_USER', 'app');\ndefine('DB_PASSWORD', \(value));\ndefine('DB_HOST', 'h');\n"
        let error = #expect(throws: DatabaseError.self) { try load(text) }
        #expect(
            error?.message.contains("DB_PASSWORD in line 3 of") == true
                && error?.message.contains("no PHP is run") == true
        )
        #expect(!"\(error as Any)".contains("hush"))
        // Nobody logs in without it; who says it louder is let in.
        let loaded = try load(text, beside: ["DB_PASSWORD": "p"])
        #expect(loaded.database.password == "p" && loaded.database.endpoint == .tcp(host: "h", port: 3306))
        #expect(!"\(loaded.warnings)".contains("hush"))
    }

    @Test func `of two branches neither is taken, and other files that are read are named as unseen`() throws {
        let loaded = try load(
            "if (x()) { define('DB_USER', 'a'); } else { define('DB_USER', 'b'); }\ndefine('DB_HOST', 'h');\n"
                + "include __DIR__ . '/settings.local.php';\ndefine('DB_NAME', 'first'); define('DB_NAME', 'second');\n",
            beside: ["DB_USERNAME": "u"]
        )
        #expect(loaded.database.username == "u" && loaded.database.database == "first")
        #expect(loaded.warnings.contains { $0.contains("includes other files") })
    }

    private func load(_ text: String, beside environment: [String: String]) throws -> LoadedSettings {
        let file = folder.write("<?php\n" + text, to: "settings.php")
        return try SettingsSources(environment: environment, envFile: file).load()
    }

    @Test(arguments: [
        "if (x()) { define('DB_HOST', 'no'); }", "if (x()) define('DB_HOST', 'no');",
        "if (x()): define('DB_HOST', 'no'); endif;",
        "x() && define('DB_HOST', 'no');", "x() ? define('DB_HOST', 'no') : 0;",
        "function f() { define('DB_HOST', 'no'); }",
        "switch (x()) { case 1: define('DB_HOST', 'no'); }", "while (x()) { define('DB_HOST', 'no'); }",
        "define('db_host', 'no', true);", "define('DB_HOST', value: getenv('x'));", "const DB_HOST = 'a' . UNKNOWN;",
        "foreach (x() as $k => $v) { define($k, $v); } define('DB_HOST', 'no');",
        "if (x()) { return; } define('DB_HOST', 'no');",
        "include 'x.php'; defined('DB_HOST') || define('DB_HOST', 'no');",
        "$f = function () { define('DB_HOST', 'no'); };",
        "switch (x()) { case A::B: if (y()) { return; } } define('DB_HOST', 'no');",
        "switch (x()) { default: return; } define('DB_HOST', 'no');",
        "try { define('DB_HOST', 'no'); } finally {}", "if (x()) { if (y()) {} define('DB_HOST', 'no'); }",
        "if (x()) {} else define('DB_HOST', 'no');", "class A { function f() { define('DB_HOST', 'no'); } }",
    ])
    func `what stands in a branch or is worked out is not taken`(text: String) {
        let rest = "define('DB_USER', 'u'); define('DB_PASSWORD', 'p');"
        for file in ["\(rest) \(text)", "\(text) \(rest)"] {
            let error = #expect(throws: DatabaseError.self) { try load(file) }
            #expect(
                error?.message.contains("DB_HOST") == true || error?.message.contains("DB_USER") == true,
                "\(error as Any)"
            )
        }
    }

    @Test(arguments: [
        "const DB_HOST = 'h';", "define(value: 'h', constant_name: 'DB_HOST');",
        "define(constant_name: 'DB_HOST', value: 'h');",
        "define('DB_HOST', 'h', true);", "\\define('DB_HOST', 'h');", "@DEFINE('DB_HOST', 'h');",
        "define('DB_' . 'HOST', ('h'));",
        "defined('DB_HOST') || define('DB_HOST', 'h');", "if (!defined('DB_HOST')) define('DB_HOST', 'h');",
        "if ( ! defined( 'DB_HOST' ) ) { define( 'DB_HOST', 'h' ); }", "const A = 'h'; define('DB_HOST', A);",
        "defined('ABSPATH') or die('no'); define('DB_HOST', 'h');", "?><html><?php define('DB_HOST', 'h');",
        "define('DB_HOST', 'h'); exit; define('DB_USER', 'no');", "function f() { $DB = 'x'; } define('DB_HOST', 'h');",
        "// define('DB_HOST', 'no') ?><?php define('DB_HOST', 'h');",
        "define('DB_HOST', 'h'); if (x()) { define('DB_HOST', 'no'); }",
        "namespace A; use B\\C; \\define('DB_HOST', 'h');",
        "declare(strict_types=1); if (x()) {} define('DB_HOST', 'h');",
    ])
    func `what PHP does whatever happens is read exactly`(text: String) throws {
        let settings = try load("define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); \(text)").database
        #expect(settings.endpoint == .tcp(host: "h", port: 3306) && settings.username == "u")
    }

    @Test(
        arguments: [
            ("localhost:3307", nil), ("localhost", nil), ("localhost:3307:/x/y.sock", "/x/y.sock"),
            ("localhost:/x/y.sock", "/x/y.sock"),
            ("unix:/x/y.sock", "/x/y.sock"), (":/x/y.sock", "/x/y.sock"),
        ] as [(String, String?)]
    )
    func `localhost is the socket to PHP, whatever port stands behind it`(host: String, socket: String?) throws {
        let loaded = try load("define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', '\(host)');")
        #expect(loaded.database.endpoint.isSocket)
        if let socket { #expect(loaded.database.endpoint == .socket(path: socket)) }
        #expect(loaded.warnings.contains { $0.contains("DB_PORT") } == (host == "localhost:3307"), "\(loaded.warnings)")
        let remote = try load("define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'db:3307');")
        #expect(remote.database.endpoint == .tcp(host: "db", port: 3307))
    }

    @Test(arguments: [
        "$databases['default']['default']['host'] .= ':3307';", "unset($databases['default']['default']['host']);",
        "if (x()) { $databases['default']['default'] = ['host' => 'no']; }",
        "$databases['default'][$k]['host'] = 'no';",
        "$d = &$databases['default']['default']; $d['host'] = 'no';",
        "foreach ($databases as &$d) { $d['host'] = 'no'; }",
        "function f() { global $databases; $databases['default']['default']['host'] = 'no'; }",
        "$GLOBALS['databases']['default']['default']['host'] .= 'no';", "$databases['default']['default'] += x();",
        "$databases = array_merge($databases, ['default' => []]);",
        "$databases['default']['default'] = [...$databases['x'], 'a' => 'b'];",
    ])
    func `a variable that is changed in a way that is not read is not taken`(text: String) {
        let all = "$databases['default']['default'] = ['username' => 'u', 'password' => 'p', 'host' => 'h'];"
        #expect(throws: DatabaseError.self) { try load("\(all) \(text)") }
        #expect(throws: Never.self) {
            try load("\(text.contains("&$d ") || text.contains("&$databases") ? "" : text) \(all)")
        }
    }

    @Test func `a class's own code may change what its properties say`() throws {
        let properties =
            "public $db = 'd'; public ?string $user = 'u'; var $password = 'p'; #[A] public static $host = 'h';"
        let plain = try load("final class JConfig { \(properties) public function f() { $host = 'no'; return 1; } }")
            .database
        #expect(plain.endpoint == .tcp(host: "h", port: 3306) && plain.username == "u" && plain.database == "d")
        #expect(throws: DatabaseError.self) {
            try load("class JConfig { \(properties) function __construct() { $this->host = getenv('H'); } }")
        }
    }

    @Test(arguments: ["pgsql", "sqlite"])
    func `a file for another kind of database is said to be one`(driver: String) {
        let texts = [
            "$databases['default']['default'] = ['database' => 'd', 'username' => 'u', 'driver' => '\(driver)'];",
            "class JConfig { public $dbtype = '\(driver)'; public $db = 'd'; public $user = 'u'; }",
        ]
        for text in texts {
            let error = #expect(throws: DatabaseError.self) { try load(text) }
            #expect(error?.message.contains("another kind of database") == true)
        }
    }

    @Test(.enabled(if: access("/usr/bin/php", X_OK) == 0))
    func `generated files mean what PHP makes of them, or are said not to be read`() throws {
        let seed = SettingsCorpus.newSeed
        print("seed of the PHP files: \(seed)")
        var random = Seeded(seed)
        let script = folder.write(
            "<?php try { @include $argv[1]; } catch (\\Throwable $e) { echo \"\\nfailed\\n\"; exit; }"
                + "$c = fn($n) => defined($n) ? constant($n) : '-'; $all = $databases['default']['default'] ?? [];"
                + "$v = fn($n) => is_array($all) && array_key_exists($n, $all) ? $all[$n] : '-';"
                + "echo \"\\n\", implode('|', [$c('DB_HOST'), $c('DB_NAME'), $v('host'), $v('port')]), \"\\n\";",
            to: "oracle.php"
        )
        let count = isFullRun ? 3_000 : 250
        var texts: [String] = []
        for number in 0..<count {
            texts.append(
                "<?php\nconst SURE = 's';\n"
                    + (0..<Int.random(in: 1...6, using: &random)).map { _ in GeneratedPHP.statement(&random, 2) }
                    .joined(separator: "\n")
            )
            folder.write(texts[number] + "\n", to: "g\(number).php")
        }
        let output = "\(folder.path)/answers"
        let loop =
            "i=0; while [ $i -lt \(count) ]; do /usr/bin/php -n '\(script)' '\(folder.path)/g'$i.php | tail -n 1; i=$((i+1)); done"
        try #require(system("(\(loop)) > '\(output)' 2> /dev/null") == 0)
        let answers = String(decoding: try RegularFile.read(output, atMost: 1 << 24), as: UTF8.self)
            .split(separator: "\n")
        try #require(answers.count == count)
        var exact = 0
        for (text, answer) in zip(texts, answers) where answer != "failed" {
            let file = PHPFile(Array(text.utf8))
            let ours = [
                file.value("const", "DB_HOST"), file.value("const", "DB_NAME"),
                file.value("$databases", "default", "default", "host"),
                file.value("$databases", "default", "default", "port"),
            ]
            for (ours, theirs) in zip(ours, answer.split(separator: "|", omittingEmptySubsequences: false)) {
                switch ours?.value {
                case .text(let value)?:
                    exact += 1
                    #expect(value == theirs, "seed \(seed):\n\(text)")
                case nil: #expect(theirs == "-" || file.hasUnknownNames || file.readsOthers, "seed \(seed):\n\(text)")
                default: break
                }
            }
        }
        // Most files have something that only PHP can tell; how many is chance.
        #expect(exact > count / 20)
    }

    @Test func `a server that the file names in no plain value is not taken for the usual one`() throws {
        let text =
            "define('DB_NAME', 'd'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', getenv('H'));"
        let error = #expect(throws: DatabaseError.self) { try load(text) }
        #expect(error?.message.contains("DB_HOST in line 2") == true)
        #expect(SettingsSources(environment: [:], envFile: "\(folder.path)/settings.php").find().wrongServer == error)
        let file = folder.write("<?php\n" + text, to: "settings.php")
        let loaded = try SettingsSources(environment: ["DB_HOST": "db.example"], envFile: file).load()
        #expect(loaded.database.endpoint == .tcp(host: "db.example", port: 3306))
    }

    @Test(arguments: ["define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL);", "$o = [PDO::MYSQL_ATTR_SSL_CA => '/x'];"])
    func `an application that asks for TLS gets no connection without it`(line: String) throws {
        let text = "define('DB_NAME', 'd'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h');"
        #expect(try load(text).database.tls.mode == .preferred)
        #expect(try load("\(text)\n\(line)").database.tls.mode == .required)
    }

    @Test func `a PHP file without settings, or cut anywhere, is no trap and shows no secret`() throws {
        let error = #expect(throws: DatabaseError.self) { try load("echo 'hush';") }
        #expect(error.map { "\($0)".contains("hush") } == false)
        let text =
            "<?php $databases['default']['default'] = array('password' => 'hush', 'a' => [1, [\"x\\\"\" => <<<E\nx\nE ]]); define('DB_PASSWORD', 'hush'"
        for count in 5...text.utf8.count {
            let found = SettingsSources(
                environment: [:],
                envFile: folder.write(Array(text.utf8.prefix(count)), to: "cut.php", mode: 0o600)
            )
            .find()
            #expect(!"\(found.warnings) \(found.problems.map(\.description))".contains("hush"))
        }
        _ = PHPFile(Array(("<?php $a = " + String(repeating: "[", count: 100_000)).utf8))
    }

    @Test(arguments: [
        ("wp-config.php", "wp-config.php"), ("sites/default/settings.php", "."), ("app/etc/env.php", "."),
        (".env", "."),
        ("configuration.php", "."),
    ])
    func `an application is found by its folder`(file: String, mark: String) throws {
        let place = TemporaryFolder()
        var path = place.path
        for part in file.split(separator: "/").dropLast() {
            path += "/\(part)"
            mkdir(path, 0o755)
        }
        let php =
            "<?php define('DB_USER', 'app'); $databases['default']['default'] = ['username' => 'app'];"
            + " class JConfig { public $db = 'x'; public $user = 'app'; }"
        place.write(
            file == "app/etc/env.php"
                ? "<?php return ['db' => ['connection' => ['default' => ['username' => 'app']]]];"
                : file == ".env" ? "DB_USERNAME=app\n" : php,
            to: file
        )
        var sources = SettingsSources(environment: ["DB_HOST": "h"])
        sources.application = place.path + (mark == "." ? "/" : "")
        let loaded = try sources.load()
        #expect(loaded.database.username == "app")
        #expect(loaded.found.entry(.username)?.origin.path?.hasSuffix(file) == true)
        sources.application = "\(place.path)/\(file)"
        #expect(try sources.load().database.username == "app")
        sources.application = "/nowhere"
        #expect(throws: DatabaseError.self) { try sources.load() }
    }

    @Test func `WordPress' file may lie beside its folder`() throws {
        let place = TemporaryFolder()
        mkdir("\(place.path)/web", 0o755)
        place.write("", to: "web/wp-load.php")
        place.write(
            "<?php define('DB_USER', 'app'); define('DB_PASSWORD', ''); define('DB_HOST', 'h');",
            to: "wp-config.php"
        )
        var sources = SettingsSources(environment: [:])
        sources.application = "\(place.path)/web"
        #expect(try sources.load().database.username == "app")
        place.write("", to: "wp-settings.php")
        #expect(throws: DatabaseError.self) { try sources.load() }
    }

    @Test func `Symfony's dumped environment wins over its files`() throws {
        let place = TemporaryFolder()
        mkdir("\(place.path)/bin", 0o755)
        place.write("", to: "bin/console")
        place.write("DB_USERNAME=file\n", to: ".env")
        place.write("<?php return ['DB_USERNAME' => 'dumped', 'DB_HOST' => 'h'];", to: ".env.local.php")
        var sources = SettingsSources(environment: [:])
        sources.application = place.path
        #expect(try sources.load().database.username == "dumped")
        // But not for another environment than its own.
        place.write(
            "<?php return ['APP_ENV' => 'prod', 'DB_USERNAME' => 'dumped', 'DB_HOST' => 'h'];",
            to: ".env.local.php"
        )
        sources.environment = ["APP_ENV": "dev", "DB_HOST": "h"]
        #expect(try sources.load().database.username == "file")
        sources.environment["APP_ENV"] = "prod"
        #expect(try sources.load().database.username == "dumped")
    }
}

/// PHP as people write settings in it, and as they should not.
private enum GeneratedPHP {
    static func literal(_ random: inout Seeded) -> String {
        random.pick([
            "'a'", "\"b\"", "'c' . 'd'", "SURE", "'x' . SURE", "('e')", "3306", "'f' . 1", "null", "strrev('gh')",
            "$nothing ?? 'i'",
            "['j'][0]", "'k' ?: 'l'", "true ? 'm' : 'n'", "\"o{$nothing}\"", "'it\\'s'", "1.5", "<<<'E'\nx\nE",
        ])
    }

    static func name(_ random: inout Seeded) -> String { random.pick(["DB_HOST", "DB_NAME"]) }

    static func statement(_ random: inout Seeded, _ depth: Int) -> String {
        let (name, value) = (name(&random), literal(&random))
        let key = random.pick(["['default']['default']['host']", "['default']['default']['port']"])
        let plain = [
            "define('\(name)', \(value));", "define(\"\(name)\", \(value), true);",
            "define(value: \(value), constant_name: '\(name)');",
            "const \(name) = 'z' . SURE;", "@\\define('\(name)', \(value));",
            "defined('\(name)') || define('\(name)', \(value));",
            "defined('\(name)') or define('\(name)', \(value));",
            "if (!defined('\(name)')) define('\(name)', \(value));",
            "!defined('\(name)') && define('\(name)', \(value));", "define('\(name.lowercased())', \(value), true);",
            "foreach (['\(name)' => 'w'] as $k => $v) define($k, $v);",
            "define('DB_' . '\(name.dropFirst(3))', \(value));",
            "$databases['default']['default'] = ['host' => \(value), 'port' => 3306];",
            "$databases = array('default' => array('default' => array('host' => \(value), 'x' => [1, [2]])));",
            "$databases\(key) = \(value);", "$databases\(key) .= 'q';", "unset($databases\(key));",
            "$databases\(key) ??= \(value);",
            "$d = &$databases\(key); $d = \(value);", "$databases['default']['default'] += ['port' => 'r'];",
            "$databases['default']['default'][SURE] = 't';",
            "$k = 'host'; $databases['default']['default'][$k] = \(value);",
            "function f\(Int.random(in: 0..<1_000_000, using: &random))() { $databases = 1; define('\(name)', 'no'); }",
            "$f = function () { define('\(name)', 'no'); };", "$f = fn() => define('\(name)', 'no');",
            "true && define('\(name)', 'y');",
            "$GLOBALS['databases']\(key) = \(value);", "/* define('\(name)', 'no'); */ # define('\(name)', 'no');",
            "class C\(Int.random(in: 0..<1_000_000, using: &random)) { const \(name) = 'no'; public $x = 'no'; function f() { return ['a']; } }",
            "?> define('\(name)', 'no'); <?php", "echo define('\(name)', \(value)) ? '' : '';",
            "[$databases\(key)] = [\(value)];",
        ]
        guard depth > 0, random.isOne(in: 3) else { return random.pick(plain) }
        let inside = (0..<Int.random(in: 1...2, using: &random)).map { _ in statement(&random, depth - 1) }
            .joined(separator: " ")
        let other = statement(&random, depth - 1)
        let test = random.pick([
            "1 > 2", "2 > 1", "isset($nothing)", "!defined('DB_HOST')", "!defined('OTHER')", "defined('DB_NAME')",
        ])
        return random.pick([
            "if (\(test)) { \(inside) } else { \(other) }", "if (\(test)) { \(inside) } elseif (2 > 1) { \(other) }",
            "if (\(test)): \(inside) elseif (1 > 2): \(other) else: \(other) endif;",
            "switch (1) { case 2: \(inside) break; default: \(other) }",
            "while (\(test)) { \(inside) break; }", "try { \(inside) } finally { \(other) }",
            "do { \(inside) } while (1 > 2);",
            "for ($i = 0; $i < 1; $i++) { \(inside) }", "{ \(inside) }", "if (\(test)) { return; }",
            "if (\(test)) { \(inside) return; }",
        ])
    }
}
