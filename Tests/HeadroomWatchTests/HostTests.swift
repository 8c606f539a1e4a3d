import Headroom
import TestSupport
import Testing

@testable import HeadroomWatch

/// What the kernel says of sockets and processes is read right; fixtures as a Debian 12 prints them.
@Suite struct HostTextTests {
    @Test func `a line of proc net tcp is a socket`() throws {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   104        0 1583 1 0 100 0 0 10 0
               1: 0100007F:A34C 0100007F:0CEA 01 00000000:00000000 00:00000000 00000000    33        0 34567 1 0 20 4 30 10 -1
               2: 0100007F:A34E 0100007F:0CEA 01 00000000:0000000B 00:00000000 00000000    33        0 34569 1 0 20 4 30 10 -1
            """
        let sockets = TCPSocket.table(text)
        try #require(sockets.count == 3)
        #expect(sockets[0].state == .listening)
        #expect(sockets[1].local.description == "127.0.0.1:41804")
        #expect(sockets[1].remote.description == "127.0.0.1:3306")
        #expect(sockets[1].user == 33)
        #expect(sockets[1].inode == 34_567)
        #expect(!sockets[1].hasPending)
        #expect(sockets[2].hasPending)
    }

    @Test func `a line of proc net tcp6 is a socket, and a mapped address is the IPv4 one`() throws {
        let text = """
               0: 00000000000000000000000001000000:A34C 00000000000000000000000001000000:0CEA 01 00000000:00000000 00:00000000 00000000    33        0 1 1 0 20 4 30 10 -1
               1: 0000000000000000FFFF00000100007F:A34C 0000000000000000FFFF00000100007F:0CEA 01 00000000:00000000 00:00000000 00000000    33        0 2 1 0 20 4 30 10 -1
            """
        let sockets = TCPSocket.table(text)
        try #require(sockets.count == 2)
        #expect(sockets[0].remote.description == "[::1]:3306")
        #expect(sockets[0].remote.address.isLoopback)
        #expect(sockets[1].remote.description == "127.0.0.1:3306")
    }

    @Test func `a line of proc net unix is a socket, when it is a connected or a listening stream`() {
        let text = """
            Num       RefCount Protocol Flags    Type St Inode Path
            000000005d5ea7ea: 00000002 00000000 00010000 0001 01 123708 /run/my sqld/mysqld.sock
            000000003261e986: 00000003 00000000 00000000 0001 03 123714 /run/my sqld/mysqld.sock
            000000003261e987: 00000003 00000000 00000000 0001 03 123715
            0000000086437928: 00000003 00000000 00000000 0002 01 123709 /run/systemd/notify
            """
        #expect(
            UnixSocket.table(text) == [
                UnixSocket(inode: 123_708, isListening: true, path: "/run/my sqld/mysqld.sock"),
                UnixSocket(inode: 123_714, isListening: false, path: "/run/my sqld/mysqld.sock"),
                UnixSocket(inode: 123_715, isListening: false),
            ]
        )
    }

    @Test func `no name hides a process, nor its socket, user and unit`() {
        for mark in HostileText.marks {
            let name = "x\(mark)) (\(mark)\(mark)"
            let stat = ProcessText.stat("7 (\(name)) S 3 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 123456 1 1\n")
            #expect(stat?.parent == 3 && stat?.startedAt == 123_456, "\(mark.value)")
            #expect(stat?.name.utf8.elementsEqual(name.utf8) == true, "\(mark.value)")
            #expect(ProcessText.user("Name:\t\(mark)\nUid:\t33\t33\n") == 33)
            // The kernel writes an end of line in a group's name as \012.
            if mark != "\n" { #expect(ProcessText.unit("0::/\(mark)/cron.service\n") == "cron.service") }
            // A line of a command is one line: it is printed in advice that people copy.
            let line = CommandLineText.readable(Array("a\(mark)\n--password=\(mark)geheim\0".utf8))
            #expect(!line.unicodeScalars.contains { $0.endsLine })
        }
        #expect(
            CommandLineText.readable(Array("x\0--password=\u{301}geheim\0-p\u{301}\0".utf8)).holds("geheim") == false
        )
    }

    @Test func `the state of a process is read behind a name that may contain anything`() {
        let text = "4312 (a) b (c) S 17 4312 4312 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 987654 1 2 3\n"
        #expect(ProcessText.stat(text) == .init(name: "a) b (c", parent: 17, startedAt: 987_654))
        #expect(ProcessText.user("Name:\tx\nUid:\t33\t33\t33\t33\nGid:\t33\n") == 33)
        #expect(ProcessText.socket("socket:[42]") == 42)
        #expect(ProcessText.socket("pipe:[42]") == nil)
        #expect(ProcessText.userNames("root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\n")[33] == "www-data")
    }

    @Test(
        arguments: [
            ("0::/system.slice/php8.2-fpm.service\n", "php8.2-fpm.service"),
            ("9:cpu:/x.service\n1:name=systemd:/system.slice/cron.service\n", "cron.service"),
            ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/worker.service\n", "worker.service"),
            ("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"),
            ("0::/system.slice/docker-0a1b.scope\n", "docker-0a1b.scope"), ("0::/\n", nil),
        ] as [(String, String?)]
    )
    func `a unit is read from the control group`(text: String, unit: String?) {
        #expect(ProcessText.unit(text) == unit)
    }

    @Test(arguments: [
        (["php", "worker.php", "--once"], "php worker.php --once"),
        (["mysql", "-u", "app", "-psecret1", "db"], "mysql -u app -p*** db"),
        (["ps", "-paux"], "ps -paux"), (["x", "--password", "secret1", "y"], "x --password *** y"),
        (["x", "--password=secret1"], "x --password=***"),
        (["x", "mysql://app:secret1@host/db"], "x mysql://app:***@host/db"), (["x", "known secret"], "x ***"),
        (["x", "--dsn=pw:known secret;host"], "x --dsn=pw:***;host"),
        (["php-fpm: pool www", "", ""], "php-fpm: pool www"),
    ])
    func `a command line is shown without passwords`(words: [String], line: String) {
        let bytes: [UInt8] = words.flatMap { word -> [UInt8] in Array(word.utf8) + [0] }
        #expect(CommandLineText.readable(bytes, secrets: ["known secret"]) == line)
    }

    @Test func `what a thread sleeps in tells which descriptor it waits for`() {
        #if arch(x86_64)
        let (receive, poll, epoll) = (45, 7, 232)
        #else
        let (receive, poll, epoll) = (207, 73, 22)
        #endif
        #expect(SystemCall("\(receive) 0x5 0x7ffd 0x10 0x0 0x0 0x0 0x7ffd 0x7f12\n")?.waits == .descriptor(5))
        #expect(
            SystemCall("\(poll) 0x7ffd10 0x1 0xffffffffffffffff 0x0 0x0 0x0 0x7ffd 0x7f12\n")?.waits
                == .list(address: 0x7FFD10, count: 1)
        )
        #expect(SystemCall("\(epoll) 0x3 0x7ffd10 0x1 0x0 0x0 0x0 0x7ffd 0x7f12\n")?.waits == .unknown)
        #expect(SystemCall("running\n") == nil)
        #expect(SystemCall("-1 0x7ffd 0x7f12\n") == nil)
    }
}

/// The socket monitor's answers are read right.
@Suite struct SocketMessageTests {
    private func bytes(_ number: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

    private func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        let padding = [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        return bytes(UInt16(value.count + 4)) + bytes(type) + value + padding
    }

    private func message(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
        bytes(UInt32(body.count + 16)) + bytes(type) + bytes(2 as UInt16) + bytes(1 as UInt32) + bytes(7 as UInt32)
            + body
    }

    @Test func `a unix socket comes with its path, its file, its other end and its user`() throws {
        let body =
            [1, 1, 1, 0] + bytes(900 as UInt32) + bytes(0 as UInt64) + attribute(0, Array("/run/m.sock\0".utf8))
            + attribute(1, bytes(55 as UInt32) + bytes(1 as UInt32)) + attribute(2, bytes(901 as UInt32))
            + attribute(4, bytes(3 as UInt32) + bytes(0 as UInt32)) + attribute(7, bytes(33 as UInt32))
        let messages = SocketMessages.messages(in: message(20, body) + message(3, bytes(0 as UInt32)))
        try #require(messages.count == 2)
        guard case .socket(let first) = messages[0], case .done = messages[1] else {
            Issue.record("\(messages)")
            return
        }
        #expect(
            SocketMessages.unixSocket(first)
                == UnixSocket(
                    inode: 900,
                    isListening: false,
                    path: "/run/m.sock",
                    file: 55,
                    peer: 901,
                    user: 33,
                    hasPending: true
                )
        )
    }

    @Test func `a TCP socket comes with its silence, the shorter of sent and received`() throws {
        let port: (Int) -> [UInt8] = { [UInt8($0 >> 8), UInt8($0 & 255)] }
        let address: [UInt8] = [127, 0, 0, 1] + [UInt8](repeating: 0, count: 12)
        var information = [UInt8](repeating: 0, count: 104)
        information.replaceSubrange(44..<48, with: bytes(9_000 as UInt32))
        information.replaceSubrange(52..<56, with: bytes(7_500 as UInt32))
        var body: [UInt8] = [2, 1, 0, 0]
        body += port(41_804) + port(3306) + address + address + [UInt8](repeating: 0, count: 12)
        body += bytes(0 as UInt32) + bytes(0 as UInt32) + bytes(0 as UInt32) + bytes(33 as UInt32) + bytes(77 as UInt32)
        body += attribute(2, information)
        guard case .socket(let first)? = SocketMessages.messages(in: message(20, body)).first else {
            Issue.record("no message")
            return
        }
        let socket = try #require(SocketMessages.tcpSocket(first))
        #expect(socket.local.description == "127.0.0.1:41804")
        #expect(socket.remote.port == 3306)
        #expect(socket.user == 33)
        #expect(socket.inode == 77)
        #expect(socket.silence == .milliseconds(7_500))
        #expect(!socket.hasPending)
    }

    @Test func `a refusal has the kernel's number, and half a message is none`() {
        let refused = SocketMessages.messages(in: message(2, bytes(-2 as Int32)))
        guard case .failed(2)? = refused.first else {
            Issue.record("\(refused)")
            return
        }
        #expect(SocketMessages.messages(in: message(20, [1, 2, 3, 4]).dropLast(2)).isEmpty)
    }
}

/// Out of all sockets and processes of a host those are picked that hold connections to the server.
@Suite struct HostViewTests {
    private func address(_ text: String) -> HostAddress { HostAddress(text) ?? HostAddress(bytes: []) }

    private func tcp(_ local: String, _ from: Int, _ remote: String, _ to: Int, inode: UInt64) -> TCPSocket {
        TCPSocket(
            state: .established,
            local: HostPort(address(local), from),
            remote: HostPort(address(remote), to),
            user: 33,
            inode: inode,
            silence: .seconds(1),
            hasPending: false
        )
    }

    private var listening: TCPSocket {
        TCPSocket(
            state: .listening,
            local: HostPort(address("0.0.0.0"), 3306),
            remote: HostPort(address("0.0.0.0"), 0),
            user: 104,
            inode: 1,
            hasPending: false
        )
    }

    @Test func `a server of this host is found under all of its addresses, over IPv4, IPv6 and the socket`() {
        let places = ServerPlaces([.socket(path: "/run/m.sock"), .tcp(host: "127.0.0.1", port: 3306)])
        let sockets = ServerSockets(
            places,
            unix: [
                UnixSocket(inode: 10, isListening: true, path: "/run/m.sock"),
                UnixSocket(inode: 11, isListening: false, path: "/run/m.sock", peer: 12),
                UnixSocket(inode: 12, isListening: false, peer: 11, user: 33),
                UnixSocket(inode: 13, isListening: false, path: "/run/other.sock", peer: 14),
                UnixSocket(inode: 14, isListening: false, peer: 13, user: 33),
            ],
            tcp: [
                listening, tcp("127.0.0.1", 40_000, "127.0.0.1", 3306, inode: 20),
                tcp("127.0.0.1", 3306, "127.0.0.1", 40_000, inode: 21),
                tcp("192.0.2.1", 40_001, "192.0.2.1", 3306, inode: 22),
                tcp("192.0.2.1", 3306, "192.0.2.1", 40_001, inode: 23), tcp("::1", 40_002, "::1", 3306, inode: 24),
                tcp("::1", 3306, "::1", 40_002, inode: 25),
                // To another server's port of that number, from another host, and to another port.
                tcp("192.0.2.1", 40_003, "198.51.100.7", 3306, inode: 26),
                tcp("192.0.2.1", 3306, "198.51.100.9", 50_000, inode: 27),
                tcp("127.0.0.1", 40_004, "127.0.0.1", 6379, inode: 28),
            ],
            isMonitored: true
        )
        #expect(Set(sockets.clients.keys) == [12, 20, 22, 24])
        #expect(sockets.elsewhere == [address("198.51.100.9"): 1])
        #expect(sockets.isListening == true)
    }

    @Test func `of a server elsewhere only the connections to its address count`() {
        let sockets = ServerSockets(
            ServerPlaces(
                [.tcp(host: "db.example.org", port: 3306)],
                resolved: ["db.example.org": [address("198.51.100.7")]]
            ),
            unix: [],
            tcp: [
                tcp("192.0.2.1", 40_003, "198.51.100.7", 3306, inode: 26),
                tcp("192.0.2.1", 40_004, "198.51.100.8", 3306, inode: 27),
            ],
            isMonitored: true
        )
        #expect(Set(sockets.clients.keys) == [26])
        #expect(sockets.isListening == nil)
    }

    private func process(_ id: Int32, user: UInt32 = 33, parent: Int32 = 1, name: String = "php", _ line: String)
        -> HostProcess
    {
        HostProcess(id: id, user: user, name: name, parent: parent, commandLine: line, age: .seconds(500))
    }

    @Test func `a second copy is one that nobody's pool has made`() {
        let processes = [
            process(10, "php worker.php"), process(11, "php worker.php"), process(12, user: 34, "php worker.php"),
            process(20, name: "gunicorn", "gunicorn app"), process(21, parent: 20, name: "gunicorn", "gunicorn app"),
            process(22, parent: 20, name: "gunicorn", "gunicorn app"), process(30, "php-fpm: pool www"),
            process(31, "php-fpm: pool www"),
        ]
        #expect(HostView.markCopies(processes).filter(\.isSecondCopy).map(\.id) == [10, 11])
    }

    private func facts(user: UInt32, socketUser: UInt32) -> HostFacts {
        var sockets = ServerSockets(ServerPlaces([]), unix: [], tcp: [], isMonitored: true)
        sockets.clients = [
            100: .init(user: socketUser, hasPending: false), 101: .init(user: socketUser, hasPending: false),
        ]
        var facts = HostFacts(sockets: sockets, user: user, ownProcesses: [50])
        facts.closed = [
            process(1, user: 0, "init"), process(2, user: 0, "[kthreadd]"), process(3, user: 0, parent: 2, "[worker]"),
            process(40, user: 0, "sshd"), process(41, "php-fpm: pool www"), process(50, "headroom"),
        ]
        return facts
    }

    @Test func `connections of processes that may not be looked into are counted, and only real suspects are named`()
        throws
    {
        let own = HostView(facts(user: 33, socketUser: 33))
        #expect(own.count == 2)
        #expect(own.hidden.map { $0.suspects.map(\.id) } == [[41]])
        #expect(own.blindSpots.contains { $0.contains("began as root") })
        // It connected as root before it became this user: nobody must be told to end the system's own processes.
        #expect(HostView(facts(user: 33, socketUser: 0)).hidden.map { $0.suspects.map(\.id) } == [[41]])
        let others = HostView(facts(user: 1000, socketUser: 33))
        #expect(others.hidden.map { $0.suspects.map(\.id) } == [[41]])
        #expect(others.blindSpots.contains { $0.contains("root only") })
        #expect(HostView(facts(user: 1000, socketUser: 0)).hidden.map(\.suspects.count) == [0])
    }

    @Test func `without the socket monitor connections over the socket are still counted, and it is said`() {
        var sockets = ServerSockets(
            ServerPlaces([.socket(path: "/run/m.sock")]),
            unix: [UnixSocket(inode: 11, isListening: false, path: "/run/m.sock")],
            tcp: [],
            isMonitored: false
        )
        sockets.isListening = true
        var facts = HostFacts(sockets: sockets, user: 0, ownProcesses: [])
        facts.monitorError = 1
        let view = HostView(facts)
        #expect(view.count == 1)
        #expect(view.blindSpots.contains { $0.contains("socket monitor") })
    }
}
