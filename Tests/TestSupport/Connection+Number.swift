public import Headroom

extension Connection {
    /// The only number that a statement returns.
    public func number(_ sql: SQL) async throws -> Int? {
        try await query(sql).first(Int.self)
    }
}
