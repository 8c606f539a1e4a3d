/// A server's kind and version, as its greeting has them.
package struct ServerVersion: Sendable, Hashable {
    /// The kinds of servers.
    package enum Flavor: String, Sendable {
        case mariaDB = "MariaDB"
        case mySQL = "MySQL"
    }

    /// The kind; Percona's server calls itself a MySQL.
    package var flavor: Flavor

    /// The first two numbers.
    package var major: Int
    package var minor: Int

    /// Takes a greeting apart, such as `10.11.6-MariaDB-log`, `5.5.5-10.3.39-MariaDB` or `8.0.36-28`; `nil` for others.
    package init?(_ text: String) {
        flavor = text.holds("MariaDB") ? .mariaDB : .mySQL
        // MariaDB puts a version in front that old clients can bear.
        let number = flavor == .mariaDB ? text.after("5.5.5-") ?? text[...] : text[...]
        let parts = number.pieces(separator: ".", maxSplits: 2).map { Int($0.leading(\.isDigit)) }
        guard parts.count >= 2, let major = parts[0], let minor = parts[1] else { return nil }
        (self.major, self.minor) = (major, minor)
    }

    private static let oldest: [Flavor: (Int, Int)] = [.mariaDB: (10, 6), .mySQL: (8, 0)]

    /// Why Headroom may not work with the server; `nil` for those it is made for.
    package var warning: String? {
        guard let oldest = Self.oldest[flavor], (major, minor) < oldest else { return nil }
        return
            "this server is \(flavor.rawValue) \(major).\(minor); Headroom is made for MariaDB 10.6 and MySQL 8.0 and "
            + "later: what fails here may do so for that reason (docs/compatibility.md)"
    }
}
