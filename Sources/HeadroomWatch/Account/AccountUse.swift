public import Headroom

/// How much of an account is in use, for those who leave it to others when it is much.
public enum AccountUse {
    /// Looks through an open connection whether more than a share of the limit is in use by others.
    ///
    /// - Parameters:
    ///   - percent: The share, from 1 to 100.
    ///   - connection: The connection.
    /// - Returns: Why to leave the account to others; `nil` when there is no reason, or no limit.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public static func reasonToYield(above percent: Int, _ connection: Connection) async throws -> String? {
        // The account's own sessions, as those without privileges see them; the session's variable is the limit in force.
        let row =
            try await connection.query(
                """
                SELECT @@session.max_user_connections, COUNT(*) FROM information_schema.PROCESSLIST
                WHERE USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AND COMMAND <> 'Killed' AND ID <> CONNECTION_ID()
                """
            )
            .first(Int.self, Int.self)
        guard let (limit, used) = row, limit > 0, used.asCount * 100 > limit.asCount * percent else { return nil }
        return "others use \(used) of the account's \(limit) connections, more than \(percent) %."
    }
}
