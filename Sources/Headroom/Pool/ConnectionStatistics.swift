import Metrics

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
    /// It was kept, and not used for the idle time.
    case idle
    /// It was kept, and its lifetime was over.
    case lifetime
    /// It was kept, and a task on this host waited for a slot.
    case wanted
}

/// Counts what a database does, for its statistics and for swift-metrics.
final class Recorder: Sendable {
    private let numbers = Locked(ConnectionStatistics())
    private let name: String
    private let factory: any MetricsFactory

    private let connectTime: Metrics.Timer
    private let waitTime: Metrics.Timer
    private let useTime: Metrics.Timer
    private let timeouts: Counter
    private let leaks: Counter

    /// Creates a recorder.
    ///
    /// - Parameters:
    ///   - name: The program's name, which tells one database's metrics from another's; never anything with a process id
    ///     or an address in it.
    ///   - factory: Where the metrics go; by default what the program has set up.
    init(name: String, factory: any MetricsFactory = MetricsSystem.factory) {
        self.name = name
        self.factory = factory
        let pool = [("pool", name)]
        connectTime = Metrics.Timer(label: "headroom_connect_duration_seconds", dimensions: pool, factory: factory)
        waitTime = Metrics.Timer(label: "headroom_pool_wait_duration_seconds", dimensions: pool, factory: factory)
        useTime = Metrics.Timer(label: "headroom_pool_use_duration_seconds", dimensions: pool, factory: factory)
        timeouts = Counter(label: "headroom_pool_timeouts_total", dimensions: pool, factory: factory)
        leaks = Counter(label: "headroom_leaks_suspected_total", dimensions: pool, factory: factory)
    }

    /// What was counted so far.
    var statistics: ConnectionStatistics { numbers.withLock(\.self) }

    /// A scope has waited for a slot.
    func waited(_ duration: Duration, inTime: Bool) {
        numbers.withLock { numbers in
            numbers.waitCount += 1
            numbers.waitTime += duration
            numbers.longestWait = max(numbers.longestWait, duration)
            if !inTime { numbers.waitTimeouts += 1 }
        }
        waitTime.recordNanoseconds(duration.nanoseconds)
        if !inTime { timeouts.increment() }
    }

    /// The server has refused a connection for a limit's sake.
    func refused(_ error: DatabaseError, afterDeath: Bool) {
        numbers.withLock { numbers in
            numbers.refused[error.serverCode ?? 0, default: 0] += 1
            if afterDeath { numbers.refusedAfterDeath += 1 }
        }
        Counter(
            label: "headroom_connect_refused_total",
            dimensions: [("code", "\(error.serverCode ?? 0)"), ("resource", error.resource ?? "")],
            factory: factory
        )
        .increment()
    }

    /// A connection was opened.
    func opened(in duration: Duration) {
        numbers.withLock { $0.opened += 1 }
        connectTime.recordNanoseconds(duration.nanoseconds)
    }

    /// A scope has begun to use a connection.
    func began(reused: Bool) {
        numbers.withLock { numbers in
            numbers.inUse += 1
            if reused {
                numbers.reused += 1
                numbers.idle -= 1
            }
        }
    }

    /// A scope has ended; its connection is kept, or has been closed.
    func ended(after duration: Duration, closed reason: CloseReason?) {
        numbers.withLock { numbers in
            numbers.inUse -= 1
            numbers.useCount += 1
            numbers.useTime += duration
            if let reason { numbers.closed[reason, default: 0] += 1 } else { numbers.idle += 1 }
        }
        useTime.recordNanoseconds(duration.nanoseconds)
    }

    /// A kept connection was closed.
    func closedKept(_ reason: CloseReason) {
        numbers.withLock { numbers in
            numbers.idle -= 1
            numbers.closed[reason, default: 0] += 1
        }
    }

    /// A session's slot was released although the server's letting go was not seen: the kernel gave up on its host.
    func unconfirmed() {
        numbers.withLock { $0.unconfirmed += 1 }
    }

    /// A slot was dropped without a proof that its session has ended.
    func dropped() {
        numbers.withLock { $0.dropped += 1 }
        leaks.increment()
    }

    /// A scope has held its connection for longer than expected.
    func heldTooLong() {
        numbers.withLock { $0.heldTooLong += 1 }
        leaks.increment()
    }

    /// Tells swift-metrics how many connections there are at this moment.
    func publish(_ statistics: ConnectionStatistics, budget: Int?) {
        for (state, count) in [
            ("used", statistics.inUse), ("idle", statistics.idle), ("draining", statistics.draining),
        ] {
            Gauge(label: "headroom_pool_connections", dimensions: [("pool", name), ("state", state)], factory: factory)
                .record(count)
        }
        Gauge(label: "headroom_pool_pending_requests", dimensions: [("pool", name)], factory: factory)
            .record(statistics.waiting)
        if let budget {
            Gauge(label: "headroom_pool_max_connections", dimensions: [("pool", name)], factory: factory).record(budget)
        }
    }
}
