import Testing

@testable import HeadroomWatch

/// What is found wrong with how Headroom is run on a host.
///
/// A decision over texts: no host is looked at but one of files.
struct DeploymentTests {
    private func facts(cron: String = "", units: [UnitFile] = []) -> DeploymentFacts {
        var facts = DeploymentFacts()
        facts.users = ["headroom": .init(id: 990, groups: [990]), "www-data": .init(id: 33, groups: [33])]
        facts.crontabs = [CronTable(cron, path: "/etc/cron.d/headroom", user: nil)]
        facts.units = units
        facts.files = ["/srv/app/.env": .init(owner: 0, group: 990, mode: 0o640)]
        return facts
    }

    private func unit(_ name: String, _ lines: String..., isEnabled: Bool = true) -> UnitFile {
        UnitFile(
            name: name,
            path: "/etc/systemd/system/\(name)",
            texts: ["[Unit]\nDescription=x\n[Service]\n" + lines.joined(separator: "\n") + "\n"],
            isEnabled: isEnabled
        )
    }

    private func codes(_ facts: DeploymentFacts) -> [DeploymentFinding.Code] {
        DeploymentCheck(facts).findings.map(\.code)
    }

    private static let line = "* * * * * headroom /usr/bin/headroom work --once --quiet --env-file /srv/app/.env\n"

    @Test func `what headroom deploy prints has nothing wrong with it`() {
        let plan = DeploymentPlan(
            program: "/usr/bin/headroom",
            settingsFile: "/srv/app/.env",
            user: "headroom",
            writable: ["/run/headroom"]
        )
        #expect(codes(facts(cron: plan.crontab.text)).isEmpty)
        let units = plan.units(installed: [])
            .map { file in
                let name = file.path.split(separator: "/").last.map(String.init) ?? ""
                return UnitFile(name: name, path: file.path, texts: [file.text], isEnabled: true)
            }
        #expect(units.map(\.name) == ["headroom-worker.service", "headroom-guard.service"])
        #expect(units.allSatisfy { $0.user == "headroom" && $0.commands.count == 1 })
        #expect(codes(facts(units: units)).isEmpty)
    }

    @Test func `two cron entries for one worker are one too many, and two for two queues are not`() {
        #expect(codes(facts(cron: Self.line + Self.line)) == [.workerTwice])
        let other = Self.line.replacing(".env\n", with: ".env --queue b\n")
        #expect(codes(facts(cron: Self.line + other)).isEmpty)
        // The same file, named in another way.
        let folder = "* * * * * headroom cd /srv/app && headroom work --once --quiet --env-file .env\n"
        #expect(codes(facts(cron: Self.line + folder)) == [.workerTwice])
    }

    @Test func `a service and a cron entry for one worker are said, and which one to remove`() {
        let service = unit(
            "headroom-worker.service",
            "User=headroom",
            "ExecStart=/usr/bin/headroom work --env-file /srv/app/.env"
        )
        let findings = DeploymentCheck(facts(cron: Self.line, units: [service])).findings
        #expect(findings.map(\.code) == [.serviceAndCron])
        #expect(findings[0].next.contains("remove line 1 of /etc/cron.d/headroom"))
        var off = service
        off.isEnabled = false
        #expect(codes(facts(cron: Self.line, units: [off])).isEmpty)
        // Off, but at work now.
        var running = facts(cron: Self.line, units: [off])
        running.processes = [.init(id: 9, words: ["/usr/bin/headroom", "work"], unit: "headroom-worker.service")]
        #expect(codes(running) == [.serviceAndCron])
    }

    @Test func `the package's worker and its timer exclude each other`() {
        let service = unit(
            "headroom-worker.service",
            "User=headroom",
            "ExecStart=/usr/bin/headroom work --env-file /srv/app/.env"
        )
        let round = unit(
            "headroom-work-once.service",
            "User=headroom",
            "ExecStart=/usr/bin/headroom work --once --quiet --env-file /srv/app/.env"
        )
        let findings = DeploymentCheck(facts(units: [service, round])).findings
        #expect(findings.map(\.code) == [.serviceAndCron])
        #expect(findings[0].next.contains("systemctl disable --now headroom-work-once.timer"))
    }

