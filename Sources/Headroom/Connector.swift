import Synchronization

/// Opens connections with one set of settings; knows nothing of slots.
final class Connector: Sendable {
    let settings: DatabaseSettings

    /// Whether the last connection was made without the server offering encryption, so that the next connect has no
    /// handshake to wait for.
    private let lastWasPlain = Atomic(false)

    /// Which nodes have failed, for all that this process connects to.
    private static let nodes = Guarded(NodeOrder())

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
        try Waiting.start()
        guard !settings.otherEndpoints.isEmpty else { return try await connect(settings, limits, abandoned) }
        let places = [settings.endpoint] + settings.otherEndpoints
        var last: (any Error)?
        for place in Self.nodes.withLock({ $0.order(places, at: .now) }) {
            var node = settings
            node.endpoint = place
            node.connectTimeout = min(settings.connectTimeout, Self.nodePatience)
            do {
                let client = try await connect(node, limits, abandoned)
                if await isReady(client, limits) {
                    Self.nodes.withLock { $0.worked(place) }
                    return client
                }
                client.free()
                _ = await client.socket?.serverHungUp(until: .now + settings.closeTimeout)
                last = ConnectFailure.notReady(node)
            } catch let error as DatabaseError where error.isOfNode {
                last = error
            }
            Self.nodes.withLock { $0.failed(place, at: .now) }
            if let deadline = limits.deadline, deadline <= .now { break }
        }
        throw last ?? ConnectFailure.timedOut(settings)
    }

    /// How long one node of several is waited for.
    private static let nodePatience: Duration = .seconds(3)

    /// Whether a node takes statements: one that has lost the others of its cluster lets clients in, and then refuses all
    /// that they ask.
    private func isReady(_ client: Client, _ limits: Limits) async -> Bool {
        let deadline = min(ContinuousClock.now + Self.nodePatience, limits.deadline ?? .now + Self.nodePatience)
        let limits = Limits(deadline: deadline, isCancellable: limits.isCancellable)
        do {
            let reply = try await client.send("SHOW STATUS LIKE 'wsrep_ready'", fetching: .whole, limits: limits)
            var isReady = true
            while let row = try await reply.reader?.next(limits: limits) { isReady = row.text(at: 1) != "OFF" }
            return isReady
        } catch {
            return false
        }
    }

    private func connect(
        _ settings: DatabaseSettings,
        _ limits: Limits,
        _ abandoned: @escaping @Sendable (SessionSocket) -> Void
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

extension DatabaseError {
    /// Whether another node may let in where this one did not.
    fileprivate var isOfNode: Bool {
        [.connectionLost, .serverUnreachable, .socketNotFound, .connectTimedOut, .serverLimitReached].contains(code)
    }
}
