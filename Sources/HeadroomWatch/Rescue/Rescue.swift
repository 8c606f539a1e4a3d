import Glibc
public import Headroom

/// Helps when an account lets nobody in: says which limit it is and who holds the connections, and can free them.
///
/// It takes no slot and waits for none: who is locked out must not wait for those who are too.
public struct Rescue: Sendable {
    private let settings: DatabaseSettings
    private let administrator: DatabaseSettings?
    private let endpoints: [Endpoint]

    /// How many connections are hung up in vain before it stops, as then something else is wrong.
    private static let mostInVain = 3

    /// How long a place may take to come free after a connection was hung up.
    private static let freeing = Duration.seconds(1)

    /// For how long it is tried at the least, before anything is hung up.
    private static let moment = Duration.milliseconds(40)

    /// Creates a rescue for the account that the settings lead to.
    public init(_ loaded: LoadedSettings) {
        func prepared(_ settings: DatabaseSettings) -> DatabaseSettings {
            var settings = settings
            // Whether the database exists, and may be used, is not the question.
            settings.database = nil
            settings.connectTimeout = min(settings.connectTimeout, .seconds(5))
            settings.answerTimeout = min(settings.answerTimeout, .seconds(10))
            return settings
        }
        settings = prepared(loaded.database)
        administrator = loaded.administrator.map(prepared)
        endpoints = loaded.endpoints
    }

    /// Finds out what is wrong, and does what it was told to.
    ///
    /// - Parameter options: What it may do.
    /// - Returns: What it found and did.
    /// - Throws: ``DatabaseError`` when the server lets us in and then fails, `CancellationError` when cancelled.
    public func run(_ options: RescueOptions) async throws -> RescueReport {
        var report = RescueReport(isDryRun: options.isDryRun)
        let start = ContinuousClock.now
        let snapshot = AccountSnapshot.last(settings)
        report.snapshot = snapshot
        async let host = view(snapshot?.ports)
        if case .refused(let error) = try await enter(Door(.account, settings), options, &report) {
            report.refusal = error
            try await tryOthers(after: error, options, &report)
        }
        report.host = await host
        try await hangUp(options, &report)
        if let process = options.terminate {
            let result = try await Termination.run(
                process,
                in: report.host,
                patience: options.terminationPatience,
                isDryRun: options.isDryRun
            )
            report.termination = (process, result)
            if result == .ended, report.opened == nil { _ = try await enter(within: Self.freeing, options, &report) }
        }
        let acts = options.hangUp != nil || options.terminate != nil
        let left = options.patience - start.duration(to: .now)
        if acts, !options.isDryRun, report.opened == nil, report.refusal?.isConnectionLimit == true, left > .zero {
            _ = try await enter(within: left, options, &report)
            report.waited = start.duration(to: .now)
        }
        // What was ended is not to be named again.
        if acts, !options.isDryRun { report.hostAfter = await view(snapshot?.ports) }
        return report
    }

    /// Looks at the host, at every place where the server is known to be.
    private func view(_ ports: ServerPorts?) async -> HostView {
        var known = endpoints
        var resolved: [String: [HostAddress]] = [:]
        for case .tcp(let host, _) in endpoints { resolved[host] = await HostNames.addresses(of: host) }
        let isHere = ServerPlaces(endpoints, resolved: resolved).isHere
        if let ports, isHere {
            if let socket = ports.socket { known.append(.socket(path: socket)) }
            for port in [ports.port, ports.extraPort, ports.adminPort].compactMap(\.self) {
                known.append(.tcp(host: "127.0.0.1", port: port))
            }
        } else if isHere, ports == nil {
            // Never looked at in good times: the usual port, in case a server listens there.
            known.append(.tcp(host: "127.0.0.1", port: 3306))
        }
        let secrets = [settings.password, administrator?.password ?? ""]
        return HostReader(ServerPlaces(known, resolved: resolved), secrets: secrets).view()
    }

    // MARK: Getting in

    private enum Entry {
        case entered
        case refused(DatabaseError)
    }

    private func tryOthers(
        after refusal: DatabaseError,
        _ options: RescueOptions,
        _ report: inout RescueReport
    ) async throws {
        let doors = Door.others(
            after: refusal,
            settings: settings,
            administrator: administrator,
            ports: report.snapshot?.ports
        )
        for door in doors {
            switch try await enter(door, options, &report) {
            case .entered:
                report.doors.append(RescueReport.Attempt(door: door))
                return
            case .refused(let error):
                report.doors.append(RescueReport.Attempt(door: door, error: error))
            }
        }
        // Who was let in, and then got no answer, may find a place at another moment too.
        guard !options.isDryRun, options.patience > .zero,
            refusal.isConnectionLimit || refusal.code == .deadlineExceeded
        else { return }
        let start = ContinuousClock.now
        let acts = options.hangUp != nil || options.terminate != nil
        _ = try await enter(within: acts ? min(Self.moment, options.patience) : options.patience, options, &report)
        report.waited = start.duration(to: .now)
    }

