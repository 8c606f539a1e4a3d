import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// Imports are killed, cut off and left without a server or a disk, again and again; nothing is lost, nothing doubled.
@Suite(.serialized) struct ImportDrillTests {
    private let folder = TemporaryFolder()

    /// Queues a file of each kind, the interval file twice: an estimate in it never replaces an actual reading.
    private func fill(_ queue: DrillQueue, twice: Bool = true) async throws {
        let files = [
            ("m", "hh", DrillFiles.matrix(rows: 150)), ("i", "hh", DrillFiles.interval(rows: 5000)),
            ("d", "daily", DrillFiles.daily(rows: 2500)), ("s", "sites", DrillFiles.sites(rows: 2500)),
        ]
        for (name, type, text) in files {
            let path = folder.write(text, to: "\(name).csv")
            try await queue.insert(path, type: type, batch: "batch-\(name)", retries: 100_000)
        }
        if twice { try await queue.insert("\(folder.path)/i.csv", batch: "batch-again", retries: 100_000) }
    }

    @Test func `workers killed at random, sessions killed, servers restarted: each row once, each count exact`()
        async throws
    {
        let wanted = isFullRun ? 1000 : 60
        let seed = UInt64.random(in: 1...1_000_000)
        var random = Seeded(seed)
        print("import drill: seed \(seed), \(wanted) kills")
        var sandbox = try await Sandbox.start(SandboxOptions())
        do {
            let plain = try await DrillQueue("plain", in: sandbox)
            try await fill(plain)
            let start = ContinuousClock.now
            let run = try await plain.work()
            try #require(run.status == 0, "\(run.output) \(run.errors)")
            let whole = ContinuousClock.now - start
            let expected = try await plain.contents()
            #expect(expected.contains { $0.hasPrefix("rejected|") })

            var (kills, terms, cuts, restarts, inHand, rounds) = (0, 0, 0, 0, 0, 0)
            while kills < wanted {
                rounds += 1
                let queue = try await DrillQueue("round\(rounds)", in: sandbox)
                try await fill(queue)
                var before: [Int] = []
                while try await queue.number("SELECT COUNT(*) FROM import_jobs WHERE status <> 'completed'") > 0 {
                    guard kills < wanted else {
                        // Whatever was killed last is carried on with at once, and nothing is left.
                        let run = try await queue.work()
                        #expect(run.status == 0, "\(run.errors)")
                        break
                    }
                    let worker = try queue.start()
                    try await Task.sleep(for: whole * Double.random(in: 0...0.15, using: &random))
                    switch Int.random(in: 0..<100, using: &random) {
                    case ..<80: break
                    case ..<90:
                        try await queue.endSessions()
                        cuts += 1
                    case ..<96:
                        worker.signal(SIGTERM)
                        terms += 1
                    default:
                        if Bool.random(using: &random), let server = sandbox.processID { kill(server, SIGKILL) }
                        sandbox = try await sandbox.restart()
                        restarts += 1
                    }
                    if Int.random(in: 0..<100, using: &random) >= 80 {
                        try await Task.sleep(for: whole * Double.random(in: 0...0.1, using: &random))
                    }
                    worker.signal(SIGKILL)
                    if try await worker.ended() == -SIGKILL { kills += 1 }
                    inHand += try await queue.number("SELECT COUNT(*) FROM headroom_leases") > 0 ? 1 : 0
                    // Nothing that was committed is done again: rows are never taken back.
                    let rows = try await queue.query("SELECT processed_rows FROM import_jobs ORDER BY id")
                        .decode(Int.self)
                    #expect(zip(before, rows).allSatisfy { $0 <= $1 }, "\(before) then \(rows)")
                    before = rows
                }
                let found = try await queue.contents()
                #expect(found.count == expected.count, "seed \(seed), round \(rounds)")
                let firstDifference = zip(found, expected).first { $0 != $1 }
                #expect(firstDifference == nil, "seed \(seed), round \(rounds)")
            }
            print(
                "import drill: \(kills) kills (\(inHand) with a job in hand), \(cuts) sessions cut, \(terms) SIGTERM, "
                    + "\(restarts) server restarts, \(rounds) rounds of \(expected.count) rows; plain import \(whole)"
            )
        } catch {
            await sandbox.stop()
            throw error
        }
        await sandbox.stop()
    }

    /// Another table takes up room; returns how many megabytes there was room for.
    private func takeRoom(_ queue: DrillQueue, megabytes: Int) async throws -> Int {
        try await queue.query("CREATE TABLE ballast (id INT AUTO_INCREMENT PRIMARY KEY, bytes LONGBLOB)")
        for taken in 0..<megabytes {
            do {
                try await queue.query("INSERT INTO ballast (bytes) VALUES (REPEAT('x', 1000000))")
            } catch let error as DatabaseError where error.serverCode == 1114 {
                return taken
            }
        }
        return megabytes
    }

    /// Works until all jobs are done, however often they must be tried; the server gives room back in its own time.
    private func finish(_ queue: DrillQueue) async throws {
        for _ in 0..<200 {
            try await queue.query("UPDATE import_jobs SET retry_at = NULL WHERE status = 'queued'")
            _ = try await queue.work()
            if try await queue.number("SELECT COUNT(*) FROM import_jobs WHERE status <> 'completed'") == 0 { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("Some jobs are not done.")
    }

    @Test func `a server without room for more loses nothing and doubles nothing`() async throws {
        // Tables may grow together to this much, as on a disk that is full then. (On a real full disk MariaDB 10.11 answers
        // for a while, and may then end itself while it rolls back: to the worker that is a server that is gone.)
        var options = SandboxOptions()
        options.serverArguments = [
            "--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:40M",
        ]
        let (room, expected) = try await Sandbox.with(options) { sandbox in
            let plain = try await DrillQueue("plain", in: sandbox)
            // Jobs that are tried again come in another order: no two of them may have the same readings.
            try await fill(plain, twice: false)
            #expect(try await plain.work().status == 0)
            let expected = try await plain.contents()
            try await plain.query("TRUNCATE meter_readings")
            return (try await takeRoom(DrillQueue("measured", in: sandbox), megabytes: 100), expected)
        }
        // A server with nothing at all left ends neither a job nor a table: there is some room, and not enough.
        try await Sandbox.with(options) { sandbox in
            let queue = try await DrillQueue("filled", in: sandbox)
            try await fill(queue, twice: false)
            _ = try await takeRoom(queue, megabytes: room - 1)
            let full = try await queue.work("--quiet")
            #expect(full.errors.contains("is full"), "\(full.errors)")
            #expect(full.errors.contains("is tried again in"), "\(full.errors)")
            let waiting = try await queue.number(
                "SELECT COUNT(*) FROM import_jobs WHERE status = 'queued' AND retry_at > NOW() AND retry_count = 1"
            )
            #expect(waiting > 0)
            try await queue.query("DROP TABLE ballast")
            try await finish(queue)
            let found = try await queue.contents()
            #expect(found.count == expected.count)
            let firstDifference = zip(found, expected).first { $0 != $1 }
            #expect(firstDifference == nil)
        }
    }
}
