import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomDoor

/// `headroom run`: runs any program under a lock of this host and within the account's budget.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs any program within the budget and, with --lock, alone on this host.",
        discussion: """
            The program opens its own connections; --slots says for how many of them slots of the account's budget are held \
            while it runs, so that programs in any language live within one budget. It finds the number in HEADROOM_SLOTS. \
            Signals are handed on to it, and its exit status is passed on; 75 says that it was not started, as the lock or the \
            slots could not be had in time, 126 that it cannot be, 127 that there is no such program. Lock and slots are given \
            back when this command ends; should it be killed by kill -9, the program keeps them until it has ended, it and what \
            it has started (not with --close). Within it, 'headroom' and a further 'headroom run' use the slots that it was given.

            Examples:
              headroom run --lock import -- php import.php
              headroom run --lock import --slots 1 --wait 30 -- php import.php
              * * * * * headroom run --lock import --quiet -- php /srv/app/import.php
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: ArgumentHelp("Run only while no other run on this host has this lock.", valueName: "name"))
    var lock: String?

    @Option(help: "How many slots of the account's budget to hold.")
    var slots = 0

    @Option(
        help: "How long to wait for the lock and the slots; by default not at all for the lock, and 30 s for slots."
    )
    var wait: DurationArgument?

    @Option(help: "What it is for, for those who look at the slots or meet the lock.")
    var label: String?

    @Flag(
        help:
            "Give the program the settings as DB_HOST and so on, with the password; without --slots the door's place, where there is one."
    )
    var withSettings = false

    @Flag(help: "Let the program not inherit the lock and the slots: for one that leaves a daemon behind.")
    var close = false

    @Flag(help: "Say nothing when the lock or the slots could not be had.")
    var quiet = false

    @Argument(parsing: .postTerminator, help: "The command to run.")
    var command: [String] = []

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Say what to run: headroom run -- COMMAND") }
        guard (0...512).contains(slots) else { throw ValidationError("--slots must be from 0 to 512.") }
    }

    func run() async throws {
        let child = Child()
        try await runCommand(hears: Interrupts.handedOn, mayDumpCore: true, takeSignal: child.signal) {
            let status: Int32
            do {
                status = try await guarded(child)
            } catch let error as DatabaseError {
                let isLater =
                    [.lockTaken, .budgetExhausted, .hostExhausted].contains(error.code) || error.retry != .never
                if !quiet || !isLater { Failure.print(error) }
                throw ExitCode(isLater ? HostLimits.tryAgainLater : Self.cannotRun)
            }
            guard status == 0 else { throw ExitCode(status) }
        }
    }

    /// Not started, and trying again does not help; as a shell says of what it cannot run.
    private static let cannotRun: Int32 = 126

    /// Runs the command with its lock, if it has one.
    private func guarded(_ child: Child) async throws -> Int32 {
        let settings = try settings()
        let deadline = ContinuousClock.now + (wait?.value ?? settings?.waitTimeout ?? .seconds(30))
        guard let lock else { return try await inBudget(child, nil, settings, until: deadline) }
        let held = try await HostLock.acquire(
            lock,
            stateFolder: settings?.stateFolder ?? ProcessEnvironment.variables["HEADROOM_STATE_DIR"],
            program: command.joined(separator: " "),
            label: label ?? "",
            // A second start of a line of cron has nothing to wait for.
            timeout: wait?.value ?? .zero
        )
        defer { withExtendedLifetime(held) {} }
        return try await inBudget(child, held, settings, until: deadline)
    }

    /// Runs the command with its slots, if it has any: those that this command itself was given, and as many more as it takes.
    private func inBudget(
        _ child: Child,
        _ lock: HostLock?,
        _ settings: DatabaseSettings?,
        until deadline: ContinuousClock.Instant
    ) async throws -> Int32 {
        let given = settings
        guard slots > 0, var settings else { return try await start(child, settings, lock, nil) }
        let more = max(0, slots - settings.givenSlots)
        settings.givenSlots = 0
        guard more > 0 else { return try await start(child, settings, lock, nil) }
        return try await Database(settings)
            .withProgramSlots(
                more,
                label: label ?? "",
                timeout: max(.zero, ContinuousClock.now.duration(to: deadline))
            ) { held in try await start(child, given, lock, held) }
    }

    private func start(
        _ child: Child,
        _ settings: DatabaseSettings?,
        _ lock: HostLock?,
        _ held: ProgramSlots?
    ) async throws -> Int32 {
        var environment = withSettings ? settings.map { variables($0) } ?? [:] : [:]
        if slots > 0 { environment["HEADROOM_SLOTS"] = "\(slots)" }
        let kept = close ? [] : [lock?.inheritable, held?.inheritable].compactMap(\.self)
        return try await child.run(
            command,
            environment: environment,
            keeping: kept
        ) { process in
            if close { return }
            lock?.hand(to: process)
            held?.hand(to: process)
        }
    }

    /// The settings as an application reads them.
    private func variables(_ settings: DatabaseSettings) -> [String: String] {
        var settings = settings
        // Its own slots let it past the line.
        if slots == 0, let loaded = try? connection.sources.load(), let door = try? DoorSettings(loaded) {
            switch door.places.first {
            case .unix(let path)?: settings.endpoint = .socket(path: path)
            case .tcp(let host, let port)?: settings.endpoint = .tcp(host: host, port: Int(port))
            case nil: break
            }
        }
        var variables = [
            "DB_USERNAME": settings.username, "DB_PASSWORD": settings.password, "DB_DATABASE": settings.database ?? "",
        ]
        switch settings.endpoint {
        case .socket(let path):
            (variables["DB_HOST"], variables["DB_PORT"], variables["DB_SOCKET"]) = ("localhost", "", path)
        case .tcp(let host, let port):
            (variables["DB_HOST"], variables["DB_PORT"], variables["DB_SOCKET"]) = (host, "\(port)", "")
        }
        return variables
    }

    /// The settings; a lock alone needs no database.
    private func settings() throws -> DatabaseSettings? {
        do {
            return try connection.settings(program: command.joined(separator: " "))
        } catch let error as DatabaseError where error.code == .settingsMissing && slots == 0 && !withSettings {
            return nil
        }
    }
}
