import TestSupport
import Testing

@testable import Headroom

/// An application is sent through a door by one line of its settings, and the rest of the file stays as it is to the byte.
@Suite struct ApplicationEditTests {
    private let socket = Endpoint.socket(path: "/home/shop/headroom.sock")

    private func edit(
        _ text: String,
        _ kind: Application,
        isURL: Bool = false,
        to door: Endpoint? = nil
    ) throws -> (edit: ApplicationEdit, text: String) {
        let edit = try ApplicationEdit(Array(text.utf8), path: "/f", kind: kind, isURL: isURL, to: door ?? socket)
        let changed = try #require(edit.applied(to: Array(text.utf8)))
        #expect(edit.undone(in: changed) == Array(text.utf8))
        return (edit, String(decoding: changed, as: UTF8.self))
    }

    @Test(arguments: [
        ("define('DB_HOST', 'localhost');", "define('DB_HOST', 'localhost:/home/shop/headroom.sock');"),
        (
            "define( \"DB_HOST\",\t\"db:3307\" ) ;  // why",
            "define( \"DB_HOST\",\t'localhost:/home/shop/headroom.sock' ) ;  // why"
        ),
        ("define('DB_HOST', '');", "define('DB_HOST', 'localhost:/home/shop/headroom.sock');"),
    ])
    func `WordPress' define is changed where it stands`(line: String, expected: String) throws {
        for end in ["\n", "\r\n"] {
            let file = { (line: String) in
                ["<?php", "# define('DB_HOST', 'x');", "define('DB_NAME', 'shop');", line, "$p = 'wp_';", ""]
                    .joined(separator: end)
            }
            let (edit, text) = try edit(file(line), .wordPress)
            #expect(text == file(expected) && edit.line == 4)
        }
    }

    @Test(arguments: [
        // Twice, worked out, over lines, in no define, or none at all.
        "define('DB_HOST', 'a');\ndefine('DB_HOST', 'b');", "define('DB_HOST', getenv('X') ?: 'a');",
        "define('DB_HOST',\n'a\nb');", "$x = 'DB_HOST';", "define('DB_HOST', \"$host\");", "",
    ])
    func `what is not one plain value is left alone`(body: String) throws {
        #expect(throws: ApplicationEdit.Obstacle.self) { try edit("<?php\n\(body)\n", .wordPress) }
    }

    @Test(arguments: [
        (
            Application.laravel, "DB_HOST=127.0.0.1\nA=1\n",
            "DB_HOST=127.0.0.1\nDB_SOCKET=/home/shop/headroom.sock\nA=1\n"
        ),
        (.laravel, "DB_SOCKET=/run/x\nDB_HOST=a", "DB_SOCKET=/home/shop/headroom.sock\nDB_HOST=a"),
        (
            .laravel, "#DB_SOCKET=x\r\nDB_HOST=a\r\nB=2\r\n",
            "#DB_SOCKET=x\r\nDB_HOST=a\r\nDB_SOCKET=/home/shop/headroom.sock\r\nB=2\r\n"
        ),
        (.other, "DB_HOST=localhost", "DB_HOST=localhost\nDB_SOCKET=/home/shop/headroom.sock"),
    ])
    func `a line of a .env file is changed, or added behind the host's`(
        kind: Application,
        text: String,
        expected: String
    ) throws {
        #expect(try edit(text, kind).text == expected)
    }

    @Test(arguments: [
        (
            "DATABASE_URL=mysql://u:p%40w@127.0.0.1:3306/shop",
            "DATABASE_URL=mysql://u:p%40w@localhost/shop?unix_socket=/home/shop/headroom.sock"
        ),
        (
            "DATABASE_URL=\"mysql://u:p@db/shop?charset=utf8mb4\" # live",
            "DATABASE_URL=\"mysql://u:p@localhost/shop?charset=utf8mb4&unix_socket=/home/shop/headroom.sock\" # live"
        ),
    ])
    func `of a URL only the server's place is changed, and no message shows the password`(
        text: String,
        expected: String
    ) throws {
        let (edit, changed) = try edit(text, .symfony, isURL: true)
        #expect(changed == expected)
        #expect(!edit.shown.contains("u:p"))
    }

