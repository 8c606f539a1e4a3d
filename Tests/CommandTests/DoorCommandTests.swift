import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// `headroom door` as a program of its own; what it does for its clients is in `DoorTests`.
@Suite(.sandbox()) struct DoorCommandTests {
    private let folder = TemporaryFolder()

    private var path: String { "\(folder.path)/door" }

    private func door(_ account: String) throws -> HeadroomProcess {
        var environment = try SuiteServer.sandbox.environment
        environment["DB_USERNAME"] = account
        environment["DB_PASSWORD"] = "sandbox"
        environment["PATH"] = "/usr/sbin:/usr/bin:/bin"
        return try HeadroomProcess(["door", "--listen", path, "--allow-root"], environment: environment)
    }

    /// A program that knows of no slots.
    private func client(_ account: String) throws -> Database {
        var settings = try SuiteServer.settings(account)
        settings.endpoint = .socket(path: path)
        settings.programName = "a page"
        return Database(settings, share: .reserve)
    }

    private func isServed(_ database: Database) async -> Bool {
        let answer = try? await database.withConnection { connection in
            try await connection.query("SELECT 7").first(Int.self) ?? 0
        }
        return answer == 7
    }

    @Test func `it serves its account, and ends at a signal`() async throws {
        let door = try door("ten2")
        defer { door.signal(SIGKILL) }
        let client = try client("ten2")
        #expect(try await eventually { await isServed(client) })
        door.signal(SIGTERM)
        #expect(try await door.ended() == 0)
        #expect(try await eventually { try await SuiteServer.sessions(of: "ten2") == 0 })
    }

    @Test func `one that was killed with clients in it leaves nothing that keeps the next from serving`() async throws {
        let client = try client("two3")
        for _ in 0..<8 {
            let door = try door("two3")
            defer { door.signal(SIGKILL) }
            #expect(try await eventually { await isServed(client) })
            // Its session outlives the door, and is in the way of the next one's.
            let page = Task { try await client.withConnection { _ = try await $0.query("SELECT SLEEP(1)") } }
            #expect(try await eventually { try await SuiteServer.sessions(of: "two3") == 1 })
            door.signal(SIGKILL)
            #expect(try await door.ended() == -SIGKILL)
            _ = await page.result
        }
    }
}
