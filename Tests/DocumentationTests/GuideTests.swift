import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// What the guides say to type works word for word: on real PHP, with more pages at once than the account has places.
@Suite(
    .sandbox(tcp: true),
    .enabled(if: GuideHome.has("/usr/bin/php", "/usr/bin/curl"), "needs php-cli, php-mysql and curl"),
    .serialized
)
struct GuideTests {
    @Test(
        .enabled(if: GuideHome.has("/usr/share/wordpress/wp-load.php"), "needs Debian's package wordpress")
    )
    func `WordPress itself`() async throws {
        let home = try GuideHome("two1")
        defer { home.endAll() }
        try await home.shell("cp -rL /usr/share/wordpress/. public_html/ && rm -f public_html/wp-config.php")
        home.write(home.wpConfig + "require_once ABSPATH . 'wp-settings.php';\n", to: "public_html/wp-config.php")
        home.write(
            """
            <?php
            define('WP_INSTALLING', true);
            require '\(home.path)/public_html/wp-load.php';
            require ABSPATH . 'wp-admin/includes/upgrade.php';
            wp_install('Shop', 'admin', 'a@example.org', true, '', 'only-a-test');
            update_option('siteurl', 'http://127.0.0.1:\(home.port)');
            update_option('home', 'http://127.0.0.1:\(home.port)');

            """,
            to: "install.php"
        )
        try await home.shell("php install.php")
        try await follow("docs/guides/wordpress.md", home, root: "public_html", changed: "public_html/wp-config.php")
    }

    @Test func `hosting with a panel`() async throws {
        let home = try GuideHome("two2")
        defer { home.endAll() }
        home.write(home.wpConfig, to: "public_html/wp-config.php")
        // As WordPress takes DB_HOST apart.
        home.write(
            """
            <?php
            require 'wp-config.php';
            [$host, $rest] = explode(':', DB_HOST, 2) + [1 => ''];
            mysqli_report(MYSQLI_REPORT_OFF);
            $db = mysqli_init();
            $isSocket = $rest !== '' && $rest[0] === '/';
            if (!@$db->real_connect($host, DB_USER, DB_PASSWORD, DB_NAME, $isSocket ? 0 : (int)$rest, $isSocket ? $rest : null)) {
                http_response_code(500);
                exit(mysqli_connect_error());
            }
            $db->query('SELECT SLEEP(0.03)');
            echo 'ok';

            """,
            to: "public_html/index.php"
        )
        try await follow(
            "docs/guides/hosting-panel.md",
            home,
            root: "public_html",
            changed: "public_html/wp-config.php"
        )
    }

    @Test(.enabled(if: GuideHome.has("/usr/share/php/Dotenv/autoload.php"), "needs php-vlucas-phpdotenv"))
    func `Laravel's settings, worker and scheduler`() async throws {
        let home = try GuideHome("two3")
        defer { home.endAll() }
        try await home.shell("mkdir -p app/public")
        home.write(
            """
            APP_ENV=production
            DB_HOST=127.0.0.1
            DB_PORT=\(home.serverPort)
            DB_DATABASE=app
            DB_USERNAME=\(home.account)
            DB_PASSWORD="sandbox"

            """,
            to: "app/.env"
        )
        // As Laravel's connector makes the source's name: a socket wins over a host.
        home.write(
            """
            <?php
            require '/usr/share/php/Dotenv/autoload.php';
            $e = Dotenv\\Dotenv::createArrayBacked(__DIR__)->load();
            $dsn = empty($e['DB_SOCKET']) ? "mysql:host={$e['DB_HOST']};port={$e['DB_PORT']}" : "mysql:unix_socket={$e['DB_SOCKET']}";
            \(GuideHome.page("$dsn . ';dbname=' . $e['DB_DATABASE'], $e['DB_USERNAME'], $e['DB_PASSWORD']"))
            """,
            to: "app/database.php"
        )
        home.write("<?php require __DIR__ . '/../database.php';\n", to: "app/public/index.php")
        home.write("<?php require __DIR__ . '/database.php';\n", to: "app/artisan")
        try await follow("docs/guides/laravel.md", home, root: "app/public", changed: "app/.env")
    }

