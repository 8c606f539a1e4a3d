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
        "getenv('X')", "'a' . 'b'", "$other", "\"a$b\"", "\"{$b}\"", "CONSTANT", "getenv_docker('X', 'hush')",
        "<<<X\nhush\nX",
        "$a ? 'hush' : 'b'", "\"\\x41\"", "['hush'][0]",
    ])
    func `what only PHP can tell is named by its line, and not guessed`(value: String) throws {
        let loaded = try load("define('DB_USER', 'app');\ndefine('DB_PASSWORD', \(value));\ndefine('DB_HOST', 'h');\n")
        #expect(loaded.database.password.isEmpty)
        #expect(loaded.database.endpoint == .tcp(host: "h", port: 3306))
        #expect(loaded.warnings.contains { $0.contains("DB_PASSWORD in line 3 of") && $0.contains("no PHP is run") })
        #expect(!"\(loaded.warnings)".contains("hush"))
    }

    @Test func `of two branches neither is taken, and other files that are read are named as unseen`() throws {
        let loaded = try load(
            "if (x()) { define('DB_USER', 'a'); } else { define('DB_USER', 'b'); }\ndefine('DB_HOST', 'h');\n"
                + "include __DIR__ . '/settings.local.php';\ndefine('DB_NAME', 'same'); define('DB_NAME', 'same');\n",
            user: "u"
        )
        #expect(loaded.database.username == "u" && loaded.database.database == "same")
        #expect(loaded.warnings.contains { $0.contains("DB_USER in line 2") })
        #expect(loaded.warnings.contains { $0.contains("includes other files") })
    }

    private func load(_ text: String, user: String) throws -> LoadedSettings {
        let file = folder.write("<?php\n" + text, to: "settings.php")
        return try SettingsSources(environment: ["DB_USERNAME": user], envFile: file).load()
    }

    @Test func `a server that the file names in no plain value is not taken for the usual one`() throws {
        let text =
            "define('DB_NAME', 'd'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', getenv('H'));"
        let error = #expect(throws: DatabaseError.self) { try load(text) }
        #expect(error?.message.contains("DB_HOST in line 2") == true)
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
            "<?php define('DB_USER', 'app'); $databases['default']['default'] = ['username' => 'app']; $db = 'x'; $user = 'app';"
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
        sources.application = "/nowhere"
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
    }
}
