import Headroom

extension Verify {
    /// The steps behind the quick ones: first what only looks, then the drills.
    func full(_ run: inout VerifyRun) async throws {
        try await run.take("files", "look at who may read the settings and use the state folder") { files() }
        var found: VerifyFacts?
        try await run.take("look", "look at the account") {
            let facts = try await facts()
            found = facts
            let free = facts.free.map { ", \($0) free" } ?? ""
            return .passed("\(facts.report.account ?? ""), limit \(facts.report.limit.value ?? 0)\(free)")
        }
        try await look(found, "grants", "look for grants that are missing or excessive", &run) {
            GrantCheck($0.grants).finding
        }
        try await look(found, "budget", "compare the limit with the budget and the reserve", &run, budget)
        try await look(found, "clock", "compare the server's clock with this host's", &run) { $0.skew.finding }
        try await look(found, "second_door", "go in by the second door", &run, secondDoor)
        try await run.take("lock", "start twice under one lock") { try await lock() }
        try await drills(found, &run)
    }

    /// Takes a step that needs to know the account.
    private func look(
        _ facts: VerifyFacts?,
        _ name: String,
        _ what: String,
        _ run: inout VerifyRun,
        _ body: (VerifyFacts) async throws -> Finding
    ) async throws {
        guard let facts else { return run.skip(name, what) }
        try await run.take(name, what) { try await body(facts) }
    }

    /// The steps that use connections, each of which asks before it uses much.
    private func drills(_ facts: VerifyFacts?, _ run: inout VerifyRun) async throws {
        try await drill(
            "reopen",
            "open again right after a close",
            "Opening again",
            needing: 1,
            facts,
            &run,
            reopen
        )
        try await drill("cycles", "open, query and close again and again", "Cycles", needing: 1, facts, &run) {
            try await cycles($0)
        }
        try await drill(
            "killed_child",
            "kill -9 a program that holds a slot, and have the slot back",
            "A program to be killed",
            needing: 1,
            facts,
            &run
        ) { _ in try await killedChild() }
        try await drill(
            "idle_worker",
            "start a worker and count the connections that it holds while idle",
            "A worker",
            needing: 1,
            facts,
            &run,
            idleWorker
        )
        try await sacrifices(facts, &run)
    }

    /// Runs a drill when there is room for it, or somebody says so.
    private func drill(
        _ name: String,
        _ what: String,
        _ title: String,
        needing needed: Int,
        _ facts: VerifyFacts?,
        _ run: inout VerifyRun,
        _ body: (VerifyFacts) async throws -> Finding
    ) async throws {
        guard let facts else { return run.skip(name, what) }
        if let reason = try await reasonToSkip(title, needing: needed, facts) {
            run.add(Finding.skipped(reason, next: Self.yesHint(reason)).step(name, what, .zero))
            return
        }
        try await run.take(name, what) { try await body(facts) }
    }

    static func yesHint(_ reason: String) -> String { reason.holds("no terminal") ? "--yes answers." : "" }

    /// Why a drill is left; `nil` when it may run.
    func reasonToSkip(_ title: String, needing needed: Int, _ facts: VerifyFacts) async throws -> String? {
        switch DrillRoom(free: facts.free).decision(title, needing: needed) {
        case .run: return nil
        case .skip(let reason): return reason
        case .ask(let question):
            switch try await mayUseMuch(question) {
            case .yes: return nil
            case .no: return "you said no"
            case .nobody:
                return
                    "it would use \(needed) of the \(facts.free ?? 0) free connections, and there is no terminal to ask at"
            }
        }
    }

    // MARK: What only looks

    private func files() -> Finding {
        var problems = warnings
        problems += settingsFiles.compactMap { FileRights($0, isFolder: false)?.problemOfSettings }
        var folder: FileRights?
        if let path = try? SlotReport(settings).folder, let rights = FileRights(path, isFolder: true) {
            folder = rights
            if let problem = rights.problemOfFolder { problems.append(problem) }
            if let slots = FileRights("\(path)/slots", isFolder: false)?.problem(in: rights) { problems.append(slots) }
        }
        guard problems.isEmpty else { return .failed(problems.joined(separator: "; ")) }
        guard let folder else { return .failed("no slots of this account are to be found in the state folder") }
        let isShared = folder.mode & 0o2020 == 0o2020
        let files = settingsFiles.isEmpty ? "no settings file" : settingsFiles.joined(separator: ", ")
        return .passed("\(files); \(folder.path) is usable, \(isShared ? "shared by its group" : "this user's own")")
    }

    private func budget(_ facts: VerifyFacts) throws -> Finding {
        let slots = try SlotReport(settings)
        return BudgetCheck(
            limit: facts.report.limit,
            configured: settings.budget,
            reserve: settings.reserve,
            shared: slots.budget,
            foreign: slots.foreignSessions
        )
        .finding
    }

    private func secondDoor(_ facts: VerifyFacts) async throws -> Finding {
        // As if the server were full: the doors that rescue would try then.
        let doors =
            Door.others(
                after: DatabaseError(.serverLimitReached, message: ""),
                settings: settings,
                administrator: administrator,
                ports: facts.ports
            )
            // The administrators' port lets in nobody without a privilege that an application has not.
            .filter { $0.kind != .adminPort || administrator != nil }
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
}

extension VerifyRun {
    mutating func skip(_ name: String, _ what: String, _ why: String = "the account could not be looked at") {
        add(Finding.skipped(why).step(name, what, .zero))
    }
}
