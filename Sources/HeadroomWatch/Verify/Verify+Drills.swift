import Glibc
import Headroom

extension Verify {
    /// Opens again right after a close, which a server that is slow to let go would refuse.
    func reopen(_ facts: VerifyFacts) async throws -> Finding {
        let database = Database(hasty(.seconds(5)))
        try await database.withConnection(label: "verify") { seen.note($0) }
        let start = ContinuousClock.now
        try await database.withConnection(label: "verify") { seen.note($0) }
        let refused = database.statistics.refused.values.reduce(0, +)
        guard refused == 0 else {
            return .failed(
                "it was refused \(refused) times before it was let in",
                next: "Other programs use the account too: headroom status."
            )
        }
        return .passed("open and closed again within \(start.duration(to: .now).microseconds) us, not refused once")
    }

    func cycles(_ facts: VerifyFacts) async throws -> Finding {
        var count = cycles
        // Besides, the run logs in some twenty times.
        if let most = CycleDrill.mostCycles(under: facts.options) {
            count = min(count, most - 20)
            guard count > 0 else { return .skipped("the account's hourly limit leaves no logins for it") }
        }
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
        func tried() async throws -> Int32? {
            try await ChildProcess.with(["verify", "--try-lock", name] + childArguments) {
                try await $0.status(within: .seconds(10))
            }
        }
        func triedWhileHeld() async throws -> Int32? {
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

    private func hostLock(_ name: String, timeout: Duration) async throws -> HostLock {
        try await HostLock.acquire(
            name,
            stateFolder: settings.stateFolder,
            program: settings.programName,
            timeout: timeout
        )
    }

    /// The exit status of `verify --try-lock` when somebody has the lock.
    public static let isTaken: Int32 = 3

    static func words(_ status: Int32?) -> String {
        guard let status else { return "it did not end in time" }
        return status < 0 ? "signal \(-status)" : "status \(status)"
    }

    /// Kills a process with a slot and a connection, as the kernel does to one that takes too much memory.
    func killedChild() async throws -> Finding {
        try await ChildProcess.with(["verify", "--hold-slot"] + childArguments) { child in
            var session: UInt64 = 0
            let isHeld = try await child.wait(within: .seconds(10)) {
                let slot = try SlotReport(settings).held.first { $0.holder.processID == child.id }
                guard let slot, slot.holder.state == .open, slot.holder.sessionID > 0 else { return false }
                session = slot.holder.sessionID
                return true
            }
            guard isHeld else {
                return .skipped("the program got no slot (\(Self.words(try await child.status(within: .zero))))")
            }
            let start = ContinuousClock.now
            child.signal(SIGKILL)
            guard try await child.status(within: .seconds(5)) == -SIGKILL else {
                return .failed("the program could not be killed")
            }
            while try SlotReport(settings).held.contains(where: { $0.holder.processID == child.id }) {
                guard start.duration(to: .now) < .seconds(2) else { return .failed("its slot is still held after 2 s") }
                try await Task.sleep(for: .milliseconds(1))
            }
            let back = start.duration(to: .now).microseconds
            let finding = try await Database(hasty(.seconds(5)))
                .withConnection(label: "verify") { connection in
                    seen.note(connection)
                    return try await connection.waitUntilGone(session, within: .seconds(5))
                }
            guard case .passed = finding else { return finding }
            return .passed("the slot was back after \(back) us, its session is gone, and the next connection opened")
        }
    }
}
