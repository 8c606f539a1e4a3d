import Glibc
import Headroom
import HeadroomDoor
import HeadroomSandbox
import TestSupport
import Testing

/// `headroom up` keeps what the settings name running, once, whatever becomes of it.
@Suite(.sandbox(tcp: true)) struct UpTests {
    /// A folder with settings, a door's place in it, and all processes that were started with it.
    private final class Site: Sendable {
        let folder = TemporaryFolder()
        let file: String
        let account: String
        var socket: String { "\(folder.path)/door.sock" }

        init(_ account: String, _ more: String = "", programs: String = "door,guard") throws {
            self.account = account
            let port = try #require(SuiteServer.sandbox.port)
            file = folder.write(
                """
                DB_HOST=127.0.0.1
                DB_PORT=\(port)
                DB_USERNAME=\(account)
                DB_PASSWORD=sandbox
                HEADROOM_STATE_DIR=\(folder.path)/state
                HEADROOM_DOOR_LISTEN=\(folder.path)/door.sock
                HEADROOM_UP=\(programs)
                \(more)
                """,
                to: "settings.env"
            )
        }

        func up(_ flags: String..., through command: [String] = []) throws -> HeadroomProcess {
            try HeadroomProcess(
                ["up", "--env-file", file] + flags,
                // What was refused is remembered in the home.
                environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path],
                output: "\(folder.path)/output",
                through: command
            )
        }

        func run(_ arguments: String...) async throws -> HeadroomProgram.Output {
            try await HeadroomProgram.run(arguments + ["--env-file", file], environment: ["PATH": "/usr/bin:/bin"])
        }

        /// The programs that run with these settings, by their subcommands.
        var processes: [(id: Int32, command: String)] {
            (OpenFolder.names(in: "/proc") ?? []).compactMap { Int32($0) }
                .compactMap { id in
                    guard let line = try? RegularFile.read("/proc/\(id)/cmdline", atMost: 1 << 16) else { return nil }
                    let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                    guard words.contains(file), words.count > 1 else { return nil }
                    // Behind the shell of a script.
                    return (id, words.first { ["up", "door", "guard", "work"].contains($0) } ?? words[1])
                }
        }

        func count(_ command: String) -> Int { processes.count { $0.command == command } }

        /// A client of the door that knows of no slots.
        func client() throws -> Database {
            var settings = try SuiteServer.settings(account)
            settings.endpoint = .socket(path: socket)
            settings.connectTimeout = .seconds(20)
            return Database(settings, share: .reserve)
        }

        func ask() async throws -> Int {
            try await client().withConnection { try await $0.query("SELECT CONNECTION_ID()").first(Int.self) ?? 0 }
        }

        /// Whether a connect succeeds at the first try, as PHP's must; Headroom's own are tried again.
        var isReached: Bool { DoorPlace(socket)?.isAlive == true }

        func isServing() async throws -> Bool { (try? await ask()) != nil }

        /// Ends what a failed test has left.
        func endAll() { for process in processes { kill(process.id, SIGKILL) } }
    }

    @Test func `killed at any moment it is taken over by the next start, and no client is refused`() async throws {
        let site = try Site("ten1")
        defer { site.endAll() }
        var last = try site.up("--quiet")
        #expect(try await eventually { try await site.isServing() })
        let load = Task {
            var (served, refused) = (0, [String]())
            while !Task.isCancelled {
                do {
                    if !site.isReached { refused.append("nobody listens") }
                    if try await site.ask() > 0 { served += 1 }
                } catch  where !Task.isCancelled {
                    refused.append("\(error)")
                } catch {
                    // The one that was under way at the end.
                }
            }
            return (served, refused)
        }
        var random = Seeded(28)
        for _ in 0..<20 {
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...400, using: &random)))
            last.signal(SIGKILL)
            _ = try await last.ended()
            last = try site.up("--quiet")
        }
        let isOne = try await eventually {
            ["up", "door", "guard"].allSatisfy { site.count($0) == 1 } && site.processes.count == 3
        }
        #expect(isOne, "\(site.processes)")
        load.cancel()
        let (served, refused) = await load.value
        #expect(served > 20 && refused == [])
        last.signal(SIGTERM)
        #expect(try await last.ended() == 0)
        #expect(site.processes.isEmpty)
        #expect(access(site.socket, F_OK) != 0)
    }

    @Test func `a second one ends at once`() async throws {
        let site = try Site("ten2", programs: "door")
        defer { site.endAll() }
        let first = try site.up()
        #expect(try await eventually { try await site.isServing() })
        let second = try await site.run("up")
        #expect(second.status == 0 && second.output.contains("Not needed"), "\(second)")
        let quiet = try await site.run("up", "--quiet")
        #expect(quiet.status == 0 && quiet.output + quiet.errors == "", "\(quiet)")
        let stopped = try await site.run("up", "--stop")
        #expect(stopped.status == 0 && stopped.output.contains("Ended process \(first.id)"), "\(stopped)")
        #expect(try await first.ended() == 0)
        #expect(try await eventually { site.processes.isEmpty })
        #expect(try await site.run("up", "--stop").output == "Nothing runs.\n")
    }

    @Test func `what is killed is started again, and clients wait for the door meanwhile`() async throws {
        let site = try Site("ten3")
        defer { site.endAll() }
        let up = try site.up()
        #expect(try await eventually { try await site.isServing() && site.count("guard") == 1 })
        // By SIGTERM, too: the socket's file is not the door's to take away.
        for (command, signal) in [("door", SIGKILL), ("guard", SIGKILL), ("door", SIGTERM)] {
            let old = try #require(site.processes.first { $0.command == command }).id
            kill(old, signal)
            for _ in 0..<30 {
                #expect(site.isReached)
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await eventually { site.processes.contains { $0.command == command && $0.id != old } })
            #expect(try await site.ask() > 0)
        }
        up.signal(SIGTERM)
        #expect(try await up.ended() == 0)
    }

    @Test func `without it the guard ends, and the door serves on until it is told`() async throws {
        let site = try Site("ten4")
        defer { site.endAll() }
        let up = try site.up()
        #expect(try await eventually { try await site.isServing() && site.count("guard") == 1 })
        up.signal(SIGKILL)
        _ = try await up.ended()
        #expect(try await eventually { site.processes.map(\.command) == ["door"] })
        #expect(try await site.isServing())
        #expect(try await site.run("up", "--stop").output.contains("Nothing kept the door running"))
        #expect(try await eventually { site.processes.isEmpty })
    }

    @Test func `a program that was replaced is gone on with, and one that does not run is not`() async throws {
        let site = try Site("ten5")
        defer { site.endAll() }
        func install(_ script: String) {
            let draft = site.folder.write("#!/bin/bash\n\(script)\n", to: "draft", mode: 0o755)
            rename(draft, "\(site.folder.path)/program")
        }
        // Every start is noted, by the arguments.
        func version(_ number: Int) -> String {
            "echo \"\(number) $1\" >>\(site.folder.path)/starts\nexec -a \"$0\" \(HeadroomProgram.path) \"$@\""
        }
        func starts(_ line: String) -> Int {
            let text = (try? RegularFile.read("\(site.folder.path)/starts", atMost: 1 << 20)) ?? []
            return String(decoding: text, as: UTF8.self).split(separator: "\n").count { $0 == line }
        }
        install(version(1))
        let up = try HeadroomProcess(
            [],
            environment: ["PATH": "/usr/bin:/bin"],
            output: "\(site.folder.path)/output",
            through: ["/bin/sh", "-c", "exec \(site.folder.path)/program up --env-file \(site.file)"]
        )
        #expect(try await eventually { try await site.isServing() && starts("1 guard") == 1 })
        let held = try await site.client()
            .withConnection { connection in
                install("exit 1")
                try await Task.sleep(for: .seconds(4))
                #expect(starts("1 guard") == 1)
                install(version(2))
                #expect(try await eventually { starts("2 up") == 1 && starts("2 guard") == 1 && starts("2 door") == 1 })
                // A client of the old door is served by it to its end.
                return try await connection.query("SELECT 7").first(Int.self)
            }
        #expect(held == 7)
        #expect(try await site.isServing())
        #expect(try await eventually { site.count("door") == 1 })
        up.signal(SIGTERM)
        #expect(try await up.ended() == 0)
        #expect(site.processes.isEmpty)
    }

    @Test func `other settings hold within seconds, and those that cannot be used do not`() async throws {
        let site = try Site("ten6", programs: "door")
        defer { site.endAll() }
        let up = try site.up()
        #expect(try await eventually { try await site.isServing() })
        let text = try String(decoding: RegularFile.read(site.file, atMost: 1 << 16), as: UTF8.self)
        site.folder.write(text.replacing("HEADROOM_UP=door", with: "HEADROOM_UP=dor"), to: "settings.env")
        try await Task.sleep(for: .seconds(3))
        #expect(try await site.isServing())
        site.folder.write(text.replacing("door.sock", with: "other.sock"), to: "settings.env")
        #expect(try await eventually { access("\(site.folder.path)/other.sock", F_OK) == 0 })
        #expect(try await eventually { site.count("door") == 1 && access(site.socket, F_OK) != 0 })
        // Taken away by somebody who cleans up.
        unlink("\(site.folder.path)/other.sock")
        #expect(try await eventually { access("\(site.folder.path)/other.sock", F_OK) == 0 })
        up.signal(SIGTERM)
        #expect(try await up.ended() == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
    func `before a socket, as another user than root, a door starts as often as it must`() async throws {
        let nobody = 65_534
        let site = try Site("ten8")
        defer { site.endAll() }
        let socket = try SuiteServer.sandbox.socket
        chmod(RegularFile.parts(socket).folder, 0o711)
        let text = try String(decoding: RegularFile.read(site.file, atMost: 1 << 16), as: UTF8.self)
        // Over TCP, as the tests' own client does not trust a socket in another user's folder.
        let port = Int.random(in: 20_000...30_000)
        site.folder.write(
            text.replacing(site.socket, with: "\(port)") + "\nDB_SOCKET=\(socket)\n",
            to: "settings.env"
        )
        var settings = try SuiteServer.settings(site.account)
        settings.endpoint = .tcp(host: "127.0.0.1", port: port)
        let client = Database(settings, share: .reserve)
        func isServing() async -> Bool { (try? await client.withConnection { try await $0.query("SELECT 1") }) != nil }
        for path in [site.folder.path, site.file] { chown(path, uid_t(nobody), gid_t(nobody)) }
        let up = try site.up("--quiet", through: HeadroomProgram.asUser(nobody))
        #expect(try await eventually { await isServing() })
        for _ in 0..<3 {
            let old = try #require(site.processes.first { $0.command == "door" }).id
            kill(old, SIGKILL)
            #expect(try await eventually { site.processes.contains { $0.command == "door" && $0.id != old } })
            #expect(await isServing())
        }
        up.signal(SIGTERM)
        #expect(try await up.ended() == 0)
    }

    @Test func `names that are no program are refused with words`() async throws {
        let site = try Site("ten7", programs: "door,gard")
        let run = try await site.run("up")
        #expect(run.status == 1 && run.errors.contains("HEADROOM_UP names 'gard'"), "\(run)")
    }
}
