public import Headroom
public import ServiceLifecycle

/// Says when a worker looks for jobs, and when it ends.
public struct WorkerSchedule: Sendable {
    /// How long a worker with nothing to do sleeps at most before it looks again: 30 s, a tenth more or less at random.
    public var poll: Duration = .seconds(30)

    /// How long it works before it ends; `nil`, the default, for ever.
    ///
    /// A job in hand is finished first.
    public var maxTime: Duration?

    /// How many jobs it works on before it ends; `nil`, the default, any number.
    public var maxJobs: Int?

    /// Wakes it when a job is queued on this host; without it, it only polls.
    public var notification: HostNotification?

    /// Creates a schedule with the defaults.
    public init() {}
}

extension Worker {
    /// Works on jobs as they come, until it is told to stop, its time is up or its number of jobs done.
    ///
    /// Between jobs it holds no connection and costs no CPU. While the database cannot be reached or the account is full
    /// it waits, less and less often.
    ///
    /// - Parameters:
    ///   - schedule: When to look for jobs, and when to end.
    ///   - report: Is told what happens.
    /// - Returns: The number of jobs worked on.
    /// - Throws: ``DatabaseError`` when waiting cannot help, such as a wrong password; `CancellationError` when cancelled.
    @discardableResult
    public func run(_ schedule: WorkerSchedule, report: @escaping (Event) -> Void) async throws -> Int {
        let end = schedule.maxTime.map { ContinuousClock.now + $0 }
        var worked = 0
        var retry = RetryPolicy(
            of: [.later, .otherNode, .transaction],
            mayRunTwice: true,
            first: .seconds(2),
            longest: max(schedule.poll, .seconds(1))
        )
        while !stop.isRequested, worked < schedule.maxJobs ?? .max, end.map({ ContinuousClock.now < $0 }) ?? true {
            do {
                if try await runOnce(limit: 1, report: report) == 1 {
                    worked += 1
                    continue
                }
                retry.succeeded()
                report(.idle)
                await sleep(schedule.poll * Double.random(in: 0.9...1.1), until: end, schedule.notification)
            } catch let error as DatabaseError {
                guard let pause = retry.pause(after: error) else { throw error }
                report(.waiting(error))
                // A wait for a slot has lasted long enough already, and the next is as patient.
                guard error.code != .budgetExhausted else { continue }
                await sleep(pause, until: end, nil)
            }
            try Task.checkCancellation()
        }
        return worked
    }

    private func sleep(_ time: Duration, until end: ContinuousClock.Instant?, _ notification: HostNotification?) async {
        let wake = ContinuousClock.now + time
        let deadline = min(wake, end ?? wake)
        _ = await stop.unlessRequested {
            guard let notification else { return try await Task.sleep(until: deadline, clock: .continuous) }
            _ = try await notification.wait(until: deadline)
        }
    }
}

/// A worker as a service of a larger program (swift-service-lifecycle): a graceful shutdown finishes the chunk in hand and
/// gives the job back.
public struct WorkerService: Service {
    private let worker: Worker
    private let schedule: WorkerSchedule
    private let report: @Sendable (Worker.Event) -> Void

    /// Creates a service.
    ///
    /// - Parameters:
    ///   - worker: The worker.
    ///   - schedule: When it looks for jobs.
    ///   - report: Is told what happens.
    public init(
        _ worker: Worker,
        schedule: WorkerSchedule = WorkerSchedule(),
        report: @escaping @Sendable (Worker.Event) -> Void = { _ in }
    ) {
        self.worker = worker
        self.schedule = schedule
        self.report = report
    }

    /// Works until the service group shuts down.
    ///
    /// - Throws: What ``Worker/run(_:report:)`` throws.
    public func run() async throws {
        try await withGracefulShutdownHandler {
            _ = try await worker.run(schedule, report: report)
        } onGracefulShutdown: {
            worker.stop.request()
        }
    }
}
