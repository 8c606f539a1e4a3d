import ArgumentParser
import CommandSupport
import Headroom
import HeadroomWatch

/// The flags that say what the guard watches, and what it may do.
struct WatchingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The time between two looks.", valueName: "duration"))
    var interval: DurationArgument = DurationArgument(.seconds(30))

    @Option(help: ArgumentHelp("From when on a sleeping session counts as idle.", valueName: "duration"))
    var maxIdle: DurationArgument = DurationArgument(.seconds(300))

    @Flag(help: "Log each look too, not only what has changed.")
    var verbose = false

    @Flag(help: "Keep one connection: the one that the budget leaves free.")
    var reserve = false

    @Option(
        help: ArgumentHelp(
            "A worker's lock that should be held on this host, such as work.localhost.shop; may be given again.",
            valueName: "name"
        )
    )
    var expectWorker: [String] = []

    @Option(
        help: ArgumentHelp("Say so when the account will be full within this time; 0 never.", valueName: "duration")
    )
    var foretell: DurationArgument = DurationArgument(.seconds(600))

    @Option(help: ArgumentHelp("How many looks in a row must be better before that is said.", valueName: "count"))
    var recoverAfter = 3

    @Option(help: ArgumentHelp("End sessions that have slept for longer than this.", valueName: "duration"))
    var autoKillIdle: DurationArgument?

    @Option(
        help: ArgumentHelp("End them only while more than this share of the limit is in use.", valueName: "percent")
    )
    var killAbove = 60.0

    @Option(help: ArgumentHelp("End at most so many in one look.", valueName: "count"))
    var killsPerRound = 5

    @Option(help: ArgumentHelp("End at most so many in any 60 minutes.", valueName: "count"))
    var killsPerHour = 60

    @Flag(help: "Spare sessions of which it is not known whether they are in a transaction.")
    var knownOnly = false

    func validate() throws {
        guard interval.value >= .milliseconds(200) else { throw ValidationError("--interval must be at least 200ms.") }
        guard recoverAfter >= 1 else { throw ValidationError("--recover-after must be at least 1.") }
        guard killsPerRound >= 1, killsPerHour >= 1 else {
            throw ValidationError("--kills-per-round and --kills-per-hour must be at least 1.")
        }
        guard (0...100).contains(killAbove) else { throw ValidationError("--kill-above must be from 0 to 100.") }
    }

    /// What the guard is told, by flags or by the settings.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    func guardOptions(_ loaded: LoadedSettings) throws -> GuardOptions {
        var guardOptions = GuardOptions()
        guardOptions.interval = interval.value
        guardOptions.maxIdle = maxIdle.value
        guardOptions.isReserving = reserve
        guardOptions.killsAbove = killAbove
        guardOptions.rules.expectedWorkers = expectWorker.map { $0.begins(with: "work.") ? $0 : "work.\($0)" }
        guardOptions.rules.foretell = foretell.value.seconds / 60
        guardOptions.rules.recoverAfter = recoverAfter
        guardOptions.rules.killsPerRound = killsPerRound
        guardOptions.rules.killsPerHour = killsPerHour
        let killIdle = try autoKillIdle?.value ?? loaded.found.value(.killIdle).flatMap { Duration(text: $0) }
        if let killIdle {
            var policy = KillPolicy()
            policy.maxIdle = killIdle
            (policy.knownOnly, policy.knownLocksOnly) = (knownOnly, knownOnly)
            guardOptions.kills = policy
        }
        return guardOptions
    }
}
