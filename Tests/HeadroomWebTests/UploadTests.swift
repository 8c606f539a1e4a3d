import Glibc
import Headroom
import HeadroomJobs
import HeadroomSandbox
import MeterImport
import TestSupport
import Testing

@testable import HeadroomWeb

/// Uploads have a limit together, and go when nothing needs them any more.
@Suite(.sandbox()) struct UploadTests {
    private let folder = TemporaryFolder()
    private static let token = "0123456789abcdef0123456789abcdef"

    @Test func `there is room for what is stored, what has come and what was announced, and for no more`() {
        var room = UploadRoom(most: 100, mostAtOnce: 2)
        room.stored = 40
        var answers = [room.begin("a", declared: 50), !room.isOver]
        answers += [room.begin("b", declared: 11), room.isOver, !room.begin("c", declared: 0)]
        room.end("b", kept: 0)
        answers += [!room.isOver, room.grow("a", to: 60), !room.grow("a", to: 61)]
        room.end("a", kept: 60)
        answers += [room.stored == 100, !room.isOver]
        #expect(!answers.contains(false), "\(answers)")
        for declared in [Int.max, Int.min] {
            var room = UploadRoom(most: 100, mostAtOnce: 3)
            room.stored = 1
            let haveBegun = [room.begin("x", declared: declared), room.begin("y", declared: declared)]
            #expect(haveBegun == [true, true] && room.isOver == (declared > 0))
            room.end("x", kept: .max)
            room.end("y", kept: .max)
            #expect(room.isOver)
        }
    }

    /// The built program, in a folder of the test's, with 5 MB for all uploads.
    private func serve(
        _ name: String,
        folder uploads: String?,
        environment more: [String: String] = [:],
        sockets: [String] = ["web.sock"],
        _ body: (String, JobQueue) async throws -> Void
    ) async throws {
        let database = try await SuiteServer.newDatabase(name)
        _ = try await Migration(MeterSchema.tables + JobsSchema.tables).run(on: database)
        let environment = try SuiteServer.sandbox.environment.merging(
            [
                "DB_USERNAME": "app", "DB_PASSWORD": "sandbox", "DB_DATABASE": name, "HEADROOM_WEB_TOKEN": Self.token,
                "PATH": "/usr/bin:/bin",
            ]
        ) { $1 }
        let sockets = sockets.map { "\(folder.path)/\($0)" }
        let servers = try sockets.map { socket in
            try HeadroomProcess(
                ["serve", "--socket-path", socket, "--max-upload", "3", "--upload-total", "5"]
                    + (uploads.map { ["--upload-folder", $0] } ?? []),
                environment: environment.merging(more) { $1 },
                output: "\(socket).log"
            )
        }
        defer { for server in servers { server.signal(SIGKILL) } }
        for socket in sockets {
            #expect(try await eventually { access(socket, F_OK) == 0 })
            #expect(try await eventually { try await curl(socket, ["http://x/healthz"]).hasSuffix(" 200") })
        }
        try await body(sockets[0], JobQueue(database))
        for server in servers {
            server.signal(SIGTERM)
            #expect(try await server.ended() == 0)
        }
    }

    private func serve(_ name: String, _ body: (String, JobQueue) async throws -> Void) async throws {
        try await serve(name, folder: uploads, body)
    }

    private var uploads: String { "\(folder.path)/uploads" }

    private func curl(_ socket: String, _ arguments: [String]) async throws -> String {
        try await HeadroomProgram.run(
            "/usr/bin/curl",
            [
                "-s", "-m", "30", "--unix-socket", socket, "-H", "Authorization: Bearer \(Self.token)", "-w",
                " %{http_code}",
            ]
                + arguments
        )
        .output
    }

    private func upload(_ socket: String, _ file: String, _ more: [String] = []) async throws -> String {
        try await curl(socket, more + ["--data-binary", "@\(file)", "http://x/api/v1/jobs?type=daily"])
    }

    private func files() throws -> [String] {
        let list = try #require(opendir(uploads))
        defer { closedir(list) }
        var names: [String] = []
        while let entry = readdir(list) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// A file of so many bytes, about.
    private func file(_ name: String, bytes: Int) -> String {
        let rows = (0..<(bytes / 20)).map { "M\(100_000 + $0 / 28),2024-01-\(10 + $0 % 18),1\n" }
        return folder.write("mpan,date,value\n" + rows.joined(), to: name)
    }

    @Test func `all together have a limit, whether or not a request says how long it is`() async throws {
        let (large, tooLarge) = (file("two.csv", bytes: 2_000_000), file("four.csv", bytes: 4_200_000))
        try await serve("upload_limit") { socket, queue in
            for more in [[], ["-H", "Transfer-Encoding: chunked"]] {
                let said = try await upload(socket, tooLarge, more)
                #expect(said.contains("larger than 3 MB") && said.hasSuffix(" 413"), "\(said)")
            }
            for _ in 0..<2 { #expect(try await upload(socket, large).hasSuffix(" 201")) }
            for more in [[], ["-H", "Transfer-Encoding: chunked"]] {
                let said = try await upload(socket, large, more)
                #expect(said.contains("leave no room") && said.hasSuffix(" 507"), "\(said)")
            }
            let form = try await curl(socket, ["-F", "type=daily", "-F", "file=@\(large)", "http://x/imports"])
            #expect(form.contains("leave no room") && form.hasSuffix(" 507"))
            #expect(try files().count == 2)
            // What only a completed job names makes room.
            try await queue.database.withConnection { connection in
                _ = try await connection.query("UPDATE import_jobs SET status = 'completed' WHERE id = 1")
            }
            #expect(try await upload(socket, large).hasSuffix(" 201"))
            #expect(try files().count == 2)
            // And what no job names any more goes at once.
            try await queue.database.withConnection { _ = try await $0.query("DELETE FROM import_jobs") }
            #expect(try await upload(socket, file("small.csv", bytes: 2_000)).hasSuffix(" 201"))
            #expect(try files().count == 1)
        }
    }

    @Test(arguments: [[], ["-H", "Transfer-Encoding: chunked"]])
    func `two dashboards on one folder have one limit`(more: [String]) async throws {
        // Four are too many, and each is counted once on its way, when all together have 4 MB.
        let large = file("two.csv", bytes: 1_500_000)
        try await serve(more.isEmpty ? "upload_said" : "upload_chunked", folder: uploads, sockets: ["a", "b"]) {
            (_, _) async throws in
            let ends = try await withThrowingTaskGroup { group in
                for socket in ["a", "b", "a", "b"] {
                    group.addTask {
                        try await upload("\(folder.path)/\(socket)", large, more + ["--limit-rate", "1M"])
                    }
                }
                return try await group.reduce(into: []) { $0.append(String($1.suffix(4))) }
            }
            let kept = try files()
            #expect(kept.count <= 3 && kept.count == ends.count { $0 == " 201" }, "\(ends) \(kept)")
            #expect(ends.allSatisfy { $0 == " 201" || $0 == " 507" }, "\(ends)")
        }
    }

    @Test func `what another dashboard writes is seen while a file still comes, and at its end`() async throws {
        var options = WebOptions()
        options.mostUploadTotal = 3 << 20
        let queue = JobQueue(try await SuiteServer.newDatabase("upload_beside"))
        let (one, other) = (UploadFolder(uploads, options, queue), UploadFolder(uploads, options, queue))
        let (first, second) = (try await one.newFile(declared: nil), try await other.newFile(declared: nil))
        try await first.begin()
        try await second.begin()
        let bytes = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<2 { try await first.write(bytes) }
        try await second.write(Array(bytes.dropLast()))
        // Too little for the first to be counted again.
        try await first.write([0, 0])
        await #expect(throws: WebError.self) { try await second.write(bytes) }
        await #expect(throws: WebError.self) { try await second.complete() }
    }

    @Test func `a file is held while it is asked for its job, which another dashboard may be about to queue`()
        async throws
    {
        try await serve("upload_held") { socket, queue in
            mkdir(uploads, 0o750)
            let left = "\(uploads)/\(String(repeating: "a", count: 32)).csv"
            folder.write("x", to: "uploads/\(String(repeating: "a", count: 32)).csv")
            let file = open(left, O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            let small = self.file("small.csv", bytes: 2_000)
            try await queue.database.withConnection { connection in
                _ = try await connection.query("LOCK TABLES import_jobs WRITE")
                async let said = upload(socket, small)
                let isHeld = try await eventually {
                    guard flock(file, LOCK_EX | LOCK_NB) == 0 else { return true }
                    flock(file, LOCK_UN)
                    return false
                }
                #expect(isHeld)
                _ = try await connection.query("UNLOCK TABLES")
                #expect(try await said.hasSuffix(" 201"))
            }
            #expect(access(left, F_OK) != 0)
        }
    }

    @Test func `a file stays when its job is there though the server's answer was an error`() async throws {
        try await serve("upload_lost") { socket, queue in
            // Not undone by the error, as an answer that is lost undoes nothing.
            try await queue.database.withConnection { connection in
                _ = try await connection.query("ALTER TABLE import_jobs ENGINE = MyISAM")
                _ = try await connection.query(
                    "CREATE TRIGGER lost AFTER INSERT ON import_jobs FOR EACH ROW SIGNAL SQLSTATE '45000'"
                )
            }
            let said = try await upload(socket, file("small.csv", bytes: 2_000))
            #expect(!said.hasSuffix(" 201"), "\(said)")
            let paths = try await queue.list().map(\.path)
            #expect(paths.count == 1)
            for path in paths { #expect(access(path, F_OK) == 0) }
        }
    }

    @Test func `a half-sent upload is gone with its client, and one of a crash at the next start; others' files stay`()
        async throws
    {
        mkdir(uploads, 0o700)
        let stale = String(repeating: "a", count: 32)
        for name in ["\(stale).part", "foreign.csv", "notes.txt", "other.part"] {
            folder.write("x", to: "uploads/\(name)")
        }
        try await serve("upload_half") { socket, queue in
            #expect(try files() == ["foreign.csv", "notes.txt", "other.part"])
            var clients: [Int32] = []
            for _ in 0..<5 { clients.append(try connect(socket)) }
            defer { for client in clients { close(client) } }
            // No more than four at once.
            #expect(try await eventually { try files().count { $0.hasSuffix(".part") } == 5 })
            let said = try await upload(socket, file("small.csv", bytes: 2_000))
            #expect(said.contains("Other files are being uploaded") && said.hasSuffix(" 503"), "\(said)")
            for client in clients { shutdown(client, Int32(SHUT_RDWR)) }
            #expect(try await eventually { try files() == ["foreign.csv", "notes.txt", "other.part"] })
            #expect(try await upload(socket, file("small.csv", bytes: 2_000)).hasSuffix(" 201"))
            #expect(try files().count == 4)
        }
    }

    // MARK: Root in the folders of others

    private static let user: uid_t = 54_321
    private static let isRoot = geteuid() == 0

    private func home() -> String {
        let home = "\(folder.path)/home"
        mkdir(home, 0o755)
        chown(home, Self.user, Self.user)
        return home
    }

    @Test(.enabled(if: isRoot, "only root can be led elsewhere by a user"), arguments: ["link", "link/deep"])
    func `root neither deletes nor writes where a user's link leads`(below: String) async throws {
        let (home, target) = (home(), "\(folder.path)/target")
        let (stale, old) = (String(repeating: "a", count: 32), String(repeating: "b", count: 32))
        for path in [target, "\(target)/deep"] {
            mkdir(path, 0o755)
            for name in ["\(stale).part", "\(old).csv"] {
                folder.write("x", to: "\(path.dropFirst(folder.path.count + 1))/\(name)")
            }
        }
        symlink(target, "\(home)/link")
        let before = try SourceFiles.below(target, ending: "").sorted()
        #expect(before.count == 4)
        let database = "upload_led_\(below.utf8.count)"
        try await serve(database, folder: "\(home)/\(below)") { socket, queue in
            let said = try await upload(socket, file("small.csv", bytes: 2_000))
            #expect(said.contains("link") && said.hasSuffix(" 507"), "\(said)")
            // Nor does the deletion of a job's file go there.
            let path = "\(target)\(below.dropFirst(4))/\(old).csv"
            _ = try await queue.add(NewJob(filename: "x", path: path, type: "daily"), batchID: "b")
            #expect(try await curl(socket, ["-X", "DELETE", "http://x/api/v1/jobs/1"]).hasSuffix(" 204"))
        }
        #expect(try SourceFiles.below(target, ending: "").sorted() == before)
    }

    @Test(.enabled(if: isRoot, "only root can work in another user's folder"), arguments: [nil, "uploads"])
    func `what root's dashboard makes in a user's folder is the user's`(named: String?) async throws {
        let home = home()
        let database = "upload_given_\(named ?? "state")"
        try await serve(
            database,
            folder: named.map { "\(home)/\($0)/" },
            environment: ["HEADROOM_STATE_DIR": home]
        ) { socket, _ in
            let said = try await upload(socket, file("small.csv", bytes: 2_000))
            #expect(said.hasSuffix(" 201"), "\(said)")
        }
        #expect(try SourceFiles.below(home, ending: ".csv").count == 1)
        let others = try await HeadroomProgram.run("/usr/bin/find", [home, "!", "-uid", "\(Self.user)"])
        #expect(others.status == 0 && others.output.isEmpty, "\(others.output)")
    }

    /// A client that sends the beginning of a file and no more.
    private func connect(_ socket: String) throws -> Int32 {
        let client = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(socket.utf8)) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        let text =
            "POST /api/v1/jobs?type=daily HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(Self.token)\r\n"
            + "Content-Length: 100000\r\n\r\nmpan,date,value\n"
        _ = Array(text.utf8).withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
        return client
    }

    @Test func `an upload goes when its job is deleted, and no other file does`() async throws {
        folder.write("mpan,date,value,SECRET\n", to: "secret.csv")
        try await serve("upload_deed") { socket, queue in
            #expect(try await upload(socket, file("small.csv", bytes: 2_000)).hasSuffix(" 201"))
            let path = try #require(try await queue.job(1)).path
            // Another job names the upload; one names a file elsewhere, and one a link to it.
            symlink("\(folder.path)/secret.csv", "\(uploads)/link.csv")
            let named = [path, "\(folder.path)/secret.csv", "\(uploads)/link.csv", "\(uploads)/../secret.csv"]
            for (index, path) in named.enumerated() {
                _ = try await queue.add(NewJob(filename: "x", path: path, type: "daily"), batchID: "b\(index)")
            }
            #expect(try await curl(socket, ["-X", "DELETE", "http://x/api/v1/jobs/1"]).hasSuffix(" 204"))
            #expect(access(path, F_OK) == 0)
            for id in 3...5 {
                let rejects = try await curl(socket, ["http://x/imports/\(id)/rejects.csv"])
                #expect(!rejects.contains("SECRET") && rejects.hasSuffix(" 422"), "\(rejects)")
                #expect(try await curl(socket, ["-X", "DELETE", "http://x/api/v1/jobs/\(id)"]).hasSuffix(" 204"))
            }
            #expect(access("\(folder.path)/secret.csv", F_OK) == 0)
            #expect(try await curl(socket, ["-X", "DELETE", "http://x/api/v1/jobs/2"]).hasSuffix(" 204"))
            #expect(access(path, F_OK) != 0)
            for id in ["-1", "0", "4294967296", "99999999999999999999", "x", "1%00"] {
                #expect(
                    try await curl(socket, ["-o", "/dev/null", "http://x/imports/\(id)"]).hasSuffix(" 404"),
                    "\(id)"
                )
                #expect(
                    try await curl(socket, ["-o", "/dev/null", "http://x/api/v1/jobs/\(id)"]).hasSuffix(" 400"),
                    "\(id)"
                )
            }
        }
    }
}