    @Test(arguments: [
        "php /srv/app/bin/import_worker.php", "cd /srv/app; /usr/bin/php8.2 -q cli/worker.php --daemon",
        "nice php artisan queue:work",
    ])
    func `the worker that Headroom replaces is found in a crontab, a unit and a process`(command: String) {
        #expect(codes(facts(cron: "* * * * * www-data \(command) >/dev/null\n")) == [.oldWorker])
        #expect(codes(facts(units: [unit("app.service", "ExecStart=\(command)")])) == [.oldWorker])
        var facts = facts()
        facts.processes = [.init(id: 4312, words: command.split(separator: " ").map(String.init))]
        #expect(codes(facts) == [.oldWorker])
    }

    @Test(arguments: ["php /srv/app/bin/mail.php", "php-fpm8.2 -F", "/usr/bin/vim worker.php", "php"])
    func `other programs are not taken for it`(command: String) {
        #expect(codes(facts(cron: "* * * * * www-data \(command)\n")).isEmpty)
        var named = facts(cron: "* * * * * www-data php /srv/app/bin/mail.php\n")
        named.oldWorker = "bin/mail"
        #expect(codes(named) == [.oldWorker])
    }

    @Test func `nothing that says where the database is, is said for cron and for units`() {
        #expect(codes(facts(cron: "* * * * * headroom headroom work --once --quiet\n")) == [.noSettings])
        #expect(codes(facts(cron: "DB_HOST=db\n* * * * * headroom headroom work --once --quiet\n")).isEmpty)
        let bare = unit("headroom-worker.service", "ExecStart=/usr/bin/headroom work")
        #expect(codes(facts(units: [bare])) == [.noSettings])
        let fed = unit("headroom-worker.service", "ExecStart=/usr/bin/headroom work", "EnvironmentFile=/srv/app/.env")
        #expect(codes(facts(units: [fed])).isEmpty)
    }

    @Test func `a settings file that is missing, closed to its user or open to all is said`() {
        #expect(codes(facts(cron: Self.line.replacing("/srv/app", with: "/nowhere"))) == [.settingsMissing])
        #expect(codes(facts(cron: Self.line.replacing(" headroom /", with: " www-data /"))) == [.settingsUnreadable])
        var open = facts(cron: Self.line)
        open.files["/srv/app/.env"]?.mode = 0o644
        #expect(codes(open) == [.settingsOpen])
    }

    @Test func `what cron leaves out is said`() {
        #expect(codes(facts(cron: String(Self.line.dropLast()))) == [.cronIgnores])
        #expect(codes(facts(cron: Self.line.replacing(" headroom /", with: " nobody2 /"))) == [.noSuchUser])
        #expect(codes(facts(cron: "PATH=/opt/bin\n" + Self.line)).isEmpty)
        let bare = "PATH=/opt/bin\n" + Self.line.replacing("/usr/bin/headroom", with: "headroom")
        #expect(codes(facts(cron: bare)) == [.cronPath])
        var dotted = facts()
        dotted.ignoredCrontabs = [CronTable(Self.line, path: "/etc/cron.d/head.room", user: nil)]
        let findings = DeploymentCheck(dotted).findings
        #expect(findings.map(\.code) == [.cronIgnores])
        #expect(findings[0].next == "Rename it: mv /etc/cron.d/head.room /etc/cron.d/head-room")
    }

    @Test func `a program that stays is not for cron, nor one that prints at every round`() {
        #expect(codes(facts(cron: Self.line.replacing("--once ", with: ""))) == [.cronNoise])
        #expect(codes(facts(cron: "@reboot headroom headroom work --env-file /srv/app/.env\n")).isEmpty)
        #expect(codes(facts(cron: Self.line.replacing("--quiet ", with: ""))) == [.cronNoise])
        let loop = unit(
            "headroom-round.service",
            "User=headroom",
            "ExecStart=/usr/bin/headroom work --once --env-file /srv/app/.env",
            "Restart=always"
        )
        #expect(codes(facts(units: [loop])) == [.restartLoop])
    }

