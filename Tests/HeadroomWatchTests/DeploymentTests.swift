import Testing

@testable import HeadroomWatch

/// What `headroom deploy` prints for a host, and what is started there twice.
@Suite struct DeploymentTests {
    private func plan(hasQueue: Bool = true, user: String? = "headroom") -> DeploymentPlan {
        DeploymentPlan(
            program: "/usr/bin/headroom",
            settingsFile: "/srv/app/.env",
            user: user,
            writable: ["/run/headroom"],
            hasQueue: hasQueue
        )
    }

    private func starts(_ text: String, _ source: String = "/etc/cron.d/headroom") -> [DeployedStart] {
        DeploymentReader.starts(in: text, source: source)
    }

    private func codes(_ starts: [DeployedStart]) -> [String] { DeploymentFinding.doubles(starts).map(\.code) }

    private static let line = "* * * * * headroom /usr/bin/headroom work --once --quiet --env-file /srv/app/.env\n"

    @Test func `what is printed starts each program once, and the worker only where there is a queue`() {
        for (hasQueue, commands) in [(true, ["work", "guard"]), (false, ["guard"])] {
            let plan = plan(hasQueue: hasQueue)
            let cron = starts(plan.crontab.text)
            #expect(cron.map(\.command) == commands)
            #expect(cron.allSatisfy { $0.target == "/srv/app/.env" })
            #expect(codes(cron).isEmpty)
            for installed: Set<String> in [[], ["headroom-worker.service", "headroom-guard.service"]] {
                let units = plan.units(installed: installed)
                #expect(units.flatMap { starts($0.text, $0.source) }.map(\.command) == commands)
                #expect(Set(units.map(\.source)).isSubset(of: ["headroom-worker.service", "headroom-guard.service"]))
                // A service and a line of a crontab for the same.
                let both = codes(cron + units.flatMap { starts($0.text, $0.source) })
                #expect(both.sorted() == commands.map { $0 == "work" ? "worker_twice" : "guard_twice" }.sorted())
            }
        }
    }

    @Test func `two lines for one worker are one too many, and two for two queues are not`() {
        #expect(codes(starts(Self.line + Self.line)) == ["worker_twice"])
        for other in [" --queue b\n", " --queue=b\n", " --host x\n"] {
            #expect(codes(starts(Self.line + Self.line.replacing("\n", with: other))).isEmpty)
        }
        for same in [
            "* * * * * root cd /srv/app && headroom work --once --env-file .env\n",
            "@reboot app cd /srv/app; nice /opt/headroom work >/dev/null\n",
            "\t* * * * * app headroom work --env-file='/srv/app/.env' --max-time 50 | logger\n",
            "ExecStart=/usr/bin/headroom work --env-file /srv/app/.env\n",
        ] { #expect(codes(starts(Self.line + same)) == ["worker_twice"], "\(same)") }
        // Without a word about settings it is the user's own folder: the same for both.
        let bare = "* * * * * headroom guard --once\n"
        #expect(codes(starts(bare + bare, "crontab -e")) == ["guard_twice"])
        #expect(codes(starts(bare) + starts(bare, "crontab -e")).isEmpty)
    }

    @Test func `programs that are not Headroom's are nobody's concern`() {
        for command in [
            "php artisan queue:work", "php /srv/app/bin/import_worker.php",
            "headroom work --once # no".replacing("h", with: "#h"),
            "headroom status", "/srv/headroom/work", "rheadroom work",
        ] { #expect(starts("* * * * * www-data \(command)\n").isEmpty, "\(command)") }
    }

    @Test func `a host is read: crontabs, and the units that are started with it, with their drop-ins`() {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let reader = DeploymentReader(root: "\(here)/Hosts/troubled")
        let found = reader.crontabs().starts + reader.units()
        #expect(
            found.map { "\($0.place): \($0.command) \($0.target)" } == [
                "/etc/cron.d/headroom, line 1: work /srv/app/settings.env",
                "headroom-worker.service: work /srv/app/settings.env",
            ]
        )
        let findings = DeploymentFinding.doubles(found)
        #expect(findings.map(\.code) == ["worker_twice"])
        #expect(findings.first?.what.contains("by /etc/cron.d/headroom, line 1; by headroom-worker.service") == true)
        #expect(reader.unitNames().isSuperset(of: ["headroom-worker.service", "cron.service"]))
    }

    @Test func `printed units promise what the package's do`() {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let file = HostFile.text("\(here)/deploy/systemd/hardening.conf")
        let own: Set<Substring> = ["User", "Group", "ReadWritePaths", "ProtectHome"]
        let lines = file.split(separator: "\n")
            .filter { !$0.hasPrefix("#") && !$0.hasPrefix("[") && !own.contains($0.prefix { $0 != "=" }) }
        let printed = DeploymentPlan.hardening.split(separator: "\n").filter { !$0.hasPrefix("ProtectHome=") }
        #expect(lines == printed)
    }
}
