import Testing

@testable import Headroom

/// A server that Headroom was not made for is named as such.
@Suite struct ServerVersionTests {
    @Test(
        arguments: [
            ("10.11.19-MariaDB-0+deb12u1", .mariaDB, 10, 11, false), ("5.5.5-10.3.39-MariaDB", .mariaDB, 10, 3, true),
            ("10.5.2-MariaDB-log", .mariaDB, 10, 5, true), ("10.6.0-MariaDB", .mariaDB, 10, 6, false),
            ("11.8.2-MariaDB", .mariaDB, 11, 8, false), ("9.7.4", .mySQL, 9, 7, false),
            ("8.0.36-28", .mySQL, 8, 0, false), ("5.7.44-log", .mySQL, 5, 7, true), ("8.4.0", .mySQL, 8, 4, false),
        ] as [(String, ServerVersion.Flavor, Int, Int, Bool)]
    )
    func `a greeting is taken apart, and older servers are a warning`(
        text: String,
        flavor: ServerVersion.Flavor,
        major: Int,
        minor: Int,
        isOld: Bool
    ) throws {
        let version = try #require(ServerVersion(text))
        #expect((version.flavor, version.major, version.minor) == (flavor, major, minor))
        #expect((version.warning != nil) == isOld)
    }

    @Test func `what is no version says nothing`() {
        #expect(ServerVersion("") == nil)
        #expect(ServerVersion("proxy") == nil)
    }
}
