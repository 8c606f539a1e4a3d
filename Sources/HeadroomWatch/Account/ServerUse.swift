import Headroom

/// How many connections the whole server has, of all accounts.
public struct ServerUse: Sendable, Hashable {
    /// The most that it lets in (`max_connections`).
    public var limit: Int?

    /// The number that it has, ours included (`Threads_connected`).
    public var connected: Int?

    /// The most that it has had at a time since it was started (`Max_used_connections`).
    public var peak: Int?

    /// For how long it has been up.
    public var uptime: Duration?

    /// How many connections it has refused as it was full, since it was started.
    public var refused: Int?

    /// Creates a use of which nothing is known.
    public init() {}

    /// Creates a use.
    ///
    /// - Parameters:
    ///   - limit: The most that the server lets in.
    ///   - status: The server's status variables, by their names.
    init(limit: Int?, status: [String: Int]) {
        let status = status.mapValues(\.asCount)
        self.limit = limit?.asCount
        connected = status["Threads_connected"]
        peak = status["Max_used_connections"]
        uptime = status["Uptime"].map { .seconds($0) }
        refused = status["Connection_errors_max_connections"]
    }
}
