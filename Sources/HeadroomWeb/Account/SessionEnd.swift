import HTTPTypes
import Headroom
import HeadroomWatch

/// Ends one session, with the guarded kill that `kill-idle` uses.
struct SessionEnd: Sendable {
    private let dashboard: Dashboard

    init(_ dashboard: Dashboard) {
        self.dashboard = dashboard
    }

    /// What became of it.
    struct Outcome: Sendable {
        var isDone: Bool
        var result: String
        var text: String
    }

    /// - Parameters:
    ///   - id: The session.
    ///   - includingTransaction: Whether it may be ended in a transaction too, or when that is not known.
    ///   - context: Who does it.
    /// - Returns: What became of it.
    /// - Throws: ``DatabaseError``, ``WebError``.
    func run(_ id: UInt64, includingTransaction: Bool, _ context: WebContext) async throws -> Outcome {
        var policy = KillPolicy()
        policy.session = id
        policy.maxIdle = .zero
        policy.includesTransactions = includingTransaction
        policy.knownOnly = true
        let rule = policy
        let report = try await Database(dashboard.settings, share: .reserve)
            .withBriefConnection { try await IdleKill(rule).run(on: $0) }
        await dashboard.account.expire()
        guard let outcome = report.outcomes.first else {
            throw WebError(.notFound, "Session \(id) is not there any more.", code: "session_gone")
        }
        dashboard.note(
            "session end asked for",
            context,
            ["web.session": "\(id)", "web.result": "\(outcome.result.rawValue)"]
        )
        let why = outcome.reason.map { ": \($0.words)" } ?? ""
        return Outcome(
            isDone: outcome.result == .killed || outcome.result == .gone,
            result: outcome.result.rawValue,
            text: "Session \(id): \(outcome.result.words)\(why)."
        )
    }
}
