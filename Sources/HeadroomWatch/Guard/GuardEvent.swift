/// Something that the guard has to say, once.
public struct GuardEvent: Sendable, Hashable, Codable {
    /// What it is about; the raw values are what logs, alerts and the history print.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// The account's level.
        case level
        /// The server does not answer, or does not let us in for another reason than a limit.
        case unreachable
        /// The whole server has refused connections since the last look, as it is full.
        case serverRefuses = "server_refuses"
        /// A scope holds its connection for longer than its program expected.
        case heldTooLong = "held_too_long"
        /// A worker that should run does not.
        case workerMissing = "worker_missing"
        /// More workers run than should.
        case workerDoubled = "worker_doubled"
        /// The account will soon be full if it goes on like this.
        case filling
        /// The queue of jobs is not well.
        case queue
        /// The history cannot be written.
        case history
        /// The guard has ended a session.
        case kill
        /// Samples are missing.
        case gap
        /// Something about the guard itself.
        case service
    }

    /// What has become of it.
    public enum Change: String, Sendable, Hashable, Codable {
        /// It has begun, or changed.
        case raised
        /// It is over.
        case recovered
        /// It has happened, and is no state.
        case noted
    }

    /// When it was seen, in seconds since 1970.
    public var time: Double

    /// What it is about.
    public var kind: Kind

    /// What has become of it.
    public var change: Change

    /// The account's level at that time.
    public var level: Level

    /// Which of several, such as a worker's lock; empty when there is only one.
    public var subject: String

    /// What happened, in a sentence.
    public var message: String

    /// What to do next, in a sentence; empty when there is nothing to do.
    public var advice: String

    /// Creates an event.
    public init(
        time: Double,
        kind: Kind,
        change: Change,
        level: Level,
        subject: String = "",
        message: String,
        advice: String = ""
    ) {
        self.time = time
        self.kind = kind
        self.change = change
        self.level = level
        self.subject = subject
        self.message = message
        self.advice = advice
    }

    /// Whether somebody is to be told: changes are alerts, what merely happened is for the log and the history.
    public var isAlert: Bool { change != .noted }
}
