import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// `headroom setup` sends an application through the door, and takes back what it did.
@Suite(.sandbox(tcp: true)) struct SetupTests {
    /// A home with an application, and a crontab of its own.
    private final class Home: Sendable {
        let folder = TemporaryFolder()
        let account: String
        var path: String { folder.path }
        var config: String { "\(path)/public_html/wp-config.php" }

        init(_ account: String) throws {
            self.account = account
            mkdir("\(path)/public_html", 0o755)
            mkdir("\(path)/bin", 0o755)
            let port = try #require(SuiteServer.sandbox.port)
            folder.write(
                """
                <?php
                /** WordPress' settings */
                define( 'DB_NAME', 'app' );
                define( 'DB_USER', '\(account)' );
                define( 'DB_PASSWORD', 'sandbox' );
                define( 'DB_HOST', '127.0.0.1:\(port)' );
                $table_prefix = 'wp_';
                require_once ABSPATH . 'wp-settings.php';

                """,
                to: "public_html/wp-config.php",
                mode: 0o640
            )
            folder.write(
                """
                #!/bin/sh
                case "$1" in
                -l) test -f \(path)/cron || { echo "no crontab for you" >&2; exit 1; }; cat \(path)/cron ;;
                -r) rm \(path)/cron ;;
                -) cat >\(path)/cron ;;
                esac

                """,
                to: "bin/crontab",
                mode: 0o755
            )
        }

        func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> HeadroomProgram.Output {
            try await HeadroomProgram.run(
                arguments,
                environment: ["HOME": path, "PATH": "\(path)/bin:/usr/bin:/bin", "XDG_STATE_HOME": "\(path)/state"]
                    .merging(environment) { $1 }
            )
        }

        func text(_ name: String) -> String? {
            (try? RegularFile.read("\(path)/\(name)", atMost: 1 << 20, links: .followed))
                .map { String(decoding: $0, as: UTF8.self) }
        }

        /// A page of the application: logs in as its settings say.
        func page() async throws -> Int {
            var sources = SettingsSources(environment: [:])
            sources.application = "\(path)/public_html"
            return try await Database(try sources.load().database, share: .reserve)
                .withConnection { try await $0.query("SELECT 1").first(Int.self) ?? 0 }
        }

        func endAll() async { _ = try? await run("up", "--stop", "--env-file", "\(path)/headroom.env") }
    }

    @Test func `the application goes through the door, and --undo leaves everything as it was`() async throws {
        let home = try Home("ten1")
        let before = try #require(home.text("public_html/wp-config.php"))
        home.folder.write("0 4 * * * /usr/bin/true\n", to: "cron")
        let dry = try await home.run("setup", "--dry-run")
        #expect(dry.status == 0 && dry.output.contains("WordPress in \(home.path)/public_html"), "\(dry)")
        #expect(home.text("headroom.env") == nil && home.text("cron") == "0 4 * * * /usr/bin/true\n")

        let run = try await home.run("setup", "--yes")
        #expect(run.status == 0, "\(run)")
        #expect(!(run.output + run.errors).contains("sandbox'"), "\(run)")
        #expect(home.text("public_html/wp-config.php")?.contains("'localhost:\(home.path)/headroom.sock'") == true)
        #expect(home.text("cron")?.contains("up --quiet --env-file \(home.path)/headroom.env\n") == true)
        var facts = stat()
        #expect(stat("\(home.path)/headroom.env", &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        #expect(stat(home.config, &facts) == 0 && facts.st_mode & 0o777 == 0o640)
        #expect(try await home.page() == 1)
        let again = try await home.run("setup", "--yes")
        #expect(again.status == 1 && again.errors.contains("--undo"), "\(again)")

        let undone = try await home.run("setup", "--undo")
        #expect(undone.status == 0, "\(undone)")
        #expect(home.text("public_html/wp-config.php") == before)
        #expect(home.text("cron") == "0 4 * * * /usr/bin/true\n")
        #expect(home.text("headroom.env") == nil)
        #expect(access("\(home.path)/headroom.sock", F_OK) != 0)
        #expect(try await home.page() == 1)
    }

    @Test func `what has been changed since is left, and the rest is taken back`() async throws {
        let home = try Home("ten2")
        let run = try await home.run("setup", "--yes")
        #expect(run.status == 0, "\(run)")
        let mine = try #require(home.text("public_html/wp-config.php")).replacing("headroom.sock", with: "mine.sock")
        home.folder.write(mine, to: "public_html/wp-config.php")
        let undone = try await home.run("setup", "--undo")
        #expect(undone.status == 1 && undone.output.contains("has been changed since"), "\(undone)")
        #expect(home.text("public_html/wp-config.php") == mine)
        #expect(home.text("cron") == nil && home.text("headroom.env") == nil)
    }

    @Test func `as long as the application goes to the door nothing is taken from it, and --undo can be run again`()
        async throws
    {
        let home = try Home("ten9")
        let run = try await home.run("setup", "--yes")
        #expect(run.status == 0, "\(run)")
        let text = try #require(home.text("public_html/wp-config.php"))
        home.folder.write(
            text.replacing("headroom.sock' );", with: "headroom.sock' ); // mine"),
            to: "public_html/wp-config.php"
        )
        try #require(home.text("public_html/wp-config.php") != text)
        let undone = try await home.run("setup", "--undo")
        #expect(undone.status == 1 && undone.output.contains("still goes to the door"), "\(undone)")
        #expect(home.text("headroom.env") != nil && home.text("cron") != nil)
        #expect(try await home.page() == 1)
        home.folder.write(text, to: "public_html/wp-config.php")
        let again = try await home.run("setup", "--undo")
        #expect(again.status == 0, "\(again)")
        #expect(home.text("headroom.env") == nil)
    }

    @Test func `a step that fails has all before it taken back`() async throws {
        let home = try Home("ten3")
        let before = home.text("public_html/wp-config.php")
        home.folder.write("#!/bin/sh\necho 'not for you' >&2\nexit 1\n", to: "bin/crontab", mode: 0o755)
        let run = try await home.run("setup", "--yes")
        #expect(run.status == 1 && run.errors.contains("not for you"), "\(run)")
        #expect(home.text("public_html/wp-config.php") == before && home.text("headroom.env") == nil)
        #expect(access("\(home.path)/headroom.sock", F_OK) != 0)
    }

    @Test func `a link that leads out of the folder, and a file of another name's, keep what they lead to`()
        async throws
    {
        let home = try Home("ten4")
        rename(home.config, "\(home.path)/elsewhere.php")
        symlink("\(home.path)/elsewhere.php", home.config)
        let before = home.text("elsewhere.php")
        let run = try await home.run("setup", "--yes")
        #expect(run.status == 0 && run.errors.contains("leads out of the folder"), "\(run)")
        #expect(run.output.contains("What is left for you"))
        #expect(home.text("elsewhere.php") == before)
        await home.endAll()
    }

    @Test func `a second name of the file keeps leading to it`() async throws {
        let home = try Home("ten5")
        link(home.config, "\(home.path)/second.php")
        let run = try await home.run("setup", "--yes")
        #expect(run.status == 0, "\(run)")
        #expect(home.text("second.php") == home.text("public_html/wp-config.php"))
        #expect(home.text("second.php")?.contains("headroom.sock") == true)
        let undone = try await home.run("setup", "--undo")
        #expect(undone.status == 0, "\(undone)")
    }

    @Test func `where the account is full it is set up all the same`() async throws {
        let home = try Home("two1")
        try await SuiteServer.database("two1", share: .reserve)
            .withConnection { _ in
                try await SuiteServer.database("two1", share: .reserve)
                    .withConnection { _ in
                        let run = try await home.run("setup", "--yes")
                        #expect(run.status == 0, "\(run)")
                    }
            }
        #expect(try await home.page() == 1)
        let undone = try await home.run("setup", "--undo")
        #expect(undone.status == 0, "\(undone)")
    }
}
