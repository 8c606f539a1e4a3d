import Synchronization

/// Opens connections with one set of settings; knows nothing of slots.
final class Connector: Sendable {
    let settings: DatabaseSettings

    /// Whether the last connection was made without the server offering encryption, so that the next connect has no
    /// handshake to wait for.
    private let lastWasPlain = Atomic(false)

    init(_ settings: DatabaseSettings) {
        self.settings = settings
    }

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - limits: When to give up; the settings' connect timeout holds as well.
    ///   - abandoned: Is given the socket of a session that was given up while it began and is not gone yet.
    /// - Returns: The open connection.
    /// - Throws: ``DatabaseError``, or `CancellationError` when the task is cancelled.
    func connect(
        limits: Limits,
        abandoned: @escaping @Sendable (SessionSocket) -> Void = { _ in }
    ) async throws -> Client {
        let own = ContinuousClock.now + settings.connectTimeout
        let bounded = Limits(deadline: min(own, limits.deadline ?? own), isCancellable: limits.isCancellable)
        do {
            let client = try await Client.connect(
                settings,
                limits: bounded,
                isPlain: settings.tls.mode == .preferred && lastWasPlain.load(ordering: .relaxed),
                abandoned: abandoned
            )
            lastWasPlain.store(!client.isEncrypted, ordering: .relaxed)
            return client
        } catch let error as DatabaseError
            where error.code == .connectTimedOut && bounded.deadline == limits.deadline && limits.deadline != own
        {
            throw DatabaseError(
                .deadlineExceeded,
                message: "The deadline passed before there was a connection to \(settings.endpoint).",
                advice: error.advice
            )
        }
    }
}
