import Glibc
import HeadroomSandbox
import TestSupport
import Testing

/// `headroom trust`, on a server with TLS.
@Suite(.sandbox(tcp: true, tls: true)) struct TrustCommandTests {
    @Test func `a key is shown, remembered when that is said, listed and forgotten`() async throws {
        let folder = TemporaryFolder()
        var environment = try SuiteServer.sandbox.environment
        environment["DB_SOCKET"] = nil
        environment["HEADROOM_TLS_CA"] = nil
        environment["HEADROOM_STATE_DIR"] = folder.path
        let place = "127.0.0.1:\(try #require(SuiteServer.sandbox.port))"
        func trust(_ arguments: String...) async throws -> HeadroomProgram.Output {
            try await HeadroomProgram.run(["trust"] + arguments, environment: environment)
        }

        let unasked = try await trust(place)
        #expect(unasked.status == 1)
        #expect(unasked.output.contains("tls  sha256//"))
        #expect(unasked.errors.contains("--yes"))
        #expect(try await trust("--list").output.contains("No server is remembered"))

        let remembered = try await trust(place, "--yes")
        #expect(remembered.status == 0, "\(remembered.errors)")
        let list = try await trust("--list").output
        #expect(list.hasPrefix("\(place)  tls  sha256//"))
        #expect(list.split(separator: "\n").count == 1)
        #expect(try await trust(place).output.contains("remembered since"))

        // What it showed before it was set up anew.
        let file = "\(folder.path)/memory/server-keys-\(geteuid())"
        let old = "\(place) tls sha256//\(String(repeating: "A", count: 43))= 2020-01-02\n"
        func put(_ text: String) { folder.write(text, to: "memory/server-keys-\(geteuid())") }
        put(old)
        #expect(try await trust(place, "--yes").output.contains("--replace"))
        #expect(try await trust("--list").output.split(separator: "\n").count == 2)
        for text in [old, try SourceFiles.text(file)] {
            put(text)
            #expect(try await trust(place, "--yes", "--replace").status == 0)
            let left = try await trust("--list").output
            #expect(left.split(separator: "\n").count == 1 && !left.contains("2020-01-02"), "\(left)")
        }

        #expect(try await trust("--forget", place).status == 0)
        #expect(try await trust("--list").output.contains("No server is remembered"))
    }

    @Test(arguments: [["localhost"], ["a,b"], ["h:x"], []])
    func `what is no server over TCP is refused with words`(arguments: [String]) async throws {
        let environment = try SuiteServer.sandbox.environment
        let run = try await HeadroomProgram.run(["trust"] + arguments, environment: environment)
        #expect(run.status != 0)
        #expect(run.errors.contains("HOST") || run.errors.contains("127.0.0.1"), "\(run.errors)")
    }
}
