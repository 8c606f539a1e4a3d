import Headroom

extension Connection {
    /// Runs a transaction again for as long as it loses races: against another session, or, in a cluster, against a commit
    /// of another node, which only shows at its own COMMIT (1213).
    ///
    /// - Parameter body: The transaction; it leaves nothing behind when it fails.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, after 20 lost races in a row.
    func untilNotLost<Result>(_ body: () async throws -> Result) async throws -> Result {
        var races = 0
        while true {
            do {
                return try await body()
            } catch let error as DatabaseError where error.isRetryableTransaction && races < 20 {
                races += 1
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(10 * races))))
            }
        }
    }
}
