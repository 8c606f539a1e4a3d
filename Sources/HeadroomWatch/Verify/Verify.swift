public import Headroom
import Synchronization

/// Puts the promises to the test on the user's own server, one step after the other.
///
/// Every connection is a scope's, so cancelling leaves none behind; no connection is open while somebody is asked.
public struct Verify: Sendable {
    /// The account to verify.
    public var settings: DatabaseSettings

    /// The second account for when the first one is full; `nil` without one.
    public var administrator: DatabaseSettings?

    /// What was found wrong with the settings when they were read, in sentences.
    public var warnings: [String] = []

    /// The files that the settings came from.
    public var settingsFiles: [String] = []

    /// The flags that lead another run of this program to the same account.
    public var childArguments: [String] = []

    /// How many cycles the full run opens, queries and closes.
    ///
    /// 200 by default; never more than half of an hourly limit.
    public var cycles = 200

    /// What an idle worker needs; `nil` when nothing is known of a queue.
    public var queue: Queue?

    /// Answers whether a drill may use over half of what is free; by default nobody is there to ask.
    public var mayUseMuch: @Sendable (_ question: String) async throws -> DrillRoom.Answer = { _ in .nobody }

    /// The queue whose worker is drilled.
    public struct Queue: Sendable {
        /// The tables that it needs.
        public var tables: [String]
        /// Counts the jobs that a worker would take.
        public var waitingJobs: @Sendable (Connection) async throws -> Int

        /// Creates a queue.
        public init(tables: [String], waitingJobs: @escaping @Sendable (Connection) async throws -> Int) {
            self.tables = tables
            self.waitingJobs = waitingJobs
        }
    }

    let seen = SeenSessions()

    /// Creates a run for the account that the settings lead to.
    public init(_ settings: DatabaseSettings) {
        self.settings = settings
    }

    /// Runs the five quick steps: under 2 s on a server at hand.
    ///
    /// - Parameter note: Is given each step as soon as it is over.
    /// - Returns: The steps.
    /// - Throws: `CancellationError` when cancelled; all else becomes a failed step.
    public func quick(_ note: @escaping (VerifyStep) -> Void = { _ in }) async throws -> VerifyVerdict {
        var run = VerifyRun(note)
        try await quick(&run)
        return run.verdict
    }

    /// Runs the quick steps and then all others, the harmless ones first.
    ///
    /// - Parameter note: Is given each step as soon as it is over.
    /// - Returns: The steps.
    /// - Throws: `CancellationError` when cancelled; all else becomes a failed step.
    public func full(_ note: @escaping (VerifyStep) -> Void = { _ in }) async throws -> VerifyVerdict {
        var run = VerifyRun(note)
        try await quick(&run)
        try await full(&run)
        return run.verdict
    }

    /// The settings for a connection of the run: it gives up soon where an application would wait.
    func hasty(_ patience: Duration) -> DatabaseSettings {
        var settings = settings
        settings.waitTimeout = min(settings.waitTimeout, patience)
        settings.connectTimeout = min(settings.connectTimeout, .seconds(10))
        return settings
    }
}

/// The sessions that the run has opened itself, by their ids.
final class SeenSessions: Sendable {
    private let ids = Mutex<Set<UInt64>>([])

    /// The ids.
    var all: Set<UInt64> { ids.withLock(\.self) }

    func note(_ connection: Connection) {
        let id = connection.sessionID
        ids.withLock { _ = $0.insert(id) }
    }
}
