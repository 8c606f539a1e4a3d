import Glibc
import Headroom
import TestSupport
import Testing

/// The folder that the program is started in is not trusted, least of all by root.
@Suite(.enabled(if: geteuid() == 0, "only root can make a file of another user's"))
struct FoundEnvFileTests {
    private let folder = TemporaryFolder()
    private let secret = "hush-7f3a"

    /// Plants a `.env` as another user, in a folder of that user's.
    private func plant(_ text: String, user: UInt32 = 4_321) {
        chown(folder.write(text, to: ".env"), user, user)
        chown(folder.path, user, user)
    }

    private func run(_ arguments: [String], _ environment: [String: String] = [:]) async throws
        -> HeadroomProgram.Output
    {
        try await HeadroomProgram.run(
            arguments,
            environment: ["HOME": "/nonexistent", "HEADROOM_STATE_DIR": "\(folder.path)/state"]
                .merging(environment) { $1 },
            in: folder.path
        )
    }

    private static var pathsAndCommands: [Setting] {
        Setting.all.filter { if case .pathOrCommand = $0.trust { true } else { false } }
    }

    @Test func `a command that somebody planted is not run, and is run where its file is named`() async throws {
        let marker = "\(folder.path)/marker"
        plant("DB_SOCKET=/nowhere.sock\nDB_USERNAME=u\nHEADROOM_ALERT_COMMAND=touch \(marker)\n")
        // It speaks at the second look that fails.
        var found = try await run(["guard", "--once"])
        found = try await run(["guard", "--once"])
        #expect(access(marker, F_OK) != 0, "\(found.errors)")
        #expect(found.errors.contains("HEADROOM_ALERT_COMMAND in line 3 of .env is passed over: the shell runs it"))
        #expect(found.errors.contains("--env-file .env"))
        // The test would see it.
        let other = ["HEADROOM_STATE_DIR": "\(folder.path)/other-state"]
        var named = try await run(["guard", "--once", "--env-file", ".env"], other)
        named = try await run(["guard", "--once", "--env-file", ".env"], other)
        #expect(access(marker, F_OK) == 0, "\(named.errors)")
    }

    @Test(arguments: [4_321, 0] as [UInt32])
    func `no path or command counts, each is told, and no secret is shown`(user: UInt32) async throws {
        let settings = Self.pathsAndCommands
        let shadow = folder.write("\(secret)\n", to: "shadow")
        let files = Setting.all.compactMap(\.fileName)
            .filter { !["HEADROOM_WEBHOOK_FILE", "HEADROOM_WEB_TOKEN_FILE"].contains($0) }
        let text =
            settings.map { "\($0.name)=/\(secret)\n" }.joined() + files.map { "\($0)=\(shadow)\n" }.joined()
            + "HEADROOM_BUDGET=3\n"
        plant(text, user: user)
        let shown = try await HeadroomProgram.run(
            ["config", "show"],
            environment: ["HOME": "/nonexistent", "HEADROOM_CACHE": ""],
            in: folder.path
        )
        for name in settings.map(\.name) + files {
            #expect(shown.errors.contains("\(name) in line"), "\(name): \(shown.errors)")
            #expect(shown.output.contains("\(name) in line"), "\(name): \(shown.output)")
        }
        #expect(!(shown.output + shown.errors).contains(secret))
        #expect(shown.output.contains("3  ") && shown.output.contains("of .env\n"), "\(shown.output)")
        let doctor = try await run(["doctor"])
        #expect(doctor.output.contains("HEADROOM_ALERT_COMMAND in line"), "\(doctor.output)")
        #expect(!(doctor.output + doctor.errors).contains(secret))
    }

    @Test func `a login of a named file is not sent to the host of a file that was found`() async throws {
        let listener = try Listener()
        plant("DB_HOST=127.0.0.9\nDB_PORT=\(listener.port)\nHEADROOM_CONNECT_TIMEOUT=500ms\n")
        folder.write("[client]\nuser=root\npassword=\(secret)\n", to: "my.cnf")
        for (arguments, environment) in [
            (["status", "--defaults-file", "my.cnf"], [:]),
            (["status"], ["DB_USERNAME": "root", "DB_PASSWORD": secret]),
            (["rescue"], ["DB_USERNAME": "root", "DB_PASSWORD": secret]),
            (["status"], ["HOME": folder.path, "CREDENTIALS_DIRECTORY": folder.path, "DB_USERNAME": "root"]),
        ] {
            folder.write(secret, to: "db_password")
            let found = try await run(arguments, environment)
            #expect(!listener.wasCalled, "\(arguments) \(environment) \(found.errors)")
            #expect(found.errors.contains("DB_HOST in line 1 of .env is passed over"), "\(found.errors)")
            #expect(found.errors.contains("belongs to user 4321"), "\(found.errors)")
            #expect(!(found.output + found.errors).contains(secret))
        }
        // The words of MySQL's images do not count beside a host; so nobody logs in.
        _ = try await run(["status"], ["MYSQL_USER": "root", "MYSQL_PASSWORD": secret])
        #expect(!listener.wasCalled)
        // The listener would have seen it.
        _ = try await run(["status", "--defaults-file", "my.cnf", "--env-file", ".env"])
        #expect(listener.wasCalled)
    }

