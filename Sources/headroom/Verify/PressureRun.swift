import Alerting
import CommandSupport
import FoundationEssentials
import Headroom
import HeadroomWatch

/// `headroom verify --pressure`: several processes with many tasks each, all within one budget.
struct PressureRun {
    let settings: DatabaseSettings
    let connection: ConnectionOptions
    let processes: Int
    let tasks: Int
    let duration: Duration
    let queryMilliseconds: Int

    /// Runs the drill, and is told meanwhile which share of the time has passed.
    ///
    /// - Throws: ``DatabaseError`` when there is no connection to begin with, or the account has an hourly limit.
    func run(progress: @escaping @Sendable (Double) -> Void) async throws -> PressureReport {
        // The account is known then, and its limit.
        try await Database(settings).withConnection(label: "pressure") { _ in }
        if CycleDrill.mostCycles(under: try await AccountWatch(settings).options()) != nil {
            throw DatabaseError(
                .hourlyLimitReached,
                message:
                    "The account has an hourly limit, and pressure makes thousands of logins: it would be locked out.",
                advice: "Use --cycles, which stays below half of the limit."
            )
        }
        async let watched = watch(progress)
        let result = try await withThrowingTaskGroup(of: PressureDrill.Result.self) { group in
            for _ in 0..<processes { group.addTask { try await worker() } }
            return try await group.reduce(into: PressureDrill.Result()) { $0.add($1) }
        }
        let (mostSessions, budget) = await watched
        return PressureReport(tasks: tasks, result: result, mostSessions: mostSessions, budget: budget)
    }

    /// One process's part, for `--worker`: prints its result as JSON.
    func runWorker() async throws {
        let queryTime = Duration.milliseconds(queryMilliseconds)
        let result = await PressureDrill(settings, tasks: tasks, duration: duration, queryTime: queryTime).run()
        Console.print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }

    private func worker() async throws -> PressureDrill.Result {
        let words = [
            "verify", "--pressure", "--worker", "--tasks", "\(tasks)", "--seconds", "\(duration.components.seconds)",
            "--query-time", "\(queryMilliseconds)",
        ]
        do {
            let output = try await Helper.run(
                "/proc/self/exe",
                words + connection.arguments,
                // It is this program, with its settings.
                keeping: Array(ProcessEnvironment.variables.keys),
                within: duration + settings.waitTimeout + .seconds(60)
            )
            return try JSONDecoder().decode(PressureDrill.Result.self, from: Data(output.utf8))
        } catch let error as Helper.Failure {
            try Task.checkCancellation()
            throw DatabaseError(.statementFailed, message: "A process of the drill ended before its time: \(error).")
        }
    }

    /// Looks at the slots every few milliseconds for the time of the drill; returns the most that were held, and the budget.
    private func watch(_ progress: @Sendable (Double) -> Void) async -> (Int, Int) {
        var (most, budget) = (0, 0)
        let start = ContinuousClock.now
        while start.duration(to: .now) < duration, !Task.isCancelled {
            if let report = try? SlotReport(settings) {
                most = max(most, report.held.count)
                budget = report.budget
            }
            progress(start.duration(to: .now) / duration)
            try? await Task.sleep(for: .milliseconds(20))
        }
        progress(1)
        return (most, budget)
    }
}

/// What the pressure has shown.
struct PressureReport: Report {
    let tasks: Int
    /// What the processes found together.
    let result: PressureDrill.Result
    /// The most slots that were held at a time.
    let mostSessions: Int
    let budget: Int

    private var processes: Int { result.completedByProcess.count }
    private var fewest: Int { result.completedByProcess.min() ?? 0 }
    private var most: Int { result.completedByProcess.max() ?? 0 }
    private var perSecond: Double { result.seconds == 0 ? 0 : Double(result.completed) / result.seconds }
    private var meanWait: Double { result.waits == 0 ? 0 : result.waitSeconds / Double(result.waits) }

    var isGood: Bool { result.refused == 0 && result.errors == 0 }

    var json: JSONObject {
        [
            "processes": processes, "completed": result.completed, "refused": result.refused,
            "refused_after_death": result.refusedAfterDeath, "errors": result.errors, "first_error": result.firstError,
            "budget": budget, "most_sessions": mostSessions,
            "longest_wait_seconds": (result.longestWaitSeconds * 1e6).rounded() / 1e6,
            "mean_wait_seconds": (meanWait * 1e6).rounded() / 1e6, "per_second": (perSecond * 10).rounded() / 10,
            "fewest_by_process": fewest, "most_by_process": most,
        ]
    }

    var lines: [String] {
        let waits =
            "\(fixed(meanWait * 1000, 1)) ms on average, \(fixed(result.longestWaitSeconds * 1000, 1)) ms the longest"
        let share = fixed(fewest == 0 ? 0 : Double(most) / Double(fewest), 2)
        return [
            "\(isGood ? "PASS" : "FAIL")  \(grouped(result.completed)) cycles by \(processes) processes with "
                + "\(tasks) tasks each, \(grouped(result.refused)) refused, \(counted(result.errors, "error"))"
        ]
            + table([
                ["budget", "\(budget), of which \(mostSessions) were seen in use at a time"],
                ["throughput", "\(grouped(Int(clamped: perSecond))) cycles a second"], ["waits", waits],
                ["shares", "from \(grouped(fewest)) to \(grouped(most)) cycles a process, 1 : \(share)"],
            ])
    }
}
