import Headroom

/// Tells whose a session is.
///
/// An account is a row of `mysql.user`, a user with a pattern of hosts, and has its own count: `app@%` neither counts nor may
/// end what `app@localhost` has open. The list of sessions names users and hosts, never rows. So a session is the account's for
/// sure where the list can hold no other, where it comes from the host that a known session of the account comes from, or from
/// the one host that the row names; where the rows can be read, they say more. Any other of the same user may be the account's.
struct AccountRow {
    /// The user's name.
    let user: String

    /// The row's pattern of hosts.
    let pattern: String

    /// The host that the session which looks comes from; `nil` when it is not in its own list.
    var ownHost: String?

    /// Whether the list has the account's sessions only: MariaDB's, without the PROCESS privilege.
    var isWholeList = false

    /// The patterns of all rows of the user; `nil` where they may not be read.
    var patterns: [String]?

    /// Takes apart what `CURRENT_USER()` says; the name may hold an `@`.
    init(account: String) {
        guard let at = account.unicodeScalars.lastIndex(of: "@") else {
            (user, pattern) = (account, "%")
            return
        }
        user = String(account[..<at])
        pattern = String(account[account.unicodeScalars.index(after: at)...])
    }

    /// Whose a session is.
    ///
    /// - Parameters:
    ///   - user: Its user.
    ///   - host: Its client's host, without a port.
    /// - Returns: The owner.
    func owner(of user: String, from host: String) -> Session.Owner {
        if isWholeList { return .account }
        guard user == self.user else { return .another }
        if host == ownHost || !Self.isPattern(pattern) && host.lowercased() == pattern.lowercased() { return .account }
        guard let patterns else { return mayMatch(pattern, host) ? .unclear : .another }
        if patterns.count == 1 { return patterns[0] == pattern ? .account : .unclear }
        let possible = patterns.filter { mayMatch($0, host) }
        guard possible.contains(pattern) else { return .another }
        if possible.count == 1 { return .account }
        // The server takes the row that names most of the host; of one without a wildcard that is sure.
        return possible.contains { !Self.isPattern($0) && $0.lowercased() == host.lowercased() } ? .another : .unclear
    }

    private static func isPattern(_ text: String) -> Bool {
        text.isEmpty || text.unicodeScalars.contains { $0 == "%" || $0 == "_" || $0 == "/" }
    }

    /// Whether a row may be that of a session: one whose address is not shown may match any pattern of addresses.
    private func mayMatch(_ pattern: String, _ host: String) -> Bool {
        if pattern.isEmpty || pattern.unicodeScalars.contains("/") { return host != "localhost" }
        if Self.isLike(Array(pattern.lowercased().unicodeScalars)[...], Array(host.lowercased().unicodeScalars)[...]) {
            return true
        }
        let isAddress = host.unicodeScalars.allSatisfy { $0.isDigit || $0 == "." } || host.unicodeScalars.contains(":")
        return !isAddress && host != "localhost" && pattern != "localhost"
    }

    /// SQL's LIKE, with `%` and `_`.
    private static func isLike(_ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>) -> Bool {
        var (pattern, text) = (pattern, text)
        var retry: (pattern: ArraySlice<Unicode.Scalar>, text: ArraySlice<Unicode.Scalar>)?
        while true {
            if let sign = pattern.first, sign == "%" {
                pattern = pattern.dropFirst()
                retry = (pattern, text)
            } else if let sign = pattern.first, let next = text.first, sign == next || sign == "_" {
                (pattern, text) = (pattern.dropFirst(), text.dropFirst())
            } else if pattern.isEmpty, text.isEmpty {
                return true
            } else if let last = retry, !last.text.isEmpty {
                retry = (last.pattern, last.text.dropFirst())
                (pattern, text) = (last.pattern, last.text.dropFirst())
            } else {
                return false
            }
        }
    }
}
