import Glibc

/// Broken settings files and URLs, generated, each with a secret that nothing said of it may hold.
public struct SettingsCorpus: Sequence {
    /// A file or a URL, with the secret that stands in it.
    public struct Case: Sendable {
        /// What it is.
        public enum Form: Sendable, CaseIterable { case env, laravel, symfony, bedrock, options, php, url }
        /// What it is.
        public var form: Form
        /// Its bytes.
        public var text: [UInt8]
        /// The secret, as far as it is whole.
        public var secret: String

        /// Every piece of the secret that would give something away.
        public var pieces: Set<String> {
            let scalars = Array(secret.unicodeScalars)
            return Set((0...(scalars.count - 6)).map { String(String.UnicodeScalarView(scalars[$0..<($0 + 6)])) })
        }
    }

    private let seed: UInt64
    private let count: Int

    /// Creates a corpus that is the same for the same seed.
    public init(seed: UInt64, count: Int) {
        (self.seed, self.count) = (seed, count)
    }

    /// A seed for this run, or that of `HEADROOM_TEST_SEED`.
    public static var newSeed: UInt64 {
        getenv("HEADROOM_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0...(.max))
    }

    /// Makes the cases one after the other.
    public func makeIterator() -> AnyIterator<Case> {
        var random = Seeded(seed)
        var left = count
        return AnyIterator {
            guard left > 0 else { return nil }
            left -= 1
            return Self.one(&random)
        }
    }

    private static func pick<T>(_ all: [T], _ random: inout Seeded) -> T {
        all[Int.random(in: 0..<all.count, using: &random)]
    }

    private static func one(_ random: inout Seeded) -> Case {
        // Letters that stand in no name and no word of ours, with signs between as password generators make them.
        let letters = "QXZJKVWqxzjkvw2345679".map(String.init)
        let signs = [
            "", "", "", "#", "$", "@", "/", "?", ":", "=", "'", "\"", "\\", "%", "&", " ", "!", "+", "é", "\u{301}",
            "{", "(",
        ]
        let secret = (0..<Int.random(in: 10...16, using: &random)).map { _ in pick(letters, &random) }.joined()
        let sign = pick(signs, &random)
        let cut = secret.index(secret.startIndex, offsetBy: 8)
        let password = secret[..<cut] + sign + secret[cut...]
        let form = pick(Case.Form.allCases, &random)
        var text = Array(Self.text(form, String(password), &random).utf8)
        for _ in 0..<Int.random(in: 0...2, using: &random) { damage(&text, &random) }
        return Case(form: form, text: text, secret: String(secret[..<cut]))
    }

    private static func text(_ form: Case.Form, _ password: String, _ random: inout Seeded) -> String {
        let end = pick(["\n", "\r\n", "\r", "\n"], &random)
        let quote = pick(["", "\"", "'"], &random)
        func url(_ scheme: String) -> String {
            "\(scheme)://app:\(password)@127.0.0.1:3306/shop?charset=utf8&sslmode=disable"
        }
        let scheme = pick(["mysql", "mysql2", "mysql+pymysql", "jdbc:mysql", "postgres", "app:x", ""], &random)
        var lines: [String]
        switch form {
        case .env, .laravel, .symfony, .bedrock:
            lines = [
                "DB_HOST=127.0.0.1", "DB_PORT=3306", "DB_DATABASE=\(quote)shop\(quote)", "DB_USERNAME=app",
                "DB_PASSWORD=\(quote)\(password)\(quote)", "HEADROOM_BUDGET=4", "HEADROOM_QUEUE=shop",
                "APP_KEY=\"a\nb\"",
                pick(
                    [
                        "", "HEADROOM_ADMIN_PASSWORD=\(password)", "HEADROOM_WEBHOOK=https://x/\(password)",
                        "MYSQL_PWD=\(password)",
                    ],
                    &random
                ),
                pick(
                    [
                        "",
                        "\(pick(["DATABASE_URL", "DB_URL", "HEADROOM_DATABASE_URL"], &random))=\(quote)\(url(scheme))\(quote)",
                    ],
                    &random
                ),
                "HEADROOM_TLS_MODE=preferred", "# a comment", "DB_SOCKET=",
                pick(
                    [
                        "", "DB_CONNECTION=pgsql", "DB_NAME=shop", "DB_USER=app", "APP_ENV=\(password)",
                        "DB_HOST_READ=\(password)",
                    ],
                    &random
                ),
            ]
            .shuffled(using: &random)
        case .options:
            lines =
                ["[client]"]
                + [
                    "user = app", "password=\(quote)\(password)\(quote)", "host=127.0.0.1", "port=3306",
                    "database=shop",
                ]
                .shuffled(using: &random) + [
                    "!include /nowhere/x.cnf",
                    pick(["", "ssl-fp=\(password)", "protocol=tcp", "tls-passphrase=\(password)"], &random),
                    "[headroom]", "budget=4", "admin-password=\(password)",
                ]
        case .php:
            lines = [
                "<?php", "define('DB_NAME', 'shop');", "define('DB_USER', 'app');",
                pick(
                    [
                        "define('DB_PASSWORD', '\(password)');", "const DB_PASSWORD = '\(password)';",
                        "define(value: '\(password)', constant_name: 'DB_PASSWORD');",
                        "if (x()) { define('DB_PASSWORD', '\(password)'); } else { define('DB_PASSWORD', \"\(password)\"); }",
                        "defined('DB_PASSWORD') || define('DB_PASSWORD', '' . '\(password)');",
                        "class JConfig { public $db = 'd'; public $password = '\(password)'; }",
                    ],
                    &random
                ),
                "define('DB_HOST', '127.0.0.1');",
                "$databases['default']['default'] = ['password' => \"\(password)\", 'port' => 1];",
            ]
        case .url:
            return url(scheme)
        }
        return lines.joined(separator: end)
    }

    private static func damage(_ text: inout [UInt8], _ random: inout Seeded) {
        guard text.count > 2 else { return }
        let place = Int.random(in: 0..<text.count, using: &random)
        let insertions: [[UInt8]] = [
            [0x0A], [0x0D, 0x0A], [0x0D], [0xEF, 0xBB, 0xBF], [0], [0xCC, 0x81], [0x22], [0x27], [0x5C], [0x23], [0x20],
            [0x3D],
            [0xFF], [0xE2, 0x80, 0xA8], [0x5B], [0x5D], [0x21], [0x24, 0x7B], [0x24, 0x28], [0x40], [0x3A], [0x2F],
            [0x60],
        ]
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: text.insert(contentsOf: pick(insertions, &random), at: place)
        // A login without its colon is a user's name, which is no secret.
        case 2: if text[place] != UInt8(ascii: ":") { text.remove(at: place) }
        // The end of a line, or the sign of equality, is lost: values run together.
        case 3: if let end = text[place...].firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) { text.remove(at: end) }
        case 4: if let sign = text[place...].firstIndex(of: 0x3D) { text.remove(at: sign) }
        default: text.removeLast(Int.random(in: 0..<Swift.max(1, text.count / 4), using: &random))
        }
    }
}
