import CommandSupport
import Glibc
import Headroom
import HeadroomJobs
import HeadroomWatch
import MeterImport
import Subprocess
import SystemPackage

extension SelfTest {
    // MARK: What only looks

    /// Looks at all that the later steps go by, through one connection.
    func look() async throws -> Facts {
        try await Database(hasty(Self.quickPatience), share: .reserve)
            .withConnection(label: "verify") { connection in
                opens(connection)
                let report = try await connection.accountReport(maxIdle: .seconds(300), patience: 2)
                let grants = try await connection.query("SHOW GRANTS FOR CURRENT_USER()").decode(String.self)
                let before = Self.now
                let server =
                    try await connection
                    .query("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))")
                    .first(Int.self) ?? 0
                let clock = Finding.clock(before: before, server: server, after: Self.now)
                let missing = try await JobsSchema.missingTables(connection)
                let misfits = try await Migration(MeterSchema.tables + JobsSchema.tables).misfits(connection)
                let cure = "headroom migrate"
                let tables: Finding =
                    !misfits.isEmpty
                    ? .failed(misfits.map(\.description).joined(separator: "; "))
                    : missing.isEmpty
                        ? .passed("their columns and engines fit")
                        : .skipped("\(counted(missing.count, "table")) of the queue's are missing", next: cure)
                let jobs: SQL = "SELECT COUNT(*) FROM import_jobs WHERE status IN ('queued', 'processing')"
                return Facts(
                    report: report,
                    options: try await connection.accountOptions(),
                    grants: grants,
                    ports: try await connection.serverPorts(),
                    clock: clock,
                    missingTables: missing,
                    tables: tables,
                    waitingJobs: missing.isEmpty ? try await connection.query(jobs).first(Int.self) ?? 0 : 0
                )
            }
    }

    /// This host's clock, in microseconds since 1970.
    private static var now: Int {
        let time = timespec.now
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }

    func files() -> Finding {
        let settingsFiles = connection.settingsFiles
        var problems = loaded.warnings
        problems += settingsFiles.compactMap { FileRights($0, isFolder: false)?.problemOfSettings }
        let folder = (try? SlotReport(settings)).flatMap { FileRights($0.folder, isFolder: true) }
        if let folder {
            let slots = FileRights("\(folder.path)/slots", isFolder: false)?.problem(in: folder)
            problems += [folder.problemOfFolder, slots].compactMap(\.self)
        }
        guard problems.isEmpty else { return .failed(problems.joined(separator: "; ")) }
        guard let folder else { return .failed("no slots of this account are to be found in the state folder") }
        let names = settingsFiles.isEmpty ? "no settings file" : settingsFiles.joined(separator: ", ")
        let whose = folder.isGroups ? "shared by its group" : "this user's own"
        return .passed("\(names); \(folder.path) is usable, \(whose)")
    }

    func budget(_ facts: Facts) throws -> Finding {
        let slots = try SlotReport(settings)
        return .budget(
            facts.report.limit,
            configured: settings.budget,
            reserve: settings.reserve,
            shared: slots.budget,
            foreign: slots.foreignSessions
        )
    }

    func secondDoor(_ facts: Facts) async throws -> Finding {
        // As if the server were full: the doors that rescue would try then.
        let doors =
            Door.others(
                after: DatabaseError(.serverLimitReached, message: ""),
                settings: settings,
                administrator: loaded.administrator,
                ports: facts.ports
            )
            // The administrators' port lets in nobody without a privilege that an application has not.
            .filter { $0.kind != .adminPort || loaded.administrator != nil }
        guard !doors.isEmpty else {
            return .skipped(
                "there is none",
                next: "Set HEADROOM_ADMIN_USERNAME and _PASSWORD to an account of its own."
            )
        }
        for door in doors {
            var through = door.settings
            through.connectTimeout = min(through.connectTimeout, .seconds(5))
            do {
                try await Database(through, share: .reserve)
                    .withConnection(label: "verify") { try await $0.query("SELECT 1") }
            } catch let error as DatabaseError {
                return .failed("\(door.kind.rawValue): \(error.message)", next: error.advice)
            }
        }
        return .passed(doors.map { "\($0.kind.rawValue) opens (\($0.settings.description))" }.joined(separator: ", "))
    }

    // MARK: Drills

