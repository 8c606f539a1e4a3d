import Glibc
import Headroom
import HeadroomHistory
import HeadroomSandbox
import HeadroomWatch
import TestSupport
import Testing

/// `guard` beside a server that is restarted again and again and is full half the time: 12 s, or 10 minutes in a full run.
struct GuardEnduranceTests {
    /// How often the server is restarted: every 20 s in a full run.
    private static let life = isFullRun ? Duration.seconds(20) : .seconds(3)
    private static let lives = isFullRun ? 30 : 4

    /// Runs the body while the account's connections are taken.
    private func filled(_ database: Database, _ count: Int, _ body: () async throws -> Void) async throws {
        guard count > 0 else { return try await body() }
        try await database.withConnection { _ in try await filled(database, count - 1, body) }
    }

    /// A file of a process's state in /proc, and the number in its line.
    private func number(_ process: Int32, _ line: String) -> Int {
        let text = GuardTests.text("/proc/\(process)/status")
        let found = text.split(separator: "\n").first { $0.hasPrefix("\(line):") }
        return found.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    private func descriptors(_ process: Int32) -> Int {
        guard let folder = opendir("/proc/\(process)/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count
    }

    @Test(arguments: [false, true])
    func `a server restarted again and again: no storm, no leak, no gap unmarked`(isReserving: Bool) async throws {
        var options = SandboxOptions()
        options.statements = ["CREATE USER ten@'%' IDENTIFIED BY 'sandbox' WITH MAX_USER_CONNECTIONS 10"]
        let folder = TemporaryFolder()
        let file = "\(folder.path)/history.sqlite"
        let interval = 0.25
        var sandbox = try await Sandbox.start(options)
        let process = try HeadroomProcess(
            ["guard", "--interval", "250ms", "--foretell", "0", "--history-file", file]
                + (isReserving ? ["--reserve"] : []),
            environment: sandbox.environment.merging(["DB_USERNAME": "ten", "DB_PASSWORD": "sandbox"]) { $1 }
        )
        defer { process.signal(SIGKILL) }
        let start = ContinuousClock.now
        var attempts: [(made: Int, allowed: Int)] = []
        var memory: [Int] = []
        var open: [Int] = []
        do {
            for _ in 0..<Self.lives {
                func settings(_ user: String, _ password: String) -> DatabaseSettings {
                    var settings = DatabaseSettings(
                        endpoint: .socket(path: sandbox.socket),
                        username: user,
                        password: password
                    )
                    settings.stateFolder = sandbox.environment["HEADROOM_STATE_DIR"]
                    return settings
                }
                let administrator = Database(settings("root", ""), share: .reserve)
                let connections: SQL = "SHOW GLOBAL STATUS LIKE 'Connections'"
                try await administrator.withConnection { observer in
                    let before = try await observer.query(connections).first(String.self, Int.self)?.1 ?? 0
                    let began = ContinuousClock.now
                    let places = isReserving ? 9 : 10
                    var taken = 0
                    // Full for the first half. The guard may have the place for the moment of its look.
                    try await filled(Database(settings("ten", "sandbox"), share: .reserve), places - 1) {
                        taken = places - 1
                        for _ in 0..<20 {
                            taken += 1
                            let last = Database(settings("ten", "sandbox"), share: .reserve)
                            do {
                                try await last.withConnection { _ in try await Task.sleep(for: Self.life / 2) }
                                break
                            } catch let error as DatabaseError where error.isRefusal {
                                try await Task.sleep(for: .milliseconds(30))
                            }
                        }
                    }
                    try await Task.sleep(for: Self.life / 2)
                    let after = try await observer.query(connections).first(String.self, Int.self)?.1 ?? 0
                    let passed = began.duration(to: .now)
                    let seconds = Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
                    attempts.append((after - before - taken, Int(seconds / interval) + 2))
                }
                sandbox = try await sandbox.restart()
                memory.append(number(process.id, "VmRSS"))
                open.append(descriptors(process.id))
            }
        } catch {
            await sandbox.stop()
            throw error
        }
        // Away for good, for a while: it goes on, and one look an interval is all.
        await sandbox.stop()
        try await Task.sleep(for: .seconds(2))
        process.signal(SIGTERM)
        #expect(try await process.ended() == 0)
        let passed = Double(start.duration(to: .now).components.seconds + 1)

        for attempt in attempts { #expect(attempt.made <= attempt.allowed, "\(attempt)") }
        let samples = try await GuardHistory(reading: file).samples(since: 0)
        #expect(samples.count <= Int(passed / interval) + 2)
        #expect(samples.contains { $0.level == .exhausted })
        #expect(samples.contains { $0.level == .ok })
        #expect(samples.suffix(4).allSatisfy { $0.level == .unknown && $0.error != nil })
        // Complete: where samples are far apart, the later one says so.
        for (earlier, later) in zip(samples, samples.dropFirst()) where later.time - earlier.time > interval * 1.5 + 1 {
            #expect(later.gap != nil, "\(earlier.time) \(later.time)")
        }
        let events = try await GuardHistory(reading: file).events(since: 0)
        let levels = events.filter { $0.kind == .level }
        for (earlier, later) in zip(levels, levels.dropFirst()) {
            #expect(earlier.change != later.change || earlier.level != later.level, "said twice: \(later.message)")
        }
        // What the first life took is there to stay; more than 2 MB on top of it would be a leak.
        let first = memory.first ?? 0
        let last = memory.last ?? 0
        #expect(last - first < (isFullRun ? 2_000 : 4_000), "\(memory) kB")
        #expect((open.max() ?? 0) - (open.first ?? 0) <= 4, "\(open)")
        if isFullRun { print("guard, reserving \(isReserving): \(memory) kB, \(open) descriptors, \(attempts)") }
    }
}
