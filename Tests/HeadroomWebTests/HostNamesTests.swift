import Headroom
import Testing

@testable import HeadroomWeb

/// Under which names the dashboard answers.
struct HostNamesTests {
    private func names(
        _ place: WebOptions.Place,
        _ hostNames: [String] = [],
        certified: [String] = [],
        isBehindProxy: Bool = false
    ) throws -> HostNames {
        var options = WebOptions()
        options.place = place
        options.hostNames = hostNames
        options.isBehindProxy = isBehindProxy
        if !certified.isEmpty { options.certificate = ("chain", "key") }
        return try HostNames(options, certified: certified)
    }

    @Test func `On loopback it answers to loopback's names with its port, and to nothing else`() throws {
        let names = try names(.tcp(host: "127.0.0.1", port: 0))
        for host in [
            "127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "localhost.:8080", "[::1]:8080", "127.9.9.9:8080",
        ] {
            #expect(names.accept(host, port: 8080), "\(host)")
        }
        for host in [
            nil, "", ":8080", "evil.example:8080", "127.0.0.1.evil.example:8080", "localhost.evil.example:8080",
            "localhost:8081", "localhost", "localhost:", "localhost:8080x", "localhost:+8080", "localhost:08080x",
            "127.0.0.1:8080@evil.example", "evil@localhost:8080", "localhost:8080,evil.example", "localhost:8080 ",
            " localhost:8080", "localhost:8080\t", "[::1]8080", "[::1", "[localhost]:8080", "::1:8080", "0.0.0.0:8080",
            "[::]:8080", "lo\u{301}calhost:8080", "localhost\u{301}:8080", "ｌocalhost:8080", "2130706433:8080",
            "127.1:8080", "127.0.0.1%00:8080", "http://localhost:8080", "localhost:8080/",
            String(repeating: "a", count: 300),
        ] {
            #expect(!names.accept(host, port: 8080), "\(host ?? "none")")
        }
        #expect(names.accept("localhost", port: 80))
    }

    @Test func `A name that is given counts with any port, and one with a port only with that`() throws {
        let names = try names(
            .tcp(host: "127.0.0.1", port: 0),
            ["db.example.org", "localhost:9000"],
            isBehindProxy: true
        )
        for host in ["db.example.org", "DB.example.org:443", "db.example.org.", "localhost:9000", "127.0.0.1:8080"] {
            #expect(names.accept(host, port: 8080), "\(host)")
        }
        for host in ["example.org", "x.db.example.org", "localhost:9001", "db.example.org.evil.example"] {
            #expect(!names.accept(host, port: 8080), "\(host)")
        }
    }

    @Test func `Elsewhere it answers to its address and its certificate's names`() throws {
        let names = try names(
            .tcp(host: "192.0.2.1", port: 0),
            certified: ["db.example.org", "*.example.net", "[2001:db8:0::1]"]
        )
        for host in ["192.0.2.1:8443", "db.example.org:8443", "a.example.net", "[2001:db8::1]:8443"] {
            #expect(names.accept(host, port: 8443), "\(host)")
        }
        for host in ["localhost:8443", "127.0.0.1:8443", "a.b.example.net", "example.net", ".example.net", "192.0.2.2"]
        {
            #expect(!names.accept(host, port: 8443), "\(host)")
        }
    }

    @Test func `On all addresses some name is needed, and what is no name is refused`() throws {
        #expect(throws: DatabaseError.self) { try names(.tcp(host: "0.0.0.0", port: 0), isBehindProxy: true) }
        #expect(throws: DatabaseError.self) { try names(.tcp(host: "::", port: 0), ["http://a.example"]) }
        #expect(try names(.tcp(host: "0.0.0.0", port: 0), ["a.example"]).accept("a.example:8443", port: 8443))
    }

    @Test func `A socket answers to any name unless some are given`() throws {
        #expect(try names(.socket(path: "/run/x.sock")).accept("anything", port: nil))
        #expect(try names(.socket(path: "/run/x.sock")).accept(nil, port: nil))
        let named = try names(.socket(path: "/run/x.sock"), ["a.example"])
        #expect(named.accept("a.example", port: nil))
        #expect(!named.accept("b.example", port: nil))
        #expect(!named.accept(nil, port: nil))
    }
}