    /// Opens again right after a close, which a server that is slow to let go would refuse.
    func reopen() async throws -> Finding {
        let database = Database(hasty(.seconds(5)))
        try await database.withConnection(label: "verify") { opens($0) }
        let start = ContinuousClock.now
        try await database.withConnection(label: "verify") { opens($0) }
        let refused = database.statistics.refused.values.reduce(0, +)
        guard refused == 0 else {
            return .failed(
                "it was refused \(refused) times before it was let in",
                next: "Other programs use the account too: headroom status."
            )
        }
        return .passed("open and closed again within \(start.duration(to: .now).microseconds) us, not refused once")
    }

    func runCycles(_ facts: Facts) async throws -> Finding {
        // Besides, the run logs in some twenty times.
        let count = facts.logins.map { min(cycles, $0 - 20) } ?? cycles
        guard count > 0 else { return .skipped("the account's hourly limit leaves no logins for it") }
        let result = try await CycleDrill(hasty(.seconds(5)), cycles: count).run()
        let capped = count < cycles ? " (no more for the hourly limit's sake)" : ""
        guard result.refused == 0 else {
            return .failed(
                "\(result.refused) of \(result.cycles) were refused\(result.lastRefusal.map { ": \($0.message)" } ?? "")",
                next: "Other programs use the account too, or something does not let go: headroom status"
            )
        }
        return .passed(
            "\(result.cycles) cycles\(capped), 0 refused, median \(result.median.microseconds) us, "
                + "99 % within \(result.p99.microseconds) us"
        )
    }

    /// Has another process try a lock that this one holds, and again when it is free.
    func lock() async throws -> Finding {
        // One run at a time: another one's lock would be taken for ours.
        let turn = try await hostLock("headroom-verify-turn", timeout: .seconds(10))
        defer { withExtendedLifetime(turn) {} }
        let name = "headroom-verify"
        func tried() async throws -> Int32 {
            try await child(["verify", "--try-lock", name]) { id in
                _ = try await Self.wait(.seconds(10)) { Self.hasEnded(id) }
            }
            .status
        }
        func triedWhileHeld() async throws -> Int32 {
            let lock = try await hostLock(name, timeout: .zero)
            defer { withExtendedLifetime(lock) {} }
            return try await tried()
        }
        let held = try await triedWhileHeld()
        guard held == Self.isTaken else { return .failed("a second start was let in (\(Self.words(held)))") }
        let free = try await tried()
        guard free == 0 else { return .failed("the lock did not come free again (\(Self.words(free)))") }
        return .passed("the second start was turned away, and let in when the first was over")
    }

    /// The exit status of `verify --try-lock` when somebody has the lock.
    static let isTaken: Int32 = 3

    private func hostLock(_ name: String, timeout: Duration) async throws -> HostLock {
        try await HostLock.acquire(
            name,
            stateFolder: settings.stateFolder,
            program: settings.programName,
            timeout: timeout
        )
    }

    /// Kills a process with a slot and a connection, as the kernel does to one that takes too much memory.
    func killedChild() async throws -> Finding {
        try await child(["verify", "--hold-slot"]) { id in
            func holder() throws -> Holder? {
                try SlotReport(settings).held.first { $0.holder.processID == id }?.holder
            }
            var session: UInt64 = 0
            let isHeld = try await Self.wait(.seconds(10)) {
                if Self.hasEnded(id) { return true }
                let holder = try holder()
                session = holder?.sessionID ?? 0
                return holder?.state == .open && session > 0
            }
            guard isHeld, !Self.hasEnded(id) else { return .skipped("the program got no slot") }
            let start = ContinuousClock.now
            kill(id, SIGKILL)
            guard try await Self.wait(.seconds(5), { Self.hasEnded(id) }) else {
                return .failed("the program could not be killed")
            }
            guard try await Self.wait(.seconds(2), { try holder() == nil }) else {
                return .failed("its slot is still held after 2 s")
            }
            let back = start.duration(to: .now).microseconds
            let finding = try await Database(hasty(.seconds(5)))
                .withConnection(label: "verify") { connection in
                    opens(connection)
                    return try await Self.seeGone(session, within: .seconds(5), from: connection)
                }
            guard finding.result == .passed else { return finding }
            return .passed("the slot was back after \(back) us, its session is gone, and the next connection opened")
        }
        .value
    }

