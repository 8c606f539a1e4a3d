import ArgumentParser
import CommandSupport
import Headroom

/// The flags that say which queue a worker and those who queue jobs mean.
struct QueueOptions: ParsableArguments {
    @Option(
        name: .customLong("queue"),
        help: ArgumentHelp(
            "The queue's name on this host, when two applications have databases of one name (HEADROOM_QUEUE).",
            valueName: "name"
        )
    )
    var name: String?

    /// Takes the lock that lets one worker at a time work for the queue on this host.
    ///
    /// - Parameters:
    ///   - loaded: The settings.
    ///   - waiting: Is called again and again while another worker has it; `nil` to wait for nobody.
    /// - Returns: The lock.
    /// - Throws: ``DatabaseError`` with `lockTaken`, which says who has it.
    func lock(_ loaded: LoadedSettings, waiting: ((DatabaseError) -> Void)? = nil) async throws -> HostLock {
        let name = try QueueName.of(loaded, named: name)
        var timeout = Duration.zero
        while true {
            do {
                return try await HostLock.acquire(
                    name,
                    stateFolder: loaded.database.stateFolder,
                    program: "headroom work",
                    timeout: timeout
                )
            } catch let error as DatabaseError where error.code == .lockTaken {
                guard let waiting else { throw error }
                waiting(error)
                // A watchdog wants to hear of us meanwhile.
                timeout = .seconds(20)
            }
        }
    }

    /// The notification that wakes the queue's worker.
    func notification(_ loaded: LoadedSettings) throws -> HostNotification {
        try HostNotification(QueueName.of(loaded, named: name), stateFolder: loaded.database.stateFolder)
    }

    /// Wakes the queue's worker, if there is one on this host.
    func ring(_ loaded: LoadedSettings) {
        // It would find the job by itself, only later.
        try? HostNotification.post(QueueName.of(loaded, named: name), stateFolder: loaded.database.stateFolder)
    }
}
