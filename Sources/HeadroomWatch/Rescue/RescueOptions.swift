/// Says what a rescue may do.
public struct RescueOptions: Sendable, Hashable {
    /// From when on a sleeping session may be ended, once there is a way in; 300 s by default.
    public var maxIdle = Duration.seconds(300)

    /// How many places are to be free in the end; `nil`, the default, ends all sessions that have slept for too long.
    public var untilFree: Int?

    /// Whether sessions are spared of which it is not known whether they are in a transaction; false by default.
    public var knownOnly = false

    /// What to hang up from outside when there is no way in; `nil`, the default, nothing.
    public var hangUp: HangUp?

    /// The process to end; `nil`, the default, none.
    public var terminate: Int32?

    /// How long to wait for that process's end; 10 s by default.
    public var terminationPatience = Duration.seconds(10)

    /// For how long a full account is tried again; not at all by default.
    ///
    /// Nothing that is to be hung up waits for that.
    public var patience = Duration.zero

    /// Whether nothing is ended, and only said what would be; true by default.
    public var isDryRun = true

    /// What to hang up from outside.
    public enum HangUp: Sendable, Hashable {
        /// One connection that has been silent for so long; from then on the server's eyes decide.
        case idle(Duration)
        /// The connections of a process, or the one with this descriptor.
        case process(Int32, descriptor: Int32?)
    }

    /// Creates options with the defaults: to look and to say.
    public init() {}

    /// From when on a session counts as idle, with the server's eyes as from outside.
    var idle: Duration {
        if case .idle(let silence) = hangUp { silence } else { maxIdle }
    }
}
