package import Headroom

/// Has many tasks open, query and close at the same time, more than the budget lets in, and looks at what becomes of it.
///
/// It is one process's part; several at once make the pressure, and ``Result`` adds up.
package struct PressureDrill: Sendable {
    private let database: Database
    private let tasks: Int
    private let duration: Duration
    private let query: SQL

    /// Creates a drill.
    ///
    /// - Parameters:
    ///   - settings: The account to drill on.
    ///   - tasks: How many tasks open connections at the same time.
    ///   - duration: How long they go on.
    ///   - queryTime: How long each query takes on the server, as an application's would; by default it only answers.
    ///   - reuse: Whether connections are kept open between scopes.
    package init(
        _ settings: DatabaseSettings,
        tasks: Int,
        duration: Duration,
        queryTime: Duration = .zero,
        reuse: Reuse = .never
    ) {
        database = Database(settings, reuse: reuse)
        self.tasks = max(1, tasks)
        self.duration = duration
        // As text, not bound: on a new connection a prepared statement would be a round trip more than the drill means.
        query = queryTime > .zero ? "SELECT SLEEP(\(raw: "\(queryTime / .seconds(1))"))" : "SELECT 1"
    }

    /// What one process or several have found.
    package struct Result: Sendable, Hashable, Codable {
        /// The cycles that were completed, by process.
        package var completedByProcess: [Int] = []
        /// The connections that the server refused for a limit's sake, those that were tried again too.
        package var refused = 0
        /// How many of them were refused because a dead process's session was still counted.
        package var refusedAfterDeath = 0
        /// The cycles that failed.
        package var errors = 0
        /// The first failure's message.
        package var firstError: String?
        /// The number of waits for a slot.
        package var waits = 0
        /// How long all the waits took together, in seconds.
        package var waitSeconds = 0.0
        /// The longest wait, in seconds.
        package var longestWaitSeconds = 0.0
        /// How long it all took, in seconds.
        package var seconds = 0.0

        /// Creates an empty result.
        package init() {}

        /// The cycles that were completed, all together.
        package var completed: Int { completedByProcess.reduce(0, +) }

        /// The mean wait, in seconds.
        package var meanWaitSeconds: Double { waits == 0 ? 0 : waitSeconds / Double(waits) }

        /// The completed cycles in a second.
        package var perSecond: Double { seconds == 0 ? 0 : Double(completed) / seconds }

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

    /// Runs the drill.
    ///
    /// - Returns: What it found; failures are counted, not thrown.
    package func run() async -> Result {
        let start = ContinuousClock.now
        let end = start + duration
        var result = Result()
        var completed = 0
        await withTaskGroup(of: (Int, Int, String?).self) { group in
            for _ in 0..<tasks {
                group.addTask(executorPreference: Database.executor) {
                    var (completed, errors) = (0, 0)
                    var first: String?
                    while ContinuousClock.now < end, !Task.isCancelled {
                        do {
                            try await database.withConnection(label: "pressure") { try await $0.query(query) }
                            completed += 1
                        } catch is CancellationError {
                            break
                        } catch {
                            errors += 1
                            first = first ?? "\(error)"
                        }
                    }
                    return (completed, errors, first)
                }
            }
            for await (cycles, errors, first) in group {
                completed += cycles
                result.errors += errors
                result.firstError = result.firstError ?? first
            }
        }
        let statistics = database.statistics
        result.completedByProcess = [completed]
        result.refusedAfterDeath = statistics.refusedAfterDeath
        result.refused = statistics.refused.values.reduce(0, +) - statistics.refusedAfterDeath
        result.waits = statistics.waitCount
        result.waitSeconds = statistics.waitTime / .seconds(1)
        result.longestWaitSeconds = statistics.longestWait / .seconds(1)
        result.seconds = start.duration(to: .now) / .seconds(1)
        return result
    }
}

/// Opens and closes connections outside of the budget at random, as other programs would that know nothing of it.
package struct ForeignTraffic: Sendable {
    private let database: Database

    /// Creates traffic on the account that the settings lead to.
    package init(_ settings: DatabaseSettings) {
        var settings = settings
        settings.programName = "a foreign program"
        database = Database(settings, share: .reserve)
    }

    /// Runs until it is cancelled: connections of up to 20 ms, with as long between them.
    ///
    /// - Parameter connections: How many at most at a time.
    package func run(connections: Int) async {
        await withTaskGroup { group in
            for _ in 0..<connections {
                group.addTask {
                    while !Task.isCancelled {
                        // Refused or not: it does not care, and tries again in a moment.
                        _ = try? await database.withConnection { _ in
                            try await Task.sleep(for: .milliseconds(Int.random(in: 0...20)))
                        }
                        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...20)))
                    }
                }
            }
        }
    }
}
