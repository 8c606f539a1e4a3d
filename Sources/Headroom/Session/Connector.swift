import Synchronization

/// What has become of an attempt to connect.
enum ConnectOutcome: ~Copyable {
    /// The client is open.
    case connected(Client)
    /// There is no session, or none any more.
    case failed(any Error, SessionEnd)
    /// It was given up in the middle, or its end was not seen: what was to be told of that has been told, or will be.
    case abandoned(any Error)

    /// The open client, if there is one.
    var client: Client? {
        switch self {
        case .connected(let client): client
        default: nil
        }
    }

    /// Why there is no client.
    var error: (any Error)? {
        switch self {
        case .connected: nil
        case .failed(let error, _): error
        case .abandoned(let error): error
        }
    }

    /// Whether it was given up with a session that may count.
    var isAbandoned: Bool {
        switch self {
        case .abandoned: true
        default: false
        }
    }
}

/// Opens connections with one set of settings; knows nothing of slots.
final class Connector: Sendable {
    let settings: DatabaseSettings

    /// Whether the last connection was made without the server offering encryption, so that the next connect has no
    /// handshake to wait for.
    private let lastWasPlain = Atomic(false)

    private let password: RefusedPassword

    /// The settings, with the password as it is now.
    var currentSettings: DatabaseSettings {
        var current = settings
        current.password = password.current
        return current
    }

    /// Which nodes have failed, for all that this process connects to.
    private static let nodes = Locked(NodeOrder())

    init(_ settings: DatabaseSettings) {
        self.settings = settings
        password = RefusedPassword(settings)
    }

    /// The nodes in the order in which they are tried now.
    static func inOrder(_ nodes: [Endpoint]) -> [Endpoint] { Self.nodes.withLock { $0.order(nodes, at: .now) } }

    /// Notes whether a node could be reached.
    static func note(_ node: Endpoint, worked: Bool) {
        nodes.withLock { worked ? $0.worked(node) : $0.failed(node, at: .now) }
    }

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - limits: When to give up; the settings' connect timeout holds as well.
    ///   - abandoned: Is given the client of each attempt that was given up in the middle, perhaps later: its session may count.
    ///   - goingOn: Is told of each attempt that was given up while another is made at the next node.
    /// - Returns: The open client, or what is known of its end.
    func connect(
        limits: Limits,
        abandoned: @escaping @Sendable (Client) -> Void,
        goingOn: () -> Void
    ) async -> ConnectOutcome {
        guard !settings.otherEndpoints.isEmpty else { return await connect(settings, limits, abandoned) }
        var places = Self.nodes.withLock { $0.order([settings.endpoint] + settings.otherEndpoints, at: .now) }[...]
        while true {
            var node = settings
            node.endpoint = places.popFirst() ?? settings.endpoint
            node.connectTimeout = min(settings.connectTimeout, Self.nodePatience)
            var opening = await connect(node, limits, abandoned)
            if let client = opening.client {
                if await isReady(client, limits) {
                    Self.nodes.withLock { $0.worked(node.endpoint) }
                    client.node = node.endpoint
                    return .connected(client)
                }
                opening = await client.leave(
                    after: ConnectFailure.notReady(node),
                    within: settings.closeTimeout,
                    abandoned
                )
            }
            if opening.isOfNode { Self.nodes.withLock { $0.failed(node.endpoint, at: .now) } }
            let isLate = limits.deadline.map { $0 <= .now } ?? false
            guard opening.isOfNode, !isLate, !places.isEmpty else { return opening }
            if opening.isAbandoned { goingOn() }
        }
    }

    /// How long one node of several is waited for.
    private static let nodePatience: Duration = .seconds(3)

    /// Whether a node takes statements: one that has lost the others of its cluster lets clients in, and then refuses all
    /// that they ask.
    private func isReady(_ client: Client, _ limits: Limits) async -> Bool {
        let deadline = min(ContinuousClock.now + Self.nodePatience, limits.deadline ?? .now + Self.nodePatience)
        let limits = Limits(deadline: deadline, isCancellable: limits.isCancellable)
        guard let reply = try? await client.query("SHOW STATUS LIKE 'wsrep_ready'", limits) else { return false }
        guard reply.rows.first?.text(at: 1) == "OFF" else { return true }
        // A server that could be a node and is none says so too.
        return (try? await client.query("SHOW VARIABLES LIKE 'wsrep_on'", limits))?.rows.first?.text(at: 1) == "OFF"
    }

    private func connect(
        _ settings: DatabaseSettings,
        _ limits: Limits,
        _ abandoned: @escaping @Sendable (Client) -> Void
    ) async -> ConnectOutcome {
        let own = ContinuousClock.now + settings.connectTimeout
        let bounded = Limits(deadline: min(own, limits.deadline ?? own), isCancellable: limits.isCancellable)
        let isPlain = settings.tls.mode == .preferred && lastWasPlain.load(ordering: .relaxed)
        let opening = await logIn(settings, bounded, isPlain: isPlain, abandoned)
        if let client = opening.client {
            lastWasPlain.store(!client.isEncrypted, ordering: .relaxed)
            await password.accepted(limits)
        }
        guard bounded.deadline == limits.deadline, limits.deadline != own else { return opening }
        return opening.mapError { error in
            guard let error = error as? DatabaseError, error.code == .connectTimedOut else { return error }
            return DatabaseError(
                .deadlineExceeded,
                message: "The deadline passed before there was a connection to \(settings.endpoint).",
                advice: error.advice
            )
        }
    }

    /// Logs in with the password as it is now; with another one at once when it has changed.
    private func logIn(
        _ settings: DatabaseSettings,
        _ limits: Limits,
        isPlain: Bool,
        _ abandoned: @escaping @Sendable (Client) -> Void
    ) async -> ConnectOutcome {
        var settings = settings
        do throws(RefusedPassword.Withheld) {
            settings.password = try await password.next(limits)
        } catch {
            return .failed(error.error, SessionEnd(error))
        }
        let opening = await Client.connect(settings, limits: limits, isPlain: isPlain, abandoned: abandoned)
        guard let error = opening.error as? DatabaseError, error.isPasswordRefusal,
            await password.refused(settings.password, error, limits)
        else { return opening }
        settings.password = password.current
        let second = await Client.connect(settings, limits: limits, isPlain: isPlain, abandoned: abandoned)
        if let error = second.error as? DatabaseError, error.isPasswordRefusal {
            _ = await password.refused(settings.password, error, limits)
        }
        return second
    }
}

extension ConnectOutcome {
    /// Whether another node may let in where this one did not.
    fileprivate var isOfNode: Bool {
        (error as? DatabaseError)?.retry == .otherNode
    }

    fileprivate consuming func mapError(_ change: (any Error) -> any Error) -> ConnectOutcome {
        switch consume self {
        case .connected(let client): .connected(client)
        case .failed(let error, let end): .failed(change(error), end)
        case .abandoned(let error): .abandoned(change(error))
        }
    }
}
