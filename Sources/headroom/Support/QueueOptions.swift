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
            try queueName(loaded),
            stateFolder: loaded.database.stateFolder,
            program: "headroom work",
            timeout: .zero
        )
    }

    /// The bell that wakes the queue's worker.
    func bell(_ loaded: LoadedSettings) throws -> HostBell {
        try HostBell(queueName(loaded), stateFolder: loaded.database.stateFolder)
    }

    /// Wakes the queue's worker, if there is one on this host.
    func ring(_ loaded: LoadedSettings) {
        // It would find the job by itself, only later.
        try? HostBell.ring(queueName(loaded), stateFolder: loaded.database.stateFolder)
    }

    /// A queue is a database on a server; this host's own is one server, whichever way it is reached.
    private func queueName(_ loaded: LoadedSettings) throws -> String {
        if let name = try name ?? loaded.found.value(.queue) { return "work.\(name)" }
        let settings = loaded.database
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
