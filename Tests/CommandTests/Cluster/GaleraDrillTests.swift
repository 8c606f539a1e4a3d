import FoundationEssentials
import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// Imports on a Galera cluster of three nodes, by workers of three hosts, while nodes and workers are killed and stopped.
@Suite(.enabled(if: ClusterRun.isWanted), .serialized) struct GaleraDrillTests {
    private static let files = 50
    private static let rows = 11_000

    /// A file of half-hours in rows, for a meter of its own.
    private static func file(_ number: Int) -> String {
        (0..<rows)
            .reduce(into: "mpan,start,value\n") { text, row in
                let (month, day) = (row / 48 / 28 % 12 + 1, row / 48 % 28 + 1)
                let clock = "\(row % 48 / 2 < 10 ? "0" : "")\(row % 48 / 2):\(row % 2 == 0 ? "00" : "30")"
                let date = "2024-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
                text += "GA\(number),\(date) \(clock),\(row % 100).\(number)\n"
            }
    }

    /// The administrator on the first node that takes statements.
    private static func query(_ cluster: GaleraCluster, _ statement: SQL) async throws -> QueryResult {
        var last: (any Error)?
        for _ in 0..<60 {
            for (index, node) in cluster.nodes.enumerated() where await cluster.isSynced(index) {
                let settings = DatabaseSettings(endpoint: .socket(path: node.socket), username: "root", database: "app")
                do {
                    return try await Database(settings, share: .reserve)
                        .withConnection(timeout: .seconds(20)) { try await $0.query(statement) }
                } catch {
                    last = error
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
        throw try #require(last)
    }

    /// How many readings, different readings and meters a node has, once it has all that the others had committed.
    private static func readings(_ node: GaleraCluster.Node) async throws -> [Int] {
        let settings = DatabaseSettings(endpoint: .socket(path: node.socket), username: "root", database: "app")
        return try await Database(settings, share: .reserve)
            .withConnection { connection in
                try await connection.query("SET SESSION wsrep_sync_wait = 1")
                return
                    try await connection
                    .query(
                        """
                        SELECT COUNT(*), COUNT(DISTINCT meter_id, reading_date, reading_time), COUNT(DISTINCT meter_id)
                        FROM meter_readings
                        """
                    )
                    .first(Int.self, Int.self, Int.self).map { [$0.0, $0.1, $0.2] } ?? []
            }
    }

    @Test func `no reading is lost or doubled and no job is stranded, whatever ends or stops`() async throws {
        if let obstacle = GaleraCluster.obstacle(scripts: ClusterRun.scripts) {
            Issue.record("Not run here: \(obstacle).")
            return
        }
        let folder = TemporaryFolder()
        try await GaleraCluster.with(SandboxOptions(), scripts: ClusterRun.scripts) { cluster in
            func environment(_ host: Int) -> [String: String] {
                cluster.environment.merging([
                    "HEADROOM_STATE_DIR": "\(cluster.nodes[0].socket).state\(host)", "HEADROOM_CONNECT_TIMEOUT": "5",
                ]) { $1 }
            }
            let migration = try await HeadroomProgram.run(["migrate"], environment: environment(0))
            try #require(migration.status == 0, "\(migration.errors)")
            for number in 0..<Self.files {
                let path = "\(folder.path)/\(number).csv"
                try Self.file(number).write(toFile: path, atomically: false, encoding: .utf8)
                _ = try await Self.query(
                    cluster,
                    """
                    INSERT INTO import_jobs (batch_id, filename, file_path, import_type, status, queued_at, max_retries)
                    VALUES (\("batch-\(number)"), \("\(number).csv"), \(path), 'hh', 'queued', NOW(), 1000)
                    """
                )
            }

            func worker(_ host: Int) throws -> HeadroomProcess {
                // Each host prefers another node, so that all of them accept claims.
                var settings = environment(host)
                let list = cluster.nodes.map { "127.0.0.1:\($0.port)" }
                settings["DB_HOST"] = (list[host...] + list[..<host]).joined(separator: ",")
                settings["TZ"] = ["UTC", "Asia/Tokyo", "America/New_York"][host]
                return try HeadroomProcess(
                    ["work", "--yield-above", "100", "--poll", "1", "--max-time", "3600"],
                    environment: settings,
                    output: "\(folder.path)/host\(host).log"
                )
            }
            var workers = try (0..<3).map(worker)
            var counts: [String: Int] = [:]
            let end = ContinuousClock.now + ClusterRun.duration
            while ContinuousClock.now < end {
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
                    counts["workers stopped", default: 0] += 1
                    let stopped = workers[index]
                    stopped.signal(SIGSTOP)
                    try await Task.sleep(for: .seconds(Bool.random() ? 2 : 33))
                    stopped.signal(SIGCONT)
                case 3:
                    // To the others it is gone, and to its clients it is silent.
                    counts["nodes cut off", default: 0] += 1
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
            let isDone = try await eventually(within: .seconds(240)) {
                try await Task.sleep(for: .seconds(1))
                return try await Self.query(cluster, "SELECT COUNT(*) FROM import_jobs WHERE status <> 'completed'")
                    .first(Int.self) == 0
            }
            for worker in workers { worker.signal(SIGTERM) }
            for worker in workers { _ = try await worker.ended() }
            let jobs =
                try await Self.query(
                    cluster,
                    """
                    SELECT CONCAT_WS(' ', id, status, processed_rows, imported_rows, failed_rows, COALESCE(last_error, '')) FROM import_jobs
                    WHERE status <> 'completed' OR processed_rows <> \(Self.rows) OR imported_rows <> \(Self.rows) OR failed_rows <> 0
                    """
                )
                .decode(String.self)
            #expect(isDone)
            #expect(jobs.isEmpty, "\(jobs)")
            // On each node, once it has caught up: one that was killed must not have come back with less than the others.
            for index in cluster.nodes.indices {
                try #require(try await eventually(within: .seconds(120)) { await cluster.isSynced(index) })
                let found = try await Self.readings(cluster.nodes[index])
                #expect(found == [Self.files * Self.rows, Self.files * Self.rows, Self.files], "node \(index)")
                print("galera: node \(index) has \(found)")
            }
            let left = try await Self.query(cluster, "SELECT COUNT(*) FROM headroom_leases").first(Int.self)
            #expect(left == 0)
            print("galera: \(ClusterRun.duration), \(counts)")
        }
    }
}
