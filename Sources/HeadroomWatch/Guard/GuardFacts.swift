public import Headroom

/// What the guard knows beside the sample, at the same moment.
public struct GuardFacts: Sendable {
    /// Who holds a slot of this host for longer than expected.
    public var heldTooLong: [Holder] = []

    /// The names of the locks that programs of this host hold.
    public var locks: Set<String> = []

    /// The clients that are workers, as the server shows them; `nil` when it does not show programs.
    public var workers: Set<String>?

    /// How many connections the whole server has refused since it was started; `nil` when not known.
    public var serverRefused: Int?

    /// What is wrong with the queue of jobs; `nil` when nothing is.
    public var queueProblem: String?

    /// Why the history cannot be written; `nil` when it can.
    public var historyProblem: String?

    /// The one thing to do about the account's level.
    public var advice = ""

    /// Why the look failed, in words; empty when it did not.
    public var failure = ""

    /// Creates facts of which nothing is known.
    public init() {}

    /// Collects what this host knows, and what the look showed.
    ///
    /// - Parameters:
    ///   - report: What was seen; `nil` when the look failed.
    ///   - settings: The settings that lead to the account.
    ///   - workerProgram: The name that workers give the server.
    init(_ report: AccountReport?, settings: DatabaseSettings, workerProgram: String) {
        let slots = try? SlotReport(settings)
        heldTooLong = (slots?.held ?? []).map(\.holder).filter(\.isHeldTooLong)
        locks = Set(HostLockReport.held(stateFolder: settings.stateFolder).filter { !$0.holder.isStopped }.map(\.name))
        guard let report else { return }
        advice = report.advice(slots)
        serverRefused = report.server?.refused
        let named = report.sessions.filter { $0.program != nil && !$0.isDying }
        // Our own session names itself: without any name the server shows none.
        guard !named.isEmpty else { return }
        workers = Set(
            named.filter { $0.program == workerProgram }.map { "\($0.hostName)/\($0.processID ?? 0)" }
        )
    }
}
