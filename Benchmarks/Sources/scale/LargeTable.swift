import Glibc
import Headroom
import HeadroomJobs
import HeadroomSandbox
import MeterImport
import Support

/// A table of many readings: how fast the next file is imported, and a month of one meter read, beside a table with none.
///
/// The readings are generated in the server in the order in which imports of 21 days of 1,000 meters would have stored
/// them, a million at a time. Then files of the next 21 days go into this table and into an empty one, in turns. Each turn
/// begins when the server has written down what the turn before has left.
struct LargeTable {
    static let rounds = 7
    /// What the table's file takes of the disk for a million readings, with some room.
    private static let bytesPerMillion = 280_000_000.0

    /// How many millions; each is 1,008,000 readings.
    let millions: Int

    func run() async throws {
        var options = SandboxOptions()
        options.statements = [
            "CREATE DATABASE small CHARACTER SET utf8mb4", "GRANT ALL PRIVILEGES ON small.* TO app@'%'",
        ]
        // A twentieth of the table's size. The log has room for a million rows: they are generated in one transaction.
        options.serverArguments = ["--innodb-buffer-pool-size=1G", "--innodb-log-file-size=1G"]
        try await Sandbox.with(options) { sandbox in
            try checkDisk(sandbox.directory)
            let (large, small) = (try sandbox.database(), try sandbox.database("small"))
            for database in [large, small] {
                try await database.makeMeters(first: NextDays.firstMPAN, count: NextDays.meters)
            }
            try await generate(sandbox, large)
            try await compareImports(sandbox, large, small)
            try await readMonths(large)
        }
    }

    private func checkDisk(_ folder: String) throws {
        var disk = statvfs()
        guard statvfs(folder, &disk) == 0 else { throw BenchmarkFailure(what: "\(folder) has no disk") }
        let (free, needed) = (Double(disk.f_bavail) * Double(disk.f_frsize), Double(millions) * Self.bytesPerMillion)
        guard free > needed + 3e9 else {
            throw BenchmarkFailure(what: "\(millions) million readings need \(Int(needed / 1e9) + 3) GB in \(folder)")
        }
    }

