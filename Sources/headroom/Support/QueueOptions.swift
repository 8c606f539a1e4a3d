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
    /// - Throws: ``DatabaseError`` with `lockTaken`, which says who has it.
    func lock(_ loaded: LoadedSettings) async throws -> HostLock {
        try await HostLock.acquire(
            QueueName.of(loaded, named: name),
            stateFolder: loaded.database.stateFolder,
            program: "headroom work",
            timeout: .zero
        )
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
