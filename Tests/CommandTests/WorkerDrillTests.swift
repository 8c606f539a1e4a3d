import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The worker as a process among others: alone, silent while idle, quick to begin and to stop.
@Suite(.sandbox(tcp: true)) struct WorkerDrillTests {
    private let folder = TemporaryFolder()

    private func queue(_ name: String, account: String = "app") async throws -> DrillQueue {
        try await DrillQueue(name, in: SuiteServer.sandbox, account: account)
    }

    /// A file that takes a worker a few seconds.
    private func longFile(_ rows: Int = 60_000) -> String {
        folder.write(DrillFiles.interval(rows: rows), to: "long.csv")
    }

    /// Waits until a job's work is well under way.
    private func begun(_ job: Int, _ queue: DrillQueue) async throws {
        try #require(try await eventually { try await queue.rows(job) >= 2000 })
    }

    @Test func `a worker killed in the middle is carried on for at once, also before its parent has taken note`()
        async throws
    {
        let queue = try await queue("drill_at_once")
        let job = try await queue.insert(longFile(20_000), batch: "b")
        let worker = try queue.start()
        try await begun(job, queue)
        worker.signal(SIGKILL)
        let rows = try await queue.rows(job)
        // Not waited for: the process is a zombie until it is.
        let run = try await queue.work()
        #expect(run.status == 0, "\(run.errors)")
        #expect(try await queue.status(job) == "completed")
        #expect(try await queue.rows(job) == 20_000)
        #expect(rows < 20_000)
        #expect(try await queue.number("SELECT retry_count FROM import_jobs") == 1)
        _ = try await worker.ended()
    }

    @Test func `a job that kills its workers before they store anything fails with the reason`() async throws {
        let queue = try await queue("drill_poison")
        let job = try await queue.insert(
            folder.write(DrillFiles.daily(rows: 50), to: "p.csv"),
            type: "daily",
            batch: "b"
        )
        try await queue.administrator.withConnection { connection in
            try await connection.query("USE \(raw: queue.name)")
            // The work begins, and its first chunk waits.
            try await connection.query("CREATE TABLE held AS SELECT 1")
            try await connection.query("LOCK TABLES meter_readings WRITE")
            for death in 1...4 {
                let worker = try queue.start()
                #expect(
                    try await eventually {
                        try await queue.number(
                            """
                            SELECT COUNT(*) FROM information_schema.PROCESSLIST
                            WHERE DB = \(queue.name) AND STATE LIKE 'Waiting for table%'
                            """
                        ) == 1
                    },
                    "death \(death)"
                )
                worker.signal(SIGKILL)
                _ = try await worker.ended()
                try await queue.endSessions()
                #expect(try await eventually { try await queue.sessions() == 0 })
            }
            let last = try queue.start()
            let hasFailed = try await eventually { try await queue.status(job) == "failed" }
            #expect(hasFailed)
            last.signal(SIGKILL)
            _ = try await last.ended()
            let reason = try await queue.texts("SELECT error_message FROM import_jobs").first ?? ""
            #expect(reason.contains("died 4 times in a row"), "\(reason)")
        }
    }

    @Test func `of five started at the same moment one works, and four say who`() async throws {
        let queue = try await queue("drill_five")
        let job = try await queue.insert(longFile(8_000), batch: "b")
        let runs = try await withThrowingTaskGroup(of: HeadroomProgram.Output.self) { group in
            for _ in 0..<5 { group.addTask { try await queue.work() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(runs.allSatisfy { $0.status == 0 }, "\(runs)")
        #expect(runs.count { $0.output.contains("completed in") } == 1)
        let told = runs.map(\.output).filter { $0.hasPrefix("Not needed") }
        #expect(told.count == 4)
        // All name the same process, which is a real one, and since when it has the lock.
        let holders = Set(told.map { $0.drop { !$0.isNumber }.prefix { $0.isNumber } })
        #expect(holders.count == 1 && holders != ["0"], "\(told)")
        #expect(told.allSatisfy { $0.contains("headroom work") && $0.contains(" s now") }, "\(told)")
        #expect(try await queue.status(job) == "completed")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
    func `root and another user take turns, and each is told of the other`() async throws {
        let queue = try await queue("drill_users")
        let shared = "\(folder.path)-shared"
        #expect(mkdir(shared, 0o700) == 0 && chown(shared, 0, 65534) == 0 && chmod(shared, 0o2770) == 0)
        defer { rmdir(shared) }
        var environment = queue.environment
        environment["HEADROOM_STATE_DIR"] = shared
        environment["DB_SOCKET"] = ""
        let other = HeadroomProgram.asUser(65534)
        let bell = "\(shared)/bells/work.localhost.drill_users"
        for (first, second) in [([], other), (other, [])] as [([String], [String])] {
            let holder = try HeadroomProcess(["work"], environment: environment, through: first)
            // It makes its bell when it has the lock.
            let hasLock = try await eventually { access(bell, F_OK) == 0 }
            #expect(hasLock)
            unlink(bell)
            /// What a second start says.
            func said() async throws -> HeadroomProgram.Output {
                let line = second + [HeadroomProgram.path, "work", "--once"]
                return try await HeadroomProgram.run(line[0], Array(line.dropFirst()), environment: environment)
            }
            let isTold = try await eventually { try await said().output.contains("(process \(holder.id)") }
            let last = try await said()
            #expect(isTold, "\(last)")
            let run = try await said()
            #expect(run.status == 0)
            #expect(run.errors.isEmpty, "\(run.errors)")
            holder.signal(SIGTERM)
            _ = try await holder.ended()
            #expect(try await said().output == "The queue is empty.\n")
        }
        _ = try await HeadroomProgram.run("/bin/rm", ["-rf", shared])
    }

    /// How much of its files a process has in memory, in kB.
    private func residentCode(_ process: Int32) throws -> Int {
        let line = GuardTests.text("/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix("RssFile:") }
        return try #require(line.flatMap { Int($0.filter(\.isNumber)) })
    }

    @Test func `a long import holds on to no code of its start`() async throws {
        let queue = try await queue("drill_lean")
        let job = try await queue.insert(longFile(), batch: "b")
        let worker = try queue.start()
        defer { worker.signal(SIGKILL) }
        #expect(try await eventually { try await queue.rows(job) >= 10_000 })
        // Else it would be twice as much.
        #expect(try residentCode(worker.id) < 20_000)
    }

    @Test func `an idle worker holds no session and uses no CPU, and begins at once when a job is queued`() async throws
    {
        let queue = try await queue("drill_idle")
        let worker = try queue.start(["--poll", "600"])
        let path = folder.write("mpan,date,value\nM,2024-01-01,1\n", to: "one.csv")
        #expect(try await eventually { try await queue.sessions() == 0 && ticks(worker.id) > 0 })
        // On a busy machine it takes a moment until the worker has fallen asleep.
        var before = 0
        try await #require(
            eventually(within: .seconds(20)) {
                before = ticks(worker.id)
                try await Task.sleep(for: .seconds(1))
                return ticks(worker.id) == before
            }
        )
        for _ in 0..<(isFullRun ? 30 : 5) {
            try await Task.sleep(for: .seconds(1))
            #expect(try await queue.sessions() == 0)
        }
        #expect(ticks(worker.id) == before)
        // What its start has touched of the program's code is not held on to: else it would be twice as much.
        #expect(try residentCode(worker.id) < 12_000)
        var waits: [Int] = []
        for count in 1...11 {
            let run = try await HeadroomProgram.run(
                ["jobs", "add", path, "--type", "daily"],
                environment: queue.environment
            )
            #expect(run.status == 0, "\(run.errors)")
            // The server's clock to the microsecond: from the row in the queue to the lease that is gone.
            let start = ContinuousClock.now
            #expect(
                try await eventually {
                    try await queue.number("SELECT COUNT(*) FROM import_jobs WHERE status = 'completed'") == count
                }
            )
            waits.append(Int((ContinuousClock.now - start) / .milliseconds(1)))
        }
        waits.sort()
        print("queued to completed, from the end of 'jobs add': median \(waits[5]) ms, longest \(waits[10]) ms")
        #expect(waits[5] < 1000)
        let said = try await HeadroomProgram.run(["work", "--once"], environment: queue.environment)
        #expect(said.output.contains("(process \(worker.id)"))
        worker.signal(SIGTERM)
        #expect(try await worker.ended() == 0)
        #expect(try await queue.sessions() == 0)
    }

    @Test func `with all places of the account taken the worker waits, and then works`() async throws {
        let queue = try await queue("drill_full", account: "ten9")
        let job = try await queue.insert(
            folder.write(DrillFiles.daily(rows: 50), to: "f.csv"),
            type: "daily",
            batch: "b"
        )
        let database = try SuiteServer.database("ten9")
        let output = "\(folder.path)/worker.log"
        /// Starts a worker while that many connections are held, and lets it wait.
        func hold(_ count: Int) async throws -> HeadroomProcess {
            guard count == 0 else { return try await database.withConnection { _ in try await hold(count - 1) } }
            let worker = try queue.start(["--poll", "1"], output: output, ["HEADROOM_WAIT_TIMEOUT": "1"])
            try await Task.sleep(for: .seconds(3))
            #expect(kill(worker.id, 0) == 0)
            #expect(try await queue.status(job) == "queued")
            // One that is told to end while it waits does so at once.
            let other = try queue.start(["--queue", "other"])
            try await Task.sleep(for: .seconds(2))
            let start = ContinuousClock.now
            other.signal(SIGTERM)
            let status = try await other.ended()
            #expect([0, 128 + SIGTERM].contains(status))
            #expect(ContinuousClock.now - start < .seconds(1.2))
            return worker
        }
        let worker = try await hold(9)
        #expect(try await eventually { try await queue.status(job) == "completed" })
        worker.signal(SIGTERM)
        #expect(try await worker.ended() == 0)
        let log = try await HeadroomProgram.run("/bin/cat", [output]).output
        #expect(log.components(of: "waiting:") == 1, "\(log)")
    }

    @Test func `a worker that is told to stop stores its chunk, gives the job back and is gone, whole or in pieces`()
        async throws
    {
        let queue = try await queue("drill_stop")
        let job = try await queue.insert(longFile(), batch: "b")
        for signal in [SIGTERM, SIGINT] {
            let done = try await queue.rows(job)
            let worker = try queue.start()
            #expect(try await eventually { try await queue.rows(job) >= done + 2000 })
            let start = ContinuousClock.now
            worker.signal(signal)
            #expect(try await worker.ended() == 0)
            let took = ContinuousClock.now - start
            print("signal \(signal): gone after \(took)")
            #expect(took < .seconds(5))
            #expect(try await queue.sessions() == 0)
            #expect(try await queue.status(job) == "queued")
            #expect(try await queue.number("SELECT COUNT(*) FROM headroom_leases") == 0)
        }
        #expect(try await queue.number("SELECT retry_count FROM import_jobs") == 0)
        // The rows that the page shows are those whose readings are there: 1 of 37 is bad, 1 of 11 comes again.
        let rows = try await queue.rows(job)
        let stored = try await queue.number("SELECT COUNT(*) FROM meter_readings")
        let expected = Set((0..<rows).filter { $0 % 37 != 5 }.map { $0 % 11 == 0 && $0 > 0 ? $0 - 1 : $0 })
        #expect(stored == expected.count)
    }

    @Test func `a second signal ends a worker at once, and quiet means quiet`() async throws {
        let queue = try await queue("drill_twice")
        let job = try await queue.insert(longFile(60_000), batch: "b")
        let output = "\(folder.path)/quiet.log"
        // Its chunk waits for the table, so that the first signal alone would take a while.
        let worker = try queue.start()
        try await begun(job, queue)
        try await queue.administrator.withConnection { connection in
            try await connection.query("USE \(raw: queue.name)")
            try await connection.query("LOCK TABLES meter_readings WRITE")
            let isWaiting = try await eventually {
                try await connection
                    .query(
                        """
                        SELECT COUNT(*) FROM information_schema.PROCESSLIST
                        WHERE DB = \(queue.name) AND STATE LIKE 'Waiting for table%'
                        """
                    )
                    .first(Int.self) == 1
            }
            try #require(isWaiting)
            let start = ContinuousClock.now
            worker.signal(SIGTERM)
            try await Task.sleep(for: .milliseconds(200))
            worker.signal(SIGTERM)
            let status = try await worker.ended()
            #expect(status == 128 + SIGTERM)
            #expect(ContinuousClock.now - start < .seconds(1.2))
        }
        let next = try queue.start(["--once", "--quiet"], output: output)
        #expect(try await next.ended() == 0)
        #expect(try await HeadroomProgram.run("/bin/cat", [output]).output == "")
        #expect(try await queue.status(job) == "completed")
        #expect(try await queue.rows(job) == 60_000)
    }

    /// User and kernel time in clock ticks.
    private func ticks(_ process: Int32) -> Int {
        guard let file = fopen("/proc/\(process)/stat", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = fread(&buffer, 1, buffer.count, file)
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    }
}

extension String {
    /// How often a word is in the text.
    fileprivate func components(of word: String) -> Int {
        var (count, rest) = (0, self[...])
        while let range = rest.firstRange(of: word) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