    @Test func `the folders above the working folder count too: who has one of them can put another .env there`()
        async throws
    {
        let listener = try Listener()
        let shared = TemporaryFolder()
        // What is another user's in a folder that all may write to, with a site of root's in it.
        let site = "\(shared.path)/theirs/site"
        for path in ["\(shared.path)/theirs", site] { mkdir(path, 0o755) }
        shared.write(
            "DB_HOST=127.0.0.9\nDB_PORT=\(listener.port)\nHEADROOM_CONNECT_TIMEOUT=500ms\n",
            to: "theirs/site/.env"
        )
        chown("\(shared.path)/theirs", 4_321, 4_321)
        let login = [
            "HOME": "/nonexistent", "HEADROOM_STATE_DIR": folder.path, "DB_USERNAME": "u", "DB_PASSWORD": secret,
        ]
        chmod(shared.path, 0o777)
        let found = try await HeadroomProgram.run(["status"], environment: login, in: site)
        #expect(!listener.wasCalled, "\(found.errors)")
        #expect(found.errors.contains("theirs, on the way to it, belongs to user 4321"), "\(found.errors)")
        // A user's own home, as root works there.
        chmod(shared.path, 0o755)
        let home = try await HeadroomProgram.run(["status"], environment: login, in: site)
        #expect(listener.wasCalled, "\(home.errors)")
        #expect(!home.errors.contains("passed over"), "\(home.errors)")
    }

    @Test func `a file's server does not get the password of the option file at home`() async throws {
        let listener = try Listener()
        let home = TemporaryFolder()
        home.write("[client]\nuser=root\npassword=\(secret)\n", to: ".my.cnf")
        // Also where the .env is the user's own.
        for user in [4_321, 0] as [UInt32] {
            plant("MYSQL_HOST=127.0.0.9\nMYSQL_TCP_PORT=\(listener.port)\n", user: user)
            let run = try await run(["status"], ["HOME": home.path])
            #expect(!listener.wasCalled, "\(run.errors)")
            #expect(run.errors.contains("No setting says who logs in"), "\(run.errors)")
        }
    }

    @Test func `what is passed over is told also where nothing can be done without it`() async throws {
        plant("DATABASE_URL_FILE=/etc/shadow\n")
        let run = try await run(["status"])
        #expect(run.errors.contains("DATABASE_URL_FILE in line 1 of .env is passed over"), "\(run.errors)")
        #expect(run.errors.contains("No setting says which database to use"), "\(run.errors)")
    }

    @Test func `a second account's password is not sent to the server of a site`() async throws {
        let listener = try Listener()
        plant(
            "DB_HOST=127.0.0.9\nDB_PORT=\(listener.port)\nDB_USERNAME=u\nDB_PASSWORD=p\nHEADROOM_CONNECT_TIMEOUT=500ms\n"
        )
        let run = try await run(
            ["config", "show"],
            ["HEADROOM_ADMIN_USERNAME": "root", "HEADROOM_ADMIN_PASSWORD": secret]
        )
        #expect(run.errors.contains("The second account is not used"), "\(run.errors)")
    }

    @Test(
        arguments: [(33, 33, 0o640, 0o755), (33, 33, 0o664, 0o775), (65_534, 65_534, 0o644, 0o777)]
            as [(UInt32, UInt32, UInt32, UInt32)]
    )
    func `a site's whole settings work for root and for the site's user, without a word`(
        owner: UInt32,
        group: UInt32,
        mode: UInt32,
        folderMode: UInt32
    ) async throws {
        let listener = try Listener()
        let text =
            "DB_HOST=127.0.0.9\nDB_PORT=\(listener.port)\nDB_DATABASE=d\nDB_USERNAME=u\nDB_PASSWORD=p\n"
            + "HEADROOM_CONNECT_TIMEOUT=500ms\nHEADROOM_BUDGET=3\n"
        chown(folder.write(text, to: ".env", mode: mode), owner, group)
        chown(folder.path, owner, group)
        chmod(folder.path, folderMode)
        let root = try await HeadroomProgram.run(["config", "show"], in: folder.path)
        #expect(root.output.contains("127.0.0.9"))
        #expect(root.status == 0)
        #expect(!root.errors.contains("passed over"), "\(root.errors)")
        let command = HeadroomProgram.asUser(Int(owner)) + [HeadroomProgram.path, "status"]
        let user = try await HeadroomProgram.run(
            command[0],
            Array(command.dropFirst()),
            environment: ["HOME": folder.path],
            in: folder.path
        )
        #expect(listener.wasCalled, "\(user.errors)")
        #expect(!user.errors.contains("passed over"), "\(user.errors)")
    }

    @Test func `a site's file beside its pool's password works for the site's own user`() async throws {
        let listener = try Listener()
        let text = "DB_HOST=127.0.0.9\nDB_PORT=\(listener.port)\nDB_USERNAME=u\nHEADROOM_CONNECT_TIMEOUT=500ms\n"
        plant(text, user: 33)
        let command = HeadroomProgram.asUser(33) + [HeadroomProgram.path, "status"]
        let environment = ["HOME": folder.path, "DB_PASSWORD": "p"]
        let user = try await HeadroomProgram.run(
            command[0],
            Array(command.dropFirst()),
            environment: environment,
            in: folder.path
        )
        #expect(listener.wasCalled, "\(user.errors)")
        #expect(!user.errors.contains("passed over"), "\(user.errors)")
    }

    @Test func `a FIFO or a device as .env ends with words, and does not hang`() async throws {
        #expect(mkfifo("\(folder.path)/.env", 0o666) == 0)
        let fifo = try await run(["status"])
        #expect(fifo.errors.contains(".env cannot be read: it is no regular file"), "\(fifo.errors)")
        unlink("\(folder.path)/.env")
        #expect(symlink("/dev/zero", "\(folder.path)/.env") == 0)
        let device = try await run(["rescue"])
        #expect(device.errors.contains(".env cannot be read: it is no regular file"), "\(device.errors)")
    }
}

/// A place that waits for somebody to call, and says nothing.
private final class Listener: Sendable {
    let port: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.9")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 100) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isListening)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit {
        close(descriptor)
    }

    /// Whether somebody has called.
    var wasCalled: Bool {
        var place = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&place, 1, 0) == 1
    }
}
