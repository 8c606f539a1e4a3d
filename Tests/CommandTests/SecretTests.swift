import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// Secrets stay where they belong, also when something goes wrong.
@Suite(.sandbox(tcp: true)) struct SecretTests {
    private let secret = "zq-S3cr3t-zq"

    private func environment(_ account: String) throws -> [String: String] {
        try SuiteServer.sandbox.environment.merging(["DB_USERNAME": account, "DB_PASSWORD": secret]) { $1 }
    }

    @Test(arguments: [
        ["status"], ["status", "--json"], ["kill-idle"], ["rescue"], ["rescue", "--json"], ["slots"], ["verify"],
        ["migrate"],
        ["jobs", "list"], ["work", "--once"], ["config", "show"], ["doctor"], ["guard", "--once"],
        ["run", "--slots", "1", "--", "true"],
    ])
    func `a password that is refused is in nothing that is printed`(arguments: [String]) async throws {
        let folder = TemporaryFolder()
        let run = try await HeadroomProgram.run(
            arguments,
            environment: try environment("ten1").merging(["HEADROOM_STATE_DIR": "\(folder.path)/state"]) { $1 }
        )
        _ = try await HeadroomProgram.run("/bin/rm", ["-rf", "\(folder.path)/state"])
        #expect(!(run.output + run.errors).contains(secret))
        #expect(!(run.output + run.errors).isEmpty)
    }

    /// Every command that reads settings, as it may be run where they are broken; a list is all that is held to.
    private static let commands = [
        ["config", "show"], ["config", "show", "--json"], ["doctor"], ["doctor", "--json"], ["status"],
        ["status", "--json"], ["status", "--nagios"], ["status", "--prometheus"],
        ["status", "--watch", "--interval", "1s"],
        ["rescue"], ["rescue", "--json"], ["slots"], ["slots", "--json"], ["verify"], ["migrate"],
        ["migrate", "--print"],
        ["jobs", "list"], ["jobs", "health"], ["jobs", "show", "1"], ["jobs", "cancel", "1"],
        ["jobs", "add", "none.csv"],
        ["jobs", "prune", "--older-than", "90d"], ["work", "--once"], ["guard", "--once"],
        ["guard", "--interval", "1s"],
        ["kill-idle"], ["kill-idle", "--dry-run"], ["run", "--slots", "1", "--wait", "1", "--", "true"],
        ["import", "none.csv"], ["import", "--check", "none.csv"], ["deploy", "cron"], ["deploy", "systemd"],
        ["deploy", "haproxy"], ["trust"], ["door", "--allow-root", "--listen", "/tmp/headroom-no-door/door.sock"],
        ["serve", "--listen", "127.0.0.1:0"], ["setup", "--dry-run"], ["setup", "--undo"], ["up"], ["up", "--stop"],
    ]

    @Test func `no command is left out of the broken settings`() async throws {
        let help = try await HeadroomProgram.run(["--help"]).output
        let list = try #require(help.split(separator: "SUBCOMMANDS:").last)
        let names = list.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
        #expect(names.count > 15)
        // They read none.
        #expect(Set(names).subtracting(["help", "sandbox", "See"]) == Set(Self.commands.map { $0[0] }))
    }

    @Test func `of broken settings no command says a piece of a secret`() async throws {
        let seed = SettingsCorpus.newSeed
        print("seed of the corpus of settings: \(seed)")
        let folder = TemporaryFolder()
        for (app, marks) in [
            ("l", ["artisan"]), ("s", ["bin/console"]), ("b", ["config/application.php", "web/wp-config.php"]),
        ] {
            for mark in marks {
                mkdir("\(folder.path)/\(app)", 0o755)
                mkdir("\(folder.path)/\(app)/\(mark.split(separator: "/")[0])", 0o755)
                if mark != "artisan" { folder.write("", to: "\(app)/\(mark)") }
            }
        }
        var random = Seeded(seed)
        for (number, one) in SettingsCorpus(seed: seed, count: isFullRun ? 5_000 : 150).enumerated() {
            var arguments = number < Self.commands.count ? Self.commands[number] : random.pick(Self.commands)
            var environment = [
                "HEADROOM_STATE_DIR": "\(folder.path)/state", "HEADROOM_CONNECT_TIMEOUT": "2",
                "HEADROOM_WAIT_TIMEOUT": "1",
                "HOME": folder.path,
            ]
            let flag: [String]
            switch one.form {
            case .url:
                environment["DATABASE_URL"] = String(decoding: one.text, as: UTF8.self).replacing("\0", with: "")
                flag = []
            case .options: flag = ["--defaults-file", folder.write(one.text, to: "my.cnf")]
            case .env, .php: flag = ["--env-file", folder.write(one.text, to: "env")]
            case .laravel, .symfony, .bedrock:
                let app = folder.path + (one.form == .laravel ? "/l" : one.form == .symfony ? "/s" : "/b")
                folder.write(one.text, to: String(app.suffix(1)) + "/.env")
                flag = ["--app", app]
            }
            let command = ["jobs", "config", "deploy"].contains(arguments[0]) ? 2 : 1
            arguments.insert(contentsOf: flag, at: command)
            // Some go on for ever, once they have settings that they can use.
            let run = try await HeadroomProgram.run(
                "/usr/bin/timeout",
                ["--kill-after=5", "3", HeadroomProgram.path] + arguments,
                environment: environment,
                in: folder.path
            )
            let seen = run.output + run.errors
            let leaked = one.pieces.first { seen.contains($0) }
            #expect(
                leaked == nil,
                "seed \(seed), case \(number), \(arguments): \(String(decoding: one.text, as: UTF8.self))\n-- \(seen)"
            )
            if leaked != nil { return }
        }
        _ = try await HeadroomProgram.run("/bin/rm", ["-rf", "\(folder.path)/s"])
    }

    @Test func `a running command has its password in no argument, and leaves no core`() async throws {
        let folder = TemporaryFolder()
        // The shell waits until the program is at work, then looks at it.
        let script = """
            "$0" guard --interval 1 2>/dev/null & pid=$!
            for _ in $(seq 100); do grep -q 'core file size *1 ' /proc/$pid/limits && break; sleep 0.1; done
            tr '\\0' ' ' < /proc/$pid/cmdline; grep 'Max core file size' /proc/$pid/limits
            kill $pid; wait $pid
            """
        let run = try await HeadroomProgram.run(
            "/bin/sh",
            ["-c", script, HeadroomProgram.path],
            environment: try SuiteServer.sandbox.environment
                .merging(["DB_USERNAME": "ten3", "HEADROOM_STATE_DIR": "\(folder.path)/s"]) { $1 }
        )
        _ = try await HeadroomProgram.run("/bin/rm", ["-rf", "\(folder.path)/s"])
        #expect(run.output.contains("headroom guard --interval 1"), "\(run.output) \(run.errors)")
        #expect(!run.output.contains("sandbox "))
        #expect(run.output.contains(/Max core file size\s+1\s/), "\(run.output)")
    }

    @Test func `names that clients give themselves do not steer the terminal`() async throws {
        let environment = try SuiteServer.sandbox.environment.merging(["DB_USERNAME": "ten2"]) { $1 }
        var settings = try SuiteServer.settings("ten2")
        settings.programName = "evil\u{1B}[2J\u{202E}name"
        try await Database(settings)
            .withConnection { _ in
                for arguments in [["status"], ["slots"], ["rescue"], ["doctor"]] {
                    let run = try await HeadroomProgram.run(arguments, environment: environment)
                    #expect(!(run.output + run.errors).unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
                }
                let slots = try await HeadroomProgram.run(["slots"], environment: environment)
                #expect(slots.output.contains("evil?[2J\\u{202e}name"), "\(slots.output)")
            }
    }

    @Test func `the list of packages is whole and each has a licence`() async throws {
        let run = try await HeadroomProgram.run("\(SourceFiles.root)/scripts/sbom", [])
        #expect(run.status == 0, "\(run.errors)")
        let pins = try SourceFiles.text("Package.resolved").matches(of: /"location" : "https:\/\/([^"]+)"/)
        #expect(pins.count > 8)
        for pin in pins {
            let path = String(pin.output.1).replacing(".git", with: "")
            #expect(run.output.contains("\"pkg:swift/\(path)@"), "\(path)")
        }
        #expect(run.output.contains("libmariadb"))
        let licences = run.output.matches(of: /"id": "([^"]*)"/).map(\.output.1)
        #expect(licences.count == run.output.matches(of: /"type": "(library|application)"/).count)
        #expect(licences.allSatisfy { ["Apache-2.0", "MIT", "LGPL-2.1-or-later", "blessing"].contains($0) })
    }
}