    @Test func `Bedrock has the socket in the host`() throws {
        #expect(
            try edit("DB_HOST=localhost\nA=1\n", .bedrock).text == "DB_HOST='localhost:/home/shop/headroom.sock'\nA=1\n"
        )
    }

    @Test func `a port is changed where the host is this one`() throws {
        let door = Endpoint.tcp(host: "127.0.0.1", port: 3307)
        #expect(
            try edit("DB_HOST=127.0.0.1\nDB_PORT=3306\n", .laravel, to: door).text
                == "DB_HOST=127.0.0.1\nDB_PORT=3307\n"
        )
        #expect(throws: ApplicationEdit.Obstacle.self) { try edit("DB_HOST=db\nDB_PORT=3306\n", .laravel, to: door) }
        #expect(
            try edit("<?php\ndefine('DB_HOST', 'x');", .wordPress, to: door).text
                == "<?php\ndefine('DB_HOST', '127.0.0.1:3307');"
        )
    }

    @Test func `a change that something else in the file goes by as well is not made`() {
        #expect(throws: ApplicationEdit.Obstacle.self) {
            try edit("<?php\ndefine('DB_HOST', 'a');\ndefine('OTHER', DB_HOST);\n", .wordPress)
        }
        // The line is a part of another value.
        #expect(throws: ApplicationEdit.Obstacle.self) { try edit("A='x\nDB_HOST=b\ny'\nDB_USERNAME=u\n", .laravel) }
    }

    @Test(arguments: ["/a'b", "/a b", "/a\"b", "/a\nb", "/ü", "/a$b", "/a#b"])
    func `a path that means something else there is not written`(path: String) {
        for (kind, text) in [(Application.wordPress, "<?php\ndefine('DB_HOST', 'x');"), (.laravel, "DB_HOST=a\n")] {
            #expect(throws: ApplicationEdit.Obstacle.self) { try edit(text, kind, to: .socket(path: path)) }
        }
    }

    @Test func `what has been changed since is taken back only where the line still stands there once`() throws {
        let (edit, text) = try edit("<?php\ndefine('DB_HOST', 'a');\n$x = 1;\n", .wordPress)
        #expect(
            edit.undone(in: Array("\(text)// more\n".utf8))
                == Array("<?php\ndefine('DB_HOST', 'a');\n$x = 1;\n// more\n".utf8)
        )
        #expect(edit.undone(in: Array(text.replacing("headroom.sock", with: "other.sock").utf8)) == nil)
        #expect(edit.undone(in: Array((text + text).utf8)) == nil)
        #expect(edit.undone(in: Array(text.replacing("');\n$x", with: "'); // mine\n$x").utf8)) == nil)
    }

    /// Whatever a file holds, it is refused, or changed so that all else that is read of it stays.
    @Test func `generated files are refused, or keep every other value`() throws {
        var changed = 0
        for seed in 0..<4000 {
            var random = Seeded(UInt64(seed))
            let isPHP = random.isOne(in: 2)
            let parts =
                isPHP
                ? [
                    "define('DB_HOST', 'a');", "define('DB_USER', 'u');", "define('DB_HOST',", "'x'", ");", "\n",
                    "\r\n", "// ", "/*",
                    "*/", "\"", "'", "$a = [1];", "<<<X", "X;", "?>", "if (1) {", "}", "\u{301}",
                    "define('DB_PASSWORD', 'p\\'w');",
                ]
                : [
                    "DB_HOST=a", "DB_SOCKET=/x", "\n", "\r\n", "DB_PASSWORD='", "'", "\"", "#", "export ",
                    "DB_USERNAME=u",
                    "DATABASE_URL=mysql://u:p@h/d", "?a=b", "\\", " ", "\u{301}", "=", "DB_PORT=1", "${DB_HOST}",
                ]
            var text = isPHP ? "<?php\n" : ""
            for _ in 0..<Int.random(in: 1...9, using: &random) {
                text += random.pick(parts)
                if random.isOne(in: 2) { text += "\n" }
            }
            let bytes = Array(text.utf8)
            let isURL = !isPHP && random.isOne(in: 3)
            guard
                let edit = try? ApplicationEdit(
                    bytes,
                    path: "/f",
                    kind: isPHP ? .wordPress : isURL ? .symfony : .laravel,
                    isURL: isURL,
                    to: socket
                )
            else { continue }
            changed += 1
            let new = try #require(edit.applied(to: bytes), "seed \(seed)")
            #expect(edit.undone(in: new) == bytes, "seed \(seed)")
            if isPHP {
                let (old, now) = (PHPFile(bytes), PHPFile(new))
                #expect(
                    now.value("const", "DB_HOST")?.value == .text("localhost:/home/shop/headroom.sock"),
                    "seed \(seed)"
                )
                for name in ["DB_USER", "DB_PASSWORD"] {
                    #expect(old.value("const", name)?.value == now.value("const", name)?.value)
                }
            }
        }
        #expect(changed > 100)
    }
}
