import Glibc
import TestSupport
import Testing

@testable import Headroom

/// What an attacker on the network gets in each mode: the table of `docs/security.md`.
@Suite struct AttackerTests {
    /// What somebody gets, from nothing to all.
    enum Loot: String, Comparable {
        case nothing
        case data = "the data"
        case scramble = "a scramble"
        case password = "the password"

        static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
        private var rank: Int { [.nothing, .data, .scramble, .password].firstIndex(of: self) ?? 0 }
    }

    /// A row of the table: how the client is set, and what the honest server is like.
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var mode: TLS.Mode
        var isPinned = false
        var serverHasTLS: Bool
        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "`disabled`", mode: .disabled, serverHasTLS: true),
        Row(name: "`preferred`, server without TLS", mode: .preferred, serverHasTLS: false),
        Row(name: "`preferred`, server with TLS", mode: .preferred, serverHasTLS: true),
        Row(name: "`required`", mode: .required, serverHasTLS: true),
        Row(name: "`verify_ca`", mode: .verifyCA, serverHasTLS: true),
        Row(name: "`verify_identity`", mode: .verifyIdentity, serverHasTLS: true),
        Row(name: "any, with `HEADROOM_TLS_PIN`", mode: .preferred, isPinned: true, serverHasTLS: true),
    ]

    static let password = "bare-password-of-the-tests"
    private static let user = "user-of-the-tests"

    private func settings(_ row: Row, _ port: Int, _ folder: TemporaryFolder) -> DatabaseSettings {
        var settings = DatabaseSettings(
            endpoint: .tcp(host: "127.0.0.1", port: port),
            username: Self.user,
            password: Self.password,
            connectTimeout: .seconds(20),
            closeTimeout: .seconds(2),
            tls: TLS(mode: row.mode)
        )
        if row.isPinned { settings.tls.pins = [HostileServer.Identity.honest.fingerprint] }
        settings.stateFolder = folder.path
        return settings
    }

    /// Logs in, and leaves.
    private func login(_ settings: DatabaseSettings) async throws {
        let client = try await Connector(settings).connect(limits: Limits())
        client.free()
        _ = await client.socket?.end(by: .now + .seconds(5))
    }

    /// Every way in which an attacker may ask.
    private static let attacks: [HostileServer.Script] = HostileServer.Login.allCases.flatMap { login in
        [false, true]
            .flatMap { offersTLS in
                [false, true]
                    .map { asksAtOnce in
                        HostileServer.Script(
                            identity: .attacker,
                            offersTLS: offersTLS,
                            login: login,
                            asksAtOnce: asksAtOnce
                        )
                    }
            }
    }

    private func loot(_ server: HostileServer) -> Loot {
        let received = server.received
        if received.contains(Array(Self.password.utf8)) { return .password }
        return received.contains(Array(Self.user.utf8)) ? .scramble : .nothing
    }

    /// The most that any attack gets from a client that remembers so much of the place.
    private func most(_ row: Row, remembering remembered: ServerKeys? = nil) async throws -> Loot {
        var most = Loot.nothing
        for attack in Self.attacks {
            let server = try HostileServer(attack)
            let folder = TemporaryFolder()
            let settings = settings(row, server.port, folder)
            if let remembered {
                try ServerKeyFile(folder.path)
                    .update { keys in
                        for entry in remembered.entries {
                            keys.remember(entry.fact, of: "127.0.0.1:\(server.port)", on: entry.day)
                        }
                    }
            }
            try? await login(settings)
            most = max(most, loot(server))
        }
        return most
    }

    /// The rows of the page.
    private func table() throws -> [String: [String]] {
        let page = try SourceFiles.text("docs/security.md")
        var rows: [String: [String]] = [:]
        for line in page.split(separator: "\n") where line.hasPrefix("| ") {
            let cells = line.split(separator: "|").map { String($0).trimmed }
            rows[cells[0]] = Array(cells.dropFirst())
        }
        return rows
    }

    @Test(arguments: rows)
    func `the table says what an attacker gets`(row: Row) async throws {
        let cells = try #require(try table()[row.name], "docs/security.md has no row for \(row.name)")
        // Somebody who only listens, to a server that the client accepts: what crosses the wire as it is.
        let honest = try HostileServer(HostileServer.Script(offersTLS: row.serverHasTLS, login: .cachedSHA2))
        let folder = TemporaryFolder()
        try? await login(settings(row, honest.port, folder))
        let heard: Loot = honest.sent.contains(Array(Self.user.utf8)) ? .data : .nothing
        #expect(!honest.sent.contains(Array(Self.password.utf8)))
        #expect(cells[0] == (heard == .data ? "the data, a scramble" : "nothing"), "who listens")

        #expect(try await most(row).rawValue == cells[1], "first contact")

        // After every kind of honest login the client knows enough.
        for method in [HostileServer.Login.native, .fullSHA2] {
            let honest = try HostileServer(HostileServer.Script(offersTLS: row.serverHasTLS, login: method))
            let folder = TemporaryFolder()
            try? await login(settings(row, honest.port, folder))
            let remembered = try ServerKeyFile(folder.path).read()
            #expect(try await most(row, remembering: remembered).rawValue == cells[2], "later, after \(method)")
        }
    }
}

