import Headroom

/// What a statement meets when the id that the server has just made for a new row is another row's.
///
/// On a Galera cluster each node makes ids of its own: with three nodes every third one. When a node leaves, the others go over
/// to every second one, and one that is cut off has not heard of it yet. So for some seconds two nodes make the same ids
/// (seen with MariaDB 10.11.19: increments of 2 and 3 side by side). `ON DUPLICATE KEY UPDATE` takes the row with that id for
/// the one that is meant: it would overwrite a stranger, and what was to be inserted would be lost with all counts right. So
/// these statements compare the rows, and overflow (error 1690) where they differ; run again, they get other ids.
enum TakenID {
    /// The server's number for a result that is out of range.
    static let serverCode = 1690

    /// Runs a statement again for as long as its ids are taken, up to ten times.
    static func retrying(_ body: () async throws -> Void) async throws {
        try await RetryPolicy.run(RetryPolicy(of: [], numbers: [serverCode], most: 10, first: .zero), body)
    }
}
