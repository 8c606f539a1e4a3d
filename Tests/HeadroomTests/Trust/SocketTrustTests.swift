import Glibc
import TestSupport
import Testing

@testable import Headroom

/// A unix socket is the server's only where nobody else can have put it there.
@Suite struct SocketTrustTests {
    private let folder = TemporaryFolder()

    private func step(_ path: String, _ owner: UInt32, in folder: (owner: UInt32, group: UInt32, mode: UInt32))
        -> PathStep
    {
        PathStep(
            path: path,
            entry: FileRights(owner: owner, group: owner, mode: 0o777),
            folder: FileRights(owner: folder.owner, group: folder.group, mode: folder.mode),
            isLast: true
        )
    }

    // MARK: The decision

    @Test(
        arguments: [
            // A socket of ... in a folder of ..., for user 1000.
            (105, 105, 105, 0o755, true), (105, 0, 0, 0o755, true), (0, 0, 0, 0o1777, true), (1000, 0, 0, 0o1777, true),
            (1234, 0, 0, 0o1777, false), (1234, 0, 0, 0o777, false), (1234, 0, 33, 0o1770, false),
            (1234, 0, 33, 0o775, false), (1000, 0, 33, 0o775, true), (1234, 1234, 1234, 0o775, true),
            (1234, 1234, 1234, 0o777, false), (65_534, 65_534, 65_534, 0o700, true),
        ] as [(UInt32, UInt32, UInt32, UInt32, Bool)]
    )
    func `a socket in a folder of others counts only as root's or the user's`(
        owner: UInt32,
        folderOwner: UInt32,
        group: UInt32,
        mode: UInt32,
        isTrusted: Bool
    ) {
        let last = step("s", owner, in: (folderOwner, group, mode))
        let fine = step("f", 0, in: (0, 0, 0o755))
        // The same of the folders on the way, and of links.
        for steps in [[last], [fine, last], [last, fine]] {
            let trust = SocketTrust("s", steps, user: 1000)
            #expect((trust.stranger == nil) == isTrusted)
            #expect((trust.stranger(listening: 0) == nil) == isTrusted)
            // Somebody else behind a socket that is the server's.
            #expect(trust.stranger(listening: 4321) != nil)
            #expect((trust.stranger(listening: steps[steps.count - 1].entry.owner) == nil) == isTrusted)
        }
        // Without a file, as Linux's abstract sockets.
        #expect(SocketTrust("s", [], user: 1000).stranger(listening: owner) == nil || ![0, 1000].contains(owner))
        #expect(SocketTrust("s", [], user: 1000).stranger(listening: 4321) != nil)
    }

    // MARK: Real sockets

