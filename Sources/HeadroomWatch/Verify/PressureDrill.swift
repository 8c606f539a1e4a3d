package import Headroom

/// Has many tasks open, query and close at the same time, more than the budget lets in, and looks at what becomes of it.
///
/// It is one process's part; several at once make the pressure, and ``Result`` adds up.
package struct PressureDrill: Sendable {
    private let database: Database
    private let tasks: Int
    private let duration: Duration
    private let query: SQL

    /// Creates a drill whose queries keep the server for a time, as an application's would; by default they only answer.
    package init(_ settings: DatabaseSettings, tasks: Int, duration: Duration, queryTime: Duration = .zero) {
        database = Database(settings)
        self.tasks = max(1, tasks)
        self.duration = duration
        // As text, not bound: on a new connection a prepared statement would be a round trip more than the drill means.
        query = queryTime > .zero ? "SELECT SLEEP(\(raw: "\(queryTime / .seconds(1))"))" : "SELECT 1"
    }

    /// What one process or several have found.
    package struct Result: Sendable, Codable {
        /// The cycles that were completed, by process.
        package var completedByProcess: [Int] = []
        /// The connections that the server refused for a limit's sake, those that were tried again too.
        package var refused = 0
        /// How many of them were refused because a dead process's session was still counted.
        package var refusedAfterDeath = 0
        /// The cycles that failed.
        package var errors = 0
        package var firstError: String?
        /// The number of waits for a slot.
        package var waits = 0
        package var waitSeconds = 0.0
        package var longestWaitSeconds = 0.0
        package var seconds = 0.0

        package init() {}

        package var completed: Int { completedByProcess.reduce(0, +) }

        /// Adds what another process has found.
        package mutating func add(_ other: Result) {
            completedByProcess += other.completedByProcess
            refused += other.refused
            refusedAfterDeath += other.refusedAfterDeath
            errors += other.errors
            firstError = firstError ?? other.firstError
            waits += other.waits
            waitSeconds += other.waitSeconds
            longestWaitSeconds = max(longestWaitSeconds, other.longestWaitSeconds)
            seconds = max(seconds, other.seconds)
        }
    }

    /// Runs the drill; failures are counted, not thrown.
    package func run() async -> Result {
        let start = ContinuousClock.now
        let end = start + duration
        let found = await withTaskGroup(of: Result.self) { group in
            for _ in 0..<tasks {
                group.addTask(executorPreference: Database.executor) {
                    var (completed, own) = (0, Result())
                    while ContinuousClock.now < end, !Task.isCancelled {
                        do {
                            try await database.withConnection(label: "pressure") { try await $0.query(query) }
                            completed += 1
                        } catch is CancellationError {
                            break
                        } catch {
                            own.errors += 1
                            own.firstError = own.firstError ?? "\(error)"
                        }
                    }
                    own.completedByProcess = [completed]
                    return own
                }
            }
            return await group.reduce(into: Result()) { $0.add($1) }
        }
        let statistics = database.statistics
        var result = found
        result.completedByProcess = [found.completed]
        result.refusedAfterDeath = statistics.refusedAfterDeath
        result.refused = statistics.refused.values.reduce(0, +) - statistics.refusedAfterDeath
        result.waits = statistics.waitCount
        result.waitSeconds = statistics.waitTime / .seconds(1)
        result.longestWaitSeconds = statistics.longestWait / .seconds(1)
        result.seconds = start.duration(to: .now) / .seconds(1)
        return result
    }
}
