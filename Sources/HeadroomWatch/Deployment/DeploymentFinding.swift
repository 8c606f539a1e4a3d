/// Something that is wrong with how Headroom is run on a host.
package struct DeploymentFinding: Sendable, Hashable, Encodable {
    /// What it is.
    package var code: Code
    /// What was found, with its place.
    package var what: String
    /// Why that is wrong.
    package var why: String
    /// What to do.
    package var next: String

    /// What can be wrong.
    package enum Code: String, Sendable, Hashable, Encodable, CaseIterable {
        /// Two cron entries, or two services, for one worker.
        case workerTwice = "worker_twice"
        /// A worker that stays and one that comes by the clock, for one queue.
        case serviceAndCron = "service_and_cron"
        /// The worker that Headroom replaces still runs or is still started.
        case oldWorker = "old_worker"
        /// Nothing says where the database is.
        case noSettings = "no_settings"
        /// The settings file is not there.
        case settingsMissing = "settings_missing"
        /// The user that it runs as may not read the settings.
        case settingsUnreadable = "settings_unreadable"
        /// Every user of the host may read the settings.
        case settingsOpen = "settings_open"
        /// Cron leaves the file or the line out.
        case cronIgnores = "cron_ignores"
        /// Cron does not find the program.
        case cronPath = "cron_path"
        /// A program that stays is started again and again, or prints at every round.
        case cronNoise = "cron_noise"
        /// A program that ends after a round is started again at once.
        case restartLoop = "restart_loop"
        /// There is no such user.
        case noSuchUser = "no_such_user"
        /// A user that does not share the budget of the others.
        case ownBudget = "own_budget"
    }
}
