import CCycle
import Glibc
import Headroom
import HeadroomJobs
import HeadroomSandbox
import MeterImport

/// The turns of one file, and what came of them.
struct Comparison {
    let data: Data
    let path: String
    let database: Database
    let sandbox: Sandbox

    /// How long something took, and how much of it the server was at work; in seconds.
    struct Cost {
        var wall: Double
        var server: Double
    }

    private struct Round {
        var load: Cost
        var one: Cost
        var again: Cost
        var two: Cost
    }

    func run() async throws {
        let ids = try await meters()
        let rows = data.loadRows(ids: ids, batch: Self.newBatch())
        var rounds: [Round] = []
        for number in 1...Import.rounds {
            let none = Cost(wall: 0, server: 0)
            var round = Round(load: none, one: none, again: none, two: none)
            for turn in 0..<3 {
                try await empty()
                switch (number + turn) % 3 {
                case 0:
                    round.load = try await cost { try load(rows) }
                case 1:
                    round.one = try await work(sessions: 1, expecting: data.readings)
                    try await settle()
                    round.again = try await work(sessions: 1, expecting: 0)
                default:
                    round.two = try await work(sessions: 2, expecting: data.readings)
                }
            }
            rounds.append(round)
            print(
                "  \(data.name) round \(number): LOAD DATA LOCAL \(rate(round.load)), one session \(rate(round.one)), "
                    + "two sessions \(rate(round.two)), again \(rate(round.again))"
            )
        }
        func median(_ ratio: (Round) -> Double) -> Double {
            (rounds.map(ratio).sorted()[rounds.count / 2] * 100).rounded() / 100
        }
        print(
            """
              \(data.name), \(data.readings) readings: speed against LOAD DATA LOCAL: \
            one session \(median { $0.load.wall / $0.one.wall }), two sessions \(median { $0.load.wall / $0.two.wall }); \
            the same file again takes \(median { $0.again.wall / $0.one.wall }) times as long.
              \(data.name), work of the server alone: \
            one session \(median { $0.load.server / $0.one.server }), \
            two sessions \(median { $0.load.server / $0.two.server }); \
            the same file again \(median { $0.again.server / $0.one.server })
            """
        )
    }

    /// Queues the file and works on it, timed from the claim to the end.
    private func work(sessions: Int, expecting stored: Int) async throws -> Cost {
        let queue = JobQueue(database)
        let id = try await queue.add(NewJob(filename: "bench", path: path, type: "hh"), batchID: Self.newBatch())
        let worker = Worker(database, handler: MeterImportHandler(helper: sessions == 2 ? database : nil))
        let cost = try await cost { _ = try await worker.runOnce { _ in } }
        let job = try await queue.job(id)
        guard job?.status == .completed, let summary = job?.summary.flatMap(ImportSummary.init(json:)),
            summary.readingsStored == stored
        else { throw Import.Failure(what: "the import ended as \(String(describing: job))") }
        return cost
    }

    private func load(_ rows: String) throws {
        let statement = """
            LOAD DATA LOCAL INFILE 'memory' INTO TABLE meter_readings FIELDS TERMINATED BY ',' \
            (meter_id, reading_date, reading_time, period_number, reading_value, reading_type, import_batch_id)
            """
        let stored = ccycle_load(
            sandbox.socket,
            sandbox.options.username,
            sandbox.options.password,
            sandbox.options.database,
            statement,
            rows,
            UInt(rows.utf8.count)
        )
        guard stored == data.readings else { throw Import.Failure(what: "LOAD DATA stored \(stored) rows") }
    }

    /// The meters' ids; both sides find them there.
    private func meters() async throws -> [Int] {
        try await database.withConnection { connection in
            try await connection.query("INSERT IGNORE INTO companies (id, name) VALUES (1, 'bench')")
            try await connection.query("INSERT IGNORE INTO sites (id, company_id, name) VALUES (1, 1, 'bench')")
            var ids: [Int] = []
            for name in data.meters {
                try await connection.query("INSERT IGNORE INTO meters (site_id, mpan) VALUES (1, \(name))")
                ids.append(
                    try await connection.query("SELECT id FROM meters WHERE mpan = \(name)").first(Int.self) ?? 0
                )
            }
            return ids
        }
    }

    private func empty() async throws {
        try await database.withConnection { try await $0.query("TRUNCATE TABLE meter_readings") }
        try await settle()
    }

    /// Waits until the server has tidied up after the turn before, 10 s at most: it does so beside the next one otherwise.
    private func settle() async throws {
        var settings = database.settings
        settings.username = "root"
        settings.password = ""
        try await Database(settings)
            .withConnection { connection in
                for _ in 0..<100 {
                    let history: SQL =
                        "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'"
                    if try await connection.query(history).first(Int.self) ?? 0 < 10 { return }
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
    }

    private func cost(_ body: () async throws -> Void) async throws -> Cost {
        let (start, before) = (ContinuousClock.now, try serverTime())
        try await body()
        return Cost(wall: start.duration(to: .now) / .seconds(1), server: try serverTime() - before)
    }

    /// The processor time that the server has had.
    private func serverTime() throws -> Double {
        var (clock, time) = (clockid_t(), timespec())
        guard let server = sandbox.processID, clock_getcpuclockid(server, &clock) == 0, clock_gettime(clock, &time) == 0
        else { throw Import.Failure(what: "the server's processor time cannot be read") }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func rate(_ cost: Cost) -> String {
        "\(Int(Double(data.readings) / cost.wall / 1000)),000 a second"
    }

    /// A batch as the host's pages make them.
    private static func newBatch() -> String {
        let digits = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
        return String((digits + String(repeating: "0", count: 36)).prefix(36))
    }
}
