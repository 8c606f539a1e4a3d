import Glibc
import Headroom
import HeadroomJobs
import HeadroomSandbox
import MeterImport
import Support

/// A queue of many small files, worked off by one worker and by 8, in turns.
struct ManyJobs {
    private static let rounds = 5

    let program: Program
    let count: Int

    /// What it took to empty the queue.
    private struct Cost {
        var seconds: Double
        /// What the server has counted meanwhile.
        var counters: [String: Int]
        /// The most jobs that a worker had, and the fewest.
        var shares: (most: Int, fewest: Int)
    }

    private static let counters = [
        "Com_begin", "Com_rollback", "Innodb_deadlocks", "Innodb_row_lock_waits", "Innodb_row_lock_time",
    ]

    func run() async throws {
        try await Sandbox.with(SandboxOptions(limit: 20)) { sandbox in
            let database = try sandbox.database()
            for job in 1...count {
                try write("mpan,datetime,kwh\n\(mpan(job)),2020-01-01 00:00,1.5\n", to: path(job, sandbox))
            }
            // A meter for each file, so that what is measured is the queue.
            try await database.makeMeters(first: mpan(1), count: count)
            var ratios: [Double] = []
            for round in 0..<Self.rounds {
                var costs: [Int: Cost] = [:]
                for workers in round % 2 == 0 ? [1, 8] : [8, 1] {
                    costs[workers] = try await empty(sandbox, database, workers)
                }
                guard let one = costs[1], let eight = costs[8] else { return }
                ratios.append(one.seconds / eight.seconds)
                say("  round \(round + 1), 1 worker: \(words(one))")
                say(
                    "  round \(round + 1), 8 workers: \(words(eight)); a worker had \(eight.shares.fewest) to \(eight.shares.most)"
                )
            }
            say("  8 workers against one: \(rounded(ratios.median)) times the jobs a second")
        }
    }

    private func words(_ cost: Cost) -> String {
        "\(Int(Double(count) / cost.seconds)) jobs a second, "
            + Self.counters.map { "\($0) \(cost.counters[$0] ?? 0)" }.joined(separator: ", ")
    }

    /// Has that many processes work off the queue, each job once.
    private func empty(_ sandbox: Sandbox, _ database: Database, _ workers: Int) async throws -> Cost {
        try await database.withConnection { connection in
            for table in ["meter_readings", "import_jobs"] {
                try await connection.query("TRUNCATE TABLE \(raw: table)")
            }
        }
        let queue = JobQueue(database)
        for job in 1...count {
            _ = try await queue.add(
                NewJob(filename: "tiny.csv", path: path(job, sandbox), type: "hh"),
                batchID: "bench-\(job)"
            )
        }
        let before = try await counters(sandbox)
        let start = ContinuousClock.now
        let claimed = try await withThrowingTaskGroup(of: [Int].self) { group in
            for worker in 1...workers { group.addTask { try await work(worker, sandbox) } }
            return try await group.reduce(into: [[Int]]()) { $0.append($1) }
        }
        let time = (.now - start).seconds
        let after = try await counters(sandbox)
        guard claimed.joined().sorted() == Array(1...count) else {
            throw BenchmarkFailure(what: "\(claimed.joined().count) claims of \(count) jobs")
        }
        let stored = try await database.withConnection { connection in
            try await connection.query("SELECT COUNT(*) FROM meter_readings").first(Int.self)
        }
        guard stored == count else {
            throw BenchmarkFailure(what: "\(String(describing: stored)) readings of \(count)")
        }
        return Cost(
            seconds: time,
            counters: after.merging(before, uniquingKeysWith: -),
            shares: (claimed.map(\.count).max() ?? 0, claimed.map(\.count).min() ?? 0)
        )
    }

    /// Works on jobs until none is left; returns which it had.
    private func work(_ worker: Int, _ sandbox: Sandbox) async throws -> [Int] {
        // A name each, as one worker of a queue is all that a host has by default.
        let arguments = ["work", "--once", "--limit", "\(count)", "--yield-above", "100", "--queue", "bench-\(worker)"]
        let run = try await program.run(arguments, sandbox)
        guard run.isSuccess else { throw BenchmarkFailure(what: run.errors) }
        // A line when it begins, "job 7: tiny.csv", and another when it ends.
        return run.output.split(separator: "\n").filter { $0.hasSuffix(": tiny.csv") }
            .compactMap { Int($0.dropFirst(4).prefix { $0.isNumber }) }
    }

    private func counters(_ sandbox: Sandbox) async throws -> [String: Int] {
        var result: [String: Int] = [:]
        for name in Self.counters { result[name] = try await sandbox.counter(name) }
        return result
    }

    private func mpan(_ job: Int) -> Int { 1_200_000_000_000 + job }

    private func path(_ job: Int, _ sandbox: Sandbox) -> String { "\(sandbox.directory)/\(job).csv" }

    private func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchmarkFailure(what: "\(path) cannot be written") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw BenchmarkFailure(what: "\(path) cannot be written") }
    }
}
