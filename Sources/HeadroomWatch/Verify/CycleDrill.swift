package import Headroom

/// Opens, queries and closes again and again, to prove that a close gives the place back at once.
///
/// Its connections take no slots: what it proves is that closing alone is enough, with nobody waiting in line.
package struct CycleDrill: Sendable {
    private let database: Database

    private let cycles: Int
    private let held: Int

    /// Creates a drill for the account that the settings lead to; it holds further connections meanwhile, as others would.
    package init(_ settings: DatabaseSettings, cycles: Int, held: Int = 0) {
        database = Database(settings, share: .reserve)
        self.cycles = max(1, cycles)
        self.held = held
    }

    /// What a drill found.
    package struct Result: Sendable {
        /// The number of cycles run.
        package var cycles: Int
        /// The number of cycles that a limit refused.
        package var refused: Int
        /// The median of the cycles that were not refused.
        package var median: Duration
        /// The 99th percentile of the cycles that were not refused.
        package var p99: Duration
        /// The last refusal, when there was one.
        package var lastRefusal: DatabaseError?
    }

    /// The number of logins that the drill may use up of the account's hourly limit: half of it.
    ///
    /// How many of them are gone this hour the server does not say; a drill that used them up would lock the account out.
    ///
    /// - Parameter options: The account's options.
    /// - Returns: The most cycles, or `nil` when the account has no hourly limit.
    package static func mostCycles(under options: AccountOptions) -> Int? {
        // Each cycle is a login and a statement.
        let limits = [options.connectionsPerHour, options.queriesPerHour].compactMap(\.self)
        return limits.min().map { $0 / 2 }
    }

    /// Runs the cycles, one after the other.
    ///
    /// - Parameter progress: Is told the number of cycles run, after each.
    /// - Returns: What it found; refusals are counted, not thrown.
    /// - Throws: ``DatabaseError`` for any other failure, `CancellationError` when cancelled.
    package func run(progress: (Int) -> Void = { _ in }) async throws -> Result {
        try await run(holding: held, progress)
    }

    private func run(holding held: Int, _ progress: (Int) -> Void) async throws -> Result {
        guard held > 0 else { return try await runCycles(progress) }
        return try await database.withConnection { _ in try await run(holding: held - 1, progress) }
    }

    private func runCycles(_ progress: (Int) -> Void) async throws -> Result {
        var durations: [Duration] = []
        durations.reserveCapacity(cycles)
        var lastRefusal: DatabaseError?
        var refused = 0
        let clock = ContinuousClock()
        for cycle in 1...cycles {
            let start = clock.now
            do {
                try await database.withConnection { try await $0.query("SELECT 1") }
                durations.append(start.duration(to: clock.now))
            } catch let error as DatabaseError where error.isRefusal {
                // Hourly limits and a blocked host get worse with each attempt.
                guard error.waitingCanHelp else { throw error }
                refused += 1
                lastRefusal = error
            }
            progress(cycle)
        }
        durations.sort()
        func quantile(_ share: Double) -> Duration {
            durations.isEmpty ? .zero : durations[min(durations.count - 1, Int(Double(durations.count) * share))]
        }
        return Result(
            cycles: cycles,
            refused: refused,
            median: quantile(0.5),
            p99: quantile(0.99),
            lastRefusal: lastRefusal
        )
    }
}
