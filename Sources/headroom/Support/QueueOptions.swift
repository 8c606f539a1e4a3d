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
    func lock(_ settings: DatabaseSettings) async throws -> HostLock {
        try await HostLock.acquire(
            queueName(settings),
            stateFolder: settings.stateFolder,
            program: "headroom work",
            timeout: .zero
        )
    }

    /// The bell that wakes the queue's worker.
    func bell(_ settings: DatabaseSettings) throws -> HostBell {
        try HostBell(queueName(settings), stateFolder: settings.stateFolder)
    }

    /// Wakes the queue's worker, if there is one on this host.
    func ring(_ settings: DatabaseSettings) {
        // It would find the job by itself, only later.
        try? HostBell.ring(queueName(settings), stateFolder: settings.stateFolder)
    }

    /// A queue is a database on a server; this host's own is one server, whichever way it is reached.
    private func queueName(_ settings: DatabaseSettings) -> String {
        if let name = name ?? Variables.value("HEADROOM_QUEUE") { return "work.\(name)" }
        let host =
            switch settings.endpoint {
            case .socket: "localhost"
            case .tcp(let host, _): ["127.0.0.1", "::1"].contains(host) ? "localhost" : host
            }
        let text = "\(host).\(settings.database ?? "")"
        let safe = text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) ? $0 : "_" }
        return "work.\(String(safe).prefix(90))"
    }
}