    @Test func `a user who does not share the budget of the others is said`() {
        var facts = facts(cron: Self.line)
        facts.stateGroup = 990
        #expect(codes(facts).isEmpty)
        facts.users["headroom"]?.groups = [100]
        facts.files["/srv/app/.env"]?.group = 100
        #expect(codes(facts) == [.ownBudget])
    }

    @Test func `a worker that was started by hand beside its service is said`() {
        let service = unit(
            "headroom-worker.service",
            "User=headroom",
            "ExecStart=/usr/bin/headroom work --env-file /srv/app/.env"
        )
        var facts = facts(units: [service])
        facts.processes = [
            .init(
                id: 8,
                words: ["/usr/bin/headroom", "work", "--env-file", "/srv/app/.env"],
                unit: "headroom-worker.service"
            ),
            .init(id: 9, words: ["headroom", "work", "--env-file=.env"], folder: "/srv/app", unit: "session-3.scope"),
        ]
        let findings = DeploymentCheck(facts).findings
        #expect(findings.map(\.code) == [.serviceAndCron])
        #expect(findings[0].next.contains("kill 9"))
    }

    @Test func `a host is read: crontabs, units with their drop-ins, processes, users and rights`() {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let facts = DeploymentReader(root: "\(here)/Hosts/troubled")
            .facts(settingsFile: "/etc/headroom/headroom.env", oldWorker: nil)
        let worker = facts.units.first { $0.name == "headroom-worker.service" }
        #expect(worker?.commands == ["/usr/bin/headroom work --env-file /srv/app/settings.env"])
        #expect(worker?.user == "headroom")
        #expect(worker?.isEnabled == true)
        #expect(facts.units.first { $0.name == "cron.service" }?.isEnabled == false)
        #expect(facts.users["headroom"]?.groups == [990, 33])
        #expect(facts.processes.map(\.id) == [4312])
        #expect(facts.processes.first?.unit == "app-worker.service")
        #expect(facts.files.keys.sorted() == ["/srv/app/settings.env"])
        let findings = DeploymentCheck(facts).findings
        let codes = Set(findings.map(\.code))
        #expect(codes.isSuperset(of: [.serviceAndCron, .oldWorker, .cronIgnores]))
        #expect(findings.contains { $0.what.contains("/var/spool/cron/crontabs/www-data, line 2") })
        #expect(findings.contains { $0.what.contains("Process 4312") && $0.next.contains("systemctl stop app-worker") })
        for finding in findings { #expect(!finding.why.isEmpty && !finding.next.isEmpty) }
    }

    @Test func `printed units promise what the package's do`() throws {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let file = try #require(DeploymentReader.text(of: "\(here)/deploy/systemd/hardening.conf"))
        let own: Set<Substring> = ["User", "Group", "ReadWritePaths", "ProtectHome"]
        let lines = file.split(separator: "\n")
            .filter { !$0.hasPrefix("#") && !$0.hasPrefix("[") && !own.contains($0.prefix { $0 != "=" }) }
        let printed = DeploymentPlan.hardening.split(separator: "\n").filter { !$0.hasPrefix("ProtectHome=") }
        #expect(lines == printed)
    }

    @Test func `a crontab is read as cron reads it`() {
        let text = """
            # comment
            MAILTO = "ops@example.org"
            5 4 * * sun  root  run this%and that
            @daily root tidy
              */2 * * * * app /bin/x
            """
        let table = CronTable(text, path: "p", user: nil)
        #expect(table.variables == ["MAILTO": "ops@example.org"])
        #expect(table.isCutShort)
        #expect(table.entries.map(\.schedule) == ["5 4 * * sun", "@daily", "*/2 * * * *"])
        #expect(table.entries.map(\.user) == ["root", "root", "app"])
        #expect(table.entries.map(\.command) == ["run this", "tidy", "/bin/x"])
        #expect(table.entries.map(\.line) == [3, 4, 5])
        let own = CronTable("* * * * * headroom work\n", path: "p", user: "me").entries[0]
        #expect(own.command == "headroom work" && own.user == "me")
    }
}