    /// Fills the table, in two sessions: each has one half of the meters.
    private func generate(_ sandbox: Sandbox, _ database: Database) async throws {
        let start = ContinuousClock.now
        // Not worth a write to the disk each: who loses the machine begins again.
        try await set("innodb_flush_log_at_trx_commit", 0, sandbox)
        for number in 0..<millions {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for half in 0..<2 { group.addTask { try await generate(number, half, database) } }
                try await group.waitForAll()
            }
            if number % 10 == 9 { say("  \(number + 1) million after \(Int((.now - start).seconds)) s") }
        }
        try await set("innodb_flush_log_at_trx_commit", 1, sandbox)
        let size = try await sandbox.administrator()
            .withConnection {
                try await $0.query("ANALYZE TABLE app.meter_readings")
                return try await $0
                    .query(
                        "SELECT file_size FROM information_schema.innodb_sys_tablespaces WHERE name = 'app/meter_readings'"
                    )
                    .first(Int.self) ?? 0
            }
        say("  \(millions * NextDays.readings) readings, \(rounded(Double(size) / 1e9, 1)) GB")
    }

    private func generate(_ number: Int, _ half: Int, _ database: Database) async throws {
        let (first, daysAgo) = (number * NextDays.readings + 1, (millions - number) * NextDays.days)
        let sequence: SQL = half == 0 ? "seq_0_to_503999" : "seq_504000_to_1007999"
        try await database.withConnection { connection in
            try await connection.query("SET foreign_key_checks = 0")
            try await connection.query(
                """
                INSERT INTO meter_readings (id, meter_id, reading_date, reading_time, period_number, reading_value,
                                            import_batch_id)
                SELECT \(first) + seq, 1 + seq DIV 1008, DATE '2020-01-01' + INTERVAL (CAST(seq DIV 48 % 21 AS INT) - \(daysAgo)) DAY,
                       SEC_TO_TIME(seq % 48 * 1800), 1 + seq % 48, seq * 7919 % 5000 / 1000,
                       CONCAT('00000000-0000-4000-8000-', LPAD(\(number), 12, '0'))
                FROM \(sequence)
                """
            )
        }
    }

    /// Imports the next days into both tables, in turns.
    private func compareImports(_ sandbox: Sandbox, _ large: Database, _ small: Database) async throws {
        let path = "\(sandbox.directory)/next.csv"
        var ratios: [Double] = []
        for round in 0..<Self.rounds {
            try NextDays(round).write(to: path)
            // Its first million.
            try await small.withConnection { try await $0.query("TRUNCATE TABLE meter_readings") }
            var speeds: [Double] = []
            var pages: [Int] = []
            for database in round % 2 == 0 ? [small, large] : [large, small] {
                try await settle(sandbox)
                let before = try await sandbox.counter("Innodb_buffer_pool_reads")
                speeds.append(try await speed(of: path, into: database))
                pages.append(try await sandbox.counter("Innodb_buffer_pool_reads") - before)
            }
            if round % 2 == 1 { (speeds, pages) = (speeds.reversed(), pages.reversed()) }
            ratios.append(speeds[1] / speeds[0])
            say(
                "  round \(round + 1): \(Int(speeds[0])) readings a second into the empty table, \(pages[0]) pages read; "
                    + "\(Int(speeds[1])) into the large one, \(pages[1]) pages read"
            )
        }
        say(
            "  import into the large table against the empty one: median \(rounded(ratios.median)) "
                + "(from \(rounded(ratios.min() ?? 0)) to \(rounded(ratios.max() ?? 0)))"
        )
    }

    /// Queues the file and works on it, timed from the claim to the end; readings a second.
    private func speed(of path: String, into database: Database) async throws -> Double {
        let queue = JobQueue(database)
        let batch = "bench-\(UInt64.random(in: 0 ... .max))"
        let id = try await queue.add(NewJob(filename: "next.csv", path: path, type: "hh"), batchID: batch)
        let start = ContinuousClock.now
        _ = try await Worker(database, handler: MeterImportHandler()).runOnce { _ in }
        let time = (.now - start).seconds
        let job = try await queue.job(id)
        guard job?.status == .completed, let summary = job?.summary.flatMap(ImportSummary.init(json:)),
            summary.readingsStored == NextDays.readings
        else { throw BenchmarkFailure(what: "the import ended as \(String(describing: job))") }
        return Double(NextDays.readings) / time
    }

    /// Has the server write down all that it holds of both tables: it does so beside the next turn otherwise.
    private func settle(_ sandbox: Sandbox) async throws {
        try await sandbox.administrator()
            .withConnection { connection in
                try await connection.query("FLUSH TABLES app.meter_readings, small.meter_readings FOR EXPORT")
                _ = try await connection.query("UNLOCK TABLES")
            }
    }

    private func set(_ variable: String, _ value: Int, _ sandbox: Sandbox) async throws {
        try await sandbox.administrator()
            .withConnection { _ = try await $0.query("SET GLOBAL \(raw: variable) = \(value)") }
    }

    /// Reads a month in the middle of the table, of one meter after the other, first from the disk and then from memory.
    private func readMonths(_ database: Database) async throws {
        try await database.withConnection { connection in
            let middle = millions * NextDays.days / 2
            let month =
                try await connection.query("SELECT DATE_FORMAT(DATE '2020-01-01' - INTERVAL \(middle) DAY, '%Y-%m-01')")
                .first(String.self) ?? ""
            func query(_ meter: Int) -> SQL {
                """
                SELECT reading_date, reading_time, period_number, reading_value FROM meter_readings
                WHERE meter_id = \(meter) AND reading_date >= \(month) AND reading_date < \(month) + INTERVAL 1 MONTH
                ORDER BY reading_date, reading_time, period_number
                """
            }
            func rowsRead() async throws -> Int {
                try await connection
                    .query(
                        """
                        SELECT CAST(SUM(variable_value) AS INT) FROM information_schema.session_status
                        WHERE variable_name IN ('Handler_read_next', 'Handler_read_prev', 'Handler_read_rnd_next')
                        """
                    )
                    .first(Int.self) ?? 0
            }
            let plan = try await connection.query("EXPLAIN \(query(1))")
            guard let index = try plan.rows.first?.decode(String?.self, column: "key") else {
                throw BenchmarkFailure(what: "no index for a month of a meter")
            }
            var (fromDisk, fromMemory): ([Double], [Double]) = ([], [])
            // Far apart, so that none is read with the one before.
            for meter in stride(from: 20, through: 980, by: 48) {
                let before = try await rowsRead()
                for isFirst in [true, false] {
                    let start = ContinuousClock.now
                    let count = try await connection.query(query(meter)).rows.count
                    let time = (.now - start).seconds * 1000
                    if isFirst { fromDisk.append(time) } else { fromMemory.append(time) }
                    guard count > 0 else { throw BenchmarkFailure(what: "a month without readings") }
                    if isFirst {
                        let looked = try await rowsRead() - before
                        if meter == 20 {
                            say("  \(month), one meter: \(count) readings by \(index), \(looked) rows read")
                        }
                        guard looked < 2 * count else {
                            throw BenchmarkFailure(what: "\(looked) rows read for \(count)")
                        }
                    }
                }
            }
            say(
                "  a month of one meter: median \(rounded(fromDisk.median, 1)) ms first, \(rounded(fromMemory.median, 1)) ms again"
            )
        }
    }
}
