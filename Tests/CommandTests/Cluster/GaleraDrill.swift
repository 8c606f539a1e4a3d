import FoundationEssentials
import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The imports, the workers of three hosts and what happens to them and to the nodes, in the drill on a Galera cluster.
///
/// Where a network of hosts can be had the first three are the nodes', the others the workers'.
actor GaleraDrill {
    private let cluster: GaleraCluster
    private let network: HostNetwork?
    private let door: String?
    private let folder: String
    private var workers: [HeadroomProcess] = []
    private var filesMade = 0
    /// How often what has happened.
    private(set) var counts: [String: Int] = [:]

    // Workers go to the nodes, or all through a front door.
    init(_ cluster: GaleraCluster, in folder: String, network: HostNetwork? = nil, through door: String? = nil) {
        self.cluster = cluster
        self.door = door
        self.network = network
        self.folder = folder
    }

    private func environment(_ host: Int) -> [String: String] {
        // Each host prefers another node, so that all of them accept claims.
        let list = cluster.nodes.map { "\($0.address):\($0.port)" }
        return cluster.environment.merging([
            "DB_HOST": door ?? (list[host...] + list[..<host]).joined(separator: ","),
            "HEADROOM_STATE_DIR": "\(cluster.nodes[0].socket).state\(host)", "HEADROOM_CONNECT_TIMEOUT": "5",
            "TZ": ["UTC", "Asia/Tokyo", "America/New_York"][host % 3],
        ]) { $1 }
    }

    /// Makes the tables.
    func migrate() async throws {
        let command = command(0) + [HeadroomProgram.path, "migrate"]
        let migration = try await HeadroomProgram.run(
            command[0],
            Array(command.dropFirst()),
            environment: environment(0)
        )
        try #require(migration.status == 0, "\(migration.errors)")
    }

    /// What runs a program on a worker's host.
    private func command(_ host: Int) -> [String] { network?.command(cluster.nodes.count + host) ?? [] }

    private func worker(_ host: Int) throws -> HeadroomProcess {
        try HeadroomProcess(
            ["work", "--yield-above", "100", "--poll", "1", "--max-time", "7200"],
            environment: environment(host),
            output: "\(folder)/host\(host).log",
            through: command(host)
        )
    }

    func startWorkers(_ number: Int = 3) throws {
        workers = try (0..<number).map(worker)
    }

    func killWorkers() {
        for worker in workers { worker.signal(SIGKILL) }
    }

    func stopWorkers() async throws {
        for worker in workers { worker.signal(SIGTERM) }
        for worker in workers { _ = try await worker.ended() }
    }

    /// The administrator on the first node that takes statements and has all that the others have committed.
    func query(_ statement: SQL) async throws -> QueryResult {
        var last: (any Error)?
        for _ in 0..<60 {
            for index in cluster.nodes.indices where await cluster.isSynced(index) {
                do {
                    return try await Database(administrator(index), share: .reserve)
                        .withConnection(timeout: .seconds(20)) { connection in
                            // A node that was cut off says that it is in step until it has noticed.
                            try await connection.query("SET SESSION wsrep_sync_wait = 1")
                            return try await connection.query(statement)
                        }
                } catch {
                    last = error
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
        throw try #require(last)
    }

    func administrator(_ index: Int) -> DatabaseSettings {
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

    /// How many rows all jobs have committed.
    func imported() async throws -> Int {
        try await query("SELECT COALESCE(SUM(imported_rows), 0) FROM import_jobs").first(Int.self) ?? 0
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

    /// How many readings, different readings and meters a node has, once it has all that the others had committed; and how many
    /// readings are not from their meter's file.
    func readings(_ index: Int) async throws -> [Int] {
        var last: (any Error)?
        for _ in 0..<120 {
            do {
                return try await Database(administrator(index), share: .reserve)
                    .withConnection { connection in
                        try await connection.query("SET SESSION wsrep_sync_wait = 1")
                        let found =
                            try await connection.query(
                                """
                                SELECT COUNT(*), COUNT(DISTINCT meter_id, reading_date, reading_time),
                                       COUNT(DISTINCT meter_id),
                                       COALESCE(SUM(import_batch_id <> CONCAT('batch-', SUBSTRING(mpan, 3))), 0)
                                FROM meter_readings JOIN meters ON meters.id = meter_id
                                """
                            )
                            .first(Int.self, Int.self, Int.self, Int.self)
                        return found.map { [$0.0, $0.1, $0.2, $0.3] } ?? []
                    }
            } catch {
                // It is not back yet, or has only just noticed that it was cut off.
                last = error
                try await Task.sleep(for: .seconds(1))
            }
        }
        throw try #require(last)
    }

    /// Forgets the jobs and their readings, once they have been counted.
    func clear() async throws {
        _ = try await query("DELETE FROM import_jobs")
        _ = try await query("TRUNCATE TABLE meter_readings")
    }

    /// Starts nodes that have aborted themselves, as their service would.
    func revive() async throws {
        for index in cluster.nodes.indices where cluster.hasEnded(index) {
            count("nodes ended by themselves")
            try await cluster.start(index)
        }
    }

    /// Waits a little, then kills, stops or cuts off one of the workers or nodes.
    func strike() async throws {
        try await Task.sleep(for: .milliseconds(Int.random(in: 200...3_000)))
        try await revive()
        let index = Int.random(in: 0..<3)
        // Past its lease now and then: a worker must not be able to commit when it comes back.
        let isLong = Int.random(in: 0..<3) == 0
        switch Int.random(in: 0..<(network == nil ? 6 : 9)) {
        case 0, 1:
            count("workers killed")
            workers[index].signal(SIGKILL)
            _ = try await workers[index].ended()
            workers[index] = try worker(index)
        case 2:
            count(isLong ? "workers stopped past the lease" : "workers stopped")
            let stopped = workers[index]
            stopped.signal(SIGSTOP)
            try await Task.sleep(for: .seconds(isLong ? 33 : 2))
            stopped.signal(SIGCONT)
        case 3:
            // To the others it is gone, and to its clients it is silent.
            count("nodes stopped")
            cluster.signal(SIGSTOP, index)
            try await Task.sleep(for: .seconds(Int.random(in: 1...8)))
            cluster.signal(SIGCONT, index)
        case 4, 5:
            // One at a time: two of three gone would leave no cluster.
            count("nodes killed")
            cluster.signal(SIGKILL, index)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...3_000)))
            try await cluster.start(index)
        case 6:
            count("nodes cut off")
            try await part([index], for: .seconds(Int.random(in: 1...10)))
        case 7:
            count(isLong ? "workers cut off past the lease" : "workers cut off")
            try await part([3 + index], for: .seconds(isLong ? 33 : Int.random(in: 1...10)))
        default:
            // The worker's side of the network has a node, which must refuse it: it is one of three.
            count("nodes cut off with a worker")
            try await part([index, 3 + Int.random(in: 0..<3)], for: .seconds(Int.random(in: 3...12)))
        }
    }

    private func count(_ what: String) { counts[what, default: 0] += 1 }

    private func part(_ hosts: [Int], for time: Duration) async throws {
        try await network?.part(hosts)
        try await Task.sleep(for: time)
        try await network?.join()
    }
}