    /// Starts a worker on an empty queue, and counts from the host's side what it holds: the server need not tell whose a
    /// session is.
    func idleWorker(_ facts: Facts) async throws -> Finding {
        guard settings.database != nil else { return .skipped("there is no queue without a database") }
        guard facts.missingTables.isEmpty else {
            return .skipped(
                "\(facts.missingTables.count) of the queue's \(JobsSchema.tables.count) tables are missing",
                next: "headroom migrate"
            )
        }
        guard facts.waitingJobs == 0 else {
            return .skipped("\(facts.waitingJobs) jobs are in the queue, and a worker would begin to work on them")
        }
        guard facts.logins ?? 50 >= 50 else {
            return .skipped("the account's hourly limit leaves no logins for it")
        }
        let places = await ServerPlaces.resolved([settings.endpoint])
        let run = try await child(["work", "--poll", "1h", "--max-time", "60", "--quiet"]) { id -> Finding? in
            func isAtWork() -> Bool {
                HostLockReport.held(stateFolder: settings.stateFolder).contains { $0.holder.processID == id }
            }
            guard try await Self.wait(.seconds(10), { isAtWork() || Self.hasEnded(id) }), !Self.hasEnded(id) else {
                return nil
            }
            let seen = try await watch(id, places)
            kill(id, SIGTERM)
            _ = try await Self.wait(.seconds(10)) { Self.hasEnded(id) }
            return seen
        }
        guard let seen = run.value else {
            let why = "the worker did not start (\(Self.words(run.status)))"
            return run.status == 75 ? .skipped("another worker is at work for this queue") : .failed(why)
        }
        guard seen.result == .passed, run.status != 0 else { return seen }
        return .failed("the worker did not end well after SIGTERM (\(Self.words(run.status)))")
    }

    /// Waits until a worker has held nothing at ten looks in a row.
    private func watch(_ id: Int32, _ places: ServerPlaces) async throws -> Finding {
        let deadline = ContinuousClock.now + .seconds(10)
        var (most, quiet) = (0, 0)
        while quiet < 10 {
            let view = HostReader(places, secrets: [settings.password]).view()
            let sockets = view.processes.first { $0.id == id }?.sockets.count ?? 0
            let held = max(sockets, try SlotReport(settings).held.count { $0.holder.processID == id })
            most = max(most, held)
            // It looks at its queue once when it starts, so it may take a moment until it is idle.
            quiet = held == 0 ? quiet + 1 : 0
            if deadline < .now { return .failed("it still held \(held) connections after 10 s without a job") }
            if Self.hasEnded(id) { return .failed("the worker ended by itself") }
            try await Task.sleep(for: .milliseconds(50))
        }
        let before = most > 0 ? "\(most) while it looked at its queue, then " : ""
        return .passed("\(before)0 in 10 looks at its sockets and slots, and it ended well after SIGTERM")
    }

    // MARK: This program once more

    /// Runs this program once more beside the body, with the same settings; it is killed when the body is over, on every path.
    ///
    /// It keeps its id until then, so that nobody else can have it.
    private func child<Value: Sendable>(
        _ arguments: [String],
        _ body: (Int32) async throws -> Value
    ) async throws -> (value: Value, status: Int32) {
        let run = try await Subprocess.run(
            .path("/proc/self/exe"),
            arguments: Arguments(arguments + connection.arguments),
            input: .none,
            output: .discarded,
            error: .discarded
        ) { execution in
            let id = execution.processIdentifier.value
            defer { kill(id, SIGKILL) }
            return try await body(id)
        }
        switch run.terminationStatus {
        case .exited(let code): return (run.closureResult, code)
        case .signaled(let signal): return (run.closureResult, -signal)
        }
    }

    private static func hasEnded(_ id: Int32) -> Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(id), &information, WEXITED | WNOHANG | WNOWAIT) == 0
            && information.si_signo == SIGCHLD
    }

    /// Waits until a condition holds; returns whether it came to hold in time.
    private static func wait(_ limit: Duration, _ isSo: () throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while try !isSo() {
            if deadline < .now { return false }
            try await Task.sleep(for: .milliseconds(2))
        }
        return true
    }

    private static func words(_ status: Int32) -> String { status < 0 ? "signal \(-status)" : "status \(status)" }
}
