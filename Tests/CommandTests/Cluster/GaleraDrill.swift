import FoundationEssentials
import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The imports, the workers of three hosts and what happens to them and to the nodes, in the drill on a Galera cluster.
actor GaleraDrill {
    private let cluster: GaleraCluster
    private let folder: String
    private var workers: [HeadroomProcess] = []
    private var filesMade = 0
    /// How often what has happened.
    private(set) var counts: [String: Int] = [:]

    init(_ cluster: GaleraCluster, _ folder: String) {
        self.cluster = cluster
        self.folder = folder
    }

    private func environment(_ host: Int) -> [String: String] {
        // Each host prefers another node, so that all of them accept claims.
        let list = cluster.nodes.map { "127.0.0.1:\($0.port)" }
        return cluster.environment.merging([
            "DB_HOST": (list[host...] + list[..<host]).joined(separator: ","),
            "HEADROOM_STATE_DIR": "\(cluster.nodes[0].socket).state\(host)", "HEADROOM_CONNECT_TIMEOUT": "5",
            "TZ": ["UTC", "Asia/Tokyo", "America/New_York"][host],
        ]) { $1 }
    }

    /// Makes the tables.
    func migrate() async throws {
        let migration = try await HeadroomProgram.run(["migrate"], environment: environment(0))
        try #require(migration.status == 0, "\(migration.errors)")
    }

    private func worker(_ host: Int) throws -> HeadroomProcess {
        try HeadroomProcess(
            ["work", "--yield-above", "100", "--poll", "1", "--max-time", "7200"],
            environment: environment(host),
            output: "\(folder)/host\(host).log"
        )
    }

    func startWorkers() throws {
        workers = try (0..<3).map(worker)
    }

    func stopWorkers() async throws {
        for worker in workers { worker.signal(SIGTERM) }
        for worker in workers { _ = try await worker.ended() }
    }

    /// The administrator on the first node that takes statements.
    func query(_ statement: SQL) async throws -> QueryResult {
        var last: (any Error)?
        for _ in 0..<60 {
            for index in cluster.nodes.indices where await cluster.isSynced(index) {
                do {
                    return try await Database(administrator(index), share: .reserve)
                        .withConnection(timeout: .seconds(20)) { try await $0.query(statement) }
                } catch {
                    last = error
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
        throw try #require(last)
    }

    private func administrator(_ index: Int) -> DatabaseSettings {
        DatabaseSettings(endpoint: .socket(path: cluster.nodes[index].socket), username: "root", database: "app")
    }

    /// Puts files in the queue, each with half-hours in rows, for a meter of its own.
    func queue(files: Int, rows: Int) async throws {
        for _ in 0..<files {
            let number = filesMade
            filesMade += 1
            var text = "mpan,start,value\n"
            for row in 0..<rows {
                let (month, day) = (row / 48 / 28 % 12 + 1, row / 48 % 28 + 1)
                let clock = "\(row % 48 / 2 < 10 ? "0" : "")\(row % 48 / 2):\(row % 2 == 0 ? "00" : "30")"
                let date = "2024-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
                text += "GA\(number),\(date) \(clock),\(row % 100).\(number)\n"
            }
            let path = "\(folder)/\(number).csv"
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            _ = try await query(
                """
                INSERT INTO import_jobs (batch_id, filename, file_path, import_type, status, queued_at, max_retries)
                VALUES (\("batch-\(number)"), \("\(number).csv"), \(path), 'hh', 'queued', NOW(), 1000)
                """
            )
        }
    }

    /// How many jobs are not completed.
    func open() async throws -> Int {
        try await query("SELECT COUNT(*) FROM import_jobs WHERE status <> 'completed'").first(Int.self) ?? 0
    }

    /// The jobs that are not completed, or have a wrong count.
    func wrongJobs(rows: Int) async throws -> [String] {
        try await query(
            """
            SELECT CONCAT_WS(' ', id, status, processed_rows, imported_rows, failed_rows, COALESCE(last_error, '')) FROM import_jobs
            WHERE status <> 'completed' OR processed_rows <> \(rows) OR imported_rows <> \(rows) OR failed_rows <> 0
            """
        )
        .decode(String.self)
    }

    /// How many readings, different readings and meters a node has, once it has all that the others had committed.
    func readings(_ index: Int) async throws -> [Int] {
        try await Database(administrator(index), share: .reserve)
            .withConnection { connection in
                try await connection.query("SET SESSION wsrep_sync_wait = 1")
                let found =
                    try await connection
                    .query(
                        """
                        SELECT COUNT(*), COUNT(DISTINCT meter_id, reading_date, reading_time), COUNT(DISTINCT meter_id)
                        FROM meter_readings
                        """
                    )
                    .first(Int.self, Int.self, Int.self).map { [$0.0, $0.1, $0.2] }
                let each = try await connection.query(
                    "SELECT CONCAT(meter_id, ': ', COUNT(*)) FROM meter_readings GROUP BY meter_id HAVING COUNT(*) <> 11000"
                )
                .decode(String.self)
                let state = try await connection.query("SHOW STATUS LIKE 'wsrep_last_committed'").rows
                if !each.isEmpty { print("galera: node \(index), \(state), wrong meters: \(each)") }
                return found ?? []
            }
    }

    /// Forgets the jobs and their readings, once they have been counted.
    func clear() async throws {
        _ = try await query("DELETE FROM import_jobs")
        _ = try await query("TRUNCATE TABLE meter_readings")
    }

    /// Waits a little, then kills, stops or cuts off one of the workers or nodes.
    func strike() async throws {
        try await Task.sleep(for: .milliseconds(Int.random(in: 200...3_000)))
        let index = Int.random(in: 0..<3)
        switch Int.random(in: 0..<6) {
        case 0, 1:
            counts["workers killed", default: 0] += 1
            workers[index].signal(SIGKILL)
            _ = try await workers[index].ended()
            workers[index] = try worker(index)
        case 2:
            // Past its lease now and then: it must not be able to commit when it comes back.
            let isLong = Bool.random()
            counts[isLong ? "workers stopped past the lease" : "workers stopped", default: 0] += 1
            let stopped = workers[index]
            stopped.signal(SIGSTOP)
            try await Task.sleep(for: .seconds(isLong ? 33 : 2))
            stopped.signal(SIGCONT)
        case 3:
            // To the others it is gone, and to its clients it is silent.
            counts["nodes stopped", default: 0] += 1
            cluster.signal(SIGSTOP, index)
            try await Task.sleep(for: .seconds(Int.random(in: 1...8)))
            cluster.signal(SIGCONT, index)
        default:
            // One at a time: two of three gone would leave no cluster.
            counts["nodes killed", default: 0] += 1
            cluster.signal(SIGKILL, index)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...3_000)))
            try await cluster.start(index)
        }
    }
}
