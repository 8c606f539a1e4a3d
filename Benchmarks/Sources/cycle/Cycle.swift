import CCycle
import Glibc
@_spi(Benchmarks) import Headroom
import HeadroomSandbox

/// Compares a cycle of open, query and close, and a query on an open connection, with the same in C.
///
/// Headroom's cycle also takes and gives back a slot, and tells the session how long it may do nothing. So C does a cycle in
/// two ways: bare, and with the same statement for the session first.
///
/// The two take turns in short blocks on one server, so that whatever else the machine does falls on both. Of each block
/// the median counts, and of the blocks' ratios the median.
///
/// It is done three times: as the scheduler likes, then with client and server bound to processors. Whether a wake-up stays
/// on one core or crosses to another makes a factor of three in a query's time, for C as well, and the scheduler may well
/// choose one for the one contestant and the other for the other. (In C, `mysql_close` itself sleeps for some 50 us, which
/// helps to keep the two on one core.)
@main
struct Cycle {
    static let blocks = 21
    static let cyclesInBlock = 400

    static func main() async throws {
        var options = SandboxOptions(limit: 1)
        options.tcp = true
        try await Sandbox.with(options) { sandbox in
            let placements: [(name: String, serverCore: Int32?)] = [
                ("as the scheduler likes", nil), ("client and server on a core each", 1), ("both on one core", 0),
            ]
            for placement in placements {
                print(placement.name)
                if let serverCore = placement.serverCore {
                    _ = ccycle_pin(getpid(), 0)
                    _ = ccycle_pin(sandbox.processID ?? 0, serverCore)
                }
                for overTCP in [false, true] { try await compareCycles(Bench(sandbox, overTCP: overTCP)) }
                for overTCP in [false, true] { try await compareQueries(Bench(sandbox, overTCP: overTCP)) }
            }
        }
    }

    @concurrent static func compareCycles(_ bench: Bench) async throws {
        var bare = Comparison()
        var alike = Comparison()
        for block in 0..<blocks {
            // Who goes first changes, as the first may find the machine in another state than the second.
            if block % 2 == 0 { bare.c.append(try bench.cyclesInC(cyclesInBlock, telling: nil)) }
            if block % 2 == 1 { alike.c.append(try bench.cyclesInC(cyclesInBlock, telling: bench.sessionStatement)) }
            let swift = try await bench.cyclesInSwift(cyclesInBlock)
            bare.swift.append(swift)
            alike.swift.append(swift)
            if block % 2 == 1 { bare.c.append(try bench.cyclesInC(cyclesInBlock, telling: nil)) }
            if block % 2 == 0 { alike.c.append(try bench.cyclesInC(cyclesInBlock, telling: bench.sessionStatement)) }
        }
        bare.report("open-query-close, \(bench.place), C bare", count: blocks * cyclesInBlock)
        alike.report("open-query-close, \(bench.place), C telling the session the same", count: blocks * cyclesInBlock)
    }

    @concurrent static func compareQueries(_ bench: Bench) async throws {
        var table = Comparison()
        for block in 0..<blocks {
            if block % 2 == 0 { table.c.append(try bench.queriesInC(2 * cyclesInBlock)) }
            table.swift.append(try await bench.queriesInSwift(2 * cyclesInBlock))
            if block % 2 == 1 { table.c.append(try bench.queriesInC(2 * cyclesInBlock)) }
        }
        table.report("query, open connection, \(bench.place)", count: blocks * 2 * cyclesInBlock)
    }
}

/// One server and the loops to run against it.
struct Bench {
    let place: String
    /// What Headroom tells each session.
    let sessionStatement: String
    private let database: Database
    private let socket: String?
    private let port: UInt32

    init(_ sandbox: Sandbox, overTCP: Bool) {
        place = overTCP ? "TCP" : "socket"
        socket = overTCP ? nil : sandbox.socket
        port = UInt32(sandbox.port ?? 0)
        let endpoint = socket.map(Endpoint.socket(path:)) ?? .tcp(host: "127.0.0.1", port: Int(port))
        let settings = DatabaseSettings(
            endpoint: endpoint,
            username: sandbox.options.username,
            password: sandbox.options.password,
            database: sandbox.options.database,
            programName: "ccycle"
        )
        sessionStatement = settings.sessionStatement
        database = Database(settings.sharing(in: sandbox.environment["HEADROOM_STATE_DIR"]))
    }

    func cyclesInC(_ count: Int, telling statement: String?) throws -> [Duration] {
        try (0..<count)
            .map { _ in
                let start = ContinuousClock.now
                let error = ccycle_run(socket, port, "app", "sandbox", "app", statement, "SELECT 1")
                guard error == 0 else { throw Failure(number: error) }
                return start.duration(to: .now)
            }
    }

    func cyclesInSwift(_ count: Int) async throws -> [Duration] {
        var durations: [Duration] = []
        durations.reserveCapacity(count)
        for _ in 0..<count {
            let start = ContinuousClock.now
            let one = try await database.withConnection { try await $0.query("SELECT 1").first(Int.self) }
            guard one == 1 else { throw Failure(number: -1) }
            durations.append(start.duration(to: .now))
        }
        return durations
    }

    func queriesInC(_ count: Int) throws -> [Duration] {
        var nanoseconds = [Int64](repeating: 0, count: count)
        let error = ccycle_queries(socket, port, "app", "sandbox", "app", Int32(count), &nanoseconds)
        guard error == 0 else { throw Failure(number: error) }
        return nanoseconds.map { .nanoseconds($0) }
    }

    func queriesInSwift(_ count: Int) async throws -> [Duration] {
        try await database.withConnection { connection in
            var durations: [Duration] = []
            durations.reserveCapacity(count)
            for _ in 0..<count {
                let start = ContinuousClock.now
                let one = try await connection.query("SELECT 1").first(Int.self)
                guard one == 1 else { throw Failure(number: -1) }
                durations.append(start.duration(to: .now))
            }
            return durations
        }
    }

    struct Failure: Error {
        var number: Int32
    }
}

/// The durations of two contestants, block by block.
struct Comparison {
    var c: [[Duration]] = []
    var swift: [[Duration]] = []

    func report(_ name: String, count: Int) {
        func microseconds(_ duration: Duration) -> String {
            let tenths = (duration / .nanoseconds(100)).rounded()
            return "\(Int(tenths) / 10).\(Int(tenths) % 10)"
        }
        let ratios = zip(c, swift).map { median($1) / median($0) }.sorted()
        let ratio = (ratios[ratios.count / 2] * 1000).rounded() / 1000
        print(
            "  \(name): C \(microseconds(median(c.flatMap(\.self)))) us, Headroom "
                + "\(microseconds(median(swift.flatMap(\.self)))) us, median ratio \(ratio), "
                + "blocks from \((ratios[0] * 100).rounded() / 100) to \(((ratios.last ?? 0) * 100).rounded() / 100) "
                + "(\(count) each, none refused)"
        )
    }

    private func median(_ durations: [Duration]) -> Duration {
        durations.sorted()[durations.count / 2]
    }
}

extension DatabaseSettings {
    /// The same settings with another state folder.
    func sharing(in folder: String?) -> DatabaseSettings {
        var settings = self
        settings.stateFolder = folder
        return settings
    }
}
