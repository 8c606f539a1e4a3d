import Glibc
import Headroom

extension Verify {
    /// How often the idle worker is looked at, and how far apart.
    private static let looks = (count: 10, pause: Duration.milliseconds(50))

    /// Starts a worker on an empty queue, and counts from the host's side what it holds: the server need not tell whose a
    /// session is.
    func idleWorker(_ facts: VerifyFacts) async throws -> Finding {
        guard let queue, settings.database != nil else { return .skipped("there is no queue without a database") }
        guard facts.missingTables.isEmpty else {
            return .skipped(
                "\(facts.missingTables.count) of the queue's \(queue.tables.count) tables are missing",
                next: "headroom migrate"
            )
        }
        guard facts.waitingJobs == 0 else {
            return .skipped("\(facts.waitingJobs) jobs are in the queue, and a worker would begin to work on them")
        }
        if let most = CycleDrill.mostCycles(under: facts.options), most < 50 {
            return .skipped("the account's hourly limit leaves no logins for it")
        }
        let places = await places(facts)
        return try await ChildProcess.with(
            ["work", "--poll", "1h", "--max-time", "60", "--quiet"] + childArguments
        ) { child in
            let isUp = try await child.wait(within: .seconds(10)) {
                HostLockReport.held(stateFolder: settings.stateFolder).contains { $0.holder.processID == child.id }
            }
            guard isUp else {
                if try await child.status(within: .zero) == 75 {
                    return .skipped("another worker is at work for this queue")
                }
                return .failed("the worker did not start (\(Self.words(try await child.status(within: .zero))))")
            }
            return try await watch(child, places)
        }
    }

    private func watch(_ child: ChildProcess, _ places: ServerPlaces) async throws -> Finding {
        let deadline = ContinuousClock.now + .seconds(10)
        var (most, quiet, last) = (0, 0, 0)
        while quiet < Self.looks.count {
            let view = HostReader(places, secrets: [settings.password]).view()
            last = view.processes.first { $0.id == child.id }?.sockets.count ?? 0
            last = max(last, try SlotReport(settings).held.count { $0.holder.processID == child.id })
            most = max(most, last)
            // It looks at its queue once when it starts, so it may take a moment until it is idle.
            quiet = last == 0 ? quiet + 1 : 0
            if deadline < .now { return .failed("it still held \(last) connections after 10 s without a job") }
            if let status = try await child.status(within: .zero) {
                return .failed("the worker ended by itself (\(Self.words(status)))")
            }
            try await Task.sleep(for: Self.looks.pause)
        }
        child.signal(SIGTERM)
        let status = try await child.status(within: .seconds(10))
        guard status == 0 else { return .failed("the worker did not end well after SIGTERM (\(Self.words(status)))") }
        let before = most > 0 ? "\(most) while it looked at its queue, then " : ""
        return .passed(
            "\(before)0 in \(Self.looks.count) looks at its sockets and slots, and it ended well after SIGTERM"
        )
    }

    private func places(_ facts: VerifyFacts) async -> ServerPlaces {
        var resolved: [String: [HostAddress]] = [:]
        if case .tcp(let host, _) = settings.endpoint { resolved[host] = await HostNames.addresses(of: host) }
        return ServerPlaces([settings.endpoint], resolved: resolved)
    }
}