    @Test(
        .enabled(if: GuideHome.has("/usr/share/php/Symfony/Component/Dotenv/autoload.php"), "needs php-symfony-dotenv")
    )
    func `Symfony's settings and commands`() async throws {
        let home = try GuideHome("two4")
        defer { home.endAll() }
        try await home.shell("mkdir -p app/public app/bin")
        home.write("APP_ENV=prod\nDATABASE_URL=\n", to: "app/.env")
        home.write(
            "DATABASE_URL=\"mysql://\(home.account):sandbox@127.0.0.1:\(home.serverPort)/app?charset=utf8mb4\"\n",
            to: "app/.env.local"
        )
        // As Doctrine takes a URL apart.
        home.write(
            """
            <?php
            require '/usr/share/php/Symfony/Component/Dotenv/autoload.php';
            (new Symfony\\Component\\Dotenv\\Dotenv())->loadEnv(__DIR__ . '/.env');
            $url = parse_url($_ENV['DATABASE_URL']);
            parse_str($url['query'] ?? '', $options);
            $dsn = "mysql:host={$url['host']};dbname=" . ltrim($url['path'], '/');
            if (isset($url['port'])) $dsn .= ";port={$url['port']}";
            if (isset($options['unix_socket'])) $dsn .= ";unix_socket={$options['unix_socket']}";
            \(GuideHome.page("$dsn, $url['user'], $url['pass']"))
            """,
            to: "app/database.php"
        )
        home.write("<?php require __DIR__ . '/../database.php';\n", to: "app/public/index.php")
        home.write("<?php require __DIR__ . '/../database.php';\n", to: "app/bin/console")
        try await follow("docs/guides/symfony.md", home, root: "app/public", changed: "app/.env.local")
    }

    @Test func `PHP of one's own with persistent connections`() async throws {
        let home = try GuideHome("two5")
        defer { home.endAll() }
        func page(_ place: String) -> String {
            "<?php\n"
                + GuideHome.page(
                    "'mysql:\(place);dbname=app', '\(home.account)', 'sandbox', [PDO::ATTR_PERSISTENT => true]"
                )
        }
        let direct = page("host=127.0.0.1;port=\(home.serverPort)")
        home.write(direct, to: "public_html/index.php")
        // The file that the guide has its reader write.
        home.write(
            """
            DB_HOST=127.0.0.1
            DB_PORT=\(home.serverPort)
            DB_DATABASE=app
            DB_USERNAME=\(home.account)
            DB_PASSWORD='sandbox'
            HEADROOM_DOOR_LISTEN=\(home.path)/headroom.sock
            HEADROOM_DOOR_MODE=600

            """,
            to: "headroom.env"
        )
        try await home.serve("public_html")
        #expect(try await home.failures() > 0)
        var blocks = try Page("docs/guides/plain-php.md").blocks("shell")
        let last = blocks.removeLast()
        for block in blocks {
            try await home.follow(block, of: "docs/guides/plain-php.md")
            home.write(page("unix_socket=\(home.path)/headroom.sock"), to: "public_html/index.php")
        }
        home.endPHP()
        try await home.serve("public_html")
        #expect(try await eventually { access("\(home.path)/headroom.sock", F_OK) == 0 })
        #expect(try await eventually { try await home.failures() == 0 })
        home.write(direct, to: "public_html/index.php")
        try await home.follow(last, of: "docs/guides/plain-php.md")
        #expect(home.text("cron") == "" && access("\(home.path)/headroom.sock", F_OK) != 0)
    }

    /// Follows a guide: pages fail before it, none fails after it, and its last block leaves all as it was.
    private func follow(_ page: String, _ home: GuideHome, root: String, changed: String) async throws {
        let before = home.text(changed)
        try await home.serve(root)
        #expect(try await home.failures() > 0, "\(page): no page fails beforehand")
        var blocks = try Page(page).blocks("shell")
        let last = blocks.removeLast()
        for block in blocks { try await home.follow(block, of: page) }
        #expect(home.text(changed) != before, "\(page)")
        #expect(try await home.failures() == 0, "\(page)")
        try await home.follow(last, of: page)
        #expect(home.text(changed) == before, "\(page)")
        #expect(home.text("headroom.env") == nil && home.text("cron") == nil, "\(page)")
    }
}

/// A home folder of a hosting: an archive of Headroom, a crontab, a web server.
private final class GuideHome: Sendable {
    private let folder = TemporaryFolder()
    let account: String
    let serverPort: Int
    let port = Int.random(in: 31_000...39_000)
    var path: String { folder.path }

    static func has(_ paths: String...) -> Bool { paths.allSatisfy { access($0, R_OK) == 0 } }

    init(_ account: String) throws {
        self.account = account
        serverPort = try #require(SuiteServer.sandbox.port)
        for name in ["public_html", "bin", "a", "a/headroom-0.1.0-linux-x86_64", "a/headroom-0.1.0-linux-x86_64/bin"] {
            mkdir("\(path)/\(name)", 0o755)
        }
        // The program of this build, as an archive has it.
        write(
            "#!/bin/sh\nexec \(HeadroomProgram.path) \"$@\"\n",
            to: "a/headroom-0.1.0-linux-x86_64/bin/headroom",
            mode: 0o755
        )
        write(
            """
            #!/bin/sh
            case "$1" in
            -l) test -f \(path)/cron || { echo "no crontab for you" >&2; exit 1; }; cat \(path)/cron ;;
            -r) rm \(path)/cron ;;
            -) cat >\(path)/cron.new; mv \(path)/cron.new \(path)/cron ;;
            esac

            """,
            to: "bin/crontab",
            mode: 0o755
        )
    }

