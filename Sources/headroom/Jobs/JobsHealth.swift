import ArgumentParser
package import CommandSupport
import Headroom
package import HeadroomJobs

/// `headroom jobs health`.
struct JobsHealth: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Says whether jobs are stuck, failing or backed up.",
        discussion: """
            Exits with 0 when all is well, 1 for a warning, 2 when it is critical, and 3 when it cannot tell. Critical: no \
            progress for 60 minutes, or over 50 % failed in 24 hours. A warning: over 25 % failed, or over 100 jobs wait.
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Print nothing when all is well.")
    var quiet = false

    func run() async throws {
        try await runCommand(failureCode: 3) {
            let health = try await JobQueue(try connection.open(program: "headroom jobs")).health()
            if json || health.level != .ok || !quiet { try Console.emit(health, asJSON: json) }
            throw ExitCode(Int32(health.level.rawValue))
        }
    }
}

extension QueueHealth: Report {
    package var json: JSONObject {
        [
            "level": ["ok", "warning", "critical"][level.rawValue], "queued": numbers.queued,
            "waiting_for_retry": numbers.waitingForRetry, "oldest_wait_seconds": numbers.oldestWait.seconds,
            "processing": numbers.processing, "stuck": numbers.stuck, "completed": numbers.completed,
            "failed": numbers.failed, "failed_percent": (numbers.failedPercent * 10).rounded() / 10,
            "findings": findings,
            "hosts": numbers.hosts.map { host -> JSONObject in
                [
                    "name": host.name, "jobs": host.jobs, "job_ids": host.jobIDs,
                    "silent_seconds": host.silence.seconds, "expired": host.expired,
                    "expired_job_ids": host.expiredIDs,
                ]
            },
        ]
    }

    package var lines: [String] {
        [
            "\(["OK", "WARNING", "CRITICAL"][level.rawValue])  \(grouped(numbers.queued)) queued, "
                + "\(grouped(numbers.processing)) being worked on; in 24 hours \(grouped(numbers.completed)) completed, "
                + "\(grouped(numbers.failed)) failed"
        ]
            + numbers.hosts.map { host in
                let jobs = "\(host.jobs == 1 ? "job" : "jobs") \(ids(host.jobIDs))"
                let late = host.expired > 0 ? ", to be taken over: \(ids(host.expiredIDs))" : ""
                return "  \(printable(host.name)): \(jobs), last commit \(fixed(host.silence.seconds, 0)) s ago\(late)"
            }
            + findings.map { "  \($0)" }
    }
}

/// Jobs in a line, the first ten of them.
private func ids(_ jobs: [Int]) -> String {
    jobs.prefix(10).map(String.init).joined(separator: ", ") + (jobs.count > 10 ? " and \(jobs.count - 10) more" : "")
}