    /// A server of the user who runs the tests, whose socket is then given away.
    private func socket(_ name: String, of owner: uid_t, in place: String, _ script: HostileServer.Script) throws
        -> HostileServer
    {
        let server = try HostileServer(script, path: "\(place)/\(name)")
        if owner != geteuid() { try #require(lchown("\(place)/\(name)", owner, owner) == 0) }
        return server
    }

    private func settings(_ path: String, _ mode: TLS.Mode = .disabled) -> DatabaseSettings {
        var settings = DatabaseSettings(
            endpoint: .socket(path: path),
            username: "app",
            password: AttackerTests.password,
            connectTimeout: .seconds(20),
            tls: TLS(mode: mode)
        )
        settings.stateFolder = folder.path
        return settings
    }

    private func login(_ settings: DatabaseSettings) async throws {
        try await Connector(settings).connect(limits: Limits()).free()
    }

    @Test(.enabled(if: geteuid() == 0), arguments: HostileServer.Login.allCases)
    func `at another user's socket in a sticky folder nothing is sent, whatever is asked for`(
        login: HostileServer.Login
    ) async throws {
        let place = "\(folder.path)/sticky"
        mkdir(place, 0o700)
        chmod(place, 0o1777)
        for mode in [TLS.Mode.disabled, .preferred, .required] {
            for asksAtOnce in [true, false] {
                let script = HostileServer.Script(offersTLS: mode != .disabled, login: login, asksAtOnce: asksAtOnce)
                let server = try socket("s\(mode)\(asksAtOnce)", of: 1234, in: place, script)
                let path = "\(place)/s\(mode)\(asksAtOnce)"
                let error = await #expect(throws: DatabaseError.self) { try await self.login(settings(path, mode)) }
                #expect(error?.code == .serverNotTrusted)
                #expect(error?.message.contains("belongs to user 1234") == true, "\(error?.message ?? "")")
                #expect(server.sent.isEmpty)
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0), arguments: [true, false])
    func `where the server's key is checked, another user's socket is as good as TCP`(isRight: Bool) async throws {
        let place = "\(folder.path)/sticky"
        mkdir(place, 0o700)
        chmod(place, 0o1777)
        let script = HostileServer.Script(identity: isRight ? .honest : .attacker, offersTLS: true, login: .clear)
        let server = try socket("s", of: 1234, in: place, script)
        var settings = settings("\(place)/s", .required)
        settings.tls.pins = [HostileServer.Identity.honest.fingerprint]
        if isRight {
            try await login(settings)
        } else {
            await #expect(throws: DatabaseError.self) { try await self.login(settings) }
        }
        #expect(server.received.contains(Array(AttackerTests.password.utf8)) == isRight)
        #expect(!server.sent.contains(Array(AttackerTests.password.utf8)))
        // Without the pin, nothing.
        let second = try socket("t", of: 1234, in: place, script)
        await #expect(throws: DatabaseError.self) { try await self.login(self.settings("\(place)/t", .disabled)) }
        #expect(second.sent.isEmpty)
    }

    @Test func `one's own socket gets what it asks for, in a sticky folder too`() async throws {
        let place = "\(folder.path)/sticky"
        mkdir(place, 0o700)
        chmod(place, 0o1777)
        let server = try socket("s", of: geteuid(), in: place, HostileServer.Script(login: .clear))
        try await login(settings("\(place)/s"))
        #expect(server.received.contains(Array(AttackerTests.password.utf8)))
    }

    @Test(.enabled(if: geteuid() == 0))
    func `localhost means no socket of another user's in a folder of others, nor one behind such a link`() throws {
        let place = "\(folder.path)/sticky"
        mkdir(place, 0o700)
        chmod(place, 0o1777)
        let server = try socket("s", of: 1234, in: place, HostileServer.Script())
        // Theirs alone, and the link to it is root's to look at.
        let theirs = "\(folder.path)/theirs"
        mkdir(theirs, 0o755)
        chown(theirs, 1234, 1234)
        let other = try socket("s", of: 1234, in: theirs, HostileServer.Script())
        symlink("\(theirs)/s", "\(place)/link")
        lchown("\(place)/link", 1234, 1234)
        for path in ["\(place)/s", "\(place)/link"] {
            #expect(FoundSettings.usualSocket(of: ["/nonexistent", path]) == "/nonexistent")
        }
        #expect(FoundSettings.usualSocket(of: ["/nonexistent", "\(place)/s", "\(theirs)/s"]) == "\(theirs)/s")
        withExtendedLifetime((server, other)) {}
    }

    @Test(.enabled(if: geteuid() == 0))
    func `who listens counts, whatever the file says`() async throws {
        let path = "\(folder.path)/s"
        chmod(folder.path, 0o777)
        // It greets nobody but by a byte, which is enough: the client looks before it reads on.
        let script = """
            use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
            listen($s, 5) or die; syswrite(STDOUT, 'x');
            accept(my $c, $s); syswrite($c, 'x'); sysread($c, my $sent, 1); print length($sent);
            """
        var output: [Int32] = [0, 0]
        try #require(pipe(&output) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        var process = pid_t()
        let words = ["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "perl", "-e", script, path]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        try #require(posix_spawnp(&process, "setpriv", &actions, nil, arguments, environ) == 0)
        defer {
            kill(process, SIGKILL)
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
        close(output[1])
        defer { close(output[0]) }
        var byte: UInt8 = 0
        try #require(read(output[0], &byte, 1) == 1)
        chmod(folder.path, 0o700)
        chown(path, 0, 0)
        let error = await #expect(throws: DatabaseError.self) { try await login(settings(path)) }
        #expect(error?.code == .serverNotTrusted)
        #expect(error?.message.contains("user 1234 listens there") == true, "\(error?.message ?? "")")
        #expect(read(output[0], &byte, 1) == 1 && byte == UInt8(ascii: "0"))
    }
}
