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
        let report = try await connection.accountReport(maxIdle: .seconds(300), patience: 0)
        guard let limit = report.limit.value, limit > 0, let used = report.used, used * 100 > limit * percent else {
            return nil
        }
        let whose = report.limit.source == .server ? "server" : "account"
        return "others use \(used) of the \(whose)'s \(limit) connections, more than \(percent) %."
    }
}
