import ArgumentParser
import CommandSupport
import FoundationEssentials
import Glibc
import Headroom
import HeadroomWatch
import Subprocess
import SystemPackage

/// `headroom verify --pressure`: several processes with many tasks each, all within one budget.
struct VerifyPressure {
    let settings: DatabaseSettings
    let connection: ConnectionOptions
    let processes: Int
    let tasks: Int
    let duration: Duration
    let queryMilliseconds: Int
    let foreign: Int
    let keep: Bool

    /// What the processes found together, and the most slots that were held at a time.
    struct Outcome {
        var result: PressureDrill.Result
        var mostSessions: Int
        var budget: Int
    }

    /// Runs the drill.
    ///
    /// - Parameter progress: Is told the share of the time that has passed.
    /// - Returns: What was found.
    /// - Throws: ``DatabaseError`` when there is no connection to begin with, or the account has an hourly limit.
    func run(progress: @escaping @Sendable (Double) -> Void) async throws -> Outcome {
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
        var outcome = Outcome(result: PressureDrill.Result(), mostSessions: 0, budget: 0)
        do {
            try await withThrowingTaskGroup(of: PressureDrill.Result.self) { group in
                for _ in 0..<processes { group.addTask { try await worker() } }
                for try await result in group { outcome.result.add(result) }
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
        (outcome.mostSessions, outcome.budget) = await watcher.value
        return outcome
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
        let run = try await Subprocess.run(
            .path("/proc/self/exe"),
            arguments: Arguments(
                [
                    "verify", "--pressure", "--worker", "--tasks", "\(tasks)", "--seconds",
                    "\(Int(clamped: duration.seconds))",
                ]
                    + ["--query-time", "\(queryMilliseconds)"] + (keep ? ["--keep"] : []) + connection.arguments
            ),
            output: .string(limit: 1 << 20),
            error: .discarded
        )
        guard run.terminationStatus.isSuccess else {
            try Task.checkCancellation()
            throw DatabaseError(
                .statementFailed,
                message: "A process of the drill ended before its time (\(run.terminationStatus))."
            )
        }
        return try JSONDecoder().decode(PressureDrill.Result.self, from: Data(run.standardOutput.utf8))
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

/// What the pressure has shown, as JSON.
struct PressureJSON: Encodable {
    var header = JSONHeader()
    var processes: Int
    var completed: Int
    var refused: Int
    var refusedAfterDeath: Int
    var errors: Int
    @Nullable var firstError: String?
    var budget: Int
    var mostSessions: Int
    var longestWaitSeconds: Double
    var meanWaitSeconds: Double
    var perSecond: Double
    var fewestByProcess: Int
    var mostByProcess: Int

    init(_ outcome: VerifyPressure.Outcome) {
        let result = outcome.result
        processes = result.completedByProcess.count
        completed = result.completed
        refused = result.refused
        refusedAfterDeath = result.refusedAfterDeath
        errors = result.errors
        firstError = result.firstError
        budget = outcome.budget
        mostSessions = outcome.mostSessions
        longestWaitSeconds = (result.longestWaitSeconds * 1e6).rounded() / 1e6
        meanWaitSeconds = (result.meanWaitSeconds * 1e6).rounded() / 1e6
        perSecond = (result.perSecond * 10).rounded() / 10
        fewestByProcess = result.completedByProcess.min() ?? 0
        mostByProcess = result.completedByProcess.max() ?? 0
    }
}
