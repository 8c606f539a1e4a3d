import FoundationEssentials
import Headroom
import TestSupport
import Testing

@testable import HeadroomWatch

/// Whatever stands in /proc, in crontabs and units, in a snapshot and in the answers of others.
@Suite struct WatchFuzzTests {
    @Test func `snapshots: one that is read can be kept again, and its times are times`() async throws {
        var snapshot = try #require(
            AccountSnapshot(.seen, ports: ServerPorts(socket: "/run/my.sock", adminPort: 33_062, adminAddress: "::1"))
        )
        snapshot.sessions = [
            AccountSnapshot.Entry(id: 12, program: "php", pid: 99, host: "web1", command: "Sleep", seconds: 300.25)
        ]
        try await Fuzz.run(.snapshot, texts: [snapshot.text]) { input, _ in
            guard let read = AccountSnapshot(text: input) else { return }
            #expect(read.used * 100 >= 0 && read.age >= .zero)
            for session in read.sessions { _ = Duration.seconds(session.seconds) }
            #expect(AccountSnapshot(text: read.text)?.sessions.count == read.sessions.count)
        }
    }

    @Test func `processes: texts of proc, whatever a process calls itself`() async throws {
        let samples = [
            "4242 (php (x) y) S 1 4242 4242 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 123456 1 1 1 1 1\n",
            "Name:\tphp\nUmask:\t0022\nUid:\t33\t33\t33\t33\n",
            "0::/system.slice/cron.service\n1:name=systemd:/a.scope\n",
            "socket:[12345]", "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:/x\n",
            "php\0--password=secret\0-psecret\0mysql://a:b@c/d\0",
            "7 0x1 0x7ffc 0xa 0x0 0x0 0x0 0x7ffd 0x7ffe\n",
            "ffff: 00000002 00000000 00010000 0001 01 2345 /run/my sql.sock\n",
            "   0: 0100007F:0CEA 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  33 0 4711 1\n",
        ]
        try await Fuzz.run(.processes, samples.map { Array($0.utf8) }) { input, _ in
            let text = String(decoding: input, as: UTF8.self)
            _ = ProcessText.stat(text)
            _ = ProcessText.user(text)
            _ = ProcessText.unit(text)
            _ = ProcessText.socket(text)
            _ = ProcessText.userNames(text)
            _ = SystemCall(text)?.waits
            _ = UnixSocket.table(text)
            _ = TCPSocket.table(text)
            let line = CommandLineText.readable(input, secrets: ["secret"])
            #expect(!line.unicodeScalars.contains { $0.value < 0x20 && $0 != "\t" })
            for message in SocketMessages.messages(in: input) {
                guard case .socket(let reader) = message else { continue }
                _ = SocketMessages.unixSocket(reader)
                _ = SocketMessages.tcpSocket(reader)
            }
        }
    }

    @Test func `deployment: crontabs, units and what they call`() async throws {
        let samples = [
            "SHELL=/bin/sh\nPATH=\"/usr/bin\"\n# no\n*/5 * * * * www-data cd /srv && headroom work --once --env-file='/a b'"
                + " % in\n@reboot root headroom guard\n",
            "[Unit]\nX=1\n[Service]\nUser=www\nExecStart=-/usr/bin/headroom work \\\n --queue x\nEnvironment=DB_HOST=a\n",
            "nice headroom guard --once --host a --queue='b' > /dev/null 2>&1",
        ]
        try await Fuzz.run(.deployment, texts: samples) { input, _ in
            for start in DeploymentReader.starts(in: input, source: "a") { #expect(!start.target.isEmpty) }
        }
    }

    @Test func `front door: an answer of HAProxy, or of what pretends to be one`() async throws {
        let sample =
            "# pxname,svname,qcur,qmax,scur,smax,slim,stot,\nheadroom_front_door,database,0,0,4,4,4,380,\n"
            + "headroom_front_door,database2,0,0,4,4,4,380,\nheadroom_front_door,BACKEND,5,8,9,12,100,400,\n\n"
        try await Fuzz.run(.frontDoor, texts: [sample]) { input, _ in _ = FrontDoorReport(statistics: input) }
    }

    @Test func `grants: what a server prints of an account`() async throws {
        let samples = [
            "GRANT USAGE ON *.* TO 'app'@'%' IDENTIFIED BY PASSWORD '*x' WITH MAX_USER_CONNECTIONS 10 "
                + "MAX_CONNECTIONS_PER_HOUR 5", "GRANT SELECT, PROCESS ON *.* TO `a`@`b` WITH GRANT OPTION",
        ]
        try await Fuzz.run(.grants, texts: samples) { input, _ in
            let options = AccountOptions(grants: input)
            let limit = AccountLimit.inForce(options.connections ?? 1, option: nil, global: .max, server: .max)
            _ = (limit.value ?? 0) * 80
            _ = Finding.grants([input])
        }
    }

    @Test func `guard's memory: what was kept is taken up, or left`() async throws {
        var memory = GuardMemory()
        memory.lastTime = 1_764_000_000
        memory.serverRefused = 3
        memory.unreachableSince = 1_763_999_000
        memory.heldTooLong = ["1/2": "php"]
        for number in 0..<5 {
            var sample = GuardSample(time: 1_764_000_000 + Double(number) * 30, level: .caution)
            (sample.used, sample.limit) = (number, 10)
            memory.trend.take(sample)
        }
        let text = String(decoding: try JSONEncoder().encode(memory), as: UTF8.self)
        try await Fuzz.run(.guardMemory, texts: [text]) { input, _ in
            guard JSONBounds.holds(input),
                var read = try? JSONDecoder().decode(GuardMemory.self, from: Data(input.utf8))
            else { return }
            read.apply(GuardRules())
            _ = read.level.take(.ok, percent: 10)
            _ = read.unreachable.take(true)
            _ = read.trend.minutesUntilFull.map { Int(clamped: $0) }
            _ = read.kills.left(at: 1_764_000_100)
            var sample = GuardSample(time: 1_764_000_200, level: .ok)
            sample.used = .max
            read.trend.take(sample)
        }
    }
}