/// Full authentication is for a server that is known.
@Suite struct KnownServerTests {
    private func settings(_ port: Int, _ folder: String, _ mode: TLS.Mode = .preferred) -> DatabaseSettings {
        var settings = DatabaseSettings(
            endpoint: .tcp(host: "127.0.0.1", port: port),
            username: "app",
            password: AttackerTests.password,
            connectTimeout: .seconds(20),
            tls: TLS(mode: mode)
        )
        settings.stateFolder = folder
        return settings
    }

    private func login(_ settings: DatabaseSettings) async throws {
        let client = try await Connector(settings).connect(limits: Limits())
        client.free()
    }

    private func memory(_ folder: TemporaryFolder) throws -> [ServerKeys.Entry] {
        try ServerKeyFile(folder.path).read().entries
    }

    @Test(arguments: [true, false])
    func `a server is remembered at its first login, and let in again with the same key`(offersTLS: Bool) async throws {
        let folder = TemporaryFolder()
        let server = try HostileServer(HostileServer.Script(offersTLS: offersTLS, login: .fullSHA2))
        for _ in 0..<3 { try await login(settings(server.port, folder.path)) }
        let entry = try #require(try memory(folder).first)
        #expect(try memory(folder).count == 1)
        #expect(entry.place == "127.0.0.1:\(server.port)")
        #expect(
            entry.key == ServerKey(offersTLS ? .tls : .rsa, fingerprint: HostileServer.Identity.honest.fingerprint)
        )
        var information = stat()
        #expect(stat(try #require(ServerKeyFile(folder.path).path), &information) == 0)
        #expect(information.st_mode & 0o777 == 0o600)
    }

    @Test(arguments: [HostileServer.Login.fullSHA2, .sha256], [true, false])
    func `the password goes through TLS, or encrypted, also where the greeting asks for it`(
        login: HostileServer.Login,
        offersTLS: Bool
    ) async throws {
        for asksAtOnce in [true, false] {
            let folder = TemporaryFolder()
            let server = try HostileServer(
                HostileServer.Script(offersTLS: offersTLS, login: login, asksAtOnce: asksAtOnce)
            )
            try await self.login(settings(server.port, folder.path))
            #expect(server.received.contains(Array(AttackerTests.password.utf8)))
            #expect(!server.sent.contains(Array(AttackerTests.password.utf8)))
            // Not named in the first packet, which was begun before there was TLS.
            #expect(!server.received.contains(Array("sha256_password".utf8)))
        }
    }

    @Test func `a login that failed is not remembered`() async throws {
        let folder = TemporaryFolder()
        // It hangs up over the unknown method.
        let server = try HostileServer(HostileServer.Script(offersTLS: true, login: .clear))
        await #expect(throws: DatabaseError.self) { try await login(settings(server.port, folder.path)) }
        #expect(try memory(folder).isEmpty)
    }

    @Test(arguments: [TLS.Mode.preferred, .required])
    func `another key is refused with words, whoever asks and however often`(mode: TLS.Mode) async throws {
        let folder = TemporaryFolder()
        let server = try HostileServer(HostileServer.Script(identity: .attacker, offersTLS: true, login: .fullSHA2))
        let place = "127.0.0.1:\(server.port)"
        let known = ServerKey(.tls, fingerprint: HostileServer.Identity.honest.fingerprint)
        try ServerKeyFile(folder.path).update { $0.remember(.key(known), of: place, on: "2026-01-02") }
        for _ in 0..<2 {
            let error = await #expect(throws: DatabaseError.self) {
                try await login(settings(server.port, folder.path, mode))
            }
            #expect(error?.code == .serverNotTrusted)
            for word in [known.fingerprint, "2026-01-02", HostileServer.Identity.attacker.fingerprint, "not sent"] {
                #expect(error?.message.contains(word) == true, "\(word)")
            }
            #expect(error?.advice.contains("headroom trust \(place)") == true)
        }
        #expect(!server.received.contains(Array(AttackerTests.password.utf8)))
        // Once it is accepted, it is let in.
        let shown = try await ServerKey.shown(by: settings(server.port, folder.path, mode))
        #expect(shown == [ServerKey(.tls, fingerprint: HostileServer.Identity.attacker.fingerprint)])
        #expect(!server.received.contains(Array(AttackerTests.password.utf8)))
        try ServerKeyFile(folder.path)
            .update { keys in for key in shown { keys.remember(.key(key), of: place, on: "2026-01-03") } }
        try await login(settings(server.port, folder.path, mode))
    }

    @Test func `a server that is told apart by its key only where it asks for the password`() async throws {
        let folder = TemporaryFolder()
        let server = try HostileServer(HostileServer.Script(identity: .attacker, offersTLS: true, login: .cachedSHA2))
        let known = ServerKey(.tls, fingerprint: HostileServer.Identity.honest.fingerprint)
        try ServerKeyFile(folder.path)
            .update { $0.remember(.key(known), of: "127.0.0.1:\(server.port)", on: "2026-01-02") }
        try await login(settings(server.port, folder.path))
    }

    @Test(arguments: [true, false])
    func `a key in a file is the only one that passwords are encrypted with`(isRight: Bool) async throws {
        let folder = TemporaryFolder()
        let server = try HostileServer(HostileServer.Script(login: .fullSHA2))
        var settings = settings(server.port, folder.path)
        settings.tls.serverPublicKey = folder.write(
            (isRight ? HostileServer.Identity.honest : .attacker).publicKey,
            to: "key.pem"
        )
        if isRight {
            try await login(settings)
        } else {
            let error = await #expect(throws: DatabaseError.self) { try await login(settings) }
            #expect(error?.code == .serverNotTrusted)
        }
        #expect(server.received.contains(Array(AttackerTests.password.utf8)) == isRight)
    }

    private static let user: uid_t = 54_321
    private static let isRoot = geteuid() == 0

    /// A folder of another user's, which is root's state folder, and a home of root's.
    private struct Folders {
        let all = TemporaryFolder()
        var theirs: String { "\(all.path)/theirs" }
        var own: String { "\(all.path)/home/.local/state/headroom/memory/server-keys-0" }

        init() {
            for name in ["theirs", "theirs/memory"] {
                mkdir("\(all.path)/\(name)", 0o755)
                chown("\(all.path)/\(name)", KnownServerTests.user, KnownServerTests.user)
            }
            mkdir("\(all.path)/home", 0o700)
        }

        /// Runs a program that logs in, as root; it fails over what the server says after that.
        func login(_ port: Int) async throws -> HeadroomProgram.Output {
            try await HeadroomProgram.run(
                ["status"],
                environment: [
                    "DB_HOST": "127.0.0.1", "DB_PORT": "\(port)", "DB_USERNAME": "app",
                    "DB_PASSWORD": AttackerTests.password, "HEADROOM_STATE_DIR": theirs, "HOME": "\(all.path)/home",
                    "XDG_STATE_HOME": "",
                ]
            )
        }
    }

    private func count(_ server: HostileServer) -> Int {
        Substring(String(decoding: server.received, as: UTF8.self)).ranges(of: AttackerTests.password).count
    }

    @Test(.enabled(if: isRoot, "only root works in another user's folder"))
    func `in another user's folder root gets in again, by a memory of its own that the other cannot plant`()
        async throws
    {
        let folders = Folders()
        let server = try HostileServer(HostileServer.Script(offersTLS: true, login: .fullSHA2))
        for _ in 0..<2 {
            let before = count(server)
            let run = try await folders.login(server.port)
            #expect(count(server) > before, "\(run)")
            #expect(!run.errors.contains("server-keys"), "\(run.errors)")
        }
        #expect(try SourceFiles.text(folders.own).contains("127.0.0.1:\(server.port) tls sha256//"))
        #expect(access("\(folders.theirs)/memory/server-keys-0", F_OK) != 0)

        // What the other user plants is not read, whoever owns it.
        let attacker = try HostileServer(HostileServer.Script(identity: .attacker, offersTLS: true, login: .fullSHA2))
        func line(_ identity: HostileServer.Identity) -> String {
            "127.0.0.1:\(attacker.port) tls \(identity.fingerprint) 2026-01-02\n"
        }
        try RegularFile.write(folders.own, line(.honest), mode: 0o600)
        let planted = folders.all.write(line(.attacker), to: "theirs/memory/server-keys-0")
        for owner in [Self.user, 0] {
            chown(planted, owner, owner)
            let run = try await folders.login(attacker.port)
            #expect(run.errors.contains("2026-01-02") || run.output.contains("2026-01-02"), "\(run)")
            #expect(count(attacker) == 0)
        }
    }

    @Test(.enabled(if: isRoot, "only root knows a folder that is root's alone"))
    func `root's memory is where root alone can write, all the way`() throws {
        let all = TemporaryFolder()
        func place(_ name: String) -> String? { ServerKeyFile("\(all.path)/\(name)").path }
        func isThere(_ name: String) -> Bool { place(name)?.hasPrefix("\(all.path)/") == true }
        #expect(isThere("") && isThere("state") && isThere("state/deep"))
        for (name, owner, mode) in [
            ("user", Self.user, 0o755), ("group", 0, 0o2770), ("open", 0, 0o777), ("sticky", 0, 0o1777),
        ] as [(String, uid_t, mode_t)] {
            let path = "\(all.path)/\(name)"
            mkdir(path, 0o700)
            mkdir("\(path)/inner", 0o700)
            chown(path, owner, Self.user)
            chmod(path, mode)
            #expect(!isThere(name), "\(name)")
            // Who may not write to it cannot move it away.
            #expect(isThere("\(name)/inner") == (name == "sticky"), "\(name)")
            #expect(!isThere("\(name)/none"), "\(name)")
        }
    }

    @Test(.enabled(if: !isRoot, "root has no use for a shared folder"))
    func `a user's memory is in a folder of the user's own, and in a shared one only where there is none`() throws {
        let all = TemporaryFolder()
        #expect(ServerKeyFile(all.path).path?.hasPrefix(all.path) == true)
        chmod(all.path, 0o2770)
        let isOwn = StateFolder("\(all.path)").ofThisUser?.path != all.path
        #expect(ServerKeyFile(all.path).path?.hasPrefix(all.path) == !isOwn)
    }

    @Test func `without a folder to write to, logins go on without memory`() async throws {
        let server = try HostileServer(HostileServer.Script(offersTLS: true, login: .fullSHA2))
        for _ in 0..<2 { try await login(settings(server.port, "/proc/nowhere")) }
    }

    @Test func `a login that may not block reads no file, and has a key judged where it may`() async throws {
        let folder = TemporaryFolder()
        let server = try HostileServer(HostileServer.Script(login: .fullSHA2))
        let settings = settings(server.port, folder.path, .disabled)
        let key = ServerKey(.rsa, fingerprint: HostileServer.Identity.honest.fingerprint)
        func needsFiles() -> Bool {
            ServerTrust(settings, readsFiles: false).needsFiles(for: key, isEncrypted: false)
        }
        #expect(needsFiles() && !ServerTrust(settings, readsFiles: true).needsFiles(for: key, isEncrypted: false))
        for count in 1...3 {
            try await login(settings)
            #expect(self.count(server) == count && !needsFiles())
        }
        #expect(try memory(folder).count == 1)
        let other = ServerKey(.rsa, fingerprint: HostileServer.Identity.attacker.fingerprint)
        #expect(ServerTrust(settings, readsFiles: false).needsFiles(for: other, isEncrypted: false))

        let attacker = try HostileServer(HostileServer.Script(identity: .attacker, login: .fullSHA2))
        let place = "127.0.0.1:\(attacker.port)"
        try ServerKeyFile(folder.path).update { $0.remember(.key(key), of: place, on: "2026-01-02") }
        let error = await #expect(throws: DatabaseError.self) {
            try await login(self.settings(attacker.port, folder.path, .disabled))
        }
        #expect(error?.message.contains("2026-01-02") == true && count(attacker) == 0)
    }

    @Test func `a memory that cannot be reached is an error that says so, and no first contact`() async throws {
        let folder = TemporaryFolder()
        let file = ServerKeyFile(folder.path)
        folder.write("", to: "memory")
        if geteuid() != 0 {
            try #require(file.path?.hasPrefix(folder.path) == true)
            unlink("\(folder.path)/memory")
            mkdir("\(folder.path)/memory", 0)
        }
        let error = #expect(throws: DatabaseError.self) { try file.read() }
        #expect(error?.message.contains("\(folder.path)/memory") == true)
        let server = try HostileServer(HostileServer.Script(identity: .attacker, offersTLS: true, login: .fullSHA2))
        await #expect(throws: DatabaseError.self) { try await login(settings(server.port, folder.path)) }
        #expect(count(server) == 0)
    }

    @Test func `what is planted in the place of the memory is no first contact`() async throws {
        let folder = TemporaryFolder()
        let file = ServerKeyFile(folder.path)
        try file.update { _ in }
        #expect(mkfifo(try #require(file.path), 0o600) == 0)
        let server = try HostileServer(HostileServer.Script(identity: .attacker, offersTLS: true, login: .fullSHA2))
        let error = await #expect(throws: DatabaseError.self) { try await login(settings(server.port, folder.path)) }
        #expect(error?.code == .serverNotTrusted)
        #expect(!server.received.contains(Array(AttackerTests.password.utf8)))
    }
}
