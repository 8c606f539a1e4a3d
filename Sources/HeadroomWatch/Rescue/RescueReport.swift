public import Headroom

/// What a rescue found and did.
public struct RescueReport: Sendable {
    /// Why the account was not let in at first; `nil` when it was.
    public var refusal: DatabaseError?

    /// The doors that were tried after that, in this order.
    public var doors: [Attempt] = []

    /// The door that opened in the end; `nil` when none did.
    public var opened: Door.Kind?

    /// How long the account tried again before a place came free, or in vain; `nil` when trying again could not help.
    public var waited: Duration?

    /// Who of this host holds connections.
    public var host = HostView()

    /// The same after something was hung up or ended; `nil` when nothing was.
    public var hostAfter: HostView?

    /// What was hung up, or would be.
    public var hangUps: [HangUp] = []

    /// What may be hung up, and what not.
    public var choice: HangUpChoice?

    /// What became of the process that was to end.
    public var termination: (process: Int32, result: Termination.Result)?

    /// What was seen and ended with the server's eyes; `nil` when no door opened.
    public var kills: KillReport?

    /// The account as it could last be looked at before this; `nil` when it never could.
    public var snapshot: AccountSnapshot?

    /// Whether nothing was to be ended.
    public var isDryRun: Bool

    /// Creates a report in which nothing has been found yet.
    public init(isDryRun: Bool) {
        self.isDryRun = isDryRun
    }

    /// An attempt to get in through a door.
    public struct Attempt: Sendable {
        /// The door.
        public var door: Door
        /// Why it did not open; `nil` when it did.
        public var error: DatabaseError?
    }

    /// A connection that was hung up from outside.
    public struct HangUp: Sendable {
        /// The process and its connection.
        public var candidate: HangUpChoice.Candidate
        /// What became of it.
        public var result: Result

        /// What became of a connection; the raw values are what `--json` prints.
        public enum Result: String, Sendable {
            /// It would have been hung up, were it not a dry run.
            case wouldHangUp = "would_hang_up"
            /// It was hung up, and a place came free.
            case freed
            /// It was hung up; no place came free within a second.
            case inVain = "in_vain"
            /// It was hung up; whether a place came free was not waited for.
            case hungUp = "hung_up"
            /// The kernel does not let this user do it.
            case notPermitted = "not_permitted"
            /// The kernel or the container has no such call.
            case unsupported
            /// The process or the connection had gone in the meantime.
            case gone

            /// The result in words.
            public var words: String {
                switch self {
                case .wouldHangUp: "would be hung up"
                case .freed: "hung up, its place was free at once"
                case .inVain: "hung up, but no place came free: most likely a statement still runs there"
                case .hungUp: "hung up"
                case .notPermitted: "not permitted by the kernel: the process may be looked into by root only"
                case .unsupported: "not supported by this kernel or container"
                case .gone: "gone by itself"
                }
            }

            init(_ obstacle: ForeignSocket.Obstacle) {
                self =
                    switch obstacle {
                    case .processGone, .changed, .failed: .gone
                    case .notPermitted: .notPermitted
                    case .unsupported: .unsupported
                    }
            }
        }
    }

    /// The limit that refused us, with its number: the refusal's own, else the one from the last look.
    public var limit: AccountLimit {
        guard let refusal else { return kills?.account.limit ?? AccountLimit(value: nil, source: .unknown) }
        if let value = refusal.limit { return AccountLimit(value: value, source: .refusal) }
        switch refusal.code {
        case .userLimitReached:
            return AccountLimit(value: snapshot?.limit, source: .global)
        case .serverLimitReached:
            return AccountLimit(value: snapshot?.serverLimit, source: .server)
        default:
            return AccountLimit(value: nil, source: .unknown)
        }
    }

    /// Whether it lets somebody in, and most likely not the next one.
    public var isNearlyFull: Bool {
        guard let account = kills?.account, refusal == nil else { return false }
        return account.level != .ok && account.level != .unknown
    }

    /// Whether the account itself can be used at the end, as far as is known.
    public var isFree: Bool {
        if refusal == nil || opened == .account { return true }
        if hangUps.contains(where: { $0.result == .freed }) { return true }
        return kills.map { $0.freed > 0 } ?? false
    }
}
