/// What a ``Database`` has done so far, and what it does at this moment; all taken in one look.
public struct ConnectionStatistics: Sendable, Hashable {
    /// The connections that scopes are using.
    public var inUse = 0

    /// The connections that are kept open between scopes.
    public var idle = 0

    /// The sessions that were given up and that the server has not let go yet.
    public var draining = 0

    /// The tasks of this database that wait for a slot.
    public var waiting = 0

    /// How often a connection was opened.
    public var opened = 0

    /// How often a scope was given a kept connection.
    public var reused = 0

    /// How often a scope had to wait for a slot.
    public var waitCount = 0

    /// How long scopes have waited for slots, all together.
    public var waitTime: Duration = .zero

    /// The longest wait for a slot.
    public var longestWait: Duration = .zero

    /// How often no slot came free in time.
    public var waitTimeouts = 0

    /// How many scopes have ended.
    public var useCount = 0

    /// How long scopes have held their connections, all together.
    public var useTime: Duration = .zero

    /// How often the server refused a connection for a limit's sake, by the error's number; those that were tried again too.
    public var refused: [Int: Int] = [:]

    /// How many of the refusals came while a dead process's session was still counted, in the slot that it had held.
    public var refusedAfterDeath = 0

    /// How many connections were closed, by reason.
    public var closed: [CloseReason: Int] = [:]

    /// How many sessions' slots were released although the server's letting go was not seen, as its host was gone.
    public var unconfirmed = 0

    /// How many slots were dropped without a proof that their session has ended, and so stay taken: always 0.
    public var dropped = 0

    /// How many scopes have held a connection for longer than expected.
    public var heldTooLong = 0

    /// The connections that exist: in use, idle or draining.
    public var open: Int { inUse + idle + draining }

    /// Creates empty statistics.
    public init() {}
}

/// Says why a connection was closed; the raw values are what logs and metrics use.
public enum CloseReason: String, Sendable, Hashable, CaseIterable {
    /// Its scope ended.
    case scope
    /// Its scope's task was cancelled, or a deadline passed, in the middle of a statement.
    case givenUp = "given_up"
    /// The server or the network had ended it.
    case lost
    /// It was kept, and nobody used it for the idle time.
    case idle
    /// It was kept, and its lifetime was over.
    case lifetime
    /// It was kept, and somebody on this host waited for a slot.
    case wanted
}
