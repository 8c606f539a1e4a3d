@testable import Headroom

extension ConnectOutcome {
    /// The open client, for tests that leave it to its own end.
    ///
    /// - Throws: Why there is none.
    consuming func opened() throws -> Client {
        switch consume self {
        case .connected(let client): return client
        case .failed(let error, _): throw error
        case .abandoned(let error): throw error
        }
    }
}

extension Connector {
    func connect(limits: Limits) async throws -> Client {
        try await connect(limits: limits, abandoned: { _ in }, goingOn: {}).opened()
    }
}

extension Client {
    static func opened(_ settings: DatabaseSettings, limits: Limits = Limits(), isPlain: Bool) async throws -> Client {
        try await connect(settings, limits: limits, isPlain: isPlain) { _ in }.opened()
    }
}