    /// Tries the account itself again and again, at first almost without a pause: others are waiting for the place too.
    private func enter(
        within patience: Duration,
        _ options: RescueOptions,
        _ report: inout RescueReport
    ) async throws -> Bool {
        let start = ContinuousClock.now
        let door = Door(.account, settings)
        var retry = RetryPolicy(
            of: [.later, .otherNode],
            within: patience,
            first: .microseconds(20),
            longest: .milliseconds(4)
        )
        while true {
            switch try await enter(door, options, &report) {
            case .entered:
                return true
            case .refused(let error):
                guard let pause = retry.pause(after: error, elapsed: start.duration(to: .now)) else { return false }
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Goes in through a door, looks, ends what is idle, and leaves.
    private func enter(
        _ door: Door,
        _ options: RescueOptions,
        _ report: inout RescueReport
    ) async throws -> Entry {
        let limit = report.limit.value
        do {
            let database = Database(door.settings, share: .reserve)
            report.kills = try await database.withBriefConnection(label: "rescue") { connection in
                try await work(connection, door, options, limit: limit)
            }
            report.opened = door.kind
            return .entered
        } catch let error as DatabaseError
            where error.isRefusal || error.isConnectFailure || error.code == .deadlineExceeded
        {
            return .refused(error)
        }
    }

    private func work(
        _ connection: Connection,
        _ door: Door,
        _ options: RescueOptions,
        limit: Int?
    ) async throws -> KillReport {
        let isSame = door.settings.username == settings.username
        var policy = KillPolicy()
        policy.maxIdle = options.idle
        policy.untilFree = options.untilFree
        (policy.knownOnly, policy.knownLocksOnly) = (options.knownOnly, options.knownOnly)
        policy.user = isSame ? nil : settings.username
        let account = try await connection.accountReport(
            maxIdle: options.idle,
            isOfAllAccounts: !isSame,
            patience: 5
        )
        // What is known in good times helps in bad ones; that it could not be kept is no reason to stop.
        if isSame { try? await connection.keepSnapshot(account, settings) }
        var plan = policy.plan(account)
        if !isSame, let untilFree = options.untilFree {
            // The report's own numbers are those of the account that looks.
            let used = account.sessions.count { $0.user == settings.username && !$0.isDying }
            plan.goal = max(0, untilFree - (limit.map { $0 - used } ?? 0))
        }
        let isNamed = if case .process = options.hangUp { true } else { options.terminate != nil }
        // Whoever names one to be ended means no others.
        if isNamed { return KillReport(account: account, isDryRun: options.isDryRun) }
        return try await IdleKill(policy).run(plan, of: account, on: connection, isDryRun: options.isDryRun) { _ in }
    }

    // MARK: Hanging up

    private func hangUp(_ options: RescueOptions, _ report: inout RescueReport) async throws {
        switch options.hangUp {
        case nil:
            break
        case .idle(let silence):
            let choice = HangUpChoice(report.host, silentFor: silence, user: geteuid())
            report.choice = choice
            // With a way in the server's eyes have decided already; and a refusal that is no matter of places stays.
            guard report.opened == nil, report.refusal?.isConnectionLimit == true else { return }
            try await hangUpOne(of: choice, options, &report)
        case .process(let process, let descriptor):
            let choice = HangUpChoice(report.host, process: process, descriptor: descriptor, user: geteuid())
            report.choice = choice
            for candidate in choice.candidates {
                let result = options.isDryRun ? .wouldHangUp : Self.hangUp(candidate)
                report.hangUps.append(RescueReport.HangUp(candidate: candidate, result: result))
            }
            guard report.hangUps.contains(where: { $0.result == .hungUp }), report.opened == nil else { return }
            _ = try await enter(within: Self.freeing, options, &report)
        }
    }

    /// Hangs up one connection and takes its place before anybody else does; the next one only when that was in vain.
    private func hangUpOne(
        of choice: HangUpChoice,
        _ options: RescueOptions,
        _ report: inout RescueReport
    ) async throws {
        var inVain = 0
        for candidate in choice.candidates {
            var result = RescueReport.HangUp.Result.wouldHangUp
            if !options.isDryRun {
                // A last try: a place may have come free by itself since, and then nobody is harmed.
                if case .entered = try await enter(Door(.account, settings), options, &report) { return }
                result = Self.hangUp(candidate)
            }
            if result == .hungUp {
                result = try await enter(within: Self.freeing, options, &report) ? .freed : .inVain
                if result == .inVain { inVain += 1 }
            }
            report.hangUps.append(RescueReport.HangUp(candidate: candidate, result: result))
            if options.isDryRun || result == .freed || inVain == Self.mostInVain { return }
        }
    }

    private static func hangUp(_ candidate: HangUpChoice.Candidate) -> RescueReport.HangUp.Result {
        do throws(ForeignSocket.Obstacle) {
            let socket = try ForeignSocket(candidate.socket, of: candidate.process.id)
            try socket.hangUp()
            return .hungUp
        } catch {
            return RescueReport.HangUp.Result(error)
        }
    }
}
