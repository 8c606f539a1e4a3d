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
    let foreign: Int
    let keep: Bool

    /// Runs the drill.
    ///
    /// - Parameter progress: Is told the share of the time that has passed.
    /// - Returns: What was found.
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
        let watcher = Task { await watch(progress) }
        let others = Task { await ForeignTraffic(settings).run(connections: foreign) }
        var report = PressureReport(tasks: tasks, isAlone: foreign == 0)
        do {
            try await withThrowingTaskGroup(of: PressureDrill.Result.self) { group in
                for _ in 0..<processes { group.addTask { try await worker() } }
                for try await result in group { report.result.add(result) }
            }
        } catch {
            watcher.cancel()
            others.cancel()
            _ = await (watcher.value, others.value)
            throw error
        }
        watcher.cancel()
        others.cancel()
        await others.value
        (report.mostSessions, report.budget) = await watcher.value
        return report
    }

    /// One process's part, for `--worker`: prints its result as JSON.
    func runWorker() async throws {
        let result = await PressureDrill(
            settings,
            tasks: tasks,
            duration: duration,
            queryTime: .milliseconds(queryMilliseconds),
            reuse: keep ? .keep() : .never
        )
        .run()
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
                words + (keep ? ["--keep"] : []) + connection.arguments,
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

    /// Looks at the slots every few milliseconds until it is cancelled; returns the most that were held, and the budget.
    private func watch(_ progress: @Sendable (Double) -> Void) async -> (Int, Int) {
        var (most, budget) = (0, 0)
        let start = ContinuousClock.now
        while !Task.isCancelled {
            if let report = try? SlotReport(settings) {
                most = max(most, report.held.count)
                budget = report.budget
            }
            progress(min(1, start.duration(to: .now) / duration))
            try? await Task.sleep(for: .milliseconds(20))
        }
        return (most, budget)
    }
}

/// What the pressure has shown.
struct PressureReport: Report {
    var tasks: Int
    /// Whether nobody came and went outside of the budget, who could have been in the way.
    var isAlone: Bool
    /// What the processes found together.
    var result = PressureDrill.Result()
    /// The most slots that were held at a time.
    var mostSessions = 0
    var budget = 0

    private var processes: Int { result.completedByProcess.count }
    private var fewest: Int { result.completedByProcess.min() ?? 0 }
    private var most: Int { result.completedByProcess.max() ?? 0 }

    var isGood: Bool { (result.refused == 0 || !isAlone) && result.errors == 0 }

    var json: JSONObject {
        [
            "processes": processes, "completed": result.completed, "refused": result.refused,
            "refused_after_death": result.refusedAfterDeath, "errors": result.errors, "first_error": result.firstError,
            "budget": budget, "most_sessions": mostSessions,
            "longest_wait_seconds": (result.longestWaitSeconds * 1e6).rounded() / 1e6,
            "mean_wait_seconds": (result.meanWaitSeconds * 1e6).rounded() / 1e6,
            "per_second": (result.perSecond * 10).rounded() / 10, "fewest_by_process": fewest, "most_by_process": most,
        ]
    }

    var lines: [String] {
        let share = fewest == 0 ? 0 : Double(most) / Double(fewest)
        return [
            "\(isGood ? "PASS" : "FAIL")  \(grouped(result.completed)) cycles by \(processes) processes with "
                + "\(tasks) tasks each, \(grouped(result.refused)) refused, \(counted(result.errors, "error"))"
        ]
            + table([
                ["budget", "\(budget), of which \(mostSessions) were seen in use at a time"],
                ["throughput", "\(grouped(Int(result.perSecond))) cycles a second"],
                [
                    "waits",
                    "\(fixed(result.meanWaitSeconds * 1000, 1)) ms on average, "
                        + "\(fixed(result.longestWaitSeconds * 1000, 1)) ms the longest",
                ],
                ["shares", "from \(grouped(fewest)) to \(grouped(most)) cycles a process, 1 : \(fixed(share, 2))"],
            ])
    }
}
