import Headroom
import Testing

@testable import HeadroomWatch

/// What is hung up, and through which doors one tries to get in.
@Suite struct RescueDecisionTests {
    private func socket(
        _ descriptor: Int32,
        silent: Int? = nil,
        inode: UInt64? = nil,
        pending: Bool = false,
        waitedFor: Bool? = false
    ) -> HostSocket {
        HostSocket(
            descriptor: descriptor,
            inode: inode ?? UInt64(descriptor),
            local: silent == nil ? nil : HostPort(HostAddress(bytes: [127, 0, 0, 1]), 40_000 + Int(descriptor)),
            silence: silent.map { .seconds($0) },
            hasPending: pending,
            isWaitedFor: waitedFor
        )
    }

    private func process(_ id: Int32, user: UInt32 = 33, age: Int = 500, ours: Bool = false, _ sockets: [HostSocket])
        -> HostProcess
    {
        HostProcess(id: id, user: user, commandLine: "x", age: .seconds(age), sockets: sockets, isOurs: ours)
    }

    private func choose(_ processes: [HostProcess], user: UInt32 = 33) -> HangUpChoice {
        HangUpChoice(HostView(processes: processes), silentFor: .seconds(60), user: user)
    }

    @Test func `the longest silent over TCP comes first, then the oldest unix socket of who holds most`() {
        let choice = choose([
            process(1, [socket(3, silent: 70), socket(4, silent: 500), socket(5, inode: 9)]),
            process(2, [socket(3, inode: 30), socket(4, inode: 20), socket(5, silent: 90)]),
        ])
        #expect(
            choice.candidates.map { "\($0.process.id):\($0.socket.descriptor)" } == [
                "1:4", "2:5", "1:3", "2:4", "2:3", "1:5",
            ]
        )
    }

    @Test func `who is at work, or may be, is left alone`() {
        let choice = choose([
            process(
                1,
                [
                    socket(3, silent: 60), socket(4, silent: 500, waitedFor: true),
                    socket(5, silent: 500, pending: true),
                    socket(6, waitedFor: true), socket(7, pending: true),
                ]
            ),
            process(2, age: 60, [socket(3)]),
        ])
        #expect(choice.candidates.isEmpty)
        #expect(choice.spared.map(\.reason) == [.notSilent, .atWork, .atWork, .atWork, .atWork, .young])
    }

    @Test func `our own and other users' connections are left alone, but root may hang up others'`() {
        let processes = [
            process(1, ours: true, [socket(3, silent: 500)]), process(2, user: 34, [socket(3, silent: 500)]),
        ]
        #expect(choose(processes).candidates.isEmpty)
        #expect(choose(processes).spared.map(\.reason) == [.ours, .otherUser])
        #expect(choose(processes, user: 0).candidates.map(\.process.id) == [2])
        #expect(choose(processes, user: 0).spared.map(\.reason) == [.ours])
        let named = HangUpChoice(HostView(processes: processes), process: 1, descriptor: nil, user: 0)
        #expect(named.candidates.isEmpty)
    }

    private func doors(
        _ code: DatabaseError.Code,
        administrator: Bool = false,
        ports: ServerPorts? = nil,
        tcp: Bool = false
    ) -> [String] {
        let endpoint = tcp ? Endpoint.tcp(host: "127.0.0.1", port: 3306) : .socket(path: "/run/m.sock")
        var second = DatabaseSettings(endpoint: endpoint, username: "mon")
        second.password = "m"
        return
            Door.others(
                after: DatabaseError(code, message: ""),
                settings: DatabaseSettings(endpoint: endpoint, username: "app"),
                administrator: administrator ? second : nil,
                ports: ports
            )
            .map { "\($0.kind.rawValue) \($0.settings.username) \($0.settings.endpoint)" }
    }

    @Test func `only doors that lead past the refusal are tried`() {
        let mariaDB = ServerPorts(socket: "/run/m.sock", extraPort: 3307)
        let mySQL = ServerPorts(socket: "/run/m.sock", adminPort: 33_062, adminAddress: "127.0.0.9")
        // The account's own limit holds on the extra port as well.
        #expect(doors(.accountLimitReached, ports: mariaDB).isEmpty)
        #expect(doors(.serverLimitReached, ports: mariaDB) == ["extra_port app 127.0.0.1:3307"])
        #expect(doors(.accountLimitReached, ports: mySQL) == ["admin_port app 127.0.0.9:33062"])
        #expect(
            doors(.accountLimitReached, administrator: true, ports: mySQL)
                == ["monitor_account mon socket /run/m.sock", "admin_port mon 127.0.0.9:33062"]
        )
        #expect(doors(.hostBlocked, ports: mariaDB, tcp: true) == ["socket app socket /run/m.sock"])
        // Wrong credentials or a server that is down are no matter of doors; more tries could lock the account.
        #expect(doors(.accessDenied, administrator: true, ports: mariaDB).isEmpty)
        #expect(doors(.serverUnreachable, administrator: true, ports: mariaDB).isEmpty)
    }

    @Test func `a limit that the refusal does not name comes from the last look`() {
        var report = RescueReport(isDryRun: true)
        report.refusal = DatabaseError(.accountLimitReached, message: "", limit: 10)
        #expect(report.limit == AccountLimit(value: 10, source: .refusal))
        report.refusal = DatabaseError(.userLimitReached, message: "")
        #expect(report.limit == AccountLimit(value: nil, source: .global))
        report.snapshot = AccountSnapshot(.seen, ports: ServerPorts())
        #expect(report.limit == AccountLimit(value: 7, source: .global))
        report.refusal = DatabaseError(.serverLimitReached, message: "")
        #expect(report.limit == AccountLimit(value: 151, source: .server))
    }

    @Test func `the advice has this host's own names, and statements that hold for any account name`() {
        var report = RescueReport(isDryRun: true)
        report.refusal = DatabaseError(.accountLimitReached, message: "", limit: 10)
        var worker = process(5, [socket(3, silent: 500)])
        worker.unit = "php8.4-fpm.service"
        report.host = HostView(processes: [worker])
        report.host.serverUnit = "mariadb@blue.service"
        let settings = DatabaseSettings(endpoint: .socket(path: "/run/m.sock"), username: "o'app")
        let commands = RescueAdvice(report, settings: settings, user: 33, idle: .seconds(60)).steps.flatMap(\.commands)
        #expect(commands.contains("systemctl restart php8.4-fpm.service"))
        #expect(commands.contains("systemctl restart mariadb@blue.service"))
        #expect(commands.contains("headroom rescue --hang-up-idle 60 --yes"))
        #expect(commands.contains { $0.contains("USER = 'o''app'") })
    }

    private func advice(_ report: RescueReport, user: UInt32 = 33, idle: Int = 300) -> RescueAdvice {
        RescueAdvice(
            report,
            settings: DatabaseSettings(endpoint: .socket(path: "/run/m.sock"), username: "app"),
            user: user,
            idle: .seconds(idle)
        )
    }

    private func refused(_ processes: [HostProcess], isDryRun: Bool = true) -> RescueReport {
        var report = RescueReport(isDryRun: isDryRun)
        report.refusal = DatabaseError(.accountLimitReached, message: "", limit: 5)
        report.host = HostView(processes: processes)
        return report
    }

    @Test func `the first step is the mildest that frees a place now, also when nothing has been silent for long`() {
        let holder = process(7, age: 2, [socket(3), socket(4), socket(5, waitedFor: true)])
        #expect(advice(refused([holder])).steps.first?.commands == ["headroom rescue --hang-up 7:3 --yes"])
        let silent = process(8, [socket(3, silent: 4)])
        #expect(advice(refused([silent])).steps.first?.commands == ["headroom rescue --hang-up 8:3 --yes"])
        #expect(advice(refused([silent]), idle: 2).steps.first?.commands == ["headroom rescue --hang-up-idle 2 --yes"])
    }

    @Test func `a page is not cut: it is asked to end when it is done, after what holds without need`() {
        var page = process(6, age: 900, [socket(3)])
        page.name = "php-fpm8.2"
        #expect(choose([page]).spared.map(\.reason) == [.page])
        #expect(advice(refused([page])).steps.first?.commands == ["headroom rescue --terminate 6 --yes"])
        #expect(
            advice(refused([page, process(7, [socket(3)])])).steps.first?.commands == [
                "headroom rescue --hang-up-idle 300 --yes"
            ]
        )
        // Over TCP its silence is known.
        page.sockets = [socket(3, silent: 500)]
        #expect(choose([page]).candidates.count == 1)
    }

    @Test func `when it can be used again, what would fill it again is still named`() {
        var copies = [process(7, [socket(3)]), process(8, [socket(3)])]
        for index in copies.indices { copies[index].isSecondCopy = true }
        var report = refused(copies, isDryRun: false)
        report.opened = .account
        #expect(!report.isNearlyFull)
        let commands = advice(report).steps.flatMap(\.commands)
        #expect(commands.first == "headroom rescue --terminate 8 --yes")
        #expect(commands.contains("headroom guard --reserve --auto-kill-idle 60"))
    }

    @Test func `after a step that did nothing another one comes first`() {
        var report = refused([process(7, age: 2, [socket(3), socket(4)])], isDryRun: false)
        report.choice = HangUpChoice(report.host, silentFor: .seconds(300), user: 33)
        #expect(advice(report).steps.first?.commands == ["headroom rescue --hang-up 7:3 --yes"])
        report.hangUps = [
            RescueReport.HangUp(
                candidate: HangUpChoice.Candidate(process: report.host.processes[0], socket: socket(3)),
                result: .inVain
            )
        ]
        #expect(advice(report).steps.first?.commands == ["headroom rescue --hang-up 7:4 --yes"])
    }

    @Test func `a process that is gone is named in no step`() {
        var copies = [process(7, [socket(3)]), process(8, [socket(3)])]
        for index in copies.indices { copies[index].isSecondCopy = true }
        var report = refused(copies, isDryRun: false)
        func commands() -> String { advice(report).steps.flatMap(\.commands).joined(separator: "\n") }
        #expect(commands().contains("--terminate 8"))
        report.hostAfter = HostView(processes: [process(7, [socket(3)])])
        #expect(!commands().contains("terminate") && !commands().contains(" 8:"))
    }

    @Test func `pages of another user are told as what they are, with what is left without root`() {
        var page = process(9, user: 34, [socket(3, silent: 900)])
        page.userName = "www-data"
        let steps = advice(refused([page])).steps
        #expect(steps.first?.text.contains("1 connections are of programs of www-data") == true)
        #expect(steps.first?.commands == ["headroom setup"])
        #expect(!steps.flatMap(\.commands).joined(separator: "\n").hasPrefix("headroom rescue"))
        #expect(advice(refused([page]), user: 0).steps.first?.commands == ["headroom rescue --hang-up-idle 300 --yes"])
    }

    @Test(arguments: [
        ("php-fpm: pool www", "a page (PHP-FPM)"), ("php /home/shop/app/artisan queue:work", "Laravel's queue worker"),
        ("/usr/bin/php artisan schedule:run", "Laravel's scheduler"),
        ("php bin/console messenger:consume", "Symfony's worker"),
        ("php /home/shop/public_html/wp-cron.php", "WordPress' cron"), ("mysqldump shop", "a backup"),
        ("vim notes", nil),
    ])
    func `what a process is for is told by its command line`(line: String, role: String?) {
        #expect(HostProcess(id: 1, user: 33, commandLine: line).role == role)
    }
}
