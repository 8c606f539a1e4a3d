import Headroom
import Testing

@testable import HeadroomWatch

/// What a setup would do, by what was found.
@Suite struct SetupPlanTests {
    private func found(_ change: (inout SetupPlan.Found) -> Void = { _ in }) -> SetupPlan.Found {
        var found = SetupPlan.Found(
            kind: .wordPress,
            folder: "/home/shop/public_html",
            settings: DatabaseSettings(
                endpoint: .socket(path: "/run/mysqld/mysqld.sock"),
                username: "shop",
                password: "p@ss'w\"or%d #1",
                database: "shop"
            )
        )
        found.file = (
            "/home/shop/public_html/wp-config.php", Array("<?php\ndefine('DB_HOST', 'localhost');\n".utf8), false
        )
        (found.limit, found.hasCron, found.user, found.home) = (5, true, "shop", "/home/shop")
        (found.program, found.stateFolder) = ("/home/shop/.local/bin/headroom", "/home/shop/.local/state/headroom")
        change(&found)
        return found
    }

    private func settings(_ plan: SetupPlan) -> String {
        if case .writeSettings(_, let text)? = plan.steps.first { text } else { "" }
    }

    @Test func `settings, door and crontab come before the application is changed`() throws {
        let plan = try SetupPlan(found())
        #expect(plan.door == .socket(path: "/home/shop/headroom.sock"))
        #expect(plan.steps.count == 5)
        #expect(plan.byHand == [])
        guard case .changeApplication(let edit)? = plan.steps.last else {
            Issue.record("\(plan.steps)")
            return
        }
        #expect(edit.shown == "define( 'DB_HOST', 'localhost:/home/shop/headroom.sock' );")
        #expect(
            plan.steps.contains(
                .addToCrontab(lines: [
                    "# Headroom for /home/shop/public_html; 'headroom setup --undo --settings /home/shop/headroom.env' takes it away",
                    "* * * * * /home/shop/.local/bin/headroom up --quiet --env-file /home/shop/headroom.env",
                ])
            )
        )
        #expect(plan.notes.contains { $0.contains("5 connections: 4 for pages and workers") })
    }

    @Test func `no sign of a password is lost in the settings`() throws {
        #expect(
            settings(try SetupPlan(found()))
                .contains(
                    "HEADROOM_DATABASE_URL=mysql://shop:p%40ss%27w%22or%25d%20%231@localhost/shop?socket=/run/mysqld/mysqld.sock\n"
                )
        )
    }

    @Test func `pages of another user need a door that lets them through, and a way to it`() throws {
        let open = try SetupPlan(found { ($0.pages, $0.isHomeOpen) = (.other("www-data"), true) })
        #expect(open.door == .socket(path: "/home/shop/headroom.sock"))
        #expect(settings(open).contains("HEADROOM_DOOR_MODE=666"))
        let closed = try SetupPlan(found { $0.pages = .other("www-data") })
        #expect(closed.door == .tcp(host: "127.0.0.1", port: 3307))
        #expect(settings(try SetupPlan(found())).contains("HEADROOM_DOOR_MODE=600"))
    }

    @Test func `a MySQL that is reached over TCP gets a door over TCP`() throws {
        let plan = try SetupPlan(
            found { found in
                found.isMySQL = true
                found.settings.endpoint = .tcp(host: "127.0.0.1", port: 3306)
                found.settings.tls.mode = .preferred
            }
        )
        #expect(plan.door == .tcp(host: "127.0.0.1", port: 3307))
    }

    @Test func `without cron, or a value that can be changed, it says what is left by hand`() throws {
        let plan = try SetupPlan(
            found { found in
                found.hasCron = false
                found.file = nil
            }
        )
        #expect(plan.steps.count == 3)
        #expect(plan.byHand.count == 2)
        #expect(plan.byHand[1].contains("define('DB_HOST', 'localhost:/home/shop/headroom.sock');"))
    }

    @Test func `what cannot be is refused before anything is done`() {
        for change: (inout SetupPlan.Found) -> Void in [
            { $0.settings.password = "" },
            {
                $0.settings.endpoint = .tcp(host: "db.example.org", port: 3306)
                $0.settings.tls.mode = .required
            },
            { $0.folder = "/home/shop" },
            { $0.home = "/home/shop/public_html" },
            { $0.settings.endpoint = .socket(path: "/home/shop/headroom.sock") },
            { $0.home = "/home/a b" },
        ] {
            #expect(throws: DatabaseError.self) { try SetupPlan(found(change)) }
        }
        // What is beside the folder that the web server shows.
        #expect(throws: Never.self) {
            try SetupPlan(
                found { found in
                    found.kind = .laravel
                    found.folder = "/home/shop"
                    found.file = nil
                }
            )
        }
    }

    @Test func `a percent sign is escaped for cron`() throws {
        let plan = try SetupPlan(found { $0.program = "/home/50%/headroom" })
        #expect(
            plan.steps.contains {
                if case .addToCrontab(let lines) = $0 { lines[1].contains("/home/50\\%/") } else { false }
            }
        )
    }

    @Test func `pools are read as PHP-FPM reads them`() {
        let text = """
            ; a comment
            [global]
            pid = /run/x
            [www]
            user = www-data
            ;user = nobody
            pm.max_children = 5 ; five
            [shop]
            user=shop
            pm.max_children=40
            pm.max_children_x = 3
            """
        #expect(
            PHPPool.pools(in: text, path: "/p") == [
                PHPPool(name: "www", user: "www-data", processes: 5, path: "/p"),
                PHPPool(name: "shop", user: "shop", processes: 40, path: "/p"),
            ]
        )
        let plan = try? SetupPlan(found { $0.pools = PHPPool.pools(in: text, path: "/p") })
        #expect(plan?.notes.contains { $0.contains("40 pages at once") && $0.contains("8 to 16 are enough") } == true)
    }
}
