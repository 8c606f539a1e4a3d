/// Decides which node of several is tried first: in their order, and those that have failed a moment ago last.
struct NodeOrder: Sendable {
    private var bad: [Endpoint: ContinuousClock.Instant] = [:]

    /// How long a node that has failed is left out.
    static let rest: Duration = .seconds(10)

    /// The nodes in the order in which they are to be tried.
    func order(_ nodes: [Endpoint], at now: ContinuousClock.Instant) -> [Endpoint] {
        let good = nodes.filter { bad[$0].map { $0 <= now } ?? true }
        // All may be bad: then the one that failed first has had most time to come back.
        let others = nodes.filter { !good.contains($0) }.sorted { (bad[$0] ?? now) < (bad[$1] ?? now) }
        return good + others
    }

    /// Notes that a node has failed.
    mutating func failed(_ node: Endpoint, at now: ContinuousClock.Instant) { bad[node] = now + Self.rest }

    /// Notes that a node lets clients in.
    mutating func worked(_ node: Endpoint) { bad[node] = nil }
}
