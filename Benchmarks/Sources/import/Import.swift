import CCycle
import Glibc
import Headroom
import HeadroomJobs
import HeadroomSandbox
import MeterImport

/// Compares imports with LOAD DATA LOCAL of the same rows from memory, in turns, on empty tables with the host's indexes.
///
/// The yardstick has its rows ready, with the ids of the meters; the import reads the file, finds the meters, counts, keeps
/// checkpoints and runs the queue. Both are timed from the first connection to the last commit.
@main
struct Import {
    static let rounds = 7

    static func main() async throws {
        try await Sandbox.with(SandboxOptions()) { sandbox in
            let database = Database(try SettingsSources(environment: sandbox.environment).load().database)
            _ = try await Migration(MeterSchema.tables + JobsSchema.tables).run(on: database)
            let folder = "/tmp/headroom-bench-\(getpid())"
            mkdir(folder, 0o700)
            defer { rmdir(folder) }
            for data in [Data.matrix(rows: 5_000), Data.interval(rows: 50_000)] {
                let path = "\(folder)/\(data.name).csv"
                try write(data.file, to: path)
                defer { unlink(path) }
                try await compare(data, path, database, sandbox)
            }
        }
    }

    static func compare(_ data: Data, _ path: String, _ database: Database, _ sandbox: Sandbox) async throws {
        let ids = try await meters(data.meters, database)
        let rows = data.loadRows(ids: ids)
        var ratios: [[Double]] = [[], [], [], []]
        for round in 1...rounds {
            try await empty(database)
            let load = try time {
                let stored = ccycle_load(
                    sandbox.socket,
                    "app",
                    "sandbox",
                    "app",
                    loadStatement,
                    rows,
                    UInt(rows.utf8.count)
                )
                guard stored == data.readings else { throw Failure(what: "LOAD DATA stored \(stored) rows") }
            }
            try await empty(database)
            let one = try await run(path, sessions: 1, database, expecting: data.readings)
            let again = try await run(path, sessions: 1, database, expecting: 0)
            try await empty(database)
            let two = try await run(path, sessions: 2, database, expecting: data.readings)
            for (index, ratio) in [load / one, load / two, again / one].enumerated() { ratios[index].append(ratio) }
            func rate(_ seconds: Double) -> String { "\(Int(Double(data.readings) / seconds / 1000)),000" }
            print(
                "  \(data.name) round \(round): LOAD DATA LOCAL \(rate(load)) a second, one session \(rate(one)), "
                    + "two sessions \(rate(two)), again \(rate(again))"
            )
        }
        let medians = ratios.prefix(3).map { hundredths($0.sorted()[rounds / 2]) }
        print(
            "  \(data.name), \(data.readings) readings: speed against LOAD DATA LOCAL: one session \(medians[0]), "
                + "two sessions \(medians[1]); the same file again takes \(medians[2]) times as long"
        )
    }

    /// Queues the file and works on it; returns the seconds that took.
    static func run(_ path: String, sessions: Int, _ database: Database, expecting stored: Int) async throws -> Double {
        let queue = JobQueue(database)
        let batch = "bench-\(UInt64.random(in: 0 ... .max))"
        let id = try await queue.add(NewJob(filename: "bench", path: path, type: "hh"), batchID: batch)
        let start = ContinuousClock.now
        _ = try await Worker(database, handler: MeterImportHandler(helper: sessions == 2 ? database : nil))
            .runOnce { _ in }
        let seconds = start.duration(to: .now) / .seconds(1)
        let job = try await queue.job(id)
        guard job?.status == .completed, let summary = job?.summary.flatMap(ImportSummary.init(json:)),
            summary.readingsStored == stored
        else { throw Failure(what: "the import ended as \(String(describing: job))") }
        return seconds
    }

    static let loadStatement = """
        LOAD DATA LOCAL INFILE 'memory' INTO TABLE meter_readings FIELDS TERMINATED BY ',' \
        (meter_id, reading_date, reading_time, period_number, reading_value, reading_type, import_batch_id)
        """

    struct Failure: Error {
        var what: String
    }

    static func empty(_ database: Database) async throws {
        try await database.withConnection { try await $0.query("TRUNCATE TABLE meter_readings") }
    }

    /// The meters' ids; both sides find them there.
    static func meters(_ names: [String], _ database: Database) async throws -> [Int] {
        try await database.withConnection { connection in
            try await connection.query("INSERT IGNORE INTO companies (id, name) VALUES (1, 'bench')")
            try await connection.query("INSERT IGNORE INTO sites (id, company_id, name) VALUES (1, 1, 'bench')")
            var ids: [Int] = []
            for name in names {
                try await connection.query("INSERT IGNORE INTO meters (site_id, mpan) VALUES (1, \(name))")
                ids.append(
                    try await connection.query("SELECT id FROM meters WHERE mpan = \(name)").first(Int.self) ?? 0
                )
            }
            return ids
        }
    }

    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw Failure(what: "\(path) cannot be written") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw Failure(what: "\(path) cannot be written") }
    }

    static func time(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return start.duration(to: .now) / .seconds(1)
    }

    static func hundredths(_ number: Double) -> Double { (number * 100).rounded() / 100 }
}
