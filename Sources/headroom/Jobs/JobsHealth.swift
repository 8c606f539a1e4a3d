import ArgumentParser
import CommandSupport
import Headroom
import HeadroomJobs

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
            if json {
                try Console.json(HealthJSON(health))
            } else if health.level != .ok || !quiet {
                let numbers = health.numbers
                let word = ["OK", "WARNING", "CRITICAL"][health.level.rawValue]
                Console.print(
                    "\(word)  \(grouped(numbers.queued)) queued, \(grouped(numbers.processing)) being worked on; in 24 hours "
                        + "\(grouped(numbers.completed)) completed, \(grouped(numbers.failed)) failed"
                )
                for host in numbers.hosts {
                    let jobs = "\(host.jobs == 1 ? "job" : "jobs") \(ids(host.jobIDs))"
                    let commit = "last commit \(fixed(host.silence.seconds, 0)) s ago"
                    let late = host.expired > 0 ? ", to be taken over: \(ids(host.expiredIDs))" : ""
                    Console.print("  \(printable(host.name)): \(jobs), \(commit)\(late)")
                }
                for finding in health.findings { Console.print("  \(finding)") }
            }
            throw ExitCode(Int32(health.level.rawValue))
        }
    }
}

/// Jobs in a line, the first ten of them.
private func ids(_ jobs: [Int]) -> String {
    jobs.prefix(10).map(String.init).joined(separator: ", ") + (jobs.count > 10 ? " and \(jobs.count - 10) more" : "")
}

/// A judgement as JSON.
private struct HealthJSON: Encodable {
    var level: String
    var queued: Int
    var waitingForRetry: Int
    var oldestWaitSeconds: Double
    var processing: Int
    var stuck: [Int]
    var completed: Int
    var failed: Int
    var failedPercent: Double
    var findings: [String]
    var hosts: [Host]

    struct Host: Encodable {
        var name: String
        var jobs: Int
        var jobIds: [Int]
        var silentSeconds: Double
        var expired: Int
        var expiredJobIds: [Int]
    }

    init(_ health: QueueHealth) {
        level = ["ok", "warning", "critical"][health.level.rawValue]
        let numbers = health.numbers
        queued = numbers.queued
        waitingForRetry = numbers.waitingForRetry
        oldestWaitSeconds = numbers.oldestWait.seconds
        processing = numbers.processing
        stuck = numbers.stuck
        completed = numbers.completed
        failed = numbers.failed
        failedPercent = (numbers.failedPercent * 10).rounded() / 10
        findings = health.findings
        hosts = numbers.hosts.map {
            Host(
                name: $0.name,
                jobs: $0.jobs,
                jobIds: $0.jobIDs,
                silentSeconds: $0.silence.seconds,
                expired: $0.expired,
                expiredJobIds: $0.expiredIDs
            )
        }
    }
}
