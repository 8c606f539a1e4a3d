import Synchronization

/// The leases under which this process may be at work right now.
///
/// A worker that goes on can be left with a lease that it could not give back, as the server was gone for too long. Seen
/// from outside its process runs, so the job would be nobody's for as long as it does.
enum LiveLeases {
    private static let tokens = Mutex(Set<String>())

    /// Adds a lease, before it is asked for.
    static func insert(_ token: String) {
        tokens.withLock { _ = $0.insert(token) }
    }

    /// Drops a lease that nobody works under any more, whether or not it could be given back.
    static func remove(_ token: String) {
        tokens.withLock { _ = $0.remove(token) }
    }

    /// Whether somebody works under the lease.
    static func contains(_ token: String) -> Bool {
        tokens.withLock { $0.contains(token) }
    }
}
