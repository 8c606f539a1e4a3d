import Logging

/// Notices a scope that holds its connection for longer than expected.
///
/// It says so once, with the place in the program that opened it, and once more when the scope ends after all. It reports
/// only: the server ends what is leaked for good (``DatabaseSettings/sessionIdleTimeout``).
struct LeakDetection {
    private let scheduled: EventLoop.Scheduled
    private let report: Report

    private final class Report: Sendable {
        let isMade = Locked(false)
    }

    init(
        limit: Duration,
        holder: Holder,
        slot: Slot?,
        sessionID: UInt64,
        logger: Logger,
        recorder: Recorder
    ) {
        let report = Report()
        self.report = report
        self.logger = logger
        metadata = [
            "connection.id": "\(sessionID)", "code.site": "\(holder.site)", "connection.label": "\(holder.label)",
        ]
        let metadata = metadata
        scheduled = EventLoop.shared.schedule(at: .now + limit) {
            report.isMade.withLock { $0 = true }
            slot?.noteHeldTooLong()
            recorder.heldTooLong()
            logger.warning(
                "A scope holds its connection for longer than expected.",
                metadata: metadata.merging(["held.limit_ms": "\(limit.nanoseconds / 1_000_000)"]) { first, _ in first }
            )
        }
    }

    private let logger: Logger
    private let metadata: Logger.Metadata

    /// The scope has ended.
    func end(after held: Duration) {
        scheduled.revoke()
        guard report.isMade.withLock(\.self) else { return }
        logger.warning(
            "A scope that held its connection for longer than expected has ended.",
            metadata: metadata.merging(["held.ms": "\(held.nanoseconds / 1_000_000)"]) { first, _ in first }
        )
    }
}
