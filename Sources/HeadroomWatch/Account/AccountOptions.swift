import Headroom

/// The resource options of an account, as its grants print them.
public struct AccountOptions: Sendable, Hashable {
    /// The most connections at a time (`MAX_USER_CONNECTIONS`); `nil` when the account has no such option.
    public var connections: Int?

    /// The most logins in an hour (`MAX_CONNECTIONS_PER_HOUR`); `nil` when the account has no such option.
    public var connectionsPerHour: Int?

    /// The most statements in an hour (`MAX_QUERIES_PER_HOUR`); `nil` when the account has no such option.
    public var queriesPerHour: Int?

    /// Reads the options from a line of `SHOW GRANTS` (MariaDB) or `SHOW CREATE USER` (MySQL).
    ///
    /// The same line holds the password's hash: only these numbers are taken from it.
    public init(grants: String) {
        let words = grants.pieces(where: \.isBlank)
        func number(after option: Substring) -> Int? {
            // The last one: a password hash or a comment may come before, never after.
            guard let index = words.lastIndex(of: option), index + 1 < words.count else { return nil }
            return Int(words[index + 1]).flatMap { $0 > 0 ? $0.asCount : nil }
        }
        connections = number(after: "MAX_USER_CONNECTIONS")
        connectionsPerHour = number(after: "MAX_CONNECTIONS_PER_HOUR")
        queriesPerHour = number(after: "MAX_QUERIES_PER_HOUR")
    }

    /// Creates options that set no limit.
    public init() {}
}