    func write(_ text: String, to name: String, mode: UInt32 = 0o640) { folder.write(text, to: name, mode: mode) }

    func text(_ name: String) -> String? {
        (try? RegularFile.read("\(path)/\(name)", atMost: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// WordPress' settings, but for the line that starts it.
    var wpConfig: String {
        """
        <?php
        define( 'DB_NAME', 'app' );
        define( 'DB_USER', '\(account)' );
        define( 'DB_PASSWORD', 'sandbox' );
        define( 'DB_HOST', '127.0.0.1:\(serverPort)' );
        define( 'DB_CHARSET', 'utf8mb4' );
        define( 'WP_HTTP_BLOCK_EXTERNAL', true );
        define( 'DISABLE_WP_CRON', true );
        $table_prefix = 'wp_';
        if ( ! defined( 'ABSPATH' ) ) define( 'ABSPATH', __DIR__ . '/' );

        """
    }

    /// A page that holds its connection for a moment.
    static func page(_ arguments: String) -> String {
        """
        try {
            $db = new PDO(\(arguments));
            $db->query('SELECT SLEEP(0.03)')->fetchAll();
            echo 'ok';
        } catch (PDOException $error) {
            http_response_code(500);
            echo $error->getMessage();
        }

        """
    }

    // Of a busy machine one place may serve a page a second.
    private var environment: [String: String] {
        [
            "HOME": path, "PATH": "\(path)/bin:/usr/bin:/bin", "XDG_STATE_HOME": "\(path)/.state",
            "PHP_CLI_SERVER_WORKERS": "6", "HEADROOM_DOOR_WAIT": "60",
        ]
    }

    @discardableResult
    func shell(_ text: String) async throws -> String {
        let run = try await HeadroomProgram.run("/bin/sh", ["-euc", text], environment: environment, in: path)
        #expect(run.status == 0, "\(text): \(run.output)\(run.errors)")
        return run.output
    }

    /// Runs a block of a guide as it stands there.
    func follow(_ block: (line: Int, text: String), of page: String) async throws {
        if access("\(path)/headroom-0.1.0-linux-x86_64.tar.gz", F_OK) != 0 {
            try await shell("tar -C a -czf headroom-0.1.0-linux-x86_64.tar.gz headroom-0.1.0-linux-x86_64")
        }
        let run = try await HeadroomProgram.run("/bin/sh", ["-uc", block.text], environment: environment, in: path)
        // What looks at an account says by its exit code how that is.
        let mayBe: Int32 = block.text.contains("headroom status") || block.text.contains("headroom rescue") ? 2 : 0
        #expect((0...mayBe).contains(run.status), "\(page):\(block.line): \(run.output)\(run.errors)")
    }

    /// Has PHP serve the pages of a folder, six at once.
    func serve(_ root: String) async throws {
        _ = try HeadroomProcess(
            [],
            environment: environment,
            output: "\(path)/php.log",
            through: ["/bin/sh", "-c", "exec php -S 127.0.0.1:\(port) -t \(path)/\(root)"]
        )
        #expect(try await eventually { (try? await self.get(1)) != nil }, "\(text("php.log") ?? "")")
    }

    /// Asks for so many pages, six at a time; returns the status codes.
    private func get(_ count: Int) async throws -> [Substring] {
        let command =
            "seq \(count) | xargs -P 6 -I{} curl -s -L -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:\(port)/"
        let run = try await HeadroomProgram.run("/bin/sh", ["-c", command], environment: environment, in: path)
        let codes = run.output.split(separator: "\n")
        guard codes.count == count, !codes.contains("000") else { throw NoAnswer() }
        return codes
    }

    private struct NoAnswer: Error {}

    /// How many of some pages fail.
    func failures() async throws -> Int { try await get(30).count { $0 != "200" } }

    /// Ends the web server, with the connections that its processes keep.
    func endPHP() { end { $0.hasPrefix("php\0") } }

    /// Ends what was started here.
    func endAll() { end { _ in true } }

    private func end(_ isMeant: (String) -> Bool) {
        for name in OpenFolder.names(in: "/proc") ?? [] {
            guard let id = Int32(name), id != getpid(),
                let bytes = try? RegularFile.read("/proc/\(id)/cmdline", atMost: 1 << 16),
                case let line = String(decoding: bytes, as: UTF8.self), line.contains(path), isMeant(line)
            else { continue }
            kill(id, SIGKILL)
        }
    }
}
